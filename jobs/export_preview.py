"""What an export would give, before anything is written."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from db.connections import Connection
from db.export_preview import MOST_ROWS, First, first_rows
from db.export_query import Selection
from db.filter_shapes import lower
from db.lead_reads import estimate_leads
from domain.actors import Actor
from domain.errors import BadInput, InputProblem, Path, Rejected
from domain.exports import ExportSpec, ResolvedExport
from domain.job_details import Columns, ExportPreview, Table
from domain.paging import MAX_EXACT_COUNT, Count
from domain.records import OrganizationRecord
from domain.vocabulary import Compression, ExportFormat, Permission
from jobs.export_mock import with_mock_leads
from jobs.export_parts import formatting_of, masks_of_export
from jobs.export_requests import Prepared, check_names, prepare
from jobs.runtime import Runtime
from transfer.write_xlsx import ROWS_OF_A_SHEET

_SPEC: Final[Path] = ("spec",)
_ROWS_PER_SECOND: Final = {
    ExportFormat.CSV: 60_000,
    ExportFormat.TXT: 50_000,
    ExportFormat.JSON: 30_000,
    ExportFormat.JSONL: 30_000,
    ExportFormat.PARQUET: 40_000,
    ExportFormat.XLSX: 25_000,
}
_PACKED: Final = 0.2
_START_SECONDS: Final = 0.2


async def preview_export(
    runtime: Runtime, actor: Actor, organization: OrganizationRecord, spec: ExportSpec, first: int
) -> ExportPreview:
    """The first rows as the file would have them, and what is known of it.

    Raises BadInput for a wrong spec, Forbidden as the export itself.
    """
    if not 1 <= first <= MOST_ROWS:
        raise BadInput(f"`first` must be from 1 to {MOST_ROWS}.", ("first",))
    try:
        async with runtime.database.unit(actor.organization_id, timeout=30) as connection:
            prepared = await prepare(connection, actor, organization, spec, _SPEC)
            prepared = await _with_sample(connection, prepared)
            found = await _first(connection, prepared, actor, first)
            count = await _count(connection, prepared.selection, found.count)
        await check_names(runtime, actor, prepared, _SPEC)
    except Rejected as error:
        raise _bad_input(error) from error
    return _preview(prepared.resolved, found.rows, count, actor)


async def _with_sample(connection: Connection, prepared: Prepared) -> Prepared:
    wanted = prepared.resolved.spec.sample_rows
    if wanted is None:
        return prepared
    return replace(prepared, selection=await with_mock_leads(connection, prepared.selection, wanted))


async def _first(connection: Connection, prepared: Prepared, actor: Actor, first: int) -> First:
    """National ids stay masked here, whoever asks: a preview leaves no trace in the log."""
    resolved = prepared.resolved
    masks = masks_of_export(resolved, prepared.organization, actor)
    formatting = formatting_of(resolved, prepared.organization, masks)
    shown = replace(
        formatting,
        format=ExportFormat.CSV,
        escape_formulas=formatting.escape_formulas and resolved.format is ExportFormat.CSV,
        values=replace(formatting.values, unsealed=False),
    )
    return await first_rows(connection, prepared.selection, first, [column.key for column in resolved.columns], shown)


async def _count(connection: Connection, selection: Selection, found: int) -> Count:
    if found <= MAX_EXACT_COUNT:
        return Count(found)
    estimate = max(await estimate_leads(connection, lower(selection.leads, selection.context)), found)
    return Count(min(estimate, selection.limit or estimate), exact=False)


def _preview(
    resolved: ResolvedExport, rows: Sequence[tuple[str | None, ...]], count: Count, actor: Actor
) -> ExportPreview:
    sampled = sum(len("".join(filter(None, row)).encode()) + len(row) for row in rows)
    size = int(sampled / len(rows) * count.value) if rows else 0
    packed = size if resolved.compression is Compression.NONE else int(size * _PACKED)
    return ExportPreview(
        columns=Columns(resolved.columns),
        rows=Table(rows),
        row_count=count,
        estimated_bytes=packed,
        estimated_seconds=round(_START_SECONDS + count.value / _ROWS_PER_SECOND[resolved.format], 1),
        masked_fields=resolved.masked,
        file_name=resolved.file_name,
        warnings=tuple(_warnings(resolved, count, actor)),
    )


def _warnings(resolved: ResolvedExport, count: Count, actor: Actor) -> Iterator[str]:
    if count.value == 0:
        yield "No lead matches: the file would hold its header alone."
    if resolved.format is ExportFormat.XLSX and count.value > ROWS_OF_A_SHEET:
        yield f"More rows than one sheet holds: they go on in further sheets after {ROWS_OF_A_SHEET:,}."
    if resolved.masked:
        how = "ask for unmasked values" if actor.may(Permission.LEADS_UNMASK) else "ask somebody who may unmask"
        yield f"Masked: {', '.join(key.value for key in resolved.masked)}; {how} to get them."
    if resolved.spec.sample_rows is not None:
        yield "The rows are invented."


def _bad_input(error: Rejected) -> BadInput:
    problem = error.problems[0]
    allowed = problem.allowed_values if isinstance(problem, InputProblem) else None
    return BadInput(problem.message, problem.path or (), allowed)
