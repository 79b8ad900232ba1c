"""Dates and times as files write them, and the order of day and month that a whole column shows."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.fields import LeadField
from domain.periods import in_utc
from domain.vocabulary import DateOrder, ImportIssueCode
from transfer.cells import Flaw, Read

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january janvier janv enero ene januar januari jän gennaio gen janeiro ינואר",
            "feb february février fevrier févr fevr fév febrero februar februari febbraio fevereiro fev פברואר",
            "mar march mars marzo märz maerz mär mrz maart março marco מרץ",
            "apr april avril avr abril abr aprile אפריל",
            "may mai mayo maggio mag mei maio מאי",
            "jun june juin junio juni giugno giu junho יוני",
            "jul july juillet juil julio juli luglio lug julho יולי",
            "aug august août aout agosto ago augustus אוגוסט",
            "sep sept september septembre septiembre settembre set setembro ספטמבר",
            "oct october octobre octubre oktober okt ottobre ott outubro out אוקטובר",
            "nov november novembre noviembre novembro נובמבר",
            "dec december décembre decembre déc diciembre dic dezember dez dicembre dezembro דצמבר",
        ),
        start=1,
    )
    for name in names.split()
}
_CENTURY_PIVOT: Final = 70
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a wall-clock date: Excel knows no zones
_EXCEL_RANGE: Final = range(1, 2_958_466)
_SERIAL: Final = re.compile(r"(\d{1,7})(?:\.(\d+))?")
_ISO: Final = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ](?P<H>\d\d):(?P<M>\d\d)(?::(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?)?)?"
    r"(?P<z> ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?"
)
_TIME: Final = (
    r"(?:[T, ]+(?:(?:at|à|um|a las) )?(?P<H>\d{1,2})[:h](?P<M>\d\d)?(?::(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?: ?(?P<p>[aApP])\.?[mM]\.?)?)?(?P<z> ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
)
NUMERIC: Final = re.compile(rf"(?P<a>\d{{1,4}})(?P<s>[/.\-])(?P<b>\d{{1,2}})(?P=s)(?P<c>\d{{1,4}}){_TIME}")
_COMPACT: Final = re.compile(r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)")
_WORD: Final = r"[^\W\d_]{3,10}"
_DAY_NAMED: Final = re.compile(
    rf"(?:{_WORD}\.?,? )?(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|\.)?[ \-/]+(?:de )?(?P<n>{_WORD})\.?,?[ \-/]+(?:de )?"
    rf"(?P<y>\d{{4}}|\d\d){_TIME}"
)
_NAMED_DAY: Final = re.compile(
    rf"(?:{_WORD},? )?(?P<n>{_WORD})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}}){_TIME}"
)
_LONGEST: Final = 64
_NOON: Final = 12
_FOUR: Final = 4


def instant_reader(field: LeadField, order: DateOrder, zone: ZoneInfo, *, serials: bool) -> Callable[[str], Read]:
    """Instants in UTC for COPY. Times without a zone are `zone`'s; `serials`: plain numbers are Excel's days."""

    def read(text: str) -> Read:
        moment = moment_of(text, order, serials=serials)
        if moment is None:
            message = f"{field.label.lower()} is not a date such as 2024-01-15 14:30:22"
            return Flaw(code=ImportIssueCode.INVALID_DATE, message=message)
        try:
            instant = in_utc(moment, zone)
        except OverflowError:
            return Flaw(code=ImportIssueCode.INVALID_DATE, message=f"{field.label.lower()} is too far away")
        return instant.isoformat(sep=" ")

    return read


def moment_of(text: str, order: DateOrder, *, serials: bool = False) -> datetime | None:
    """The date and time in a text, None where there is none. Without an offset in the text it is naive."""
    if len(text) > _LONGEST:
        return None
    plain = text if text.isascii() else _plain(text)
    try:
        if match := _ISO.fullmatch(plain):
            return _moment(match, int(match["y"]), int(match["m"]), int(match["d"]))
        if match := NUMERIC.fullmatch(plain):
            return _moment(match, *_ordered(match, order))
        if match := _COMPACT.fullmatch(plain):
            return datetime(int(match["y"]), int(match["m"]), int(match["d"]))  # noqa: DTZ001 - naive, see above
        if match := _DAY_NAMED.fullmatch(plain) or _NAMED_DAY.fullmatch(plain):
            month = _MONTHS.get(match["n"].casefold())
            return None if month is None else _moment(match, _year(match["y"]), month, int(match["d"]))
        return _serial(plain) if serials else None
    except ValueError:
        return None


def _plain(text: str) -> str:
    """ASCII digits, no invisible marks, plain blanks."""
    characters = (
        str(unicodedata.decimal(character, character)) if unicodedata.category(character) != "Cf" else ""
        for character in text
    )
    return "".join(characters).replace("\u00a0", " ").replace("\u202f", " ")


def _moment(match: re.Match[str], year: int, month: int, day: int) -> datetime:
    parts = match.groupdict()
    hour = int(parts["H"] or 0)
    half = parts.get("p")
    if half:
        if not 1 <= hour <= _NOON:
            raise ValueError(hour)
        hour = hour % _NOON + (_NOON if half in "pP" else 0)
    fraction = int((parts["f"] or "0").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, int(parts["M"] or 0), int(parts["S"] or 0), fraction)  # noqa: DTZ001 - naive, see above
    offset = (parts["z"] or "").strip()
    return moment if not offset else moment.replace(tzinfo=datetime.fromisoformat(_with_offset(offset)).tzinfo)


def _with_offset(offset: str) -> str:
    return "2000-01-01T00:00:00" + ("+00:00" if offset in ("Z", "UTC", "GMT") else offset)


def _ordered(match: re.Match[str], order: DateOrder) -> tuple[int, int, int]:
    first, second, third = match["a"], match["b"], match["c"]
    if len(first) == _FOUR:
        return int(first), int(second), int(third)
    if order is DateOrder.YMD:
        return _only_reading(first, second, third)
    if order is DateOrder.MDY:
        return _year(third), int(first), int(second)
    return _year(third), int(second), int(first)


def _only_reading(first: str, second: str, third: str) -> tuple[int, int, int]:
    """Year first was said: a date that ends with the year is taken where it can be read only one way."""
    if len(third) != _FOUR:
        return _year(first), int(second), int(third)
    one, other = int(first), int(second)
    if one != other and max(one, other) <= _NOON:
        raise ValueError(first)
    return (int(third), other, one) if one > _NOON else (int(third), one, other)


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == _FOUR:
        return year
    if len(digits) != 2:  # noqa: PLR2004 - a year of two digits
        raise ValueError(digits)
    return year + (1900 if year >= _CENTURY_PIVOT else 2000)


def _serial(plain: str) -> datetime | None:
    match = _SERIAL.fullmatch(plain)
    if match is None or int(match[1]) not in _EXCEL_RANGE:
        return None
    return _EXCEL_EPOCH + timedelta(days=int(match[1]), seconds=round(float(f"0.{match[2] or 0}") * 86_400))
