"""What an export says about itself: the manifest beside the file, and the same in short inside a workbook."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.export_plan import filter_of
from domain.exports import ResolvedExport
from domain.filter_text import describe, hide_values
from domain.ids import IdKind, format_id
from domain.json import JsonObject
from domain.masking import Masks
from domain.stored import to_json
from storage.store import Store, StoredObject

VERSION: Final = 1
MEDIA_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Made:
    """An export whose data is written: `rows` of one snapshot."""

    resolved: ResolvedExport
    snapshot_at: datetime
    delta_token: str
    rows: int
    stored: StoredObject


def manifest_name(file_name: str) -> str:
    """What the manifest of a file is called."""
    return f"{file_name}.manifest.json"


async def store_manifest(store: Store, key: str, file_name: str, document: JsonObject) -> StoredObject:
    """Write a file's manifest as JSON that people can read, too. Raises StorageUnavailable."""
    data = msgspec.json.format(msgspec.json.encode(document))
    async with store.writer(key, content_type=MEDIA_TYPE, download_name=manifest_name(file_name)) as target:
        await target.write(data)
    return target.stored()


def as_told(resolved: ResolvedExport, masks: Masks) -> ResolvedExport:
    """The export without the values that its filter asks of masked fields, as whoever opens its files may read it."""
    spec = resolved.spec
    if not spec.filter:
        return resolved
    shown = replace(spec, filter=hide_values(spec.filter, masks))
    return replace(resolved, spec=shown, filter_text=describe(filter_of(spec), masks))


def manifest(made: Made, job_id: UUID, organization: str) -> JsonObject:
    """The manifest's document: enough to check the file, and to ask for the same or for what changed since."""
    resolved = made.resolved
    sample = resolved.spec.sample_rows is not None
    return {
        "manifestVersion": VERSION,
        "job": format_id(IdKind.JOB, job_id),
        "organization": organization,
        "file": resolved.file_name,
        "format": resolved.format.name,
        "compression": resolved.compression.name,
        "rows": made.rows,
        "bytes": made.stored.bytes,
        "sha256": made.stored.sha256,
        "snapshotAt": None if sample else made.snapshot_at.isoformat(),
        "deltaToken": None if sample else made.delta_token,
        "sample": sample,
        "filterDescription": resolved.filter_text,
        "columns": [{"key": column.key, "header": column.header} for column in resolved.columns],
        "maskedFields": [key.name for key in resolved.masked],
        "unmasked": resolved.spec.unmask,
        "timeZone": resolved.time_zone,
        "dateFormat": resolved.date_format,
        "spec": to_json(resolved.spec),
    }


def about(resolved: ResolvedExport, snapshot_at: datetime, rows: int) -> Sequence[tuple[str, str]]:
    """The lines of a workbook's last sheet."""
    sample = resolved.spec.sample_rows is not None
    return (
        ("File", resolved.file_name),
        ("Rows", str(rows)),
        ("Leads", resolved.filter_text),
        ("Taken at", "Invented sample data" if sample else snapshot_at.isoformat(timespec="seconds")),
        ("Time zone", resolved.time_zone),
        ("Masked", ", ".join(key.value for key in resolved.masked) or "nothing"),
        ("Columns", ", ".join(f"{column.header} ({column.key})" for column in resolved.columns)),
    )
