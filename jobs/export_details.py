"""An export's job row as everybody sees it."""

from domain.activity_exports import ResolvedActivityExport
from domain.exports import ExportResult, ResolvedExport
from domain.job_details import ExportDetails
from domain.jobs import JobRecord
from domain.stored import decode, encode
from domain.vocabulary import Compression, JobKind


def export_details(job: JobRecord) -> ExportDetails:
    """What an EXPORT or ACTIVITY_EXPORT adds to its row, read from spec and result."""
    return _activity_details(job) if job.kind is JobKind.ACTIVITY_EXPORT else _lead_details(job)


def _lead_details(job: JobRecord) -> ExportDetails:
    resolved = decode(ResolvedExport, job.spec)
    result = decode(ExportResult, job.result)
    return ExportDetails(
        format=resolved.format,
        compression=resolved.compression,
        columns=resolved.columns,
        spec=encode(resolved.spec),
        filter_description=resolved.filter_text,
        unmasked=resolved.spec.unmask,
        masked_fields=resolved.masked,
        sample=resolved.spec.sample_rows is not None,
        row_count=result.row_count,
        snapshot_at=result.snapshot_at,
        delta_token=result.delta_token,
        file_id=result.file_id,
    )


def _activity_details(job: JobRecord) -> ExportDetails:
    """Its `spec` has the shape of ExportActivityInput."""
    resolved = decode(ResolvedActivityExport, job.spec)
    result = decode(ExportResult, job.result)
    return ExportDetails(
        format=resolved.format,
        compression=Compression.NONE,
        columns=resolved.columns,
        spec={"filter": encode(resolved.filter), "format": resolved.format.name},
        filter_description=resolved.filter_text,
        unmasked=False,
        masked_fields=(),
        sample=False,
        row_count=result.row_count,
        snapshot_at=result.snapshot_at,
        file_id=result.file_id,
    )
