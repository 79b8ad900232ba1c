"""Lists as one cell: their items joined, those that a reader would split quoted as in CSV (RFC 4180)."""

from typing import Final

from sqlalchemy import Text, any_, case, column, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from db.expressions import Expression, Truth

__all__ = ["has_separators", "joined", "joined_carefully"]

_EMPTY: Final = literal_column("''", Text())
_QUOTE: Final = literal_column("'\"'", Text())
_QUOTED: Final = literal_column("'\"\"'", Text())
_SPLITTING: Final = literal_column("array['%;%', '%,%', '%\"%']", ARRAY(Text()))
_UNSAFE: Final = literal_column("E'[;,\"\\n\\r]'", Text())
"""What may not stand in an item without quotes; a line break alone splits nothing, yet it ends a CSV record."""


def joined(value: Expression, separator: str) -> Expression:
    """The items as they are, NULL where there is none."""
    return func.nullif(func.array_to_string(value, literal(separator, Text())), _EMPTY, type_=Text())


def has_separators(value: Expression) -> Truth:
    """Whether items must be quoted; said of all at once, byte by byte, since nearly no list needs it."""
    return func.array_to_string(value, _EMPTY, type_=Text()).collate("C").bool_op("LIKE")(any_(_SPLITTING))


def joined_carefully(value: Expression, separator: str) -> Expression:
    """The items, those that hold a separator, a quote or a line break in quotes."""
    items = func.unnest(value).table_valued(column("item", Text()), with_ordinality="place").render_derived()
    item = items.c.item
    quoted = _QUOTE.concat(func.replace(item, _QUOTE, _QUOTED, type_=Text())).concat(_QUOTE)
    cell = case((item.bool_op("~")(_UNSAFE), quoted), else_=item)
    place = aggregate_order_by(literal(separator, Text()), items.c.place)
    return select(func.nullif(func.string_agg(cell, place), _EMPTY, type_=Text())).select_from(items).scalar_subquery()
