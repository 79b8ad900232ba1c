"""Writes an export's data into the store: one file, or an archive with a file for each part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from db.connections import Connection
from db.export_query import Part, Selection
from db.export_snapshot import parts
from domain.errors import JobFailed
from domain.export_names import CONTENT_TYPES, PACKED_TYPES, part_name
from domain.national_ids import NationalIds
from domain.vocabulary import JobFailureCode, SplitBy
from jobs.export_parts import Layout, copies_of, member_names, part_of
from jobs.export_stream import Outlet, Stream, write_stream
from jobs.running import RunningJob
from jobs.runtime import Runtime
from storage.store import StoredObject, Writer
from transfer.reveal import revealer
from transfer.write_packed import packer
from transfer.write_zip import ZipWriter

MOST_PARTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Writing:
    """One run's work: what is selected from which snapshot, how it is laid out."""

    runtime: Runtime
    job: RunningJob
    connection: Connection
    selection: Selection
    layout: Layout

    def stream(self, selection: Selection, rows: int) -> Stream:
        """A file of so many of the selected leads."""
        copies, writer = copies_of(selection, self.layout), self.layout.writer(rows)
        resolved = self.layout.resolved
        if not resolved.spec.unmask:
            return Stream(copies, writer, rows)
        unseal = NationalIds(self.runtime.keyring).open
        return Stream(copies, writer, rows, revealer(resolved.format, unseal, escape=resolved.escape_formulas))

    def report(self, before: int) -> Callable[[int], None]:
        """Tells the job how many rows are written, after those of earlier parts."""
        return lambda rows: self.job.report("writing", before + rows, self.layout.total)


async def write_data(writing: Writing) -> StoredObject:
    """Write all of it under a key of this run; nothing is left where it fails.

    Raises JobFailed, JobCancelled, JobFenced, StorageUnavailable, asyncpg.PostgresError.
    """
    resolved = writing.layout.resolved
    kind = PACKED_TYPES.get(resolved.compression) or CONTENT_TYPES[resolved.format]
    key = writing.job.key("data")
    async with writing.runtime.store.writer(key, content_type=kind, download_name=resolved.file_name) as target:
        if resolved.split_by is SplitBy.NONE:
            await _write_one(writing, target)
        else:
            await _write_parts(writing, target)
    return target.stored()


async def _write_one(writing: Writing, target: Writer) -> None:
    resolved, layout = writing.layout.resolved, writing.layout
    packed = packer(resolved.compression, part_name(resolved.file_name, resolved.format), layout.moment)
    stream = writing.stream(writing.selection, layout.total)
    await write_stream(writing.connection, stream, Outlet(target, packed.feed), writing.report(0))
    await target.write(packed.finish())


async def _write_parts(writing: Writing, target: Writer) -> None:
    resolved, layout = writing.layout.resolved, writing.layout
    found = await parts(writing.connection, writing.selection, resolved.split_by, MOST_PARTS)
    if len(found) > MOST_PARTS:
        message = f"A split export has at most {MOST_PARTS} parts."
        raise JobFailed(JobFailureCode.LIMIT_EXCEEDED, message)
    shared = sum(part.rows for part in found)
    if shared != layout.total:
        message = f"{layout.total} rows were counted and {shared} shared out among the parts."
        raise JobFailed(JobFailureCode.INTERNAL, message, retryable=True)
    found = found or [Part(resolved.split_by, None, None, 0)]
    archive, before = ZipWriter(layout.moment), 0
    for part, name in zip(found, member_names(resolved, found), strict=True):
        await target.write(archive.open(name, large=True))
        stream = writing.stream(part_of(writing.selection, part), part.rows)
        await write_stream(writing.connection, stream, Outlet(target, archive.feed), writing.report(before))
        await target.write(archive.close())
        before += part.rows
    await target.write(archive.finish())
