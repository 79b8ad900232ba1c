"""The API in this process: real database, real worker, requests as anybody of an organization."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLError

from db.organizations import Organizations
from db.roles import app_dsn, system_dsn
from domain.actors import Actor, ActorKind
from domain.ids import IdKind, format_id, new_id
from domain.national_ids import NationalIds
from domain.records import OrganizationRecord
from domain.vocabulary import Permission, Role
from jobs.handlers import HANDLERS
from jobs.queue import DispatchOptions
from jobs.runtime import Runtime
from jobs.worker import Worker
from resolvers.errors import coded
from resolvers.ports import Caller, Services, request_context
from resolvers.schema import build_schema
from tests.conftest import SECRET, MakeOrganization, actor_of, maker
from tests.jobs.scripted import close_runtime, open_runtime
from tests.lead_rows import add_leads

SCHEMA = build_schema()


@dataclass
class Office:
    """A runtime with a worker, and organizations to be made in it."""

    runtime: Runtime
    make_organization: MakeOrganization

    async def desk(self, role: Role = Role.OWNER, **settings: object) -> "Desk":
        """Somebody of a new organization."""
        organization = await self.make_organization(**settings)
        return Desk(self, organization, actor_of(role, organization))


@dataclass
class Desk:
    """Somebody of an organization, at the API."""

    office: Office
    organization: OrganizationRecord
    actor: Actor
    schema: strawberry.Schema = SCHEMA

    def seat(self, role: Role) -> "Desk":
        """Somebody else of the same organization."""
        return replace(self, actor=actor_of(role, self.organization))

    def program(self, *permissions: Permission) -> "Desk":
        """A program with a key of these permissions."""
        key = Actor(ActorKind.API_KEY, self.organization.id, new_id(), "script", None, frozenset(permissions))
        return replace(self, actor=key)

    @property
    def runtime(self) -> Runtime:
        return self.office.runtime

    async def leads(self, *rows: Mapping[str, object]) -> list[str]:
        """Leads given as columns; their shown ids."""
        made = await add_leads(self.runtime.database, self.organization, rows)
        return [format_id(IdKind.LEAD, lead_id) for lead_id in made]

    async def user(self, name: str, role: Role = Role.AGENT, *, active: bool = True) -> str:
        """A user of the organization; the shown id."""
        user_id = new_id()
        await self.runtime.system.execute(
            "insert into store.users (organization_id, id, name, role, active) values ($1, $2, $3, $4, $5)",
            self.organization.id, user_id, name, role, active,
        )  # fmt: skip
        return format_id(IdKind.USER, user_id)

    async def until_followed(self, count: int) -> None:
        """Wait until so many follow jobs, of whatever organization."""
        async with asyncio.timeout(30):
            while self.runtime.feed.followers != count:  # noqa: ASYNC110 - another task's
                await asyncio.sleep(0.01)

    async def rows(self, sql: str, *args: object) -> list[dict[str, object]]:
        """Rows of the organization; binds start at $2."""
        return [dict(row) for row in await self.runtime.database.read(self.organization.id, sql, *args)]

    async def execute(self, document: str, **variables: object) -> dict[str, object]:
        """The whole answer as the edge would give it."""
        organization = await Organizations(self.runtime.system).find(self.organization.id)
        assert organization is not None
        services = Services(self.runtime, Organizations(self.runtime.system), NationalIds(self.runtime.keyring))
        context = request_context(services, Caller(self.actor, organization), "192.0.2.1")
        result = await self.schema.execute(document, dict(variables), context_value=context)
        errors = [shown(coded(error)) for error in result.errors or ()]
        return orjson.loads(orjson.dumps({"data": result.data, "errors": errors}, default=str))

    async def ask(self, document: str, **variables: object) -> dict[str, object]:
        """The data of an answer without top-level errors."""
        answer = await self.execute(document, **variables)
        assert not answer["errors"], answer["errors"]
        return answer["data"]

    async def refusal(self, document: str, **variables: object) -> str:
        """The code of the top-level error."""
        answer = await self.execute(document, **variables)
        assert answer["errors"], answer["data"]
        return answer["errors"][0]["extensions"]["code"]


def shown(error: GraphQLError) -> dict[str, object]:
    return dict(error.formatted)


def uuid(shown_id: str) -> UUID:
    return UUID(shown_id.partition("_")[2])


@asynccontextmanager
async def open_office(url: str, folder: Path, **settings: object) -> AsyncIterator[Office]:
    runtime = await open_runtime(app_dsn(url, SECRET), system_dsn(url, SECRET), folder)
    runtime = replace(runtime, settings=replace(runtime.settings, **settings))
    options = DispatchOptions(dsn=system_dsn(url, SECRET), large=2, small=4, drain_seconds=5, lease_seconds=10)
    stop = asyncio.Event()
    working = asyncio.create_task(Worker(runtime, options, HANDLERS).run(stop))
    try:
        yield Office(runtime, maker(runtime.system))
    finally:
        stop.set()
        await working
        await close_runtime(runtime)
