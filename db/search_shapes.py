"""What `search` looks through: the trigram index where the term is long enough, else the beginning of the name."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from db.shapes import EVERY, NONE, Lowered, Shape, Test, like_text, lower_text, name_range
from domain.lead_values import search_form
from domain.vocabulary import LeadFieldKey

__all__ = ["search_shape"]

MIN_TRIGRAM: Final = 3
"""Shorter terms have no trigram to look up."""

_K = LeadFieldKey
_SEARCHED: Final = {
    _K.NAME: (Test.CONTAINS, "name"),
    _K.EMAIL: (Test.CONTAINS, "email"),
    _K.PHONE: (Test.CONTAINS, "phone_key"),
    _K.EXTERNAL_ID: (Test.CONTAINS, "external_id"),
    _K.CONVERSATION_SUMMARY: (Test.CONTAINS, "conversation_summary"),
    _K.NOTES: (Test.SEARCH_NOTES, "notes"),
}
_PHONE_LIKE: Final = re.compile(r"[+(]?[0-9][0-9 ()./\-]*")
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")


def search_shape(text: str, masked: AbstractSet[LeadFieldKey]) -> Lowered:
    """A term as a filter; of blanks alone it is none. Fields masked for the caller are not looked through."""
    form = search_form(text).strip()
    if not form:
        return Lowered(EVERY)
    if len(form) < MIN_TRIGRAM:
        return _name_begins(text.strip(), masked)
    terms = _terms(form)
    visible = [key for key in _SEARCHED if key not in masked]
    found = _any([(Test.SEARCH_TEXT, "search_text")] * len(terms))
    values = tuple(f"%{like_text(term)}%" for term in terms)
    if len(visible) == len(_SEARCHED):
        return Lowered(found, values)
    # the index still narrows; each visible column, which is not folded, is then looked at by itself
    written = tuple(f"%{like_text(term)}%" for term in dict.fromkeys((*terms, *_unfolded(text))))
    seen = [_SEARCHED[key] for key in visible for _ in written]
    return Lowered(("all", (found, _any(seen))), (*values, *(written * len(visible))))


def _name_begins(text: str, masked: AbstractSet[LeadFieldKey]) -> Lowered:
    if _K.NAME in masked:
        return Lowered(NONE)
    return Lowered((Test.NAME_BEGINS, "name"), name_range(text))


def _unfolded(text: str) -> tuple[str, str]:
    """The term in lower case as a column may have it, with ß, ς or İ that folding takes away."""
    plain = " ".join(text.split())
    return plain.lower(), lower_text(plain)


def _terms(form: str) -> list[str]:
    """The term, and for what reads as a phone number its digits without the trunk prefix."""
    digits = _NOT_DIGITS.sub("", form).lstrip("0")
    if _PHONE_LIKE.fullmatch(form) and len(digits) >= MIN_TRIGRAM and digits != form:
        return [form, digits]
    return [form]


def _any(shapes: Sequence[Shape]) -> Shape:
    return shapes[0] if len(shapes) == 1 else ("any", tuple(shapes))
