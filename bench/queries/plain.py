"""The reference: a hand-written Starlette endpoint for each work, over asyncpg and orjson.

The same role, the same form of transaction (the gate), the same check of the token and the same answers as the GraphQL
server; nothing else.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg
import jwt
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

GATE = "select q.* from ({}) q where (select set_config('app.organization_id', $1, true)) is not null"
ORGANIZATION = os.environ["BENCH_ORGANIZATION"]
SECRET = os.environ["BENCH_SECRET"]

COLUMNS = {
    "externalId": "external_id",
    "version": "version",
    "name": "name",
    "phone": "phone",
    "phoneDisplay": "phone_display",
    "email": "email",
    "policyOfInterest": "policy_of_interest",
    "statusCode": "status_code",
    "source": "source",
    "leadSource": "lead_source",
    "score": "score",
    "interestLevel": "interest_level",
    "confidence": "confidence",
    "category": "category",
    "primaryLanguage": "primary_language",
    "tags": "tags",
    "notesCount": "notes_count",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
KEYS = ("id", *COLUMNS)
TWENTY = ", ".join(("id", *COLUMNS.values()))
STATUS = "(select id from app.statuses where key_folded = $2)"
Q1 = GATE.format(
    "select id, name, phone, email, score, source, tags, notes_count, created_at, updated_at "
    "from app.leads where id = $2"
)
PAGE = f"""select {TWENTY}{{}} from app.leads where status_id = {STATUS} and created_at >= $3
  order by created_at desc, id desc limit 51"""
Q2 = GATE.format(PAGE.format(""))
Q3 = GATE.format(
    f"""select l.*, c.name as company_name, b.name as chatbot_name
    from ({PAGE.format(", company_id, chatbot_id, last_call_at, last_call_status")}) l
    left join app.companies c on c.id = l.company_id left join app.chatbots b on b.id = l.chatbot_id
    order by l.created_at desc, l.id desc"""
)
FOUND = """from app.leads where search_text like $2 and score >= $3 and source = any($4::text[]) and created_at >= $5"""
Q4 = GATE.format(
    f"""select l.*, s.key, s.label, (select count(*) from (select 1 {FOUND} limit 10001) t) as total
    from (select id, name, phone, email, score, created_at, status_id {FOUND}
          order by created_at desc, id desc limit 26) l
    left join app.statuses s on s.id = l.status_id order by l.created_at desc, l.id desc"""
)
Q5 = GATE.format(
    """select s.id, s.key, s.label, (select count(*) from (select 1 from app.leads where status_id = s.id
    and created_at >= $2 limit 10001) l) as leads from app.statuses s order by s.position, s.key"""
)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async def keep(_: asyncpg.Connection) -> None:
        """Nothing to reset."""

    async with asyncpg.create_pool(
        os.environ["BENCH_DSN"], min_size=10, max_size=10, reset=keep, statement_cache_size=1024
    ) as pool:
        app.state.pool = pool
        yield


async def rows(request: Request, sql: str, *values: object) -> list[asyncpg.Record]:
    token = request.headers["authorization"].removeprefix("Bearer ")
    jwt.decode(token, SECRET, ["HS256"], audience="leadport", issuer="leadport")
    async with request.app.state.pool.acquire() as connection:
        return await connection.fetch(sql, ORGANIZATION, *values)


def answer(data: object) -> Response:
    return Response(orjson.dumps({"data": data}, option=orjson.OPT_UTC_Z), media_type="application/json")


def lead(row: asyncpg.Record) -> dict[str, object]:
    shown = dict(zip(KEYS, row, strict=False))
    shown["id"] = f"lead_{shown['id']}"
    return shown


def page(found: list[asyncpg.Record], nodes: list[dict[str, object]], size: int) -> dict[str, object]:
    last = found[len(nodes) - 1]
    cursor = orjson.dumps([int(last["created_at"].timestamp() * 1_000_000), str(last["id"])])
    end = urlsafe_b64encode(cursor).decode()
    return {"nodes": nodes, "pageInfo": {"hasNextPage": len(found) > size, "endCursor": end}}


def since(wanted: Mapping[str, dict[str, str]]) -> datetime:
    return datetime.fromisoformat(wanted["createdAt"]["gte"])


async def q1(request: Request) -> Response:
    body = orjson.loads(await request.body())
    (row,) = await rows(request, Q1, UUID(body["id"].removeprefix("lead_")))
    names = ("id", "name", "phone", "email", "score", "source", "tags", "notesCount", "createdAt", "updatedAt")
    shown = dict(zip(names, row, strict=True))
    shown["id"] = f"lead_{shown['id']}"
    return answer({"lead": shown})


async def q2(request: Request) -> Response:
    wanted = orjson.loads(await request.body())["filter"]
    found = await rows(request, Q2, wanted["status"]["eq"].casefold(), since(wanted))
    return answer({"leads": page(found, [lead(row) for row in found[:50]], 50)})


async def q3(request: Request) -> Response:
    wanted = orjson.loads(await request.body())["filter"]
    found = await rows(request, Q3, wanted["status"]["eq"].casefold(), since(wanted))
    nodes = list[dict[str, object]]()
    for row in found[:50]:
        shown = lead(row)
        company, chatbot, at = row["company_id"], row["chatbot_id"], row["last_call_at"]
        shown["company"] = {"id": f"company_{company}", "name": row["company_name"]} if company else None
        shown["chatbot"] = {"id": f"chatbot_{chatbot}", "name": row["chatbot_name"]} if chatbot else None
        shown["lastCall"] = {"at": at, "status": row["last_call_status"]} if at else None
        nodes.append(shown)
    return answer({"leads": page(found, nodes, 50)})


async def q4(request: Request) -> Response:
    wanted = orjson.loads(await request.body())["filter"]
    term = wanted["search"].casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = await rows(request, Q4, f"%{term}%", wanted["score"]["gte"], wanted["source"]["in"], since(wanted))
    nodes = [
        {
            "id": f"lead_{row['id']}",
            "name": row["name"],
            "phone": row["phone"],
            "email": row["email"],
            "score": row["score"],
            "createdAt": row["created_at"],
            "status": {"key": row["key"], "label": row["label"]},
        }
        for row in found[:25]
    ]
    total = found[0]["total"]
    return answer({"leads": {**page(found, nodes, 25), "totalCount": {"value": total, "exact": total <= 10_000}}})


async def q5(request: Request) -> Response:
    wanted = orjson.loads(await request.body())["filter"]
    found = await rows(request, Q5, since(wanted))
    return answer(
        {
            "leadStatuses": [
                {
                    "id": f"status_{row['id']}",
                    "key": row["key"],
                    "label": row["label"],
                    "leadCount": {"value": row["leads"], "exact": row["leads"] <= 10_000},
                }
                for row in found
            ]
        }
    )


async def healthz(_: Request) -> Response:
    return Response("ok")


app = Starlette(
    routes=[
        Route("/healthz", healthz),
        *(Route(f"/{work.__name__}", work, methods=["POST"]) for work in (q1, q2, q3, q4, q5)),
    ],
    lifespan=lifespan,
)
