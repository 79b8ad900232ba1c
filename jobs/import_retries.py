"""An import that takes another one's failed rows up: what that one was told holds for it, unless it says otherwise."""

from dataclasses import replace

from db.connections import Connection
from db.jobs import load_job
from domain.ids import IdKind, parse_id
from domain.imports import Detected, Dialect, DialectSpec, ImportRequest, ImportResult, ImportSpec
from domain.jobs import JobRecord
from domain.stored import decode
from domain.vocabulary import DateOrder, JobKind
from transfer.detect_dates import NO_AMOUNTS, NO_DATES

__all__ = ["retried_import", "retrying"]


async def retried_import(connection: Connection, shown_id: str) -> JobRecord | None:
    """The import that has ended with this id, None where there is none."""
    job_id = parse_id(IdKind.JOB, shown_id)
    stored = None if job_id is None else await load_job(connection, job_id)
    if stored is None or stored.record.kind is not JobKind.IMPORT or not stored.record.terminal:
        return None
    return stored.record


def retrying(spec: ImportSpec, request: ImportRequest, shown_id: str, original: JobRecord) -> ImportSpec:
    """The spec of a retry: mapping and options that the request leaves out are those of the import that it retries.

    So are the order of dates and the decimal mark: a few rows tell less of them than the whole file did.
    """
    told = decode(ImportSpec, original.spec)
    named = request.mapping_id is not None
    found = decode(ImportResult, original.result).dialect
    return replace(
        spec,
        retry_of=shown_id,
        mapping=spec.mapping if named or request.mapping else told.mapping,
        options=spec.options if named or request.options is not None else told.options,
        dialect=spec.dialect if found is None else _as_found(spec.dialect, found),
    )


def _as_found(given: DialectSpec, found: Dialect) -> DialectSpec:
    order, mark = _known(found.date_order, NO_DATES), _known(found.decimal_mark, NO_AMOUNTS)
    return replace(
        given,
        date_order=given.date_order or (DateOrder(order) if order else None),
        decimal_mark=given.decimal_mark or mark,
        time_zone=given.time_zone or found.time_zone,
    )


def _known(found: Detected, nothing: Detected) -> str | None:
    return None if found.evidence == nothing.evidence else found.value
