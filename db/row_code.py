"""From a selection to flat columns, and to the Python expression that makes nested dicts of a row of them.

The expression is compiled once a plan. It holds names of the contract, aliases that the GraphQL grammar let through
(quoted all the same) and numbers of columns; what depends on the request reaches it through `q`, the request's Answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from db.columns import Join, LeadRow, of, own
from db.connections import Row
from db.expressions import Expression
from db.lead_fields import Computed, Joined, Leaf, Part, RowType, Write, presence
from db.masks import masked, masked_national_id
from db.nested import count_of_status, notes_of_lead
from db.shapes import Shape
from domain.masking import Masks
from domain.selection import TYPENAME, Pick
from domain.vocabulary import LeadFieldKey

__all__ = ["Answers", "CountColumn", "Deferred", "RowCode", "Shaper"]


class Answers(Protocol):
    """What shaping a row asks of its request."""

    def url(self, conversation_id: str | None) -> str | None:
        """The conversation's link by the organization's template."""
        ...

    def notes(self, place: int, found: list[list[object]] | None, picks: Sequence[Pick]) -> object:
        """A connection of the notes that the statement found."""
        ...

    def count(self, place: int, found: int, status_id: object, picks: Sequence[Pick]) -> object:
        """A bounded count, estimated where it passed the bound."""
        ...


Shaper = Callable[[Sequence[Row], Answers], list[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Deferred:
    """A field of a lead that GraphQL's own execution completes, from what the shaped row has under its key."""

    key: str
    field: Computed
    place: int


@dataclass(frozen=True, slots=True)
class CountColumn:
    """Where a row has a bounded count and the status that it is of."""

    place: int
    count: int
    status: int


_IDENTITY: Final = Leaf(own("id"))
_CIPHER: Final = Leaf(own("national_id_cipher"))
_IMPORT: Final = Leaf(own("import_job_id"))


@dataclass(slots=True, kw_only=True)
class RowCode:
    """Collects the columns of one statement.

    `nested` has the shapes of nested arguments by place. `sources` are values before they are masked.
    """

    row: LeadRow
    masks: Masks
    nested: Mapping[int, Shape]
    columns: dict[object, Expression] = field(default_factory=dict[object, Expression])
    joins: dict[Join, None] = field(default_factory=dict[Join, None])
    deferred: list[Deferred] = field(default_factory=list[Deferred])
    counts: list[CountColumn] = field(default_factory=list[CountColumn])
    correlated: bool = False
    sources: list[Expression] = field(default_factory=list[Expression])

    def shaper(self, source: str, picks: Sequence[Pick], further: int = 0) -> Shaper:
        """A function from rows to objects as `source` displays one; `further` columns of a row are not ours."""
        columns = "".join(f"c{index}, " for index in range(len(self.columns) + further))
        code = f"lambda rows, q: [{source} for {columns}in rows]"
        names = {"__builtins__": {}, "format": format, "picks": {pick.place: pick.fields for pick in _all(picks)}}
        return cast("Shaper", eval(code, names))  # noqa: S307 - made of our own names and quoted aliases

    def column(self, key: object, value: Expression) -> int:
        """The position of a column, which is selected once, whatever asks for it and however often."""
        if key not in self.columns:
            key = next((known for known, column in self.columns.items() if column is value), key)
            self.columns.setdefault(key, value)
        return list(self.columns).index(key)

    def object(self, picks: Sequence[Pick], row_type: RowType) -> str:
        """The display of a dict."""
        entries = (f"{pick.key!r}: {self.value(pick, row_type)}" for pick in picks)
        return f"{{{', '.join(entries)}}}"

    def value(self, pick: Pick, row_type: RowType) -> str:
        """The expression of one field."""
        if pick.name == TYPENAME:
            return repr(row_type.name)
        match row_type.fields[pick.name]:
            case Leaf() as leaf:
                return self.leaf(leaf)
            case Part() as part:
                there = self.column(part.type.name, presence(part, self.row).label(None))
                return f"({self.object(pick.fields, part.type)} if c{there} else None)"
            case Joined() as joined:
                return self.joined(pick, joined)
            case Computed() as computed:
                return self.computed(pick, computed)

    def leaf(self, leaf: Leaf) -> str:
        """A value, masked where its key is."""
        mode = self.masks.get(leaf.key) if leaf.key else None
        value = leaf.source(self.row)
        self.sources.append(value)
        if leaf.key and mode and leaf.write is Write.URL:
            return "None"
        read = f"c{self.column(leaf, masked(leaf.key, mode, value) if leaf.key and mode else value)}"
        if leaf.id:
            return f"f'{leaf.id}_{{{read}}}'"
        match leaf.write:
            case Write.PLAIN:
                return read
            case Write.DECIMAL:
                return f"(None if {read} is None else format({read}, 'f'))"
            case Write.URL:
                return f"q.url({read})"

    def joined(self, pick: Pick, joined: Joined) -> str:
        """A row that the lead refers to."""
        if joined.key in self.masks:
            return "None"
        if joined.join is Join.CHATBOT_COMPANY:
            self.joins[Join.CHATBOT] = None
        self.joins[joined.join] = None
        inner = self.object(pick.fields, joined.type)
        if not joined.nullable:
            return inner
        identity = self.column(joined.join, of(joined.join, "id")(self.row))
        return f"(None if c{identity} is None else {inner})"

    def computed(self, pick: Pick, computed: Computed) -> str:
        """A field with a making of its own."""
        match computed:
            case Computed.MASKED_FIELDS:
                return repr([key.name for key in self.masks])
            case Computed.NATIONAL_ID:
                return self.national_id(pick)
            case Computed.IMPORT_JOB:
                self.deferred.append(Deferred(pick.key, computed, pick.place))
                return self.leaf(_IMPORT)
            case Computed.NOTES:
                self.correlated = True
                notes = notes_of_lead(self.row, pick.place, self.nested[pick.place], self.masks)
                return f"q.notes({pick.place}, c{self.column(pick.place, notes)}, picks[{pick.place}])"
            case Computed.LEAD_COUNT:
                return self.lead_count(pick)

    def national_id(self, pick: Pick) -> str:
        """Its last digits from the database, or what is sealed with the id that opens it."""
        if mode := self.masks.get(LeadFieldKey.NATIONAL_ID):
            return f"c{self.column(Computed.NATIONAL_ID, masked_national_id(self.row, mode))}"
        self.deferred.append(Deferred(pick.key, Computed.NATIONAL_ID, pick.place))
        return f"({self.leaf(_CIPHER)}, {self.leaf(_IDENTITY)})"

    def lead_count(self, pick: Pick) -> str:
        """A count with the status that it is of."""
        self.correlated = True
        count = self.column(pick.place, count_of_status(self.row, pick.place, self.nested[pick.place]))
        status = self.column("status", self.row.status.c.id)
        self.counts.append(CountColumn(pick.place, count, status))
        return f"q.count({pick.place}, c{count}, c{status}, picks[{pick.place}])"


def _all(picks: Sequence[Pick]) -> list[Pick]:
    return [found for pick in picks for found in (pick, *_all(pick.fields))]
