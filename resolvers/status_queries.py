"""The query objects of statuses, whose counts are read with them."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from db.lead_plans import ROOT, Plan, Wanted, plan_statuses
from resolvers.execution import Answer
from resolvers.lead_answers import Asked, LeadAnswers, RowQuery, nested_values
from resolvers.lead_port import LeadSight
from resolvers.selections import Selected

__all__ = ["StatusById", "Statuses"]

Json = dict[str, object]


@dataclass(frozen=True)
class Statuses(RowQuery):
    """Every status of the organization by its position."""

    type_name: ClassVar[str] = "LeadStatus"
    sight: LeadSight

    @property
    def key(self) -> Hashable:
        return ("statuses",)

    def plan(self, wanted: Wanted) -> Plan:
        return plan_statuses(wanted, one=False)

    async def answer(self, plan: Plan, selected: Selected, asked: Asked) -> Answer:  # noqa: ARG002 - a page needs it
        rows = await self.sight.reader.rows(plan.statement, {**nested_values(asked), **self._values})
        answers = LeadAnswers(self.sight, asked)
        await answers.estimate(plan, rows)
        return Answer(self._chosen(plan.shapers[ROOT](rows, answers)))

    @property
    def _values(self) -> Json:
        return {}

    def _chosen(self, statuses: list[Json]) -> object:
        return statuses


@dataclass(frozen=True)
class StatusById(Statuses):
    """One status."""

    id: UUID

    @property
    def key(self) -> Hashable:
        return ("status",)

    def plan(self, wanted: Wanted) -> Plan:
        return plan_statuses(wanted, one=True)

    @property
    def _values(self) -> Json:
        return {"ids": self.id}

    def _chosen(self, statuses: list[Json]) -> object:
        return statuses[0] if statuses else None
