"""The field registry: each column of a lead once. Everything else derives from it or is tested against it.

Adding a column: an entry here, its expression in db/columns.py, its Strawberry field in schema/leads.py, a migration.
"""

from collections.abc import Mapping
from typing import Final

from domain.fields.conversation import CONVERSATION
from domain.fields.definition import (
    CUSTOM_PREFIX,
    INT_MAX,
    LIST_SEPARATORS,
    MAX_CUSTOM_FIELDS,
    MAX_CUSTOM_LENGTH,
    MAX_LIST_ITEMS,
    LeadField,
)
from domain.fields.identity import IDENTITY
from domain.fields.pipeline import PIPELINE
from domain.fields.relations import RELATIONS
from domain.vocabulary import LeadFieldKey

__all__ = [
    "CUSTOM_PREFIX",
    "DEFAULT_REQUIRED",
    "FIELDS",
    "FIRST_NAME_HEADERS",
    "INT_MAX",
    "LAST_NAME_HEADERS",
    "LIST_SEPARATORS",
    "MAX_CUSTOM_FIELDS",
    "MAX_CUSTOM_LENGTH",
    "MAX_LIST_ITEMS",
    "STATUS_FIELDS",
    "LeadField",
]

FIELDS: Final[Mapping[LeadFieldKey, LeadField]] = {
    field.key: field for field in (*IDENTITY, *PIPELINE, *CONVERSATION, *RELATIONS)
}

FIRST_NAME_HEADERS: Final = (
    "first name",
    "given name",
    "firstname",
    "prénom",
    "prenom",
    "nombre",
    "vorname",
    "שם פרטי",
)
LAST_NAME_HEADERS: Final = (
    "last name",
    "family name",
    "surname",
    "lastname",
    "nom",
    "apellido",
    "apellidos",
    "nachname",
    "שם משפחה",
)
"""Headers of name parts: joined into NAME where a file has no column for the whole name."""

STATUS_FIELDS: Final = frozenset({LeadFieldKey.STATUS, LeadFieldKey.STATUS_ID, LeadFieldKey.STATUS_NAME})
"""Fields of the organization's own vocabulary: its statuses by key or label."""

DEFAULT_REQUIRED: Final = (LeadFieldKey.NAME, LeadFieldKey.PHONE, LeadFieldKey.SOURCE)
