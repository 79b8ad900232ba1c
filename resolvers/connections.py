"""Relay connections as plain dicts, from a selection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.paging import Count
from domain.selection import TYPENAME, Pick

__all__ = ["Served", "connection", "count"]

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A page of items of the type `name`.

    `nodes` makes the items for the field that selects them, `cursor` the cursor of the item at an index.
    """

    name: str
    nodes: Callable[[Pick], list[Json]]
    size: int
    cursor: Callable[[int], str]
    has_next: bool
    has_previous: bool
    total: Count | None = None


def connection(picks: Sequence[Pick], served: Served) -> Json:
    """The selected fields of a connection."""
    return {pick.key: _field(pick, served) for pick in picks}


def count(picks: Sequence[Pick], total: Count | None) -> Json:
    """The selected fields of a Count."""
    values = {TYPENAME: "Count", "value": total.value if total else None, "exact": total.exact if total else None}
    return {pick.key: values[pick.name] for pick in picks}


def _field(pick: Pick, served: Served) -> object:
    match pick.name:
        case "nodes":
            return served.nodes(pick)
        case "edges":
            return _edges(pick.fields, served)
        case "pageInfo":
            return _page_info(pick.fields, served)
        case "totalCount":
            return count(pick.fields, served.total)
        case _:
            return f"{served.name}Connection"


def _edges(picks: Sequence[Pick], served: Served) -> list[Json]:
    edges: list[Json] = [{} for _ in range(served.size)]
    for pick in picks:
        for edge, value in zip(edges, _edge_values(pick, served), strict=True):
            edge[pick.key] = value
    return edges


def _edge_values(pick: Pick, served: Served) -> Sequence[object]:
    match pick.name:
        case "node":
            return served.nodes(pick)
        case "cursor":
            return [served.cursor(index) for index in range(served.size)]
        case _:
            return [f"{served.name}Edge"] * served.size


def _page_info(picks: Sequence[Pick], served: Served) -> Json:
    return {pick.key: _page_value(pick.name, served) for pick in picks}


def _page_value(name: str, served: Served) -> object:
    match name:
        case "hasNextPage":
            return served.has_next
        case "hasPreviousPage":
            return served.has_previous
        case "startCursor":
            return served.cursor(0) if served.size else None
        case "endCursor":
            return served.cursor(served.size - 1) if served.size else None
        case _:
            return "PageInfo"
