"""One organization with somebody in it, and a new object of any kind on demand, all of them marked."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from domain.ids import IdKind, format_id, new_id
from jobs.uploads import receive
from tests.resolvers.office import Desk, uuid

MARK = "Zanzibar"
"""In every text of an organization's objects."""
CLOSED = "http://127.0.0.1:9"
"""Where nobody listens."""
ERRORS = "userErrors { code message path }"
_NUMBERS = itertools.count(1)
_FINGERPRINT = """select table_name as name from information_schema.tables where table_schema = 'app'
  and table_name <> 'job_progress' order by 1"""


@dataclass
class World:
    """`make("template")` makes one and gives its shown id."""

    desk: Desk
    made: list[str] = field(default_factory=list)

    async def make(self, kind: str) -> str:
        maker: Callable[[World], Awaitable[str]] = getattr(World, f"_{kind}")
        self.made.append(await maker(self))
        return self.made[-1]

    async def fingerprint(self) -> dict[str, str]:
        """One hash for each table, of all that the organization has."""
        tables = [str(row["name"]) for row in await self.desk.rows(_FINGERPRINT)]
        sums = (
            f"select '{table}' as name, md5(coalesce(string_agg({shown}, '|' order by {shown}), '')) as sum"
            f" from app.{table} t"
            for table in tables
            for shown in ["t.id::text" if table == "deliveries" else "t::text"]  # they are tried in the background
        )
        return {str(row["name"]): str(row["sum"]) for row in await self.desk.rows(" union all ".join(sums))}

    async def _do(self, name: str, shown: str, given: Mapping[str, object]) -> str:
        kind = f"{name[0].upper()}{name[1:]}Input"
        kind = {
            "SaveExportScheduleInput": "ExportScheduleInput",
            "SaveWebhookEndpointInput": "WebhookEndpointInput",
        }.get(kind, kind)
        text = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ made: {shown} {{ id }} {ERRORS} }} }}"
        answer = (await self.desk.ask(text, input=dict(given)))[name]
        assert answer["userErrors"] == [], answer
        return answer["made"]["id"]

    @staticmethod
    def _name() -> str:
        return f"{MARK} {next(_NUMBERS)}"

    async def _lead(self) -> str:
        lead = {"name": self._name(), "tags": [MARK], "externalId": self._name()}
        return await self._do("createLead", "lead", {"lead": lead, "onDuplicate": "SKIP"})

    async def _user(self) -> str:
        return await self.desk.user(self._name())

    async def _myself(self) -> str:
        """Who has made a job."""
        await self._export()
        assert self.desk.actor.id is not None
        return format_id(IdKind.USER, self.desk.actor.id)

    async def _company(self) -> str:
        return await self._do("saveCompany", "company", {"name": self._name()})

    async def _chatbot(self) -> str:
        return await self._do("saveChatbot", "chatbot", {"name": self._name()})

    async def _status(self) -> str:
        number = next(_NUMBERS)
        given = {"key": f"{MARK.lower()}{number}", "label": self._name(), "stage": "NEW"}
        return await self._do("saveLeadStatus", "status", given)

    async def _export(self) -> str:
        name = self._name()
        lead = await self._lead()
        return await self._do("exportLeads", "job", {"spec": {"ids": [lead]}, "name": name, "waitSeconds": 20})

    async def _upload(self) -> str:
        number = next(_NUMBERS)
        return await self.uploaded(f"name,phone,source\n{MARK} {number},+1212555{number:04},web\n".encode())

    async def uploaded(self, data: bytes, name: str = f"{MARK}.csv") -> str:
        """A file that is here, by its shown id."""

        async def chunks() -> AsyncIterator[bytes]:
            yield data

        runtime, limits = self.desk.runtime, self.desk.organization.limits
        record = await receive(runtime, self.desk.actor, limits, (name, chunks()))
        return format_id(IdKind.UPLOAD, record.id)

    async def _import(self) -> str:
        return await self._importing("COMMIT")

    async def _review(self) -> str:
        return await self._importing("REVIEW")

    async def _importing(self, mode: str) -> str:
        given = {"source": {"uploadId": await self._upload()}, "mode": mode, "waitSeconds": 20, "name": self._name()}
        return await self._do("importLeads", "job", given)

    async def _mapping(self) -> str:
        name, made = self._name(), new_id()
        async with self.desk.runtime.database.unit(self.desk.organization.id) as connection:
            insert = "insert into app.import_mappings (id, name, columns, options) values ($1, $2, $3, $4)"
            await connection.execute(insert, made, name, [{"column": "name", "field": "NAME"}], {})
        return format_id(IdKind.MAPPING, made)

    async def _template(self) -> str:
        return await self._do("saveExportTemplate", "template", {"name": self._name(), "spec": {}})

    async def _schedule(self) -> str:
        given = {"name": self._name(), "cron": "0 5 1 1 *", "timeZone": "UTC", "spec": {}, "deliver": []}
        return await self._do("saveExportSchedule", "schedule", given)

    async def _used_schedule(self) -> str:
        """One that has run."""
        made = await self._schedule()
        text = f"mutation ($id: ID!) {{ runExportSchedule(id: $id) {{ {ERRORS} }} }}"
        assert (await self.desk.ask(text, id=made))["runExportSchedule"]["userErrors"] == []
        return made

    async def _key(self) -> str:
        return await self._do("createApiKey", "apiKey", {"name": self._name(), "permissions": ["LEADS_READ"]})

    async def _webhook(self) -> str:
        url = f"{CLOSED}/{MARK}/{next(_NUMBERS)}"
        return await self._do("saveWebhookEndpoint", "endpoint", {"url": url, "events": ["EXPORT_READY"]})

    async def _delivery(self) -> str:
        """A message that went out and failed: nothing is sent."""
        endpoint, made = await self._webhook(), new_id()
        async with self.desk.runtime.database.unit(self.desk.organization.id) as connection:
            await connection.execute(
                "insert into app.deliveries (id, channel, target, webhook_endpoint_id, event, payload, state)"
                " values ($1, 'WEBHOOK', $2, $3, 'EXPORT_READY', '{}', 'FAILED')",
                made, MARK, uuid(endpoint),
            )  # fmt: skip
        return format_id(IdKind.DELIVERY, made)

    async def quiet(self) -> None:
        """Until every job of the organization has ended or waits for an answer."""
        running = ("QUEUED", "RUNNING", "CANCELLING")
        async with asyncio.timeout(30):
            while any(row["state"] in running for row in await self.desk.rows("select state from app.jobs")):  # noqa: ASYNC110 - the database tells
                await asyncio.sleep(0.02)
