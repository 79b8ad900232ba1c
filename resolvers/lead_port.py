"""Leads as one request may see them: what every lead query needs to know and to do."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from db.activity import Act, doer_of, record
from db.connections import Row
from db.filter_shapes import FilterContext, lower
from db.lead_plans import Plan
from db.lead_reads import LeadReader
from db.pool import Database
from db.references import check_references
from db.shapes import EVERY, Lowered
from domain.actors import Actor
from domain.filters import EVERYTHING, LeadFilter
from domain.jobs import JobRecord
from domain.masking import Masks, masks_for
from domain.national_ids import NationalIds
from domain.records import OrganizationRecord
from domain.vocabulary import ActivityAction, LeadFieldKey, MaskingMode

__all__ = ["FindJob", "LeadSight", "MaskKey"]

MaskKey = tuple[tuple[LeadFieldKey, MaskingMode], ...]


class FindJob(Protocol):
    """Where the imports of leads are found."""

    async def job(self, job_id: UUID) -> JobRecord | None:
        """A job of the organization."""
        ...


class LeadSight:
    """One caller's sight of the organization's leads, for one request made at `now`."""

    def __init__(  # noqa: PLR0913 - what a request is made of, by name
        self,
        *,
        database: Database,
        organization: OrganizationRecord,
        actor: Actor,
        now: datetime,
        national_ids: NationalIds,
        jobs: FindJob,
    ) -> None:
        self.database = database
        self.organization = organization
        self.actor = actor
        self.now = now
        self.national_ids = national_ids
        self.jobs = jobs
        self.reader = LeadReader(database, organization.id)
        self.masks: Masks = masks_for(actor, organization.settings)
        """The fields hidden from the caller."""
        self.mask_key: MaskKey = tuple(self.masks.items())
        """The masks as part of a plan's key."""
        self._batches = dict[Plan, _Batch]()

    async def lower(self, tree: LeadFilter) -> Lowered:
        """The filter taken apart, once all that it names is known to exist. Raises BadInput."""
        if tree is EVERYTHING:
            return Lowered(EVERY)
        settings = self.organization.settings
        zone = ZoneInfo(settings.time_zone)
        context = FilterContext(now=self.now, zone=zone, country=settings.default_country, masks=self.masks)
        lowered = lower(tree, context)
        await check_references(self.database, self.organization.id, tree)
        return lowered

    async def lead_row(self, plan: Plan, lead_id: UUID, values: Mapping[str, object]) -> Row | None:
        """The row of a lead; all that are asked for at once are read by one statement."""
        batch = self._batches.get(plan)  # a plan is of one place in one document: its nested values are the same
        if batch is None:
            batch = self._batches[plan] = _Batch(asyncio.get_running_loop().create_task(self._read_batch(plan, values)))
        batch.ids.append(lead_id)
        return (await batch.rows).get(lead_id)

    async def _read_batch(self, plan: Plan, values: Mapping[str, object]) -> dict[UUID, Row]:
        await asyncio.sleep(0)
        ids = self._batches.pop(plan).ids
        rows = await self.reader.rows(plan.statement, {**values, "ids": ids})
        _, identity = plan.keys
        return {row[identity]: row for row in rows}

    async def record_unmasked(self, lead_ids: Sequence[UUID]) -> None:
        """Keep in the activity that the caller saw national ids, before they do."""
        act = Act(
            action=ActivityAction.UNMASKED_READ,
            summary="Read national ids unmasked",
            lead_id=lead_ids[0] if len(lead_ids) == 1 else None,
            lead_count=len(lead_ids),
        )
        async with self.database.unit(self.organization.id) as connection:
            await record(connection, doer_of(self.actor), act)


@dataclass(slots=True)
class _Batch:
    rows: "asyncio.Task[dict[UUID, Row]]"
    ids: list[UUID] = field(default_factory=list[UUID])
