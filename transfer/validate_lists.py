"""Lists in one cell: `vip; renewal` or `vip, renewal`."""

import csv
from collections.abc import Callable
from typing import Final

from domain.fields import LIST_SEPARATORS, MAX_LIST_ITEMS, LeadField
from domain.vocabulary import ImportIssueCode
from transfer.cells import Flaw, Read, escape

EMPTY_LIST: Final = "{}"
_QUOTE: Final = '"'
_QUOTED: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})


def split_list(text: str) -> list[str]:
    """The items of a list, without blanks around them, empty ones and repetitions.

    Semicolons separate where there is one outside quotes, otherwise commas; an item with a separator in it is quoted
    as in CSV (`"a;b"; c`).
    """
    semicolon, comma = LIST_SEPARATORS
    first, second = (semicolon, comma) if semicolon in _outside_quotes(text) else (comma, semicolon)
    if _QUOTE not in text:
        items = text.split(first)
    else:
        items = _quoted_items(text, first)
        if len(items) == 1:
            items = _quoted_items(text, second)
    return list(dict.fromkeys(item for part in items if (item := part.strip())))


def _quoted_items(text: str, separator: str) -> list[str]:
    try:
        return [item for record in csv.reader([text], delimiter=separator, skipinitialspace=True) for item in record]
    except csv.Error:
        return text.split(separator)


def _outside_quotes(text: str) -> str:
    return "".join(text.split(_QUOTE)[::2])


def array_literal(items: list[str]) -> str:
    """The items as a PostgreSQL array literal, not yet escaped for COPY."""
    return "{" + ",".join(f'"{item.translate(_QUOTED)}"' for item in items) + "}"


def list_reader(field: LeadField, added: tuple[str, ...] = ()) -> Callable[[str], Read]:
    """Array literals for COPY; `added` items come last."""
    longest = field.max_length or 0

    def read(text: str) -> Read:
        items = list(dict.fromkeys([*split_list(text), *added]))
        if len(items) > MAX_LIST_ITEMS:
            message = f"{field.label.lower()} has more than {MAX_LIST_ITEMS} entries"
            return Flaw(code=ImportIssueCode.TOO_LONG, message=message)
        if any(len(item) > longest for item in items):
            message = f"an entry of {field.label.lower()} is longer than {longest} characters"
            return Flaw(code=ImportIssueCode.TOO_LONG, message=message)
        return escape(array_literal(items))

    return read
