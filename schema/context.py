"""What a request carries, and the ports that nested fields read through.

The ports are implemented in resolvers/. Each reads within the caller's organization, answers None (or nothing) for
what another organization owns, and returns values already masked for the caller. A port may load in batches: fields of
one level call it side by side. Ids are UUIDs unless said otherwise; a PageRequest is already checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import strawberry

from domain.activity import IssueStat, Metrics
from domain.actors import Actor
from domain.imports import ImportRow, Issue, IssueGroup
from domain.job_details import (
    BulkDetails,
    BulkLeadResult,
    ExportDetails,
    FileDelivery,
    ImportDetails,
    IssueFilter,
    RevertDetails,
    RowFilter,
)
from domain.jobs import JobFileRecord, JobRecord
from domain.paging import Page, PageRequest
from domain.partners import WebhookDelivery
from domain.records import (
    ApiKeyRecord,
    ChatbotRecord,
    CompanyRecord,
    OrganizationRecord,
    ScheduleRecord,
    SignedUrl,
    UploadRecord,
    UserRecord,
)
from domain.vocabulary import BulkOutcome, JobAction

if TYPE_CHECKING:
    from schema.leads import Lead


class People(Protocol):
    """Who acted."""

    async def user(self, user_id: UUID) -> UserRecord | None:
        """A user, active or not."""
        ...

    async def api_key(self, key_id: UUID) -> ApiKeyRecord | None:
        """An API key, revoked or not."""
        ...


class OrganizationReads(Protocol):
    """What an organization is made of; `organization_id` is the caller's unless they may cross organizations."""

    async def companies(self, organization_id: UUID) -> Sequence[CompanyRecord]:
        """Every company, by name."""
        ...

    async def chatbots(self, organization_id: UUID, company_id: str | None) -> Sequence[ChatbotRecord]:
        """Every chatbot, by name; those of one company where its shown id is given."""
        ...

    async def users(self, organization_id: UUID, page: PageRequest) -> Page[UserRecord]:
        """Users by name; forward pages alone."""
        ...


class JobReads(Protocol):
    """What every job has."""

    async def job(self, job_id: UUID) -> JobRecord | None:
        """A job with its progress."""
        ...

    async def actions(self, job: JobRecord) -> Sequence[JobAction]:
        """What the caller may do with the job now."""
        ...

    async def files(self, job: JobRecord) -> Sequence[JobFileRecord]:
        """Every file of the job, deleted ones too (their history stays)."""
        ...

    def available(self, file: JobFileRecord) -> bool:
        """Whether the file is still kept."""
        ...

    async def download(self, file: JobFileRecord, ttl_seconds: int) -> SignedUrl | None:
        """A fresh link to the file; None where the caller may not have it, or it is gone.

        Raises BadInput (`("ttlSeconds",)`) for a time outside what is allowed.
        """
        ...


class ExportReads(Protocol):
    """What exports have."""

    def details(self, job: JobRecord) -> ExportDetails:
        """Read from the row's spec and result, for EXPORT and ACTIVITY_EXPORT."""
        ...

    async def deliveries(self, job: JobRecord) -> Sequence[FileDelivery]:
        """Who was told of the file."""
        ...

    async def schedule(self, schedule_id: UUID) -> ScheduleRecord | None:
        """A schedule, None once it is deleted."""
        ...

    async def scheduled_jobs(self, schedule: ScheduleRecord, page: PageRequest) -> Page[JobRecord]:
        """The schedule's jobs, newest first, with a count; forward pages alone."""
        ...


class ImportReads(Protocol):
    """What imports and undos have."""

    def details(self, job: JobRecord) -> ImportDetails:
        """Read from the row's spec and result; samples and unknown values masked."""
        ...

    def revert_details(self, job: JobRecord) -> RevertDetails:
        """The same for REVERT."""
        ...

    async def revert_of(self, job: JobRecord) -> JobRecord | None:
        """The newest undo of this import, dry runs aside."""
        ...

    async def issue_groups(self, job: JobRecord, first: int) -> Sequence[IssueGroup]:
        """The largest groups first; `value` masked."""
        ...

    async def issues(self, job: JobRecord, wanted: IssueFilter, page: PageRequest) -> Page[Issue]:
        """Stored issues by row, with a count; `value` masked; forward pages alone."""
        ...

    async def error_report(self, job: JobRecord, max_lines: int) -> str | None:
        """One line per issue, `Row 5: phone is required`; None where there is no issue."""
        ...

    async def rows(self, job: JobRecord, wanted: RowFilter, page: PageRequest) -> Page[ImportRow]:
        """Rows by number, with a count; changes and issue values masked; forward pages alone."""
        ...

    async def upload_target(self, upload: UploadRecord) -> SignedUrl:
        """A fresh link to send the file to."""
        ...


class BulkReads(Protocol):
    """What bulk operations have."""

    def details(self, job: JobRecord) -> BulkDetails:
        """Read from the row's spec and result."""
        ...

    async def results(
        self, job: JobRecord, outcomes: Sequence[BulkOutcome] | None, page: PageRequest
    ) -> Page[BulkLeadResult]:
        """What became of each lead, in the order of the target, with a count; forward pages alone."""
        ...


class LeadReads(Protocol):
    """Leads inside other objects."""

    async def lead(self, lead_id: UUID) -> "Lead | None":
        """A query object that the executor completes with the selected columns; None without LEADS_READ."""
        ...


class MetricReads(Protocol):
    """What is reckoned from jobs."""

    async def top_issues(self, metrics: Metrics, first: int) -> Sequence[IssueStat]:
        """The commonest issues of the imports in the metrics' time, by rows."""
        ...


class WebhookReads(Protocol):
    """What webhook endpoints have."""

    async def deliveries(self, endpoint_id: UUID, page: PageRequest) -> Page[WebhookDelivery]:
        """The endpoint's deliveries, newest first; forward pages alone."""
        ...


@dataclass(frozen=True, kw_only=True)
class Context:
    """One request's caller, organization and clock, and the ports; resolvers/ extends it with its use cases.

    `actor` and `organization` are None without a credential. `now` is the database's or the server's time in UTC.
    """

    actor: Actor | None
    organization: OrganizationRecord | None
    now: datetime
    people: People
    organizations: OrganizationReads
    jobs: JobReads
    exports: ExportReads
    imports: ImportReads
    bulk: BulkReads
    leads: LeadReads
    metrics: MetricReads
    webhooks: WebhookReads


Info = strawberry.Info[Context, None]
