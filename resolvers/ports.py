"""Puts a request's context together from whoever reads for it."""

from collections.abc import Callable, Mapping
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


_STRANGER: Final = Caller(_NOBODY, _NOWHERE)


@dataclass(frozen=True, slots=True)
class Services:
    """What all requests share."""

    runtime: Runtime
    directory: Organizations
    national_ids: NationalIds


def request_context(services: Services, caller: Caller | None, address: str | None) -> RequestContext:
    """The context of one request; `caller` None: without a credential."""
    return _Request(services, caller, address)


class _Request(RequestContext):
    """A context whose ports are made when they are first asked for: most requests need one or two of them."""

    def __init__(self, services: Services, caller: Caller | None, address: str | None) -> None:
        vars(self).update(
            actor=caller.actor if caller else None,
            organization=caller.organization if caller else None,
            now=datetime.now(UTC),
            runtime=services.runtime,
            directory=services.directory,
            address=address,
            services=services,
            seen_by=caller or _STRANGER,
        )

    services: Services
    seen_by: Caller

    def __getattr__(self, name: str) -> object:
        """Called for what is not there yet."""
        if name not in _PORTS:
            raise AttributeError(name)
        port = vars(self)[name] = _PORTS[name](self)
        return port


def _sight(request: _Request) -> LeadSight:
    caller = request.seen_by
    return LeadSight(
        database=request.runtime.database,
        organization=caller.organization,
        actor=caller.actor,
        now=request.now,
        national_ids=request.services.national_ids,
        jobs=request.jobs,
    )


_PORTS: Final[Mapping[str, Callable[[_Request], object]]] = {
    "people": lambda request: PeoplePort(request.runtime.database, request.seen_by.organization.id),
    "organizations": lambda request: OrganizationPort(request.runtime.database, request.seen_by.actor),
    "jobs": lambda request: JobPort(request.runtime, request.seen_by.actor, request.seen_by.organization.settings),
    "exports": lambda request: ExportPort(request.runtime, request.seen_by.actor, request.seen_by.organization),
    "imports": lambda request: ImportPort(request.runtime, request.seen_by.actor, request.seen_by.organization),
    "bulk": lambda request: BulkPort(request.runtime.database),
    "leads": lambda request: LeadPort(_sight(request)),
    "metrics": lambda request: MetricPort(request.runtime.database, request.seen_by.organization.id),
    "webhooks": lambda request: WebhookPort(request.runtime.database, request.seen_by.organization.id),
}
