"""Import jobs and their undo."""

from typing import Annotated, Final

import strawberry
from strawberry.scalars import JSON

from domain import imports, job_details
from domain.ids import IdKind, format_id
from domain.jobs import JobRecord
from domain.paging import PageRequest
from domain.vocabulary import ImportMode, Severity
from schema.arguments import After, First, first_items, first_page, given, max_page_size
from schema.context import Context, Info
from schema.jobs import Job, detail, shared_fields
from schema.nodes import Mirror, counted
from schema.reports import (
    Dialect,
    ImportColumn,
    ImportCounts,
    ImportIssue,
    ImportIssueConnection,
    ImportIssueFilter,
    ImportIssueGroup,
    ImportPlan,
    ImportRow,
    ImportRowConnection,
    ImportRowFilter,
)

MAX_ISSUE_GROUPS: Final = 1_000
MAX_REPORT_LINES: Final = 100_000


def _details(context: Context, job: JobRecord) -> job_details.ImportDetails:
    return context.imports.details(job)


@strawberry.type(description="An import of one file.")
class ImportJob(Job):
    file_name: str = detail("file_name", "As uploaded, cleaned for display.", of=_details)
    file_sha256: str | None = detail("file_sha256", "SHA-256 of the bytes, hexadecimal.", of=_details)
    mode: ImportMode = detail("mode", "How far it goes by itself.", of=_details)
    dialect: Dialect | None = detail("dialect", "How the file is written; null until detected.", of=_details)
    columns: list[ImportColumn] = detail("columns", "The file's columns and what they become.", of=_details)
    options: JSON = detail("options", "The shape of ImportOptionsInput.", of=_details)
    total_rows: int | None = detail(
        "total_rows",
        "successCount = created + updated + unchanged; errorCount = failed; skippedCount = skipped.",
        of=_details,
    )
    counts: ImportCounts = detail(
        "counts", "created + updated + unchanged + skipped + failed + unprocessed = totalRows, always.", of=_details
    )
    plan: ImportPlan | None = detail("plan", "What COMMIT would do, for the whole file, exact.", of=_details)

    @classmethod
    def of(cls, record: JobRecord) -> "ImportJob":
        """The job as the API shows it."""
        return cls(**shared_fields(record))

    @strawberry.field(description="Rows whose lead is now as the file says.")
    def success_count(self, info: Info) -> int:
        return info.context.imports.details(self.record).counts.succeeded

    @strawberry.field(description="Rows with an error.")
    def error_count(self, info: Info) -> int:
        return info.context.imports.details(self.record).counts.failed

    @strawberry.field(description="Rows left out as duplicates.")
    def skipped_count(self, info: Info) -> int:
        return info.context.imports.details(self.record).counts.skipped

    @strawberry.field(
        description="Grouped by code, column and field, and for unknown values by value: 'Facebook' is no source, "
        "4,312 rows."
    )
    async def issue_groups(self, info: Info, first: First = 50) -> list[ImportIssueGroup]:
        wanted = first_items(first, MAX_ISSUE_GROUPS)
        return [ImportIssueGroup.of(group) for group in await info.context.imports.issue_groups(self.record, wanted)]

    @strawberry.field(
        description="The first 100,000; counts and groups are exact, and the error file holds every issue."
    )
    async def issues(
        self,
        info: Info,
        filter: Annotated[
            ImportIssueFilter | None, strawberry.argument(description="Only these issues.")
        ] = strawberry.UNSET,
        first: First = 50,
        after: After = strawberry.UNSET,
    ) -> ImportIssueConnection:
        chosen = given(filter, "filter")
        wanted = chosen.to_domain() if chosen else job_details.IssueFilter()
        page = first_page(info.context, first, after)
        return counted(await info.context.imports.issues(self.record, wanted, page), ImportIssue.of)

    @strawberry.field(description="The first errors, without cursors.")
    async def validation_errors(self, info: Info, first: First = 100) -> list[ImportIssue]:
        page = PageRequest(first_items(first, max(100, max_page_size(info.context))))
        errors = job_details.IssueFilter(severity=(Severity.ERROR,))
        found = await info.context.imports.issues(self.record, errors, page)
        return [ImportIssue.of(issue) for issue in found.items]

    @strawberry.field(description="One line per issue: `Row 5: phone is required`.")
    async def error_report(
        self,
        info: Info,
        max_lines: Annotated[int | None, strawberry.argument(description="At most this many lines.")] = 1_000,
    ) -> str | None:
        lines = first_items(max_lines, MAX_REPORT_LINES, "maxLines")
        return await info.context.imports.error_report(self.record, lines)

    @strawberry.field(
        description="SKIPPED, UPDATED and FAILED rows always; CREATED and UNCHANGED ones while the original file is "
        "kept."
    )
    async def rows(
        self,
        info: Info,
        filter: Annotated[ImportRowFilter | None, strawberry.argument(description="Only these rows.")] = (
            strawberry.UNSET
        ),
        first: First = 50,
        after: After = strawberry.UNSET,
    ) -> ImportRowConnection:
        chosen = given(filter, "filter")
        wanted = chosen.to_domain() if chosen else job_details.RowFilter()
        page = first_page(info.context, first, after)
        return counted(await info.context.imports.rows(self.record, wanted, page), ImportRow.of)

    @strawberry.field(description="The import whose corrected error file this is.")
    async def retry_of(self, info: Info) -> "ImportJob | None":
        job_id = info.context.imports.details(self.record).retry_of_id
        record = await info.context.jobs.job(job_id) if job_id else None
        return ImportJob.of(record) if record else None

    @strawberry.field(description="The newest undo of this import, dry runs aside.")
    async def revert(self, info: Info) -> "RevertJob | None":
        record = await info.context.imports.revert_of(self.record)
        return RevertJob.of(record) if record else None


@strawberry.type(
    description="Created leads are removed, updated leads get their earlier values back field by field; later edits by "
    "people are kept and counted."
)
class RevertSummary(Mirror[imports.RevertResult]):
    removed: int = strawberry.field(description="Created leads that are gone again.")
    restored: int = strawberry.field(description="Updated leads that have their earlier values back.")
    kept_because_edited: int = strawberry.field(description="Leads with later edits, which stay.")
    already_gone: int = strawberry.field(description="Leads that somebody had deleted.")


def _revert_details(context: Context, job: JobRecord) -> job_details.RevertDetails:
    return context.imports.revert_details(job)


@strawberry.type(description="The undo of an import.")
class RevertJob(Job):
    dry_run: bool = detail("dry_run", "True: it only counts.", of=_revert_details)
    summary: RevertSummary | None = detail(
        "summary", "What it did, or would do; null until it has begun.", of=_revert_details
    )

    @classmethod
    def of(cls, record: JobRecord) -> "RevertJob":
        """The job as the API shows it."""
        return cls(**shared_fields(record))

    @strawberry.field(description="What is undone.")
    async def import_job(self, info: Info) -> ImportJob:
        job_id = info.context.imports.revert_details(self.record).import_job_id
        record = await info.context.jobs.job(job_id)
        if record is None:
            raise LookupError(f"{format_id(IdKind.JOB, job_id)}, which was undone, is gone")
        return ImportJob.of(record)
