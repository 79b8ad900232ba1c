"""The handler of imports: detect, read and validate in a child process, merge by blocks, report, end.

A run begins at the checkpoint of the last committed block, whoever wrote it. VALIDATE, REVIEW and `onError: ABORT`
read the file through the same code first, on trial.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import msgspec

from db.import_facts import add_custom_fields, snapshot
from db.import_reports import clear_reports
from db.merge_trial import begin_trial, forget, remembers
from domain.errors import JobCancelled, JobFailed
from domain.imports import Checkpoint, ImportPass, ImportResult, ImportSpec
from domain.job_requests import NewFile
from domain.stored import decode, encode
from domain.vocabulary import ErrorPolicy, ImportFormat, ImportMode, JobFailureCode
from jobs.import_child import Messages, parsing
from jobs.import_ends import abort, awaiting, cancelled, committed, error_file, planned, review, with_unknown_values
from jobs.import_notices import telling
from jobs.import_pass import PHASES, FilePass, rows_done
from jobs.import_rows import Writer, rules_of
from jobs.import_source import Source, open_source, request_of
from jobs.import_undo import undo_own
from jobs.running import JobEnd, RunningJob
from jobs.runtime import Runtime
from transfer.messages import Block, Done, Message, Opened, Position

__all__ = ["run_import"]

_LOCAL: Final = frozenset({ImportFormat.CSV, ImportFormat.XLSX})
"""Formats whose instants are what a clock showed."""
_COUNTING_SECONDS: Final = 120.0
"""How long the rows that a cancelled import leaves are counted; five million rows need a fraction of it."""


async def run_import(runtime: Runtime, job: RunningJob) -> JobEnd:
    """Carry out an import. Raises JobFailed where the file cannot be read or has errors that must not be."""
    spec = decode(ImportSpec, job.record.spec)
    result = decode(ImportResult, job.record.result)
    if not result.checkpoint.block:  # a run that goes on has more to show
        job.report("fetching", 0, None)
    async with open_source(runtime, job, spec) as source:
        return telling(await _Import(runtime, job, spec, source).run(result), job, spec)


class _Stopped(Exception):
    """The pass cannot go to its end; `end` says how the run ends."""

    def __init__(self, end: JobEnd) -> None:
        super().__init__(end.state)
        self.end = end


class _Import:
    def __init__(self, runtime: Runtime, job: RunningJob, spec: ImportSpec, source: Source) -> None:
        self.runtime = runtime
        self.job = job
        self.spec = spec
        self.source = source

    async def run(self, result: ImportResult) -> JobEnd:
        try:
            if self._plans(result):
                result = await planned(self.runtime, self.job, await self._read(ImportPass.PLAN, result))
                if self.spec.mode is not ImportMode.COMMIT:
                    return await self._reviewed(result)
                if result.counts.failed:
                    raise await abort(self.runtime, self.job, result, await self._errors(result))
            return await self._commit(result)
        except _Stopped as stopped:
            return stopped.end

    def _plans(self, result: ImportResult) -> bool:
        if self.spec.committing or result.reading is ImportPass.COMMIT:
            return False
        return self.spec.mode is not ImportMode.COMMIT or self.spec.options.on_error is ErrorPolicy.ABORT

    async def _reviewed(self, result: ImportResult) -> JobEnd:
        waits = self.spec.mode is ImportMode.REVIEW
        files = () if waits else await self._errors(result)
        return review(self.job, result, files, waits=waits)

    async def _commit(self, result: ImportResult) -> JobEnd:
        result = await self._read(ImportPass.COMMIT, result)
        async with self.runtime.database.unit(self.job.organization_id) as connection:
            result = await with_unknown_values(connection, self.job, result)
        files = await self._errors(result)
        if result.counts.failed and self.spec.options.on_error is ErrorPolicy.ABORT:
            raise await abort(self.runtime, self.job, await undo_own(self.runtime, self.job, result), files)
        return committed(self.job, self.spec, result, files)

    async def _errors(self, result: ImportResult) -> tuple[NewFile, ...]:
        try:
            return await error_file(self.runtime, self.job, self.spec, self.source, result)
        except JobCancelled:
            raise _Stopped(cancelled(result, result.total_rows)) from None

    async def _read(self, reading: ImportPass, result: ImportResult) -> ImportResult:
        """The whole pass, or what is left of it; the result has its total."""
        result = await self._prepare(reading, result)
        request = request_of(self.source, self.spec, self.job, result.dialect)
        if result.checkpoint.block:
            request = msgspec.structs.replace(request, start=_position(result.checkpoint))
        else:
            self.source.errors.unlink(missing_ok=True)
            request = msgspec.structs.replace(request, errors_path=str(self.source.errors))
        async with parsing(request) as messages:
            opened = await self._opened(messages)
            result = await self._begin(opened, result)
            return await self._blocks(messages, opened, result)

    async def _prepare(self, reading: ImportPass, result: ImportResult) -> ImportResult:
        """Forget the pass before, unless this is the pass to go on with."""
        trial = reading is ImportPass.PLAN
        async with self.runtime.database.unit(self.job.organization_id) as connection:
            await self.job.fence(connection)
            if result.reading is reading and not (trial and not await remembers(connection, self.job.id)):
                return result
            await clear_reports(connection, self.job.id)
            await (begin_trial if trial else forget)(connection, self.job.id)
            result = ImportResult(
                reading=reading,
                dialect=result.dialect,
                columns=tuple(replace(column, blank_count=None) for column in result.columns),
                plan=result.plan,
                file_sha256=result.file_sha256,
                snapshot=await snapshot(connection) if trial else result.snapshot,
            )
            await self.job.save(connection, encode(result), processed=0, total=None, phase=PHASES[reading])
        return result

    async def _opened(self, messages: AsyncIterator[Message]) -> Opened:
        message = await anext(messages)
        if not isinstance(message, Opened):
            raise JobFailed(JobFailureCode.INTERNAL, "The reader of the file spoke out of turn.")
        return message

    async def _begin(self, opened: Opened, result: ImportResult) -> ImportResult:
        if not result.checkpoint.block:
            columns = opened.columns
            result = replace(result, dialect=opened.dialect, columns=columns, file_sha256=opened.sha256 or None)
        if opened.ambiguous or opened.problems:
            undecided = replace(result, dialect=opened.dialect, reading=ImportPass.NONE)
            raise _Stopped(awaiting(undecided))
        if opened.custom_keys and result.reading is ImportPass.COMMIT:
            async with self.runtime.database.unit(self.job.organization_id) as connection:
                await add_custom_fields(connection, opened.custom_keys)
        return result

    async def _blocks(self, messages: Messages, opened: Opened, result: ImportResult) -> ImportResult:
        scope = self.source.facts.organization.settings.duplicate_scope
        writer = Writer(
            organization_id=self.job.organization_id,
            name=self.job.actor.name,
            job_id=self.job.id,
            trial=result.reading is ImportPass.PLAN,
            reviewed_at=self.spec.reviewed_at_xid,
        )
        local = opened.dialect.time_zone if opened.dialect.format in _LOCAL else None
        rules = rules_of(opened.copy_columns, self.spec.options, scope, writer, local_zone=local)
        file_pass = FilePass(self.runtime, self.job, self.spec, rules)
        begin, total = result, None
        try:
            async for message in messages:
                if isinstance(message, Block):
                    result = await self._take(file_pass, opened, message, result)
                elif isinstance(message, Done):
                    total = _total(begin, message)
                    self.job.report(PHASES[result.reading], total, total)
        except JobCancelled:
            self.job.ending = True
            counted = await _count(messages, begin) if total is None else total
            raise _Stopped(cancelled(result, counted)) from None
        return replace(result, total_rows=total)

    async def _take(self, file_pass: FilePass, opened: Opened, block: Block, result: ImportResult) -> ImportResult:
        try:
            return await file_pass.take(opened, block, result)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not self.job.cancelled or self.job.draining:
                raise
            task.uncancel()  # the block took longer than a cancelled job is given
            raise JobCancelled from None


async def _count(messages: Messages, begin: ImportResult) -> int | None:
    """The rows of the whole import, None where the file cannot be read to its end, or not in time."""
    messages.count_only()
    try:
        async with asyncio.timeout(_COUNTING_SECONDS):
            async for message in messages:
                if isinstance(message, Done):
                    return _total(begin, message)
    except (TimeoutError, JobFailed):
        return None
    return None


def _total(begin: ImportResult, done: Done) -> int:
    """The rows of the import, of a retry those that run again alone; `begin` is where this reading began."""
    return rows_done(begin.tally) + done.total_rows - begin.checkpoint.row - done.excluded


def _position(place: Checkpoint) -> Position:
    return Position(rows=place.row, record=place.record, line=place.line, offset=place.offset)
