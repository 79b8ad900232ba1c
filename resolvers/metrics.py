"""Figures from what jobs recorded."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from db.metrics import common_issues, job_metrics
from db.pool import Database
from domain.activity import IssueStat
from domain.activity import Metrics as MetricsRecord
from domain.errors import BadInput
from domain.instants import given_instant
from domain.vocabulary import Permission
from resolvers.access import authorize, home
from resolvers.context import Info
from schema.activity import Metrics

__all__ = ["MetricPort", "MetricQueries"]


class MetricPort:
    """Implements the MetricReads of schema/context.py within one organization."""

    def __init__(self, database: Database, organization_id: UUID) -> None:
        self._database = database
        self._organization_id = organization_id

    async def top_issues(self, metrics: MetricsRecord, first: int) -> Sequence[IssueStat]:
        """The commonest issues of the imports in the metrics' time, by rows."""
        return await common_issues(self._database, self._organization_id, metrics, first)


@strawberry.type
class MetricQueries:
    """The root field of figures."""

    @strawberry.field(description="What the jobs that ended in a time recorded.")
    async def metrics(
        self,
        info: Info,
        since: Annotated[datetime, strawberry.argument(name="from", description="The time's start, included.")],
        until: Annotated[datetime, strawberry.argument(name="to", description="The time's end, not included.")],
    ) -> Metrics:
        actor = authorize(info.context, Permission.LEADS_READ)
        zone = ZoneInfo(home(info.context).settings.time_zone)
        first, last = given_instant(since, zone, ("from",)), given_instant(until, zone, ("to",))
        if first >= last:
            raise BadInput("The end of the time must be after its start.", ("to",))
        return Metrics.of(await job_metrics(info.context.runtime.database, actor.organization_id, first, last))
