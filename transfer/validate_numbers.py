"""Whole numbers, decimals and booleans as people and programs write them."""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from domain.fields import LeadField
from domain.vocabulary import ImportIssueCode
from transfer.cells import Flaw, Read

_MAX_DIGITS: Final = 40
_DECIMAL_DIGITS: Final = 14
"""Before the decimal mark, as the column holds them (numeric(18, 4))."""
_DECIMAL_PLACES: Final = Decimal("0.0001")
_PLAIN: Final = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+")
_CURRENCY: Final = re.compile(r"^(?:[$€£¥₪₹]|[A-Z]{3})\s?|\s?(?:[$€£¥₪₹%]|[A-Z]{3})$")
_GROUPED: Final = {
    ".": re.compile(r"[+-]?\d{1,3}(?:[,'\u2019 ]\d{3})+(?:\.\d*)?"),
    ",": re.compile(r"[+-]?\d{1,3}(?:[.'\u2019 ]\d{3})+(?:,\d*)?|[+-]?\d+,\d*|[+-]?,\d+"),
}
_NOT_NUMBER: Final = re.compile(r"[^0-9.,+-]")

_TRUE: Final = frozenset(
    ("yes", "y", "true", "t", "1", "on", "x", "✓", "oui", "vrai", "si", "sí", "ja", "wahr", "sim", "כן", "हाँ", "haan")
)
_FALSE: Final = frozenset(
    ("no", "n", "false", "f", "0", "off", "non", "faux", "falso", "nein", "falsch", "não", "nao", "לא", "नहीं", "nahi")
)


def number_of(text: str, mark: str) -> Decimal | None:
    """The number in a text, None where it is none; `mark` is the decimal mark (`.` or `,`).

    Digits of every script, thousands in groups of three, and a currency sign or `%` are understood; NaN and infinity
    are no numbers.
    """
    plain = text if text.isascii() else _ascii_digits(text)
    if len(plain) > _MAX_DIGITS:
        return None
    plain = _CURRENCY.sub("", plain).strip()
    if mark == "." and _PLAIN.fullmatch(plain):
        return Decimal(plain)
    if _GROUPED[mark].fullmatch(plain):
        digits = re.sub(rf"[^0-9+\-{re.escape(mark)}]", "", plain)
        return Decimal(digits.replace(mark, "."))
    return Decimal(plain) if _PLAIN.fullmatch(plain) and "." not in plain else None


def _ascii_digits(text: str) -> str:
    def plain(character: str) -> str:
        category = unicodedata.category(character)
        if category == "Nd":
            return str(unicodedata.decimal(character))
        if category == "Cf":
            return ""
        return " " if category == "Zs" else {"\u066b": ".", "\u066c": ",", "\u2212": "-"}.get(character, character)

    return "".join(map(plain, text))


def integer_reader(field: LeadField, mark: str) -> Callable[[str], Read]:
    """Whole numbers within the field's bounds; `85.0` and `1e2` are whole."""

    def read(text: str) -> Read:
        number = number_of(text, mark)
        if number is None and mark == ",":
            number = number_of(text, ".")
        if number is None or number != number.to_integral_value():
            return Flaw(code=ImportIssueCode.INVALID_NUMBER, message=f"{field.label.lower()} must be a whole number")
        if not (field.minimum or 0) <= number <= (field.maximum or number):
            message = f"{field.label.lower()} must be between {field.minimum} and {field.maximum}"
            return Flaw(code=ImportIssueCode.OUT_OF_RANGE, message=message)
        return str(int(number))

    return read


def decimal_reader(field: LeadField, mark: str) -> Callable[[str], Read]:
    """Amounts with at most 14 digits before and 4 behind the decimal mark; more are rounded."""

    def read(text: str) -> Read:
        number = number_of(text, mark)
        if number is None:
            return Flaw(code=ImportIssueCode.INVALID_NUMBER, message=f"{field.label.lower()} must be a number")
        if number.is_zero():
            return "0"
        if number.adjusted() >= _DECIMAL_DIGITS:
            message = f"{field.label.lower()} has more than {_DECIMAL_DIGITS} digits before the decimal mark"
            return Flaw(code=ImportIssueCode.OUT_OF_RANGE, message=message)
        return str(number.quantize(_DECIMAL_PLACES).normalize().__format__("f"))

    return read


def boolean_reader(field: LeadField) -> Callable[[str], Read]:
    """Yes and no, true and false, 1 and 0, in the languages of the files that come."""

    def read(text: str) -> Read:
        folded = text.casefold()
        if folded in _TRUE:
            return "t"
        if folded in _FALSE:
            return "f"
        return Flaw(
            code=ImportIssueCode.INVALID_BOOLEAN, message=f"{field.label.lower()} must be yes or no", suggestion=None
        )

    return read
