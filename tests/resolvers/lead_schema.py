"""A schema of the lead fields alone, and requests to it as somebody of an organization."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from uuid import UUID

import orjson
import strawberry
from strawberry.types import ExecutionResult

from db.pool import Database
from domain.actors import Actor
from domain.jobs import JobRecord
from domain.keyring import Keyring
from domain.national_ids import NationalIds
from domain.records import OrganizationRecord
from domain.vocabulary import Role
from resolvers.direct import resolve_directly
from resolvers.execution import CompiledExecutor
from resolvers.lead_port import FindJob, LeadSight
from resolvers.lead_queries import LeadPort
from resolvers.lead_roots import LEAD_ROOTS
from resolvers.leads import LeadQueries, lead_node
from schema.config import schema_config
from schema.context import Context, Info
from schema.leads import Lead
from schema.nodes import Node
from tests.conftest import actor_of

NATIONAL_IDS = NationalIds(Keyring({"k": b"0" * 32}, "k"))


@strawberry.type
class Query(LeadQueries):
    @strawberry.field
    def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - the contract's name
        return lead_node(info.context, id)

    @strawberry.field
    async def payloads(self, info: Info, ids: list[strawberry.ID]) -> list["Payload"]:
        return [Payload(lead_id=lead_id) for lead_id in ids]


@strawberry.type
class Payload:
    lead_id: strawberry.ID

    @strawberry.field
    async def lead(self, info: Info) -> Lead | None:
        return await info.context.leads.lead(UUID(self.lead_id.partition("_")[2]))


def build(executor: type) -> strawberry.Schema:
    return strawberry.Schema(Query, types=[Lead], config=schema_config(), execution_context_class=executor)


SCHEMA = build(CompiledExecutor)
resolve_directly(SCHEMA, LEAD_ROOTS)


class NoJobs:
    """Jobs of an organization that has none."""

    async def job(self, job_id: UUID) -> JobRecord | None:
        return None


NO_JOBS = NoJobs()


@dataclass
class Requester:
    """Somebody of an organization who asks."""

    database: Database
    organization: OrganizationRecord
    role: Role = Role.ADMIN
    schema: strawberry.Schema = SCHEMA
    now: datetime = datetime(2026, 3, 31, 12, tzinfo=UTC)
    actor: Actor | None = None
    jobs: FindJob = NO_JOBS

    def context(self) -> Context:
        actor = self.actor or actor_of(self.role, self.organization)
        sight = LeadSight(
            database=self.database,
            organization=self.organization,
            actor=actor,
            now=self.now,
            national_ids=NATIONAL_IDS,
            jobs=self.jobs,
        )
        given = {"actor": actor, "organization": self.organization, "now": self.now, "leads": LeadPort(sight)}
        return Context(**{field.name: given.get(field.name) for field in fields(Context)})

    async def execute(self, document: str, variables: Mapping[str, object] | None = None) -> ExecutionResult:
        return await self.schema.execute(document, dict(variables or {}), context_value=self.context())

    async def ask(self, document: str, **variables: object) -> dict[str, object]:
        """The data of an answer without errors, as JSON."""
        result = await self.execute(document, variables)
        assert result.errors is None, result.errors
        return orjson.loads(encode(result.data))

    async def refusal(self, document: str, **variables: object) -> BaseException | None:
        """Why an operation failed."""
        result = await self.execute(document, variables)
        assert result.errors, result.data
        return result.errors[0].original_error or result.errors[0]


def encode(data: object) -> bytes:
    """As the HTTP edge encodes an answer."""
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)
