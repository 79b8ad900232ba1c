"""Phones and e-mail addresses: kept as written with a warning where they do not validate."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple

from domain.emails import MAX_EMAIL_LENGTH, is_email
from domain.lead_values import phone_digits
from domain.phones import MAX_PHONE_LENGTH, read_phone
from domain.vocabulary import ImportIssueCode, Severity
from transfer.cells import MASKED, NULL, SHORTENED, Flaw, Masked, Read, bare, escape, says_nothing

_SCIENTIFIC: Final = re.compile(r"\+?(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})")
_INTEGRAL: Final = re.compile(r"(\+?\d{5,18})\.0")


class PhoneCell(NamedTuple):
    """A phone cell read: COPY texts of phone, phone_display and phone_key, the key's digits, and what is wrong."""

    phone: str
    display: str
    key: str
    digits: str
    flaw: Flaw | Masked | None


NO_PHONE: Final = PhoneCell(NULL, NULL, NULL, "", None)
MASKED_PHONE: Final = NO_PHONE._replace(flaw=MASKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRules:
    """`country` is the default one; `strict`: an invalid phone refuses the row; `guarded` as for `Reading`."""

    country: str
    strict: bool
    guarded: bool = True


class PhoneReading(dict[str, PhoneCell]):
    """Phones by cell text; equal cells are read once."""

    def __init__(self, rules: PhoneRules, remembered: int = 50_000) -> None:
        super().__init__()
        self._rules = rules
        severity = Severity.ERROR if rules.strict else Severity.WARNING
        self._invalid = Flaw(code=ImportIssueCode.INVALID_PHONE, message="not a valid phone number", severity=severity)
        self._remembered = remembered
        self._trimmed = bare if rules.guarded else str.strip

    def __missing__(self, cell: str) -> PhoneCell:
        if len(self) >= self._remembered:
            self.clear()
        text = self._trimmed(cell)
        found = self[cell] = (MASKED_PHONE if text else NO_PHONE) if says_nothing(text) else self._phone(text)
        return found

    def _phone(self, text: str) -> PhoneCell:
        written = _unshortened(text)
        if written is None:
            return NO_PHONE._replace(flaw=SHORTENED)
        if len(written) > MAX_PHONE_LENGTH:
            message = f"phone is longer than {MAX_PHONE_LENGTH} characters"
            return NO_PHONE._replace(flaw=Flaw(code=ImportIssueCode.TOO_LONG, message=message))
        phone = read_phone(written, self._rules.country)
        if phone.valid:
            return PhoneCell(phone.text, phone.display, phone.key, phone.key[1:], None)
        written, digits = escape(phone.text), phone_digits(phone.key) or ""
        flaw = replace(self._invalid, kept=written)
        return PhoneCell(written, escape(phone.display), escape(phone.key), digits, flaw)


def _unshortened(text: str) -> str | None:
    """The number as spreadsheets hold it; None where digits are lost (`3.36E+10`)."""
    if "." not in text and "E" not in text and "e" not in text:
        return text
    if match := _INTEGRAL.fullmatch(text):
        return match[1]
    match = _SCIENTIFIC.fullmatch(text)
    if match is None:
        return text
    if len(match[2] or "") < int(match[3]):
        return None
    return str(int(Decimal(text.replace(",", "."))))


def email_reader(*, strict: bool) -> Callable[[str], Read]:
    """Addresses as written; `strict`: an invalid one refuses the row."""
    severity = Severity.ERROR if strict else Severity.WARNING

    def read(text: str) -> Read:
        if len(text) > MAX_EMAIL_LENGTH:
            message = f"email is longer than {MAX_EMAIL_LENGTH} characters"
            return Flaw(code=ImportIssueCode.TOO_LONG, message=message)
        written = escape(text)
        if is_email(text):
            return written
        return Flaw(
            code=ImportIssueCode.INVALID_EMAIL,
            message="not a valid e-mail address",
            severity=severity,
            suggestion=_mended(text),
            kept=written,
        )

    return read


def _mended(text: str) -> str | None:
    """The address without what people add to it: blanks, `mailto:`, a name before angle brackets."""
    address = text.rpartition("<")[2].rstrip(">").removeprefix("mailto:").replace(" ", "").rstrip(".,;")
    return address if address != text and is_email(address) else None
