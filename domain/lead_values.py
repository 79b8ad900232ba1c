"""The values of a lead that follow from others: made here and nowhere else, whoever writes the lead."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from domain.emails import email_key
from domain.phones import read_phone
from domain.vocabulary import LeadFieldKey

SEARCHED_NOTES: Final = 4_096
"""So many characters of the notes can be found by search."""

SEARCHED_COLUMNS: Final[Mapping[str, str]] = {
    "name": "name",
    "email": "email",
    "phone_key": "phone_key",
    "external_id": "external_id",
    "conversation_summary": "summary",
}
"""Columns of `leads` that search looks through beside the notes, and their names in SearchValues."""

SEARCHED_FIELDS: Final = (
    LeadFieldKey.NAME,
    LeadFieldKey.EMAIL,
    LeadFieldKey.PHONE,
    LeadFieldKey.EXTERNAL_ID,
    LeadFieldKey.CONVERSATION_SUMMARY,
    LeadFieldKey.NOTES,
)
"""The same as fields, in the order of the search text."""

DERIVED_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "phone": ("phone_display", "phone_key"),
    "email": ("email_key",),
    "status_id": ("stage",),
    "national_id_cipher": ("national_id_last4",),
}
"""Columns of `leads` that follow from another one, and are written wherever it is."""
FOLLOWERS: Final = frozenset(follower for followers in DERIVED_COLUMNS.values() for follower in followers)
"""All columns that follow from another one."""

_NOT_DIGITS: Final = re.compile(r"[^0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchValues:
    """What `search` looks through, as stored. `phone_key` gives the digits; `notes` are the joined texts."""

    name: str | None = None
    email: str | None = None
    phone_key: str | None = None
    external_id: str | None = None
    summary: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactValues:
    """Columns of `leads` made from phone and e-mail as given; None where there is none."""

    phone: str | None
    phone_display: str | None
    phone_key: str | None
    phone_valid: bool
    email: str | None
    email_key: str | None


def contact_values(phone: str | None, email: str | None, country: str) -> ContactValues:
    """The contact columns for a phone and an e-mail as somebody wrote them; blanks count as none."""
    read = read_phone(phone, country) if phone and phone.strip() else None
    address = email.strip() if email else ""
    return ContactValues(
        phone=read.text if read else None,
        phone_display=read.display if read else None,
        phone_key=read.key if read else None,
        phone_valid=read.valid if read else False,
        email=address or None,
        email_key=email_key(address) or None,
    )


def search_values(columns: Mapping[str, object], notes: Iterable[str] = ()) -> SearchValues:
    """What search looks through of a lead with these columns of `leads` and notes; an absent column holds nothing."""
    found = {name: columns.get(column) for column, name in SEARCHED_COLUMNS.items()}
    texts = {name: None if value is None else str(value) for name, value in found.items()}
    return SearchValues(**texts, notes="\n".join(notes) or None)


def search_text(values: SearchValues) -> str:
    """The `search_text` of a lead: folded as `search_form` folds a term."""
    parts = (
        values.name,
        values.email,
        phone_digits(values.phone_key),
        values.external_id,
        values.summary,
        values.notes[:SEARCHED_NOTES] if values.notes else None,
    )
    return search_form(" ".join(filter(None, parts)))


def search_form(text: str) -> str:
    """Case-folded, white space as single blanks: a term is found where its form is part of `search_text`."""
    return " ".join(text.casefold().split())


def phone_digits(key: str | None) -> str | None:
    """The digits of a phone key, None where it has none."""
    return (_NOT_DIGITS.sub("", key) or None) if key else None


def name_key(name: str) -> str:
    """By what companies and chatbots of one name are found: case-folded, blanks collapsed."""
    return " ".join(name.casefold().split())


__all__ = [
    "DERIVED_COLUMNS",
    "FOLLOWERS",
    "SEARCHED_COLUMNS",
    "SEARCHED_FIELDS",
    "SEARCHED_NOTES",
    "ContactValues",
    "SearchValues",
    "contact_values",
    "name_key",
    "phone_digits",
    "search_form",
    "search_text",
    "search_values",
]
