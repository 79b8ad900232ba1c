"""Puts a request's context together from whoever reads for it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from db.organizations import Organizations
from domain.actors import Actor, ActorKind
from domain.national_ids import NationalIds
from domain.records import OrganizationRecord
from domain.settings import Limits, OrganizationSettings
from jobs.runtime import Runtime
from resolvers.bulk_port import BulkPort
from resolvers.context import RequestContext
from resolvers.export_port import ExportPort
from resolvers.import_port import ImportPort
from resolvers.job_port import JobPort
from resolvers.lead_port import LeadSight
from resolvers.lead_queries import LeadPort
from resolvers.metrics import MetricPort
from resolvers.organization_port import OrganizationPort
from resolvers.people_port import PeoplePort
from resolvers.webhook_port import WebhookPort

__all__ = ["Caller", "Services", "request_context"]

_NOWHERE: Final = OrganizationRecord(id=UUID(int=0), name="", slug="", settings=OrganizationSettings(), limits=Limits())
_NOBODY: Final = Actor(ActorKind.SYSTEM, _NOWHERE.id, None, "", None, frozenset())
"""Stands in the ports for a caller without a credential: may nothing, in an organization that has nothing."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller with the organization that they act in."""

    actor: Actor
    organization: OrganizationRecord


@dataclass(frozen=True, slots=True)
class Services:
    """What all requests share."""

    runtime: Runtime
    directory: Organizations
    national_ids: NationalIds


def request_context(services: Services, caller: Caller | None, address: str | None) -> RequestContext:
    """The context of one request; `caller` None: without a credential."""
    runtime, now = services.runtime, datetime.now(UTC)
    database = runtime.database
    actor, organization = (caller.actor, caller.organization) if caller else (_NOBODY, _NOWHERE)
    jobs = JobPort(runtime, actor, organization.settings)
    sight = LeadSight(
        database=database,
        organization=organization,
        actor=actor,
        now=now,
        national_ids=services.national_ids,
        jobs=jobs,
    )
    return RequestContext(
        actor=caller.actor if caller else None,
        organization=caller.organization if caller else None,
        now=now,
        people=PeoplePort(database, organization.id),
        organizations=OrganizationPort(database, actor),
        jobs=jobs,
        exports=ExportPort(runtime, organization),
        imports=ImportPort(runtime, actor, organization),
        bulk=BulkPort(database),
        leads=LeadPort(sight),
        metrics=MetricPort(database, organization.id),
        webhooks=WebhookPort(database, organization.id),
        runtime=runtime,
        directory=services.directory,
        address=address,
    )
