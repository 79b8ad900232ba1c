"""New leads: rows straight into `leads` by COPY, with their notes."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

import asyncpg

from db.connections import Connection
from db.copy_text import array_literal, cell
from db.merge_rules import BlockOutcome, MergeRows, MergeRules, Outcome, RowProblem, Sealer
from domain.ids import new_id
from domain.national_ids import last_digits
from domain.vocabulary import ImportIssueCode

__all__ = ["REFUSED", "create", "refusal", "write_notes"]

REFUSED: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
"""What the database says of a value that validation let through."""
_NOTE_COLUMNS: Final = ("id", "lead_id", "text", "created_by", "import_job_id")


async def create(
    connection: Connection, rules: MergeRules, rows: MergeRows, indexes: Sequence[int], *, sealer: Sealer
) -> list[int]:
    """Load the rows as new leads; returns those that the database refused."""
    if not indexes or (rules.trial and not rules.updates):
        return []
    refused = await _load(connection, rules, rows, indexes, sealer)
    lost = set(refused)
    if rows.notes is not None and not rules.trial:
        notes = [(rows.ids[i], text) for i in indexes if i not in lost and (text := rows.notes[i])]
        await write_notes(connection, rules, notes)
    return refused


async def write_notes(connection: Connection, rules: MergeRules, notes: Sequence[tuple[str, str]]) -> None:
    """Add notes, given as (lead, text), in this order."""
    if notes and not rules.trial:
        records = [(new_id(), lead, text, rules.actor_name, rules.job_id) for lead, text in notes]
        await connection.copy_records_to_table("notes", schema_name="store", columns=_NOTE_COLUMNS, records=records)


def refusal(index: int) -> RowProblem:
    """The database did not take the row; its own words may hold values and stay here."""
    return RowProblem(index, ImportIssueCode.CONSTRAINT, "The database does not take a value of this row.")


def settle_creates(outcome: BlockOutcome, rows: MergeRows, indexes: Sequence[int], refused: Sequence[int]) -> None:
    """Decide the rows of `create`."""
    for index in indexes:
        outcome.settle(index, Outcome.CREATED, rows.ids[index])
    for index in refused:
        outcome.refuse(refusal(index))


async def _load(
    connection: Connection, rules: MergeRules, rows: MergeRows, indexes: Sequence[int], sealer: Sealer
) -> list[int]:
    """Halve what is refused until single rows are left: a bad row does not take its block along."""
    await connection.execute("savepoint load")
    try:
        await _copy(connection, rules, rows, indexes, sealer)
    except REFUSED:
        await connection.execute("rollback to savepoint load")
        if len(indexes) == 1:
            return list(indexes)
        middle = len(indexes) // 2
        first = await _load(connection, rules, rows, indexes[:middle], sealer)
        return first + await _load(connection, rules, rows, indexes[middle:], sealer)
    await connection.execute("release savepoint load")
    return []


async def _copy(
    connection: Connection, rules: MergeRules, rows: MergeRows, indexes: Sequence[int], sealer: Sealer
) -> None:
    columns = (*rules.columns, *_extra_columns(rules, rows))
    if len(columns) > len(rules.columns):
        data = b"".join(_extended(rules, rows, index, sealer) for index in indexes)
    elif len(indexes) == len(rows.ids):
        data = rows.copy
    else:
        data = b"".join([rows.lines[index] for index in indexes])
    table, schema = ("trial_leads", "pg_temp") if rules.trial else ("leads", "store")
    await connection.copy_to_table(table, schema_name=schema, source=BytesIO(data), columns=columns, format="text")


def _extra_columns(rules: MergeRules, rows: MergeRows) -> list[str]:
    sealed = ["national_id_cipher", "national_id_last4"] if rows.national_ids is not None else []
    return [*sealed, "trial_notes"] if rules.trial and rows.notes is not None else sealed


def _extended(rules: MergeRules, rows: MergeRows, index: int, sealer: Sealer) -> bytes:
    extra: list[str | None] = []
    if rows.national_ids is not None:
        national = rows.national_ids[index]
        extra += [national and sealer.seal(national, rows.ids[index]), national and last_digits(national)]
    if rules.trial and rows.notes is not None:
        note = rows.notes[index]
        extra.append(array_literal([note] if note else []))
    return b"\t".join((rows.lines[index].rstrip(b"\n"), *map(cell, extra))) + b"\n"
