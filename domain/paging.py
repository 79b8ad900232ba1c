"""Pages of lists that can grow: keyset cursors, one way or the other."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from domain.errors import BadInput, Path

Item_co = TypeVar("Item_co", covariant=True)

DEFAULT_PAGE_SIZE: Final = 50
MAX_CURSOR_LENGTH: Final = 1_024
MAX_EXACT_COUNT: Final = 10_000
"""Totals are exact up to here; counting goes on to one beyond it."""


@dataclass(frozen=True, slots=True)
class Count:
    """A total: exact up to a bound, an estimate beyond it."""

    value: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `size` items after the cursor, or, `backward`, before it; None: from the list's start or end."""

    size: int = DEFAULT_PAGE_SIZE
    cursor: str | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True)
class PageArguments:
    """`first` and `after`, or `last` and `before`, as a caller gave them; `path` leads to the arguments."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    path: Path = ()

    def request(self, maximum: int) -> PageRequest:
        """The page asked for.

        Raises BadInput for a size outside 1 to `maximum`, both directions at once, or a cursor beyond any we make.
        """
        backward = self.last is not None or self.before is not None
        if backward and (self.first is not None or self.after is not None):
            raise BadInput("Use first with after, or last with before, not both.", (*self.path, "last"))
        name, size = ("last", self.last) if backward else ("first", self.first)
        if size is not None and not 1 <= size <= maximum:
            raise BadInput(f"`{name}` must be from 1 to {maximum}.", (*self.path, name))
        name, cursor = ("before", self.before) if backward else ("after", self.after)
        if cursor is not None and not 0 < len(cursor) <= MAX_CURSOR_LENGTH:
            raise BadInput("This is no cursor of this list.", (*self.path, name))
        return PageRequest(min(DEFAULT_PAGE_SIZE, maximum) if size is None else size, cursor, backward)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item_co]):
    """A page in the list's order; `cursors` go with `items`. `count` is called only where the total is asked for."""

    items: Sequence[Item_co]
    cursors: Sequence[str]
    has_next: bool = False
    has_previous: bool = False
    count: Callable[[], Awaitable[Count]] | None = None
