"""Phone numbers: E.164 (ITU-T) where the number is valid, otherwise as written, and the key by which duplicates match.

`rphonenumbers` (Rust) reads plain numbers, `phonenumbers` whatever the two may read differently: letters and
extensions, and countries whose numbering plans differ between their metadata.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final, NamedTuple, cast

import phonenumbers
import rphonenumbers

MAX_PHONE_LENGTH: Final = 64

_E164: Final = phonenumbers.PhoneNumberFormat.E164
_INTERNATIONAL: Final = phonenumbers.PhoneNumberFormat.INTERNATIONAL
_parse_fast: Final = cast("Callable[[str, str], phonenumbers.PhoneNumber]", rphonenumbers.parse)
_is_valid_fast: Final = cast("Callable[[phonenumbers.PhoneNumber], bool]", rphonenumbers.is_valid_number)
_format_fast: Final = cast("Callable[[phonenumbers.PhoneNumber, int], str]", rphonenumbers.format_number)
_PLAIN: Final = re.compile(r"\+?[0-9][0-9 ().\-]*")
_DISPUTED_CODES: Final = frozenset(
    {7, 34, 40, 45, 49, 57, 61, 86, 229, 233, 238, 251, 254, 263, 267, 290, 358, 506, 592, 593, 595, 675, 856, 965, 995}
)
"""Calling codes whose plans changed between the metadata of the two libraries; the test finds any other."""
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
_REPLACED: Final = str.maketrans(dict.fromkeys(_DASHES, "-") | {"\uff0b": "+", "\uff08": "(", "\uff09": ")"})


class Phone(NamedTuple):
    """A phone as a lead keeps it; a tuple, so that a block of them is taken apart column by column.

    `text` is E.164 where `valid`, otherwise as written; `display` its international reading form (with an extension,
    where there is one); `key` is E.164, else the digits, else the case-folded text.
    """

    text: str
    display: str
    key: str
    valid: bool


def read_phone(text: str, country: str) -> Phone:
    """The phone in a cell or an input; `country` is the ISO 3166-1 alpha-2 code for numbers without a calling code.

    Invisible marks are dropped and digits of every script understood; `00` reads as `+` where the country's own rules
    do not already make a valid number of it.
    """
    written = text.strip()
    plain = plain_phone(written)
    found = _parse(plain, country)
    if found is None and plain.startswith("00"):
        found = _parse("+" + plain[2:], country)
    if found is not None:
        return found
    digits = _NOT_DIGITS.sub("", plain)
    return Phone(written, written, digits or written.casefold(), valid=False)


def plain_phone(text: str) -> str:
    """The text with ASCII digits, plain blanks and dashes, and without invisible marks."""
    if text.isascii():
        return text
    return "".join(map(_plain_character, text.translate(_REPLACED))).strip()


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs":
        return " "
    return "" if category == "Cf" else character


def _parse(plain: str, country: str) -> Phone | None:
    if not _PLAIN.fullmatch(plain):
        return _parse_reference(plain, country)
    try:
        number = _parse_fast(plain, country)
    except rphonenumbers.NumberParseException:
        return None
    if number.country_code in _DISPUTED_CODES:
        return _parse_reference(plain, country)
    if not _is_valid_fast(number):
        return None
    e164 = _format_fast(number, _E164)
    return Phone(e164, _format_fast(number, _INTERNATIONAL), e164, valid=True)


def _parse_reference(plain: str, country: str) -> Phone | None:
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    e164 = phonenumbers.format_number(number, _E164)
    return Phone(e164, phonenumbers.format_number(number, _INTERNATIONAL), e164, valid=True)
