"""The query objects of leads: what a resolver returns, and how its rows become the response."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, cast
from uuid import UUID

from db.connections import Row
from db.cursors import Place, fingerprint, read_cursor, write_cursor
from db.lead_pages import SORTS, CursorAt, PageShape
from db.lead_plans import ROOT, Plan, Wanted, plan_count, plan_leads, plan_page
from db.lead_reads import filter_values
from db.shapes import Lowered
from domain.errors import BadInput
from domain.exports import LeadOrder
from domain.filters import LeadFilter
from domain.paging import MAX_EXACT_COUNT, Count, PageArguments, PageRequest
from domain.selection import Pick
from domain.vocabulary import Permission
from resolvers.connections import Served, connection
from resolvers.execution import Answer, Object
from resolvers.lead_answers import Asked, LeadAnswers, RowQuery, nested_values
from resolvers.lead_port import LeadSight
from resolvers.selections import Selected
from schema.leads import Lead

__all__ = ["LeadById", "LeadInPayload", "LeadPage", "LeadPort", "lead_page"]

Json = dict[str, object]


@dataclass(frozen=True)
class LeadPage(RowQuery):
    """A page of leads. Made by `lead_page`."""

    type_name: ClassVar[str] = "LeadConnection"
    sight: LeadSight
    tree: LeadFilter
    lowered: Lowered
    order: LeadOrder
    page: PageRequest
    place: Place | None
    shape: PageShape

    @property
    def key(self) -> Hashable:
        order, page = self.order, self.page
        parts = (self.lowered.shape, order.field, order.direction, page.size, page.backward, self.shape.cursor)
        return ("page", parts, self.sight.mask_key)

    def plan(self, wanted: Wanted) -> Plan:
        return plan_page(self.shape, wanted)

    async def answer(self, plan: Plan, selected: Selected, asked: Asked) -> Answer:
        values = filter_values(self.lowered) | nested_values(asked)
        if self.place:
            values |= {"k0": self.place.value, "k1": self.place.id}
        found = await self.sight.reader.rows(plan.statement, values)
        total = await self._total(found) if plan.total else None
        rows = found[: self.page.size if plan.rows else 0]
        answers = LeadAnswers(self.sight, asked)
        await answers.estimate(plan, rows)
        shown = rows[::-1] if self.page.backward else rows
        beyond = plan.rows and len(found) > self.page.size
        leads = list[Object]()
        served = Served(
            name="Lead",
            nodes=lambda pick: _shaped(plan, pick, shown, answers, (selected, leads)),
            size=len(shown),
            cursor=lambda index: self._cursor(plan, shown[index]),
            has_next=self.place is not None if self.page.backward else beyond,
            has_previous=beyond if self.page.backward else self.place is not None,
            total=total,
        )
        return Answer(connection(selected.picks, served), leads)

    def _cursor(self, plan: Plan, row: Row) -> str:
        value, identity = plan.keys
        return write_cursor(self._fingerprint, Place(row[value], row[identity]))

    @cached_property
    def _fingerprint(self) -> bytes:
        return fingerprint(self.order, self.tree)

    async def _total(self, rows: Sequence[Row]) -> Count:
        """The total that came with the rows; by itself where the page is beyond the last lead."""
        if not rows and self.place is None:
            return Count(0)
        if not rows:
            rows = await self.sight.reader.rows(plan_count(self.lowered.shape), filter_values(self.lowered))
        total: int = rows[0]["total"]
        if total <= MAX_EXACT_COUNT:
            return Count(total)
        return Count(max(total, await self.sight.reader.estimate(self.lowered)), exact=False)


async def lead_page(sight: LeadSight, tree: LeadFilter, order: LeadOrder, arguments: PageArguments) -> LeadPage:
    """The query object of a page. Raises BadInput."""
    page = arguments.request(sight.organization.limits.max_page_size)
    if SORTS[order.field].key in sight.masks:
        raise BadInput("This field is masked for you: it cannot be ordered by.", ("orderBy", "field"))
    place = None
    if page.cursor is not None:
        argument = "before" if page.backward else "after"
        place = read_cursor(fingerprint(order, tree), order.field, page.cursor, argument)
    lowered, at = await sight.lower(tree), CursorAt.END
    if place:
        at = CursorAt.NULL if place.value is None else CursorAt.VALUE
    shape = PageShape(lowered.shape, order, page.size, page.backward, at)
    return LeadPage(sight, tree, lowered, order, page, place, shape)


def _shaped(
    plan: Plan, pick: Pick, rows: Sequence[Row], answers: LeadAnswers, into: tuple[Selected, list[Object]]
) -> list[Json]:
    selected, leads = into
    shaped = plan.shapers[pick.place](rows, answers)
    if plan.deferred[pick.place]:
        first, *rest = selected.uses[pick.place].keys
        leads.extend(Object(pick.place, (first, index, *rest), lead) for index, lead in enumerate(shaped))
    return shaped


@dataclass(frozen=True)
class LeadById(RowQuery):
    """One lead, or null where the caller's organization has none with this id."""

    type_name: ClassVar[str] = "Lead"
    sight: LeadSight
    id: UUID

    @property
    def key(self) -> Hashable:
        return ("lead", self.sight.mask_key)

    def plan(self, wanted: Wanted) -> Plan:
        return plan_leads(wanted, several=False)

    async def answer(self, plan: Plan, selected: Selected, asked: Asked) -> Answer:  # noqa: ARG002 - a page needs it
        rows = await self._rows(plan, asked)
        if not rows:
            return Answer(None)
        answers = LeadAnswers(self.sight, asked)
        await answers.estimate(plan, rows)
        (lead,) = plan.shapers[ROOT](rows, answers)
        return Answer(lead, [Object(ROOT, (), lead)] if plan.deferred[ROOT] else ())

    async def _rows(self, plan: Plan, asked: Asked) -> Sequence[Row]:
        return await self.sight.reader.rows(plan.statement, {**nested_values(asked), "ids": self.id})


@dataclass(frozen=True)
class LeadInPayload(LeadById):
    """A lead that something else shows: all that one field of a list shows are read by one statement."""

    @property
    def key(self) -> Hashable:
        return ("leads", self.sight.mask_key)

    def plan(self, wanted: Wanted) -> Plan:
        return plan_leads(wanted, several=True)

    async def _rows(self, plan: Plan, asked: Asked) -> Sequence[Row]:
        row = await self.sight.lead_row(plan, self.id, nested_values(asked))
        return [row] if row else []


@dataclass(frozen=True)
class LeadPort:
    """Leads inside other objects: implements the LeadReads of schema/context.py."""

    sight: LeadSight

    async def lead(self, lead_id: UUID) -> Lead | None:
        """A query object that the executor completes with the selected columns; None without LEADS_READ."""
        if not self.sight.actor.may(Permission.LEADS_READ):
            return None
        return cast("Lead", LeadInPayload(self.sight, lead_id))
