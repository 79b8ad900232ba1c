"""Rows as the parsing child gives them, for tests of the merge alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from db.copy_text import array_literal, cell
from db.locks import Lock, take
from db.merge import merge
from db.merge_rules import BlockOutcome, MergeRows, MergeRules
from db.merge_trial import begin_trial
from db.pool import Database
from domain.ids import new_id
from domain.lead_values import SearchValues, contact_values, search_text
from domain.records import OrganizationRecord
from domain.vocabulary import MatchKey, MergeStrategy

FILE = ("name", "phone", "email", "external_id", "status_id", "tags", "created_at", "score")
GIVEN = {"status_id": "status"}
COLUMNS = (
    "id", *FILE, "phone_display", "phone_key", "email_key", "stage", "notes_count", "search_text", "import_job_id",
)  # fmt: skip


class PlainSealer:
    """Seals nothing, so that tests can read it."""

    def seal(self, plain: str, lead_id: str) -> str:
        return f"sealed:{plain}"

    def open(self, sealed: str, lead_id: str) -> str | None:
        return sealed.removeprefix("sealed:")


@dataclass
class Merging:
    """An import of an organization, block by block."""

    database: Database
    organization: OrganizationRecord
    statuses: Mapping[str, tuple[UUID, str]]
    rules: MergeRules
    next_row: int = 2

    @classmethod
    async def of(cls, database: Database, organization: OrganizationRecord, **rules: object) -> "Merging":
        rows = await database.read(organization.id, "select id, key, stage from app.statuses order by position")
        base = MergeRules(
            organization_id=organization.id,
            job_id=uuid4(),
            strategy=MergeStrategy.SKIP,
            match_on=(MatchKey.LEAD_ID, MatchKey.EXTERNAL_ID, MatchKey.PHONE),
            active_only=True,
            columns=COLUMNS,
            written=FILE,
            actor_name="Dana",
        )
        statuses = {row["key"]: (row["id"], row["stage"]) for row in rows}
        return cls(database, organization, statuses, replace(base, **rules))

    def again(self, **rules: object) -> "Merging":
        """Another import of the same organization."""
        return replace(self, rules=replace(self.rules, job_id=uuid4(), **rules), next_row=2)

    async def begin(self) -> None:
        async with self.database.unit(self.organization.id) as connection:
            await begin_trial(connection, self.rules.job_id)

    async def run(self, *rows: Mapping[str, object]) -> str:
        """The outcomes of a block as letters."""
        return "".join((await self.block(*rows)).outcomes)

    async def block(self, *rows: Mapping[str, object]) -> BlockOutcome:
        block = self.rows(rows)
        async with self.database.unit(self.organization.id) as connection:
            await take(connection, Lock.LEADS, self.organization.id)
            return await merge(connection, self.rules, block, PlainSealer())

    def rows(self, rows: Sequence[Mapping[str, object]]) -> MergeRows:
        numbers = list(range(self.next_row, self.next_row + len(rows)))
        self.next_row += len(rows)
        ids = [str(new_id()) for _ in rows]
        made = [self._columns(row, lead) for row, lead in zip(rows, ids, strict=True)]
        keys = {
            MatchKey.LEAD_ID: [row.get("id") and str(row["id"]) for row in rows],
            MatchKey.EXTERNAL_ID: [row.get("external_id") for row in rows],
            MatchKey.PHONE: [one["phone_key"] for one in made],
            MatchKey.EMAIL: [one["email_key"] for one in made],
        }
        return MergeRows(
            ids=ids,
            numbers=numbers,
            copy=b"".join(b"\t".join(cell(one[name]) for name in COLUMNS) + b"\n" for one in made),
            keys=keys,
            versions=[row.get("version") for row in rows],
            untouched=[array_literal([name for name in FILE if GIVEN.get(name, name) not in row]) for row in rows],
            notes=[row.get("note") for row in rows],
            national_ids=[row.get("national_id") for row in rows],
        )

    def _columns(self, row: Mapping[str, object], lead: str) -> dict[str, str | None]:
        contact = contact_values(row.get("phone"), row.get("email"), "US")
        status, stage = self.statuses[row.get("status", "new")]
        searched = SearchValues(name=row.get("name"), email=contact.email, phone_key=contact.phone_key)
        return {
            "id": lead,
            "name": row.get("name"),
            "phone": contact.phone,
            "email": contact.email,
            "external_id": row.get("external_id"),
            "status_id": str(status),
            "tags": array_literal(row.get("tags", ())),
            "created_at": row.get("created_at", "2024-01-02 03:04:05+00"),
            "score": row.get("score"),
            "phone_display": contact.phone_display,
            "phone_key": contact.phone_key,
            "email_key": contact.email_key,
            "stage": stage,
            "notes_count": "1" if row.get("note") else "0",
            "search_text": search_text(replace(searched, notes=row.get("note"))),
            "import_job_id": str(self.rules.job_id),
        }

    async def leads(self, columns: str = "name") -> list[tuple[object, ...]]:
        sql = f"select {columns} from app.leads order by id"
        return [tuple(row) for row in await self.database.read(self.organization.id, sql)]
