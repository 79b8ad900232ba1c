"""What a request's variables hold, counted before graphql-core reads them, which no other request can interrupt."""

from collections.abc import Mapping
from typing import Final, cast

from web.cost import TooExpensive

__all__ = ["weigh"]

_OBJECTS: Final = 2_000
"""Of a query; a filter has at most 200 conditions."""
_VALUES: Final = 20_000
"""Of a query; a list in a filter has at most 10,000."""
_ROWS: Final = 32_000
"""Objects in the input of somebody known, who may push 10,000 leads at once, each with an address and custom values.

The values in them are bounded by the body."""


def weigh(variables: Mapping[str, object], *, rows: bool) -> None:
    """Raises TooExpensive where there are more objects or values than `rows` or their absence allow."""
    objects, values = 0, 0
    waiting: list[object] = [variables]
    while waiting:
        item = waiting.pop()
        objects += isinstance(item, dict)
        inner = cast("dict[str, object]", item).values() if isinstance(item, dict) else cast("list[object]", item)
        values += len(inner)
        if objects > (_ROWS if rows else _OBJECTS):
            raise TooExpensive("number of objects in the variables", objects, _ROWS if rows else _OBJECTS)
        if values > _VALUES and not rows:
            raise TooExpensive("number of values in the variables", values, _VALUES)
        waiting += [one for one in inner if isinstance(one, (dict, list))]
