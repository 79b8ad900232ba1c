from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import strawberry

from domain.actors import ActorKind, ActorRef
from domain.exports import ResolvedColumn
from domain.ids import IdKind, format_id, new_id
from domain.imports import ImportCounts, Issue, RevertResult
from domain.job_details import ExportDetails, ImportDetails, IssueFilter, RevertDetails
from domain.jobs import JobFileRecord, JobRecord, Progress
from domain.paging import PageRequest
from domain.records import UserRecord
from domain.vocabulary import (
    Compression,
    ExportFormat,
    ImportIssueCode,
    ImportMode,
    JobFileRole,
    JobKind,
    JobState,
    JobTrigger,
    LeadFieldKey,
    Role,
    Severity,
)
from schema.bulk import BulkJob
from schema.config import schema_config
from schema.exports import ExportJob
from schema.imports import ImportJob, RevertJob
from schema.job_types import JOBS, job_of
from schema.jobs import Job
from tests.schema.ports import NOW, Records, context

SYSTEM = ActorRef(ActorKind.SYSTEM, None, "Retention")
NOTHING = ImportCounts()


def job(kind: JobKind = JobKind.EXPORT, actor: ActorRef = SYSTEM) -> JobRecord:
    return JobRecord(
        id=new_id(),
        organization_id=new_id(),
        kind=kind,
        state=JobState.COMPLETED,
        name="Nightly",
        revision=1_004,
        epoch=1,
        actor=actor,
        trigger=JobTrigger.USER,
        created_at=NOW,
        progress=Progress("writing", processed=5, total=20),
    )


def file_of(job_id: UUID) -> JobFileRecord:
    return JobFileRecord(
        id=new_id(),
        job_id=job_id,
        role=JobFileRole.DATA,
        name="leads.csv",
        key="k",
        content_type="text/csv",
        bytes=1 << 40,
        rows=3,
        sha256="ab",
        sensitive=False,
        uploader_id=None,
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        deleted_at=None,
        download_count=2,
    )


async def ask(record: JobRecord, records: Records, selection: str):
    @strawberry.type
    class Query:
        @strawberry.field
        def job(self) -> Job:
            return job_of(record)

    schema = strawberry.Schema(Query, config=schema_config(), types=JOBS)
    result = await schema.execute(f"{{ job {{ {selection} }} }}", context_value=context(records))
    return result.data and result.data["job"], result.errors


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (JobKind.IMPORT, ImportJob),
        (JobKind.REVERT, RevertJob),
        (JobKind.EXPORT, ExportJob),
        (JobKind.ACTIVITY_EXPORT, ExportJob),
        (JobKind.BULK_UPDATE, BulkJob),
        (JobKind.BULK_ASSIGN, BulkJob),
        (JobKind.BULK_DELETE, BulkJob),
    ],
)
def test_each_kind_of_job_has_its_type(kind: JobKind, shape: type):
    assert type(job_of(job(kind))) is shape


async def test_a_job_shows_its_progress_actions_and_who_asked():
    user = UserRecord(id=new_id(), external_id=None, name="Dana", email=None, role=Role.PRO, active=True)
    record = job(actor=ActorRef(ActorKind.USER, user.id, "Dana then"))
    shown, errors = await ask(
        record,
        Records(users={user.id: user}),
        """__typename id state revision actions progress { phase percent updatedAt }
           createdBy { __typename ... on User { id name role } }""",
    )
    assert errors is None
    assert shown == {
        "__typename": "ExportJob",
        "id": format_id(IdKind.JOB, record.id),
        "state": "COMPLETED",
        "revision": 1_004,
        "actions": ["CANCEL"],
        "progress": {"phase": "writing", "percent": 25.0, "updatedAt": "2024-01-15T12:00:00Z"},
        "createdBy": {
            "__typename": "User",
            "id": format_id(IdKind.USER, user.id),
            "name": "Dana",
            "role": "PRO",
        },
    }


async def test_who_is_gone_is_remembered_by_name():
    record = job(actor=ActorRef(ActorKind.API_KEY, new_id(), "Importer"))
    shown, _ = await ask(record, Records(), "createdBy { __typename ... on SystemActor { name } }")
    assert shown == {"createdBy": {"__typename": "SystemActor", "name": "Importer"}}


async def test_an_export_shows_its_file_with_a_fresh_link():
    record = job()
    data, manifest = file_of(record.id), file_of(record.id)
    details = ExportDetails(
        format=ExportFormat.CSV,
        compression=Compression.NONE,
        columns=(ResolvedColumn("lead_id", "Lead ID"),),
        spec={"format": "CSV"},
        filter_description="all leads",
        unmasked=False,
        masked_fields=(LeadFieldKey.NATIONAL_ID,),
        sample=False,
        row_count=3,
        file_id=data.id,
    )
    shown, errors = await ask(
        record,
        Records(files=[manifest, data], exports={record.id: details}),
        """... on ExportJob {
            format columns { key header } spec filterDescription maskedFields rowCount snapshotAt schedule { id }
            file { id bytes available downloadCount download(ttlSeconds: 60) { url method expiresAt headers { name } } }
        }""",
    )
    assert errors is None
    assert shown == {
        "format": "CSV",
        "columns": [{"key": "lead_id", "header": "Lead ID"}],
        "spec": {"format": "CSV"},
        "filterDescription": "all leads",
        "maskedFields": ["NATIONAL_ID"],
        "rowCount": 3,
        "snapshotAt": None,
        "schedule": None,
        "file": {
            "id": format_id(IdKind.FILE, data.id),
            "bytes": str(1 << 40),
            "available": True,
            "downloadCount": 2,
            "download": {
                "url": f"https://leads.example/files/{data.id}",
                "method": "GET",
                "expiresAt": "2024-01-15T12:01:00Z",
                "headers": [],
            },
        },
    }


async def test_a_deleted_file_stays_in_the_history_without_a_link():
    record = job()
    gone = replace(file_of(record.id), deleted_at=NOW)
    shown, _ = await ask(record, Records(files=[gone]), "files { available download { url } }")
    assert shown == {"files": [{"available": False, "download": None}]}


def imported(counts: ImportCounts = NOTHING) -> tuple[JobRecord, ImportDetails]:
    details = ImportDetails(file_name="a.csv", mode=ImportMode.COMMIT, columns=(), options={}, counts=counts)
    return job(JobKind.IMPORT), details


async def test_an_import_adds_up_its_counts():
    record, details = imported(ImportCounts(created=5, updated=3, unchanged=2, skipped=4, failed=1, warnings=6))
    shown, errors = await ask(
        record,
        Records(imports={record.id: details}),
        "... on ImportJob { successCount errorCount skippedCount counts { created warnings } plan { revision } }",
    )
    assert errors is None
    assert shown == {
        "successCount": 10,
        "errorCount": 1,
        "skippedCount": 4,
        "counts": {"created": 5, "warnings": 6},
        "plan": None,
    }


def issue(row: int) -> Issue:
    return Issue(row, row, "Phone", "phone", ImportIssueCode.REQUIRED, Severity.ERROR, "phone is required")


async def test_issues_come_in_pages_and_the_total_is_counted_only_where_it_is_asked_for():
    record, details = imported()
    records = Records(imports={record.id: details}, issues=[issue(row) for row in (2, 3, 4)])
    shown, errors = await ask(
        record,
        records,
        """... on ImportJob { issues(filter: {code: [REQUIRED], rowFrom: 2}, first: 2, after: "x") {
            edges { cursor node { row } } nodes { code } pageInfo { hasNextPage startCursor endCursor } } }""",
    )
    assert errors is None
    assert shown["issues"] == {
        "edges": [{"cursor": "2", "node": {"row": 2}}, {"cursor": "3", "node": {"row": 3}}],
        "nodes": [{"code": "REQUIRED"}, {"code": "REQUIRED"}],
        "pageInfo": {"hasNextPage": True, "startCursor": "2", "endCursor": "3"},
    }
    assert records.asked == [(IssueFilter(code=(ImportIssueCode.REQUIRED,), row_from=2), PageRequest(2, "x"))]
    shown, _ = await ask(record, records, "... on ImportJob { issues { totalCount { value exact } } }")
    assert shown == {"issues": {"totalCount": {"value": 3, "exact": True}}}
    assert records.asked[-1] == ("count",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 0", "`first` must be from 1 to 100."),
        ("first: 101", "`first` must be from 1 to 100."),
        ("first: null", "null is not a value"),
        ('after: ""', "no cursor"),
        ("filter: null", "null is not a value"),
        ("filter: {code: []}", "empty"),
    ],
)
async def test_arguments_of_a_nested_list_are_checked(arguments: str, message: str):
    record, details = imported()
    shown, errors = await ask(
        record,
        Records(imports={record.id: details}),
        f"... on ImportJob {{ issues({arguments}) {{ nodes {{ row }} }} }}",
    )
    assert shown is None
    assert message in errors[0].message


async def test_an_undo_shows_its_import_and_what_it_did():
    original, details = imported()
    record = job(JobKind.REVERT)
    reverted = RevertDetails(import_job_id=original.id, dry_run=False, summary=RevertResult(removed=2, already_gone=1))
    shown, errors = await ask(
        record,
        Records(jobs={original.id: original}, imports={original.id: details}, reverts={record.id: reverted}),
        """... on RevertJob {
            dryRun summary { removed restored keptBecauseEdited alreadyGone } importJob { id fileName }
        }""",
    )
    assert errors is None
    assert shown == {
        "dryRun": False,
        "summary": {"removed": 2, "restored": 0, "keptBecauseEdited": 0, "alreadyGone": 1},
        "importJob": {"id": format_id(IdKind.JOB, original.id), "fileName": "a.csv"},
    }
