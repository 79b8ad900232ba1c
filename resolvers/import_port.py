"""What imports and undos have beside every job, masked for the caller."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from uuid import UUID

from db.import_reads import (
    OutcomeRow,
    count_issues,
    count_rows,
    issue_groups,
    issues_of_rows,
    issues_page,
    names_of,
    rows_page,
)
from db.import_requests import newest_revert
from db.jobs import load_job
from domain.actors import Actor
from domain.errors import BadInput
from domain.fields import INT_MAX
from domain.ids import IdKind, format_id, parse_id
from domain.import_masks import ImportMasks
from domain.imports import ImportResult, ImportRow, ImportSpec, Issue, IssueGroup, RevertResult, RevertSpec
from domain.job_details import ImportDetails, IssueFilter, RevertDetails, RowFilter
from domain.jobs import JobRecord
from domain.lead_changes import field_changes
from domain.masking import masks_for
from domain.paging import Count, Page, PageRequest
from domain.records import OrganizationRecord, SignedUrl, UploadRecord
from domain.stored import decode, encode
from domain.vocabulary import Severity
from jobs.runtime import Runtime
from jobs.uploads import upload_target

__all__ = ["ImportPort"]


class ImportPort:
    """Implements the ImportReads of schema/context.py for one caller."""

    def __init__(self, runtime: Runtime, actor: Actor, organization: OrganizationRecord) -> None:
        self._runtime = runtime
        self._organization = organization
        self._masks = ImportMasks(masks_for(actor, organization.settings))

    def details(self, job: JobRecord) -> ImportDetails:
        """Read from the row's spec and result; samples and unknown values masked."""
        spec, result = decode(ImportSpec, job.spec), decode(ImportResult, job.result)
        return ImportDetails(
            file_name=spec.file_name,
            mode=spec.mode,
            columns=tuple(self._masks.column(column) for column in result.columns),
            options=encode(spec.options),
            counts=result.counts,
            file_sha256=result.file_sha256,
            dialect=result.dialect,
            total_rows=result.total_rows,
            plan=result.plan,
            retry_of_id=parse_id(IdKind.JOB, spec.retry_of) if spec.retry_of else None,
        )

    def revert_details(self, job: JobRecord) -> RevertDetails:
        """The same for REVERT."""
        spec = decode(RevertSpec, job.spec)
        return RevertDetails(
            import_job_id=parse_id(IdKind.JOB, spec.import_job_id) or UUID(int=0),
            dry_run=spec.dry_run,
            summary=decode(RevertResult, job.result) if job.result else None,
        )

    async def revert_of(self, job: JobRecord) -> JobRecord | None:
        """The newest undo of this import, dry runs aside."""
        async with self._runtime.database.unit(self._organization.id) as connection:
            revert = await newest_revert(connection, format_id(IdKind.JOB, job.id))
            stored = await load_job(connection, revert) if revert else None
        return None if stored is None else stored.record

    async def issue_groups(self, job: JobRecord, first: int) -> Sequence[IssueGroup]:
        """The largest groups first; `value` masked."""
        async with self._runtime.database.unit(self._organization.id) as connection:
            return [self._masks.group(group) for group in await issue_groups(connection, job.id, first)]

    async def issues(self, job: JobRecord, wanted: IssueFilter, page: PageRequest) -> Page[Issue]:
        """Stored issues by row, with a count; `value` masked."""
        row, position = _read(page.cursor, 2)
        async with self._runtime.database.unit(self._organization.id) as connection:
            found = await issues_page(connection, job.id, wanted, (row, position), page.size + 1)

        async def count() -> Count:
            async with self._runtime.database.unit(self._organization.id) as connection:
                return Count(await count_issues(connection, job.id, wanted))

        shown = found[: page.size]
        return Page(
            items=[self._masks.issue(one.issue) for one in shown],
            cursors=[_write(one.issue.row, one.position) for one in shown],
            has_next=len(found) > page.size,
            has_previous=page.cursor is not None,
            count=count,
        )

    async def error_report(self, job: JobRecord, max_lines: int) -> str | None:
        """One line per error, `Row 5: phone is required`; None where there is none."""
        errors = IssueFilter(severity=(Severity.ERROR,))
        async with self._runtime.database.unit(self._organization.id) as connection:
            found = await issues_page(connection, job.id, errors, (0, -1), max_lines)
        return "\n".join(f"Row {one.issue.row}: {one.issue.message}" for one in found) or None

    async def rows(self, job: JobRecord, wanted: RowFilter, page: PageRequest) -> Page[ImportRow]:
        """Rows by number, with a count; changes and issue values masked."""
        (after,) = _read(page.cursor, 1)
        async with self._runtime.database.unit(self._organization.id) as connection:
            found = await rows_page(connection, job.id, wanted, after, page.size + 1)
            shown = found[: page.size]
            issues = await issues_of_rows(connection, job.id, [one.row for one in shown])
            names = await names_of(connection, _ids(shown))

        async def count() -> Count:
            async with self._runtime.database.unit(self._organization.id) as connection:
                return Count(await count_rows(connection, job.id, wanted))

        return Page(
            items=[self._row(one, issues.get(one.row, ()), names) for one in shown],
            cursors=[_write(one.row) for one in shown],
            has_next=len(found) > page.size,
            has_previous=page.cursor is not None,
            count=count,
        )

    async def upload_target(self, upload: UploadRecord) -> SignedUrl:
        """A fresh link to send the file to."""
        return upload_target(self._runtime, self._organization.id, upload)

    def _row(self, found: OutcomeRow, issues: Sequence[Issue], names: dict[str, str]) -> ImportRow:
        changes = field_changes(found.before, found.after, names)
        return ImportRow(
            row=found.row,
            line=found.line,
            outcome=found.outcome,
            lead_id=None if found.lead_id is None else format_id(IdKind.LEAD, found.lead_id),
            matched_by=found.matched_by,
            changes=tuple(self._masks.change(change) for change in changes),
            issues=tuple(self._masks.issue(issue) for issue in issues),
        )


def _ids(rows: Sequence[OutcomeRow]) -> set[UUID]:
    """The ids that stand in changed columns."""
    found: set[UUID] = set()
    for row in rows:
        for columns in (row.before, row.after):
            for name in ("status_id", "company_id", "chatbot_id", "assignee_id"):
                value = columns.get(name)
                if isinstance(value, str):
                    found.add(UUID(value))
    return found


def _write(*place: int) -> str:
    return urlsafe_b64encode(".".join(map(str, place)).encode()).decode()


def _read(cursor: str | None, parts: int) -> tuple[int, ...]:
    if cursor is None:
        return (0, -1)[:parts]
    try:
        place = tuple(int(part) for part in urlsafe_b64decode(cursor).decode("ascii").split("."))
    except ValueError:
        place = ()
    if len(place) != parts or not all(0 <= part <= INT_MAX for part in place):
        raise BadInput("This is no cursor of this list.", ("after",))
    return place
