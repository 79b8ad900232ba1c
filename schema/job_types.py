"""Which type shows which job."""

from typing import Final, assert_never

from domain.jobs import JobRecord
from domain.vocabulary import JobKind
from schema.bulk import BulkJob
from schema.exports import ExportJob
from schema.imports import ImportJob, RevertJob
from schema.jobs import Job

JOBS: Final = (ImportJob, ExportJob, RevertJob, BulkJob)


def job_of(record: JobRecord) -> Job:
    """The job as the type of its kind; an export of the activity log is an ExportJob."""
    match record.kind:
        case JobKind.IMPORT:
            return ImportJob.of(record)
        case JobKind.REVERT:
            return RevertJob.of(record)
        case JobKind.EXPORT | JobKind.ACTIVITY_EXPORT:
            return ExportJob.of(record)
        case JobKind.BULK_UPDATE | JobKind.BULK_ASSIGN | JobKind.BULK_DELETE:
            return BulkJob.of(record)
        case _:
            assert_never(record.kind)
