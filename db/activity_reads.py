"""Reading the activity log: pages newest first, single entries, and the conditions that an export shares with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from db.connections import Row
from db.lists import Clauses, Listing, list_page
from db.pool import Database
from domain.activity import ActivityFilter, ActivityRecord
from domain.actors import ActorKind, ActorRef
from domain.ids import IdKind, parse_id
from domain.instants import bounds_of
from domain.job_filter import parties
from domain.paging import Page, PageRequest
from domain.stored import encode
from domain.vocabulary import ActivityAction

__all__ = ["ActivityList", "activity_conditions", "list_activity", "load_activity"]

_COLUMNS: Final = """
a.id, a.at, a.action, a.actor_kind, a.actor_id, a.actor_name, a.summary, a.job_id, a.lead_id, a.lead_count,
a.ip_address, a.details"""
_TABLE: Final = "activity a"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityList:
    """Which acts in which organization; relative periods count back from `now` in the organization's zone."""

    organization_id: UUID
    now: datetime
    zone: ZoneInfo
    filter: ActivityFilter = field(default_factory=ActivityFilter)


async def list_activity(database: Database, wanted: ActivityList, page: PageRequest) -> Page[ActivityRecord]:
    """A page of acts, newest first, with their count. Raises BadInput for a wrong filter or another list's cursor."""
    listing = Listing(
        organization_id=wanted.organization_id,
        columns=_COLUMNS,
        tables=_TABLE,
        counted=_TABLE,
        alias="a",
        at="at",
        clauses=activity_conditions(wanted),
        filter=encode(wanted.filter),
        record=_record,
    )
    return await list_page(database, listing, page)


async def load_activity(database: Database, organization_id: UUID, ids: Sequence[UUID]) -> dict[UUID, ActivityRecord]:
    """Those of the entries that this organization has, by id."""
    sql = f"select {_COLUMNS} from {_TABLE} where a.id = any($2::uuid[])"
    return {row["id"]: _record(row) for row in await database.read(organization_id, sql, list(ids))}


def activity_conditions(wanted: ActivityList) -> Clauses:
    """The conditions on `activity a`. Raises BadInput for a wrong filter."""
    clauses, given = Clauses(), wanted.filter
    if given.action is not None:
        clauses.add("a.action = any(cast({} as text[]))", list(given.action))
    if given.actor_id is not None:
        clauses.add("a.actor_id = any(cast({} as uuid[]))", list(parties(given.actor_id)))
    if given.job_id is not None:
        clauses.add("a.job_id = cast({} as uuid)", parse_id(IdKind.JOB, given.job_id))
    if given.lead_id is not None:
        clauses.add("a.lead_id = cast({} as uuid)", parse_id(IdKind.LEAD, given.lead_id))
    if given.search is not None:
        clauses.add_search("a.summary", given.search)
    clauses.add_instants("a.at", bounds_of(given.at, ("filter", "at"), wanted.now, wanted.zone))
    return clauses


def _record(row: Row) -> ActivityRecord:
    return ActivityRecord(
        id=row["id"],
        at=row["at"],
        action=ActivityAction(row["action"]),
        actor=ActorRef(ActorKind(row["actor_kind"]), row["actor_id"], row["actor_name"]),
        summary=row["summary"],
        job_id=row["job_id"],
        lead_id=row["lead_id"],
        lead_count=row["lead_count"],
        ip_address=row["ip_address"],
        details=row["details"],
    )
