"""The values of an export's columns before a file's form: masked, named as files name them, still typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ScalarSelect, Text, case, cast, func, literal, literal_column, null, type_coerce

from db.columns import EXPRESSIONS, LeadRow
from db.expressions import Expression
from db.masks import masked, masked_national_id
from domain.export_columns import CHANGE
from domain.fields import CUSTOM_PREFIX, FIELDS
from domain.ids import IdKind
from domain.masking import Masks
from domain.vocabulary import FieldType, LeadFieldKey, MaskingMode, PhoneFormat

__all__ = ["SEALED", "Values", "field_type", "value_of"]

_K = LeadFieldKey
_PREFIXES: Final[Mapping[LeadFieldKey, IdKind]] = {
    _K.LEAD_ID: IdKind.LEAD,
    _K.COMPANY_ID: IdKind.COMPANY,
    _K.CHATBOT_ID: IdKind.CHATBOT,
}
_LOWER_CASE: Final = frozenset({_K.STAGE, _K.SOURCE, _K.INTEREST_LEVEL, _K.CONFIDENCE, _K.CATEGORY})
"""Closed vocabularies; an organization's status keys stay as they are."""
_TEXTS: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PHONE, FieldType.EMAIL, FieldType.ENUM})
SEALED: Final = ("\x02sealed ", "\x03")
"""What stands around `<lead id> <sealed text>` where a national id is to be opened on its way into the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """`masks` are the fields to hide; `conversation_url` holds `{id}`; `unsealed`: national ids are to be opened."""

    masks: Masks = field(default_factory=dict[LeadFieldKey, MaskingMode], hash=False)
    phone_format: PhoneFormat = PhoneFormat.E164
    conversation_url: str | None = None
    unsealed: bool = False


def field_type(key: str) -> FieldType:
    """The type of a column by its key in files; custom fields and `_change` are texts."""
    if key == CHANGE or key.startswith(CUSTOM_PREFIX):
        return FieldType.TEXT
    return FIELDS[LeadFieldKey(key)].type


def value_of(key: str, row: LeadRow, values: Values) -> Expression:
    """The value of a column by its key in files, `custom.<key>` included, `_change` not."""
    if key.startswith(CUSTOM_PREFIX):
        return row.lead.c.custom.op("->>", return_type=Text())(literal(key.removeprefix(CUSTOM_PREFIX), Text()))
    known = LeadFieldKey(key)
    mode = values.masks.get(known)
    if known is _K.NATIONAL_ID:
        return _national_id(row, mode, values)
    value = _shown(known, row, values)
    if FIELDS[known].type in _TEXTS:
        value = type_coerce(value, Text())
    return value if mode is None else masked(known, mode, value)


def _shown(key: LeadFieldKey, row: LeadRow, values: Values) -> Expression:
    value = EXPRESSIONS[key](row)
    if key in _PREFIXES:
        return literal_column(f"'{_PREFIXES[key]}_'", Text()).concat(cast(value, Text()))
    if key in _LOWER_CASE:
        return func.lower(value.collate("C"), type_=Text())
    match key:
        case _K.NOTES if isinstance(value, ScalarSelect):
            return case((row.lead.c.notes_count > literal_column("0"), value.correlate(row.lead)))
        case _K.PHONE if values.phone_format is PhoneFormat.INTERNATIONAL:
            return func.coalesce(row.lead.c.phone_display, value)
        case _K.CONVERSATION_URL:
            return _conversation_url(value, values.conversation_url)
        case _:
            return value


def _national_id(row: LeadRow, mode: MaskingMode | None, values: Values) -> Expression:
    if mode is not None or not values.unsealed:
        return masked_national_id(row, mode or MaskingMode.PARTIAL)
    before, after = (literal(text, Text()) for text in SEALED)
    blank = literal_column("' '", Text())
    lead_id = cast(row.lead.c.id, Text())
    return before.concat(lead_id).concat(blank).concat(row.lead.c.national_id_cipher).concat(after)


def _conversation_url(conversation_id: Expression, template: str | None) -> Expression:
    if template is None:
        return cast(null(), Text())
    before, _, after = template.partition("{id}")
    return literal(before, Text()).concat(conversation_id).concat(literal(after, Text()))
