"""The masks of domain/masking.py in SQL: the same forms, so that a value never leaves the database unmasked."""

from typing import Final

from sqlalchemy import Integer, String, Text, case, cast, func, literal_column, null
from sqlalchemy.dialects.postgresql import ARRAY

from db.columns import LeadRow
from db.expressions import Expression
from domain.fields import FIELDS
from domain.masking import HIDDEN, VISIBLE_END
from domain.vocabulary import FieldType, LeadFieldKey, MaskingMode

__all__ = ["masked", "masked_national_id"]

_K = LeadFieldKey
_TEXTS: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PHONE, FieldType.EMAIL})
_END_SHOWN: Final = frozenset({_K.PHONE, _K.PHONE_DISPLAY})


def _text(value: str) -> Expression:
    return literal_column(f"'{value}'", Text())


def _number(value: int) -> Expression:
    return literal_column(str(value), Integer())


_HIDDEN: Final = _text(HIDDEN)
_EMPTY: Final = _text("")
_ONE: Final = _number(1)


def masked(key: LeadFieldKey, mode: MaskingMode, value: Expression) -> Expression:
    """`value`, of the key's own type, as a caller sees it for whom the key is masked.

    Texts keep the form of `mask_text`; lists become empty, everything else null.
    """
    if isinstance(value.type, ARRAY):
        return cast(_text("{}"), ARRAY(Text))
    if FIELDS[key].type not in _TEXTS or not isinstance(value.type, String):
        return cast(null(), value.type)
    return case((func.coalesce(value, _EMPTY) == _EMPTY, value), else_=_form(key, mode, value))


def masked_national_id(row: LeadRow, mode: MaskingMode) -> Expression:
    """The sealed national id as its last digits, which are kept beside it."""
    shown = (
        _HIDDEN if mode is MaskingMode.REDACT else _HIDDEN.concat(func.coalesce(row.lead.c.national_id_last4, _EMPTY))
    )
    return case((row.lead.c.national_id_cipher.is_not(None), shown))


def _form(key: LeadFieldKey, mode: MaskingMode, value: Expression) -> Expression:
    length = func.length(value)
    if mode is MaskingMode.REDACT:
        return _HIDDEN
    if FIELDS[key].type is FieldType.EMAIL:
        at = func.strpos(value, _text("@"))
        host = case((at > _number(0), func.substr(value, at)), else_=_EMPTY)
        start = func.left(value, _ONE)
        return case((length == _ONE, _HIDDEN), (at == _ONE, _HIDDEN), else_=start.concat(_HIDDEN).concat(host))
    if key in _END_SHOWN:
        shown = _HIDDEN.concat(func.right(value, _number(VISIBLE_END)))
        return case((length >= _number(2 * VISIBLE_END), shown), else_=_HIDDEN)
    return case((length == _ONE, _HIDDEN), else_=func.left(value, _ONE).concat(_HIDDEN))
