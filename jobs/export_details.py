"""An export's job row as a caller sees it, and the specs of exports."""

from dataclasses import replace

from domain.activity_exports import ResolvedActivityExport
from domain.export_plan import filter_of
from domain.exports import ExportResult, ResolvedExport
from domain.filter_text import describe, hide_values
from domain.job_details import ExportDetails
from domain.jobs import JobRecord
from domain.json import JsonObject
from domain.masking import Masks
from domain.records import ScheduleRecord
from domain.stored import decode, encode
from domain.vocabulary import Compression, JobKind


def export_details(job: JobRecord, masks: Masks) -> ExportDetails:
    """What an EXPORT or ACTIVITY_EXPORT adds to its row, read from spec and result, for a caller of these masks."""
    return _activity_details(job) if job.kind is JobKind.ACTIVITY_EXPORT else _lead_details(job, masks)


def shown_spec(spec: JsonObject, masks: Masks) -> JsonObject:
    """A stored ExportSpec without the values that its filter asks of masked fields."""
    leads = spec.get("filter")
    return {**spec, "filter": hide_values(leads, masks)} if masks and isinstance(leads, dict) else spec


def shown_schedule(schedule: ScheduleRecord, masks: Masks) -> ScheduleRecord:
    """The schedule with its spec as a caller of these masks sees it."""
    return replace(schedule, spec=shown_spec(schedule.spec, masks))


def _lead_details(job: JobRecord, masks: Masks) -> ExportDetails:
    resolved = decode(ResolvedExport, job.spec)
    result = decode(ExportResult, job.result)
    return ExportDetails(
        format=resolved.format,
        compression=resolved.compression,
        columns=resolved.columns,
        spec=shown_spec(encode(resolved.spec), masks),
        filter_description=describe(filter_of(resolved.spec), masks) if masks else resolved.filter_text,
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
