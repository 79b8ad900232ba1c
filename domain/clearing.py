"""Which fields of a lead can be emptied, and the columns that are empty then."""

from collections.abc import Mapping
from typing import Final

from domain.fields import FIELDS
from domain.lead_values import DERIVED_COLUMNS
from domain.vocabulary import FieldType, LeadFieldKey

__all__ = ["CLEARABLE", "LIST_COLUMNS"]

_K = LeadFieldKey
_NEVER_EMPTY: Final = frozenset(
    {_K.LEAD_ID, _K.VERSION, _K.STATUS, _K.STATUS_ID, _K.STATUS_NAME, _K.SOURCE, _K.CREATED_AT, _K.NOTES}
)
_FURTHER: Final[Mapping[LeadFieldKey, tuple[str, ...]]] = {
    _K.PHONE: ("phone", *DERIVED_COLUMNS["phone"]),
    _K.EMAIL: ("email", *DERIVED_COLUMNS["email"]),
    _K.NATIONAL_ID: ("national_id_cipher", *DERIVED_COLUMNS["national_id_cipher"]),
    _K.ADDRESS: ("address_street", "address_city", "address_region", "address_postal_code", "address_country"),
    _K.LAST_CALL_AT: ("last_call_at", "last_call_duration_seconds"),
}
"""Fields that more than their own column stands for."""

CLEARABLE: Final[Mapping[LeadFieldKey, tuple[str, ...]]] = {
    key: _FURTHER.get(key, (str(field.column),))
    for key, field in FIELDS.items()
    if field.importable and key not in _NEVER_EMPTY
}
"""Columns of `leads` by field. Notes are rows of their own and are not emptied with a lead's fields."""

LIST_COLUMNS: Final = frozenset(
    str(field.column) for field in FIELDS.values() if field.type is FieldType.LIST and field.column
)
"""Columns that are an empty list instead of NULL."""
