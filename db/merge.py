"""Merging rows into leads, a block in a transaction: the one way that imports and partners' pushes write leads.

The caller has opened the transaction, checked its claim and taken `Lock.LEADS`, so that what is looked up stays true
until the commit. A trial writes nothing to leads and tells exactly the same.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from operator import attrgetter

from db.connections import Connection
from db.merge_columns import EXTRA_COLUMNS, staging_sql, update_sql
from db.merge_create import REFUSED, create, refusal, settle_creates, write_notes
from db.merge_decisions import Batch, Update, decide
from db.merge_match import Matches, deciding_key, look_up
from db.merge_rules import KIND_OF, BlockOutcome, MergeRows, MergeRules, Outcome, RowProblem, Sealer
from db.merge_targets import Staged, Target, fetch_targets, move, new_target, stage
from db.merge_trial import load_targets, open_trial, remember
from domain.vocabulary import ImportIssueCode, MergeStrategy

__all__ = ["merge"]


async def merge(connection: Connection, rules: MergeRules, rows: MergeRows, sealer: Sealer) -> BlockOutcome:
    """Merge the rows in their order and say what became of each.

    Raises:
        asyncpg.PostgresError: the database failed; rows that it refuses are outcomes, not errors.
    """
    outcome = BlockOutcome.of(len(rows.ids))
    start = 0
    while start < len(rows.ids):
        matches = await _matches(connection, rules, rows, start)
        batch = decide(rules, rows, matches, outcome, start)
        await _carry_out(connection, rules, rows, _Work(batch, outcome, sealer))
        start = batch.stop
    return outcome


class _Work:
    """A batch on its way."""

    __slots__ = ("batch", "outcome", "sealer")

    def __init__(self, batch: Batch, outcome: BlockOutcome, sealer: Sealer) -> None:
        self.batch = batch
        self.outcome = outcome
        self.sealer = sealer


async def _matches(connection: Connection, rules: MergeRules, rows: MergeRows, start: int) -> Matches:
    if rules.strategy is MergeStrategy.CREATE_NEW:
        return {}
    keys = {deciding_key(rules, rows, index) for index in range(start, len(rows.ids))}
    return await look_up(connection, rules, [key for key in keys if key is not None])


async def _carry_out(connection: Connection, rules: MergeRules, rows: MergeRows, work: _Work) -> None:
    if rules.trial and rules.updates:
        await open_trial(connection)
    refused = await create(connection, rules, rows, work.batch.creates, sealer=work.sealer)
    settle_creates(work.outcome, rows, work.batch.creates, refused)
    if work.batch.updates:
        staged = await _stage(connection, rules, rows, work)
        await connection.execute(staging_sql(rules))
        for group in _rounds(staged):
            await _run(connection, rules, rows, group, work.outcome)
    if rules.trial and rules.strategy is not MergeStrategy.CREATE_NEW:
        await remember(connection, rules, rows, work.batch)


async def _stage(connection: Connection, rules: MergeRules, rows: MergeRows, work: _Work) -> list[Staged]:
    targets = await _targets(connection, rules, rows, work)
    staged: list[Staged] = []
    for update in work.batch.updates:
        target = targets.get(update.lead_id)
        if target is None or target.changed:
            work.outcome.refuse(_unusable(update, target), KIND_OF[update.kind])
        elif (problem := move(rules, rows, update.index, target)) is not None:
            work.outcome.refuse(problem, KIND_OF[update.kind])
        else:
            staged.append(stage(rules, rows, update, target, work.sealer))
    return staged


async def _targets(connection: Connection, rules: MergeRules, rows: MergeRows, work: _Work) -> dict[str, Target]:
    made = {rows.ids[index]: index for index in work.batch.creates}
    updated = {update.lead_id for update in work.batch.updates}
    if rules.trial:
        await load_targets(connection, rules, updated - made.keys())
    targets = await fetch_targets(connection, rules, updated - made.keys(), work.sealer)
    for lead_id in updated & made.keys():
        if work.outcome.outcomes[made[lead_id]] == Outcome.CREATED:
            targets[lead_id] = new_target(rows, rules, made[lead_id])
    return targets


def _rounds(staged: Sequence[Staged]) -> Iterator[list[Staged]]:
    """Updates of one lead follow each other; those of different leads go together."""
    order = attrgetter("update.round")
    for _, group in groupby(sorted(staged, key=order), order):
        yield list(group)


async def _run(
    connection: Connection, rules: MergeRules, rows: MergeRows, group: Sequence[Staged], outcome: BlockOutcome
) -> None:
    """One round; halved until single rows are left where the database refuses a value."""
    await connection.execute("savepoint run")
    try:
        changed = await _write(connection, rules, group)
    except REFUSED:
        await connection.execute("rollback to savepoint run")
        if len(group) == 1:
            outcome.refuse(refusal(group[0].update.index), KIND_OF[group[0].update.kind])
            return
        middle = len(group) // 2
        await _run(connection, rules, rows, group[:middle], outcome)
        await _run(connection, rules, rows, group[middle:], outcome)
        return
    await connection.execute("release savepoint run")
    for item in group:
        letter = Outcome.UPDATED if rows.numbers[item.update.index] in changed else Outcome.UNCHANGED
        outcome.settle(item.update.index, letter, item.update.lead_id, KIND_OF[item.update.kind])


async def _write(connection: Connection, rules: MergeRules, group: Sequence[Staged]) -> set[int]:
    """Returns the rows (by their place in the file) that changed their lead."""
    columns = (*EXTRA_COLUMNS, *rules.columns)
    await connection.execute("delete from pg_temp.merge_rows")
    source = BytesIO(b"".join([item.line for item in group]))
    await connection.copy_to_table("merge_rows", schema_name="pg_temp", source=source, columns=columns, format="text")
    tags = [list(rules.add_tags)] if rules.add_tags else []
    changed = await connection.fetch(update_sql(rules), rules.actor_name, rules.job_id, *tags)
    notes = [(item.update.lead_id, item.note) for item in group if item.note is not None]
    await write_notes(connection, rules, notes)
    return {row["m_row"] for row in changed}


def _unusable(update: Update, target: Target | None) -> RowProblem:
    if target is None:
        return refusal(update.index)
    message = "The lead was changed after the plan was reviewed."
    return RowProblem(update.index, ImportIssueCode.VERSION_CONFLICT, message)
