"""One pass over a file: block after block, each in one transaction with its counts, reports and checkpoint."""

from dataclasses import replace
from typing import Final

from db.connections import Connection
from db.import_facts import NamedCompany, add_companies, drop_companies, finished_rows
from db.import_reports import write_groups, write_issues, write_outcomes
from db.locks import Lock, take
from db.merge import merge
from db.merge_rules import MergeRules
from domain.imports import Checkpoint, ImportCounts, ImportPass, ImportResult, ImportSpec
from domain.national_ids import NationalIds
from domain.stored import encode
from jobs.import_findings import Findings, MergedBlock, row_outcomes
from jobs.import_rows import rows_of, unused_companies
from jobs.import_touches import added_touches, first_values
from jobs.running import RunningJob
from jobs.runtime import Runtime
from transfer.messages import Block, Opened

__all__ = ["PHASES", "FilePass", "added", "rows_done"]

PHASES: Final = {ImportPass.PLAN: "validating", ImportPass.COMMIT: "importing"}


class FilePass:
    """Takes the blocks of one file; `result` is what the last committed block saved."""

    def __init__(self, runtime: Runtime, job: RunningJob, spec: ImportSpec, rules: MergeRules) -> None:
        self._runtime = runtime
        self._job = job
        self._spec = spec
        self._rules = rules
        self._sealer = NationalIds(runtime.keyring)
        self._renamed: dict[str, str] = {}
        before = job.reported
        self._told = None if before.total is None else (before.processed, before.total)

    async def take(self, opened: Opened, block: Block, result: ImportResult) -> ImportResult:
        """Merge the block and commit; returns the result that was saved with it.

        Raises JobFenced, JobCancelled or JobReleased, with nothing of the block written.
        """
        findings = Findings(opened)
        async with self._runtime.database.unit(self._job.organization_id) as connection:
            await self._job.fence(connection)
            await take(connection, Lock.LEADS, self._job.organization_id)
            merged = await self._merge(connection, block)
            await write_outcomes(connection, self._job.id, result.checkpoint.block, row_outcomes(merged))
            issues = findings.issues(merged, result.stored_issues)
            await write_issues(connection, self._job.id, issues)
            await write_groups(connection, self._job.id, findings.groups(merged))
            after = self._after(result, block, findings.counts(merged), len(issues))
            if self._rules.trial:
                filled = added_touches(result.first_values, first_values(opened.copy_columns, merged))
                after = replace(after, first_values=filled)
            await self._save(connection, opened, after)
        return after

    async def _merge(self, connection: Connection, block: Block) -> MergedBlock:
        made: frozenset[str] = frozenset()
        if block.companies and not self._rules.trial:
            named = [NamedCompany(company.id, company.name, company.name_key) for company in block.companies]
            made, others = await add_companies(connection, named)
            self._renamed |= others
        rows = rows_of(block.ready, self._renamed, await self._finished(connection, block))
        merged = MergedBlock(block, rows, await merge(connection, self._rules, rows, self._sealer))
        unused = made & unused_companies(block.companies, merged.outcome)
        if unused:
            await drop_companies(connection, unused)
        return merged

    async def _finished(self, connection: Connection, block: Block) -> frozenset[int]:
        """Rows that another retry of the same import has brought in: a retry cannot double."""
        if self._spec.retry_of is None:
            return frozenset()
        source = block.ready.source_rows or block.ready.rows
        wanted = [row for row in source if row is not None]
        finished = await finished_rows(connection, self._spec.retry_of, self._job.id, wanted)
        return frozenset(index for index, row in enumerate(source) if row in finished)

    def _after(self, result: ImportResult, block: Block, counts: ImportCounts, issues: int) -> ImportResult:
        position = block.next
        tally = added(result.tally, counts)
        place = Checkpoint(
            row=position.rows,
            record=position.record,
            offset=position.offset,
            line=position.line,
            block=result.checkpoint.block + 1,
        )
        return replace(
            result,
            tally=tally,
            counts=tally if result.reading is ImportPass.COMMIT else ImportCounts(failed=tally.failed),
            checkpoint=place,
            stored_issues=result.stored_issues + issues,
            columns=tuple(
                replace(column, blank_count=(column.blank_count or 0) + blanks)
                for column, blanks in zip(result.columns, block.blanks, strict=True)
            )
            if block.blanks
            else result.columns,
        )

    async def _save(self, connection: Connection, opened: Opened, result: ImportResult) -> None:
        done = rows_done(result.tally)
        total = estimated_total(self._told, done, result.checkpoint.offset, opened.extent)
        self._told = None if total is None else (done, total)
        await self._job.save(connection, encode(result), processed=done, total=total, phase=PHASES[result.reading])


def rows_done(tally: ImportCounts) -> int:
    """How many rows were read."""
    return tally.created + tally.updated + tally.unchanged + tally.skipped + tally.failed


def estimated_total(before: tuple[int, int] | None, done: int, offset: int, extent: int) -> int | None:
    """How many rows the file may have, from how far its bytes are read.

    `before` are the rows read and the total told last: the percentage never goes back.
    """
    if not offset or not extent or not done:
        return None if before is None else before[1]
    estimate = done * extent / offset
    if before is not None and before[0]:
        estimate = min(estimate, done * before[1] / before[0])
    return max(done, int(estimate))


def added(first: ImportCounts, second: ImportCounts) -> ImportCounts:
    """Both together."""
    return ImportCounts(
        created=first.created + second.created,
        updated=first.updated + second.updated,
        unchanged=first.unchanged + second.unchanged,
        skipped=first.skipped + second.skipped,
        failed=first.failed + second.failed,
        warnings=first.warnings + second.warnings,
    )
