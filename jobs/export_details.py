"""An export's job row as everybody sees it."""

from domain.exports import ExportResult, ResolvedExport
from domain.job_details import ExportDetails
from domain.jobs import JobRecord
from domain.stored import decode, encode


def export_details(job: JobRecord) -> ExportDetails:
    """What an EXPORT adds to its row, read from spec and result."""
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
