"""What every list and every addressable object have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar, cast

import strawberry

from domain.paging import Count as CountRecord
from domain.paging import Page

Item = TypeVar("Item")
Record = TypeVar("Record")


@strawberry.interface(description="An object with an id of its own, found again by `node`.")
class Node:
    id: strawberry.ID = strawberry.field(description="Unique in all the API; its prefix names the type.")


class Mirror(Generic[Record]):
    """A type whose fields are the attributes of a domain record: the record itself is served, nothing is copied.

    tests/schema/test_mirrors.py compares the names.
    """

    @classmethod
    def of(cls, record: Record) -> Self:
        """The record, as this type."""
        return cast("Self", record)


class FromRow:
    """A type that the compiled path serves: its source is a row given as a dict, or an instance."""

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Whether this type can complete the value."""
        return isinstance(value, (cls, dict))


@strawberry.type(
    description="Exact up to a bound, then an estimate: a total never makes a page slow, and is only computed when "
    "selected."
)
class Count(Mirror[CountRecord]):
    value: int = strawberry.field(description="How many there are.")
    exact: bool = strawberry.field(description="False: `value` is an estimate.")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after the page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before the page.")
    start_cursor: str | None = strawberry.field(description="Give as `before` for the page before.")
    end_cursor: str | None = strawberry.field(description="Give as `after` for the next page.")


@strawberry.type(description="An item with its place in the list.")
class Edge(Generic[Item]):
    cursor: str = strawberry.field(description="Give as `after` or `before` to go on from here.")
    node: Item = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Item]):
    edges: list[Edge[Item]] = strawberry.field(description="The items with their cursors.")
    nodes: list[Item] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")


@strawberry.type(name="Connection", description="A page of a list, with its total.")
class CountedConnection(Generic[Item]):
    edges: list[Edge[Item]] = strawberry.field(description="The items with their cursors.")
    nodes: list[Item] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")
    total_count: Count = strawberry.field(description="How many items the whole list has.")


def connection(page: Page[Record], show: Callable[[Record], Item]) -> Connection[Item]:
    """A page of records as a connection of what `show` makes of each."""
    return cast("Connection[Item]", _ServedPage(page, [show(record) for record in page.items]))


def counted(page: Page[Record], show: Callable[[Record], Item]) -> CountedConnection[Item]:
    """A page of records as a connection with a total; the page's `count` runs only where the total is selected."""
    return cast("CountedConnection[Item]", _ServedPage(page, [show(record) for record in page.items]))


@dataclass(frozen=True, slots=True)
class _ServedPage(Generic[Item]):
    """What the fields of both connections read."""

    page: Page[object]
    nodes: list[Item]

    @property
    def edges(self) -> list[Edge[Item]]:
        return [Edge(cursor=cursor, node=node) for cursor, node in zip(self.page.cursors, self.nodes, strict=True)]

    @property
    def page_info(self) -> PageInfo:
        cursors = self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )

    @property
    def total_count(self) -> Awaitable[CountRecord]:
        if self.page.count is None:
            raise TypeError("the page of a counted connection has a count")
        return self.page.count()
