"""E-mail addresses: syntax after RFC 5321 and 5322 as email-validator reads it, without asking the DNS."""

import re
from typing import Final

from email_validator import EmailNotValidError, validate_email

MAX_EMAIL_LENGTH: Final = 320

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9]|-(?!-)){0,61}"
_ORDINARY: Final = re.compile(
    rf"[A-Za-z0-9_+\-]+(?:\.[A-Za-z0-9_+\-]+)*@(?:{_LABEL}(?<!-)\.){{1,3}}(?!(?:arpa|invalid|local|localhost|onion|test)$)"
    r"[A-Za-z]{2,24}",
    re.IGNORECASE,
)
_ORDINARY_LENGTH: Final = 128


def is_email(text: str) -> bool:
    """Whether the text is one address without display name; a name reserved for tests is none."""
    if len(text) <= _ORDINARY_LENGTH and _ORDINARY.fullmatch(text):
        return True
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def email_key(text: str) -> str:
    """What duplicates match by: the case-folded address."""
    return text.casefold()
