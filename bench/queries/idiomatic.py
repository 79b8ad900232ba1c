"""The ordinary way: Strawberry's own ASGI view, types made of ORM objects, dataloaders for what they refer to."""

import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import jwt
import strawberry
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from bench.queries.idiomatic_rows import ChatbotRow, CompanyRow, LeadRow, StatusRow

ORGANIZATION = os.environ["BENCH_ORGANIZATION"]
SECRET = os.environ["BENCH_SECRET"]


async def connect() -> asyncpg.Connection:
    return await asyncpg.connect(os.environ["BENCH_DSN"])


engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_size=10, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


def loader(session: AsyncSession, row: type[Any]) -> DataLoader[UUID, Any]:
    async def load(keys: list[UUID]) -> list[Any]:
        found = {item.id: item for item in await session.scalars(select(row).where(row.id.in_(keys)))}
        return [found.get(key) for key in keys]

    return DataLoader(load)


@strawberry.type
class LeadStatus:
    id: strawberry.ID
    key: str
    label: str
    row_id: strawberry.Private[UUID]

    @strawberry.field
    async def lead_count(self, info: Info, filter: "LeadFilter | None" = None) -> "Count":
        found = select(LeadRow.id).where(LeadRow.status_id == self.row_id, *conditions(filter)).limit(10_001)
        session: AsyncSession = info.context["session"]
        total = await session.scalar(select(func.count()).select_from(found.subquery())) or 0
        return Count(value=total, exact=total <= 10_000)


@strawberry.type
class Count:
    value: int
    exact: bool


@strawberry.type
class Company:
    id: strawberry.ID
    name: str


@strawberry.type
class Chatbot:
    id: strawberry.ID
    name: str


@strawberry.type
class CallSummary:
    at: datetime
    status: str | None


@strawberry.type
class Lead:
    row: strawberry.Private[LeadRow]
    id: strawberry.ID
    external_id: str | None
    version: int
    name: str | None
    phone: str | None
    phone_display: str | None
    email: str | None
    policy_of_interest: str | None
    status_code: str | None
    source: str
    lead_source: str | None
    score: int | None
    interest_level: str | None
    confidence: str | None
    category: str | None
    primary_language: str | None
    tags: list[str]
    notes_count: int
    created_at: datetime
    updated_at: datetime

    @strawberry.field
    async def status(self, info: Info) -> LeadStatus:
        return status_of(await info.context["statuses"].load(self.row.status_id))

    @strawberry.field
    async def company(self, info: Info) -> Company | None:
        row = self.row.company_id and await info.context["companies"].load(self.row.company_id)
        return Company(id=strawberry.ID(f"company_{row.id}"), name=row.name) if row else None

    @strawberry.field
    async def chatbot(self, info: Info) -> Chatbot | None:
        row = self.row.chatbot_id and await info.context["chatbots"].load(self.row.chatbot_id)
        return Chatbot(id=strawberry.ID(f"chatbot_{row.id}"), name=row.name) if row else None

    @strawberry.field
    def last_call(self) -> CallSummary | None:
        at = self.row.last_call_at
        return CallSummary(at=at, status=self.row.last_call_status) if at else None


FIELDS = (
    *("external_id", "version", "name", "phone", "phone_display", "email", "policy_of_interest", "status_code"),
    *("source", "lead_source", "score", "interest_level", "confidence", "category", "primary_language", "tags"),
    *("notes_count", "created_at", "updated_at"),
)


def status_of(row: StatusRow) -> LeadStatus:
    return LeadStatus(id=strawberry.ID(f"status_{row.id}"), key=row.key, label=row.label, row_id=row.id)


def lead_of(row: LeadRow) -> Lead:
    values = {name: getattr(row, name) for name in FIELDS}
    return Lead(row=row, id=strawberry.ID(f"lead_{row.id}"), **values)


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class LeadConnection:
    nodes: list[Lead]
    page_info: PageInfo
    filter: strawberry.Private["LeadFilter | None"]

    @strawberry.field
    async def total_count(self, info: Info) -> Count:
        found = select(LeadRow.id).where(*conditions(self.filter)).limit(10_001)
        total = await info.context["session"].scalar(select(func.count()).select_from(found.subquery())) or 0
        return Count(value=total, exact=total <= 10_000)


@strawberry.input
class KeyFilter:
    eq: str | None = None
    in_: list[str] | None = strawberry.field(default=None, name="in")


@strawberry.input
class IntFilter:
    gte: int | None = None


@strawberry.input
class DateTimeFilter:
    gte: datetime | None = None


@strawberry.input
class LeadFilter:
    search: str | None = None
    status: KeyFilter | None = None
    source: KeyFilter | None = None
    score: IntFilter | None = None
    created_at: DateTimeFilter | None = None


def conditions(wanted: LeadFilter | None) -> list[Any]:
    found = list[Any]()
    if wanted and wanted.search:
        found.append(LeadRow.search_text.contains(wanted.search.casefold(), autoescape=True))
    if wanted and wanted.status:
        key = select(StatusRow.id).where(StatusRow.key_folded == (wanted.status.eq or "").casefold())
        found.append(LeadRow.status_id == key.scalar_subquery())
    if wanted and wanted.source:
        found.append(LeadRow.source.in_(wanted.source.in_ or []))
    if wanted and wanted.score:
        found.append(LeadRow.score >= wanted.score.gte)
    if wanted and wanted.created_at:
        found.append(LeadRow.created_at >= wanted.created_at.gte)
    return found


@strawberry.type
class Query:
    @strawberry.field
    async def lead(self, info: Info, id: strawberry.ID) -> Lead | None:
        row = await info.context["session"].get(LeadRow, UUID(id.removeprefix("lead_")))
        return lead_of(row) if row else None

    @strawberry.field
    async def leads(
        self, info: Info, filter: LeadFilter | None = None, first: int = 50, after: str | None = None
    ) -> LeadConnection:
        found = select(LeadRow).where(*conditions(filter))
        if after:
            at, identity = b64decode(after).decode().split("|")
            found = found.where(tuple_(LeadRow.created_at, LeadRow.id) < (datetime.fromisoformat(at), UUID(identity)))
        found = found.order_by(LeadRow.created_at.desc(), LeadRow.id.desc()).limit(first + 1)
        rows = (await info.context["session"].scalars(found)).all()
        shown = rows[:first]
        end = b64encode(f"{shown[-1].created_at.isoformat()}|{shown[-1].id}".encode()).decode() if shown else None
        info_ = PageInfo(has_next_page=len(rows) > first, end_cursor=end)
        return LeadConnection(nodes=[lead_of(row) for row in shown], page_info=info_, filter=filter)

    @strawberry.field
    async def lead_statuses(self, info: Info) -> list[LeadStatus]:
        order = (StatusRow.position, StatusRow.key_folded)
        return [status_of(row) for row in await info.context["session"].scalars(select(StatusRow).order_by(*order))]


class View(GraphQL[Any, Any]):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with sessions() as session:
            setting = text(
                "select set_config('search_path', 'app', true), set_config('app.organization_id', :id, true)"
            )
            await session.execute(setting, {"id": ORGANIZATION})
            scope["session"] = session
            await super().__call__(scope, receive, send)

    async def get_context(self, request: Request, response: Response | None = None) -> dict[str, Any]:  # noqa: ARG002 - Strawberry's signature
        token = request.headers["authorization"].removeprefix("Bearer ")
        jwt.decode(token, SECRET, ["HS256"], audience="leadport", issuer="leadport")
        session = request.scope["session"]
        loaders = {"statuses": StatusRow, "companies": CompanyRow, "chatbots": ChatbotRow}
        return {"session": session, **{name: loader(session, row) for name, row in loaders.items()}}


async def healthz(_: Request) -> Response:
    return Response("ok")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
    await engine.dispose()


schema = strawberry.Schema(Query, config=StrawberryConfig())
app = Starlette(routes=[Route("/healthz", healthz), Mount("/graphql", View(schema))], lifespan=lifespan)
