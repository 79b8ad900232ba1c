"""What an update of existing leads must know of them: notes, national ids, and all that search looks through."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import asyncpg

from db.connections import Connection
from db.copy_text import array_literal, cell, cells, read_cell
from db.merge_decisions import Update
from db.merge_match import uuids
from db.merge_rules import MergeRows, MergeRules, RowProblem, Sealer
from domain.lead_values import SEARCHED_COLUMNS, SearchValues, search_text
from domain.national_ids import last_digits
from domain.vocabulary import MergeStrategy

__all__ = ["Staged", "Target", "fetch_targets", "move", "new_target", "stage"]

_BASE: Final = {"phone_key": "phone"}
_NOTES: Final = """case when l.notes_count > 0 then array(
      select n.text from notes n where n.lead_id = l.id order by n.created_at, n.id) end"""


@dataclass(slots=True)
class Target:
    """A lead as the rows so far have made it. `changed`: somebody else has written it since the plan was reviewed."""

    search: SearchValues
    notes: list[str] = field(default_factory=list[str])
    national_id: str | None = None
    changed: bool = False
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """An update with its line of `merge_rows` and the note that it adds."""

    update: Update
    line: bytes
    note: str | None


async def fetch_targets(
    connection: Connection, rules: MergeRules, ids: Collection[str], sealer: Sealer
) -> dict[str, Target]:
    """The leads by id, locked in the order of their ids, so that no two writers wait for each other crosswise."""
    rows = await connection.fetch(_statement(rules), uuids(ids), rules.reviewed_at, rules.job_id)
    return {str(row["id"]): _target(row, sealer) for row in rows}


def new_target(rows: MergeRows, rules: MergeRules, index: int) -> Target:
    """The lead that a row of this batch creates."""
    columns = dict(zip(rules.columns, cells(rows.lines[index]), strict=True))
    values = {name: read_cell(columns[column]) for column, name in SEARCHED_COLUMNS.items() if column in columns}
    note = None if rows.notes is None else rows.notes[index]
    national = None if rows.national_ids is None else rows.national_ids[index]
    status = read_cell(columns["status_id"]) if "status_id" in columns else None
    return Target(SearchValues(**values, notes=note), [note] if note else [], national, status=status)


def move(rules: MergeRules, rows: MergeRows, index: int, target: Target) -> RowProblem | None:
    """Gives `target` the row's status, where the row may write it; the problem where that one is out of use."""
    if not rows.retired or "status_id" not in rules.written or rules.strategy is not MergeStrategy.OVERWRITE:
        return None
    if _is_untouched(rows, index, "status_id"):
        return None
    status = read_cell(cells(rows.lines[index])[rules.columns.index("status_id")])
    if status == target.status:
        return None
    if index not in rows.retired:
        target.status = status
    return rows.retired.get(index)


def stage(rules: MergeRules, rows: MergeRows, update: Update, target: Target, sealer: Sealer) -> Staged:
    """The line of `merge_rows` for an update; makes `target` what the row makes of the lead."""
    index = update.index
    untouched = rows.untouched[index] if rows.untouched else None
    note = _note(rules, rows, index, target)
    national = _national_id(rules, rows, index, target)
    extra = (
        str(rows.numbers[index]),
        update.lead_id,
        untouched,
        array_literal(rows.cleared_custom.get(index, ())),
        array_literal(rows.defaulted_custom.get(index, ())),
        note,
        _search(rules, rows, index, target),
        None if national is None else sealer.seal(national, update.lead_id),
        None if national is None else last_digits(national),
    )
    return Staged(update, b"\t".join((*map(cell, extra), rows.lines[index])), note)


def _statement(rules: MergeRules) -> str:
    """Binds: the leads, the snapshot of the review, the job."""
    searched = ", ".join(f"l.{column}" for column in SEARCHED_COLUMNS)
    notes = _NOTES
    if rules.trial:
        notes = f"array_cat({notes}, l.trial_notes)"
    changed = """$2::text is not null and not pg_visible_in_snapshot(l.changed_xid, $2::text::pg_snapshot)
      and l.import_job_id is distinct from $3::uuid
      and not exists (
        select from import_changes c where c.job_id = $3 and c.lead_id = l.id and c.version_after = l.version)"""
    lock = "" if rules.trial else " for update of l"
    return f"""
    select l.id, {searched}, l.status_id, l.national_id_cipher, {notes} as notes, {changed} as changed
    from {rules.target} l where l.id = any($1) order by l.id{lock}"""


def _target(row: asyncpg.Record, sealer: Sealer) -> Target:
    notes: Sequence[str] = row["notes"] or ()
    values = {name: row[column] for column, name in SEARCHED_COLUMNS.items()}
    sealed = row["national_id_cipher"]
    return Target(
        SearchValues(**values, notes="\n".join(notes) or None),
        list(notes),
        None if sealed is None else sealer.open(sealed, str(row["id"])),
        bool(row["changed"]),
        str(row["status_id"]),
    )


def _note(rules: MergeRules, rows: MergeRows, index: int, target: Target) -> str | None:
    """The note to add: none where its text, or all notes joined as files show them, are there already."""
    text = None if rows.notes is None else rows.notes[index]
    if not text or text in target.notes or text == target.search.notes or _is_untouched(rows, index, "notes"):
        return None
    if target.notes and rules.strategy is MergeStrategy.FILL_BLANKS:
        return None
    target.notes.append(text)
    target.search = replace(target.search, notes="\n".join(target.notes))
    return text


def _national_id(rules: MergeRules, rows: MergeRows, index: int, target: Target) -> str | None:
    given = None if rows.national_ids is None else rows.national_ids[index]
    if given is None or given == target.national_id or _is_untouched(rows, index, "national_id"):
        return None
    if target.national_id is not None and rules.strategy is MergeStrategy.FILL_BLANKS:
        return None
    target.national_id = given
    return given


def _search(rules: MergeRules, rows: MergeRows, index: int, target: Target) -> str:
    """The search text after the update; what the row does not write stays as it is."""
    columns = cells(rows.lines[index])
    untouched = _names(rows.untouched[index]) if rows.untouched else ()
    written: dict[str, str | None] = {}
    for column, name in SEARCHED_COLUMNS.items():
        base = _BASE.get(column, column)
        if base not in rules.written or base in untouched:
            continue
        if rules.strategy is MergeStrategy.FILL_BLANKS and getattr(target.search, name) is not None:
            continue
        written[name] = read_cell(columns[rules.columns.index(column)])
    if written:
        target.search = replace(target.search, **written)
    return search_text(target.search)


def _is_untouched(rows: MergeRows, index: int, name: str) -> bool:
    return bool(rows.untouched) and name in _names(rows.untouched[index])


def _names(literal: str) -> list[str]:
    """The columns in an array literal."""
    return literal.strip("{}").replace('"', "").split(",")
