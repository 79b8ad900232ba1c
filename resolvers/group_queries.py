"""The query object of leadGroups."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from db.lead_groups import DIMENSION_KEYS, MAX_GROUPS, plan_groups
from db.lead_plans import ROOT, Plan, Wanted
from db.lead_reads import filter_values
from db.shapes import Lowered
from domain.errors import BadInput
from domain.filters import LeadFilter
from domain.vocabulary import LeadGroupBy
from resolvers.execution import Answer
from resolvers.lead_answers import LeadAnswers, RowQuery
from resolvers.lead_port import LeadSight
from resolvers.selections import Selected

__all__ = ["LeadGroups", "lead_groups"]

MAX_DIMENSIONS: Final = 4


@dataclass(frozen=True)
class LeadGroups(RowQuery):
    """Leads of a filter, counted by dimensions. Made by `lead_groups`."""

    type_name: ClassVar[str] = "LeadGroup"
    sight: LeadSight
    lowered: Lowered
    dimensions: tuple[LeadGroupBy, ...]

    @property
    def key(self) -> Hashable:
        return ("groups", self.lowered.shape, self.dimensions, self.sight.mask_key)

    def plan(self, wanted: Wanted) -> Plan:
        return plan_groups(self.lowered.shape, self.dimensions, wanted.picks, wanted.masks)

    async def answer(self, plan: Plan, selected: Selected, asked: Mapping[int, Lowered]) -> Answer:  # noqa: ARG002 - the protocol's signature
        values = filter_values(self.lowered) | {"zone": self.sight.organization.settings.time_zone}
        rows = await self.sight.reader.rows(plan.statement, values)
        if len(rows) > MAX_GROUPS:
            raise BadInput(f"These are more than {MAX_GROUPS} groups; filter, or group by fewer things.", ("by",))
        return Answer(plan.shapers[ROOT](rows, LeadAnswers(self.sight, asked)))


async def lead_groups(sight: LeadSight, tree: LeadFilter, by: Sequence[LeadGroupBy]) -> LeadGroups:
    """The query object of groups. Raises BadInput."""
    if not 1 <= len(by) <= MAX_DIMENSIONS or len(set(by)) < len(by):
        raise BadInput(f"Group by 1 to {MAX_DIMENSIONS} different things.", ("by",))
    for index, dimension in enumerate(by):
        if DIMENSION_KEYS[dimension] in sight.masks:
            raise BadInput("This field is masked for you: it cannot be grouped by.", ("by", str(index)))
    return LeadGroups(sight, await sight.lower(tree), tuple(by))
