"""What was written to the columns of a lead, as fields with texts: for plans, reports and undo."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

import msgspec

from domain.fields import CUSTOM_PREFIX, FIELDS
from domain.imports import FieldChange
from domain.json import JsonObject, JsonValue
from domain.lead_values import FOLLOWERS
from domain.vocabulary import LeadFieldKey

__all__ = ["field_changes", "field_of", "shown_field"]

_PREFERRED: Final = {
    "status_id": LeadFieldKey.STATUS,
    "company_id": LeadFieldKey.COMPANY_NAME,
    "chatbot_id": LeadFieldKey.CHATBOT_NAME,
    "address_street": LeadFieldKey.ADDRESS_STREET,
    "national_id_cipher": LeadFieldKey.NATIONAL_ID,
    "notes": LeadFieldKey.NOTES,
}
_FIELDS: Final[Mapping[str, LeadFieldKey]] = {
    field.column: key for key, field in FIELDS.items() if field.column and field.column not in FOLLOWERS
} | _PREFERRED
Names = Mapping[str, str]
"""What ids stand for (status keys, names of companies), by id."""


def field_of(column: str) -> str | None:
    """The registry key that a column of `leads` is shown as; None for what follows from another column."""
    if column == "custom":
        return column
    key = _FIELDS.get(column)
    return None if key is None else key.value


def shown_field(name: str) -> str | None:
    """The same for a column or `custom.<key>`."""
    return name if name.startswith(CUSTOM_PREFIX) else field_of(name)


def field_changes(before: JsonObject, after: JsonObject, names: Names) -> Iterator[FieldChange]:
    """The changes of one row; sealed national ids become None, custom fields one change each."""
    for column in sorted(after):
        field = field_of(column)
        if field is None:
            continue
        old, new = before.get(column), after[column]
        if column == "custom":
            yield from _custom_changes(old, new)
        elif field == LeadFieldKey.NATIONAL_ID:
            yield FieldChange(field, before=_last4(before), after=_last4(after))
        else:
            yield FieldChange(field, before=_text(old, names), after=_text(new, names))


def _custom_changes(old: JsonValue, new: JsonValue) -> Iterator[FieldChange]:
    before = cast("JsonObject", old or {})
    after = cast("JsonObject", new or {})
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield FieldChange(f"{CUSTOM_PREFIX}{key}", _text(before.get(key), {}), _text(after.get(key), {}))


def _last4(columns: JsonObject) -> str | None:
    shown = columns.get("national_id_last4")
    return None if shown is None else f"***{shown}"


def _text(value: JsonValue, names: Names) -> str | None:
    match value:
        case None:
            return None
        case str():
            return names.get(value, value)
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ";".join(str(item) for item in value)
        case _:
            return msgspec.json.encode(value).decode()
