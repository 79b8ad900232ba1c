"""The ports of schema/context.py over records in memory, for one organization."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.ids import new_id
from domain.job_details import ExportDetails, ImportDetails, IssueFilter, RevertDetails
from domain.jobs import JobFileRecord, JobRecord
from domain.paging import Count, Page, PageRequest
from domain.records import OrganizationRecord, SignedUrl, UserRecord
from domain.settings import Limits, OrganizationSettings
from domain.vocabulary import JobAction
from schema.context import Context

NOW = datetime(2024, 1, 15, 12, tzinfo=UTC)


@dataclass
class Records:
    users: dict[UUID, UserRecord] = field(default_factory=dict)
    jobs: dict[UUID, JobRecord] = field(default_factory=dict)
    files: list[JobFileRecord] = field(default_factory=list)
    exports: dict[UUID, ExportDetails] = field(default_factory=dict)
    imports: dict[UUID, ImportDetails] = field(default_factory=dict)
    reverts: dict[UUID, RevertDetails] = field(default_factory=dict)
    issues: list = field(default_factory=list)
    asked: list[tuple] = field(default_factory=list)


@dataclass
class People:
    records: Records

    async def user(self, user_id: UUID):
        return self.records.users.get(user_id)

    async def api_key(self, key_id: UUID):
        return None


@dataclass
class Jobs:
    records: Records

    async def job(self, job_id: UUID):
        return self.records.jobs.get(job_id)

    async def actions(self, job: JobRecord):
        return [JobAction.CANCEL]

    async def files(self, job: JobRecord):
        return [file for file in self.records.files if file.job_id == job.id]

    def available(self, file: JobFileRecord):
        return file.deleted_at is None

    async def download(self, file: JobFileRecord, ttl_seconds: int):
        if file.deleted_at is not None:
            return None
        return SignedUrl(f"https://leads.example/files/{file.id}", NOW + timedelta(seconds=ttl_seconds))


@dataclass
class Exports:
    records: Records

    def details(self, job: JobRecord):
        return self.records.exports[job.id]


@dataclass
class Imports:
    records: Records

    def details(self, job: JobRecord):
        return self.records.imports[job.id]

    def revert_details(self, job: JobRecord):
        return self.records.reverts[job.id]

    async def issues(self, job: JobRecord, wanted: IssueFilter, page: PageRequest):
        self.records.asked.append((wanted, page))

        async def count():
            self.records.asked.append(("count",))
            return Count(len(self.records.issues))

        shown = self.records.issues[: page.size]
        more = len(shown) < len(self.records.issues)
        return Page(shown, [str(issue.row) for issue in shown], has_next=more, count=count)


def context(records: Records) -> Context:
    organization = OrganizationRecord(
        id=new_id(), name="Acme", slug="acme", settings=OrganizationSettings(), limits=Limits(max_page_size=100)
    )
    return Context(
        actor=None,
        organization=organization,
        now=NOW,
        people=People(records),
        jobs=Jobs(records),
        exports=Exports(records),
        imports=Imports(records),
        **dict.fromkeys(("organizations", "bulk", "leads", "metrics", "webhooks")),
    )
