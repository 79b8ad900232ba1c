"""Lists newest first, by keyset: conditions with bound values, counts to a bound, cursors bound to their filter.

A cursor is base64url of the JSON `[instant, id, fingerprint of the filter]`: opaque and not secret.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.types import NullType

from db.connections import Row
from db.pool import Database
from domain.errors import BadInput
from domain.filters import Operator
from domain.instants import Bounds
from domain.json import JsonObject
from domain.paging import MAX_EXACT_COUNT, Count, Page, PageRequest

__all__ = ["Clauses", "Listing", "list_page"]

Record = TypeVar("Record")

_DIGEST: Final = 8
_AS_CAST: Final = NullType()
"""The conditions name each value's type themselves."""
_COMPARISONS: Final = {
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}


class Clauses:
    """Conditions joined by `and`, each value bound."""

    def __init__(self) -> None:
        self._conditions: list[str] = ["true"]
        self.values: list[object] = []

    def add(self, condition: str, *values: object) -> None:
        """A condition with a `{}` for each of its values, cast to its type."""
        self._conditions.append(condition)
        self.values += values

    def add_search(self, expression: str, wanted: str) -> None:
        """A text found anywhere in a text, ignoring case. Raises BadInput where no text can hold it."""
        if "\0" in wanted:
            raise BadInput("A text must not contain the NUL character.", ("filter", "search"))
        self.add(f"position(lower(cast({{}} as text)) in lower({expression})) > 0", wanted)

    def add_instants(self, column: str, bounds: Bounds) -> None:
        """What is asked of an instant."""
        for operator, operand in bounds:
            if operator is Operator.IS_NULL:
                self.add(f"({column} is null) = cast({{}} as boolean)", operand)
            else:
                self.add(f"{column} {_COMPARISONS[operator]} cast({{}} as timestamptz)", operand)

    @property
    def sql(self) -> str:
        """The condition for `Database.read`, whose own binds begin at $2."""
        return self._joined(f"${place}" for place in range(2, len(self.values) + 2))

    @property
    def expression(self) -> TextClause:
        """The condition as a part of a larger statement."""
        names = [f"value{place}" for place in range(len(self.values))]
        pairs = zip(names, self.values, strict=True)
        bound = [bindparam(name, value, type_=_AS_CAST) for name, value in pairs]
        return text(self._joined(f":{name}" for name in names)).bindparams(*bound)

    def _joined(self, places: Iterable[str]) -> str:
        return " and ".join(self._conditions).format(*places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[Record]):
    """A list of `columns` of `tables` that `record` reads, newest first by the column `at` of `alias`, then its id.

    `counted` is the table that the conditions are about; `filter` is what a cursor is bound to.
    """

    organization_id: UUID
    columns: str
    tables: str
    counted: str
    alias: str
    at: str
    clauses: Clauses
    filter: JsonObject
    record: Callable[[Row], Record]


async def list_page(database: Database, listing: Listing[Record], page: PageRequest) -> Page[Record]:
    """A page with the count of the whole list. Raises BadInput for a cursor of another list."""
    clauses, alias, at = listing.clauses, listing.alias, listing.at
    count = partial(_count, database, listing, clauses.sql, tuple(clauses.values))
    binding = hashlib.sha256(msgspec.json.encode(listing.filter)).hexdigest()[:_DIGEST]
    if page.cursor is not None:
        sign = ">" if page.backward else "<"
        clauses.add(
            f"({alias}.{at}, {alias}.id) {sign} (cast({{}} as timestamptz), cast({{}} as uuid))",
            *_position(page, binding),
        )
    order = "asc" if page.backward else "desc"
    sql = (
        f"select {listing.columns} from {listing.tables} where {clauses.sql} "
        f"order by {alias}.{at} {order}, {alias}.id {order} limit {page.size + 1}"
    )
    rows = await database.read(listing.organization_id, sql, *clauses.values)
    shown = rows[: page.size]
    if page.backward:
        shown.reverse()
    more, came = len(rows) > page.size, page.cursor is not None
    return Page(
        items=[listing.record(row) for row in shown],
        cursors=[_cursor(row[listing.at], row["id"], binding) for row in shown],
        has_next=came if page.backward else more,
        has_previous=more if page.backward else came,
        count=count,
    )


async def _count(database: Database, listing: Listing[Record], condition: str, values: tuple[object, ...]) -> Count:
    some = f"select from {listing.counted} where {condition} limit {MAX_EXACT_COUNT + 1}"
    sql = f"select count(*) as items from ({some}) counted"
    [row] = await database.read(listing.organization_id, sql, *values)
    return Count(min(row["items"], MAX_EXACT_COUNT), exact=row["items"] <= MAX_EXACT_COUNT)


def _cursor(at: datetime, item_id: UUID, binding: str) -> str:
    document = msgspec.json.encode([at, item_id, binding])
    return urlsafe_b64encode(document).decode().rstrip("=")


def _position(page: PageRequest, binding: str) -> tuple[datetime, UUID]:
    cursor = page.cursor or ""
    try:
        document = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, item_id, bound = msgspec.json.decode(document, type=tuple[datetime, UUID, str])
        if bound == binding:
            return at, item_id
    except (ValueError, msgspec.MsgspecError):
        pass
    raise BadInput("This is no cursor of this list.", ("before" if page.backward else "after",))
