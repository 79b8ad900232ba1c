"""Reading what an import remembers: issues, groups and rows, by keyset and within the caller's organization."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.merge_rules import MATCHED_BY, Outcome
from domain.imports import Issue, IssueGroup
from domain.job_details import IssueFilter, RowFilter
from domain.json import JsonObject
from domain.vocabulary import ImportIssueCode, MatchKey, RowOutcome, Severity

__all__ = [
    "OUTCOMES",
    "IssueRow",
    "OutcomeRow",
    "count_issues",
    "count_rows",
    "failed_rows",
    "issue_groups",
    "issues_of_rows",
    "issues_page",
    "names_of",
    "refused_rows",
    "rows_page",
    "unknown_values",
]

_ISSUE: Final = "row, position, line, column_name, field, code, severity, message, value, suggestion"
_ISSUE_CONDITIONS: Final = """
job_id = $1 and ($2::text[] is null or severity = any($2)) and ($3::text[] is null or code = any($3))
and ($4::text is null or field = $4) and ($5::text is null or column_name = $5)
and ($6::int is null or row >= $6) and ($7::int is null or row <= $7)
"""
_ROWS: Final = """
select r.row, r.line, r.letter, r.lead_id, r.matched
from import_outcomes o cross join lateral unnest(
  o.rows, o.lines, o.lead_ids, string_to_array(o.outcomes, null), string_to_array(o.matched_by, null)
) r(row, line, lead_id, letter, matched)
where o.job_id = $1 and o.last_row >= coalesce($2::int, 0) and o.first_row <= coalesce($3::int, 2147483647)
  and r.row >= coalesce($2::int, 0) and r.row <= coalesce($3::int, 2147483647)
  and ($4::text is null or o.outcomes ~ ('[' || $4 || ']') and position(r.letter in $4) > 0)
  and ($5::text[] is null or exists (
    select from import_issues i where i.job_id = $1 and i.row = r.row and i.code = any($5)))
"""
LETTERS: Final = {
    RowOutcome.CREATED: Outcome.CREATED,
    RowOutcome.UPDATED: Outcome.UPDATED,
    RowOutcome.UNCHANGED: Outcome.UNCHANGED,
    RowOutcome.SKIPPED: Outcome.SKIPPED + Outcome.SKIPPED_IN_FILE,
    RowOutcome.FAILED: Outcome.ALL_FAILED,
    RowOutcome.PENDING: "",
}
OUTCOMES: Final = {letter: outcome for outcome, letters in LETTERS.items() for letter in letters}


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue with its place among those of its row."""

    issue: Issue
    position: int


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A row of the file with what became of it, and for updated ones the columns before and after."""

    row: int
    line: int | None
    outcome: RowOutcome
    lead_id: UUID | None
    matched_by: MatchKey | None
    before: JsonObject
    after: JsonObject


async def issues_page(
    connection: Connection, job_id: UUID, wanted: IssueFilter, after: tuple[int, int], size: int
) -> list[IssueRow]:
    """Issues by row, after (row, position)."""
    sql = (
        f"select {_ISSUE} from import_issues where {_ISSUE_CONDITIONS} and (row, position) > ($8, $9) "
        "order by row, position limit $10"
    )
    rows = await connection.fetch(sql, job_id, *_issue_values(wanted), *after, size)
    return [IssueRow(_issue(row), row["position"]) for row in rows]


async def count_issues(connection: Connection, job_id: UUID, wanted: IssueFilter) -> int:
    """How many issues are kept."""
    sql = f"select count(*) from import_issues where {_ISSUE_CONDITIONS}"
    return int(await connection.fetchval(sql, job_id, *_issue_values(wanted)))


async def issues_of_rows(connection: Connection, job_id: UUID, rows: Sequence[int]) -> dict[int, list[Issue]]:
    """The issues of some rows."""
    sql = f"select {_ISSUE} from import_issues where job_id = $1 and row = any($2) order by row, position"
    found: dict[int, list[Issue]] = {}
    for row in await connection.fetch(sql, job_id, list(rows)):
        found.setdefault(row["row"], []).append(_issue(row))
    return found


async def issue_groups(connection: Connection, job_id: UUID, first: int) -> list[IssueGroup]:
    """The largest groups first, errors before warnings of the same size."""
    sql = """
    select code, severity, column_name, field, value, rows, first_row, message, suggestion from import_issue_groups
    where job_id = $1 order by rows desc, severity, first_row, group_key limit $2"""
    return [_group(row) for row in await connection.fetch(sql, job_id, first)]


async def rows_page(connection: Connection, job_id: UUID, wanted: RowFilter, after: int, size: int) -> list[OutcomeRow]:
    """At most `size` rows by number, beyond a row."""
    sql = f"select * from ({_ROWS}) r order by row limit $6"
    rows = await connection.fetch(sql, job_id, *_row_values(wanted, after + 1), size)
    sql = "select row, before, after from import_changes where job_id = $1 and row = any($2)"
    changes = {row["row"]: row for row in await connection.fetch(sql, job_id, [row["row"] for row in rows])}
    return [_outcome(row, changes.get(row["row"])) for row in rows]


async def count_rows(connection: Connection, job_id: UUID, wanted: RowFilter) -> int:
    """How many rows the filter leaves."""
    sql = f"select count(*) from ({_ROWS}) r"
    return int(await connection.fetchval(sql, job_id, *_row_values(wanted, None)))


async def names_of(connection: Connection, ids: Collection[UUID]) -> dict[str, str]:
    """What ids of statuses, companies, chatbots and users stand for, by the ids' text."""
    sql = """
    select id, key as name from statuses where id = any($1)
    union all select id, name from companies where id = any($1)
    union all select id, name from chatbots where id = any($1)
    union all select id, name from users where id = any($1)"""
    return {str(row["id"]): row["name"] for row in await connection.fetch(sql, list(ids))}


async def unknown_values(connection: Connection, job_id: UUID, most: int) -> list[IssueGroup]:
    """The commonest values that are none of a field's, the commonest first."""
    sql = """
    select code, severity, column_name, field, value, rows, first_row, message, suggestion from import_issue_groups
    where job_id = $1 and code in ('UNKNOWN_VALUE', 'UNKNOWN_REFERENCE') and value is not null
    order by rows desc, first_row limit $2"""
    return [_group(row) for row in await connection.fetch(sql, job_id, most)]


async def failed_rows(connection: Connection, job_id: UUID) -> list[int]:
    """The rows of an import that failed, by number."""
    rows = await connection.fetch(
        f"select row from ({_ROWS}) r order by row", job_id, None, None, Outcome.ALL_FAILED, None
    )
    return [row["row"] for row in rows]


async def refused_rows(connection: Connection, job_id: UUID) -> list[tuple[int, ImportIssueCode]]:
    """The rows that were valid and that the merge refused, by number."""
    codes = {letter: code for code, letter in Outcome.REFUSALS.items()}
    sql = f"select row, letter from ({_ROWS}) r order by row"
    rows = await connection.fetch(sql, job_id, None, None, "".join(codes), None)
    return [(row["row"], codes[row["letter"]]) for row in rows]


def _issue_values(wanted: IssueFilter) -> tuple[object, ...]:
    return (
        None if wanted.severity is None else [severity.value for severity in wanted.severity],
        None if wanted.code is None else [code.value for code in wanted.code],
        None if wanted.field is None else wanted.field.value,
        wanted.column,
        wanted.row_from,
        wanted.row_to,
    )


def _row_values(wanted: RowFilter, least: int | None) -> tuple[object, ...]:
    letters = None if wanted.outcome is None else "".join(LETTERS[outcome] for outcome in wanted.outcome) or "?"
    codes = None if wanted.code is None else [code.value for code in wanted.code]
    first = max((row for row in (wanted.row_from, least) if row is not None), default=None)
    return first, wanted.row_to, letters, codes


def _issue(row: Row) -> Issue:
    return Issue(
        row=row["row"],
        line=row["line"],
        column=row["column_name"],
        field=row["field"],
        code=ImportIssueCode(row["code"]),
        severity=Severity(row["severity"]),
        message=row["message"],
        value=row["value"],
        suggestion=row["suggestion"],
    )


def _group(row: Row) -> IssueGroup:
    return IssueGroup(
        code=ImportIssueCode(row["code"]),
        severity=Severity(row["severity"]),
        column=row["column_name"],
        field=row["field"],
        value=row["value"],
        rows=row["rows"],
        first_row=row["first_row"],
        message=row["message"],
        suggestion=row["suggestion"],
    )


def _outcome(row: Row, change: Row | None) -> OutcomeRow:
    return OutcomeRow(
        row=row["row"],
        line=row["line"],
        outcome=OUTCOMES[row["letter"]],
        lead_id=row["lead_id"],
        matched_by=MATCHED_BY.get(row["matched"]),
        before={} if change is None else change["before"],
        after={} if change is None else change["after"],
    )
