"""What an import remembers of every row: outcomes, issues, groups. Written in the block's own transaction."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from db.connections import Connection
from domain.imports import FieldTouch, Issue, IssueGroup

__all__ = ["RowOutcomes", "clear_reports", "fields_touched", "write_groups", "write_issues", "write_outcomes"]

Item = TypeVar("Item")

_ISSUE_COLUMNS: Final = (
    "job_id",
    "row",
    "position",
    "line",
    "column_name",
    "field",
    "code",
    "severity",
    "message",
    "value",
    "suggestion",
)
_OUTCOMES: Final = """
insert into import_outcomes
  (job_id, block, first_row, last_row, rows, lines, outcomes, lead_ids, matched_by, source_rows)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_GROUPS: Final = """
insert into import_issue_groups as g
  (job_id, group_key, code, severity, column_name, field, value, rows, first_row, message, suggestion)
select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[],
  $10::text[], $11::text[])
on conflict (organization_id, job_id, group_key)
do update set rows = g.rows + excluded.rows, first_row = least(g.first_row, excluded.first_row)
"""
_TOUCHED: Final = """
with kept as (
  select before, after, before -> 'custom' as had, after -> 'custom' as has from import_changes where job_id = $1
), changed as (
  select a.key, k.before -> a.key as old, a.value as new
  from kept k cross join lateral jsonb_each(k.after) a where a.key <> 'custom'
  union all
  select 'custom.' || a.key, k.had -> a.key, k.has -> a.key
  from kept k cross join lateral jsonb_object_keys(k.had || k.has) a(key)
  where jsonb_typeof(k.had) = 'object' and jsonb_typeof(k.has) = 'object'
    and k.had -> a.key is distinct from k.has -> a.key
), judged as (
  select key, coalesce(old = any(b.blanks), true) as was_blank, coalesce(new = any(b.blanks), true) as is_blank
  from changed
  cross join lateral (
    select array['null', '""', '[]', '{}', case key when 'source' then '"UNKNOWN"' else 'null' end]::jsonb[]
  ) b(blanks)
)
select key, count(*) filter (where was_blank and not is_blank) as set,
  count(*) filter (where not was_blank and not is_blank) as overwritten,
  count(*) filter (where not was_blank and is_blank) as cleared
from judged group by key order by key
"""
_TABLES: Final = ("import_issues", "import_issue_groups", "import_outcomes", "import_changes")


@dataclass(slots=True)
class RowOutcomes:
    """Rows of a block in file order: parallel lists, `letters` of db.merge_rules.Outcome, `matched` of KIND_OF.

    `source_rows` are, in a retry, the rows of the original import that these correct.
    """

    rows: Sequence[int]
    lines: Sequence[int] | None
    letters: Sequence[str]
    lead_ids: Sequence[str | None]
    matched: Sequence[str]
    source_rows: Sequence[int | None] | None = None

    def ordered(self, places: Sequence[int]) -> "RowOutcomes":
        """The rows of these places, in this order."""
        return RowOutcomes(
            _pick(self.rows, places),
            None if self.lines is None else _pick(self.lines, places),
            _pick(self.letters, places),
            _pick(self.lead_ids, places),
            _pick(self.matched, places),
            None if self.source_rows is None else _pick(self.source_rows, places),
        )


async def clear_reports(connection: Connection, job_id: UUID) -> None:
    """Forget what an earlier pass over the file found."""
    for table in _TABLES:
        await connection.execute(f"delete from {table} where job_id = $1", job_id)


async def write_outcomes(connection: Connection, job_id: UUID, block: int, found: RowOutcomes) -> None:
    """Keep what became of the rows of a block."""
    if not found.rows:
        return
    await connection.execute(
        _OUTCOMES,
        job_id,
        block,
        found.rows[0],
        found.rows[-1],
        found.rows,
        found.lines,
        "".join(found.letters),
        found.lead_ids,
        "".join(found.matched),
        found.source_rows,
    )


async def write_issues(connection: Connection, job_id: UUID, issues: Sequence[Issue]) -> None:
    """Keep single issues, given in row order."""
    records: list[tuple[object, ...]] = []
    row, position = 0, 0
    for issue in issues:
        position = position + 1 if issue.row == row else 0
        row = issue.row
        records.append(
            (
                job_id,
                row,
                position,
                issue.line,
                issue.column,
                issue.field,
                issue.code.value,
                issue.severity.value,
                issue.message,
                issue.value,
                issue.suggestion,
            )
        )
    if records:
        await connection.copy_records_to_table(
            "import_issues", schema_name="store", columns=_ISSUE_COLUMNS, records=records
        )


async def write_groups(connection: Connection, job_id: UUID, groups: Sequence[IssueGroup]) -> None:
    """Add to the exact counts by code, severity, column, field and value."""
    if not groups:
        return
    columns = zip(*(_group_values(group) for group in groups), strict=True)
    await connection.execute(_GROUPS, job_id, *(list(column) for column in columns))


async def fields_touched(connection: Connection, job_id: UUID) -> tuple[FieldTouch, ...]:
    """How often rows that update leads set, overwrite and clear each column of `leads`, or `custom.<key>`."""
    rows = await connection.fetch(_TOUCHED, job_id)
    return tuple(FieldTouch(row["key"], row["set"], row["overwritten"], row["cleared"]) for row in rows)


def _pick(values: Sequence[Item], places: Sequence[int]) -> list[Item]:
    return [values[place] for place in places]


def _group_values(group: IssueGroup) -> tuple[object, ...]:
    return (
        _group_key(group),
        group.code.value,
        group.severity.value,
        group.column,
        group.field,
        group.value,
        group.rows,
        group.first_row,
        group.message,
        group.suggestion,
    )


def _group_key(group: IssueGroup) -> str:
    parts = (group.code, group.severity, group.column, group.field, group.value)
    text = "\x1f".join("\x1e" if part is None else str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
