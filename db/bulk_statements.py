"""The statement of a bulk change: one for a whole block, which judges each lead, writes those that change, and counts.

Its first binds are the job, the block's bounds in the target, and how many leads came before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy.dialects import postgresql

from db.bulk_targets import PENDING
from db.stages import CLOSED
from db.tables import leads
from domain.clearing import LIST_COLUMNS
from domain.fields import MAX_LIST_ITEMS
from domain.patches import LeadChange
from domain.vocabulary import CLOSED_STAGES, BulkOutcome, UserErrorCode

__all__ = ["TAKEN", "BulkChange", "BulkStatement", "StatusChange", "bulk_statement"]

TAKEN: Final = f"""taken as (
  delete from bulk_results
  where job_id = $1::uuid and position > $2::int and position <= $3::int and outcome = '{PENDING}'
  returning position, lead_id, given
)"""
"""The block's places are taken out and put back with their outcomes: a join of the two would be planned blindly, since
nothing is known yet of rows that have just been written."""
_JOB, _DONE = ("$1::uuid", "$4::int")
_FIXED: Final = 4
_APART: Final = frozenset({"tags"})


@dataclass(frozen=True, slots=True)
class StatusChange:
    """The status that leads get. `guarded`: a lead that becomes active again must not double another one."""

    id: UUID
    stage: str
    guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """A change with nothing left open, made by `who`. `assignees` are shared out in the order of the target."""

    who: str
    lead: LeadChange = field(default_factory=LeadChange)
    status: StatusChange | None = None
    assignees: tuple[UUID, ...] = ()
    dry_run: bool = False


@dataclass(slots=True)
class BulkStatement:
    """`text` with the values of its binds behind the fixed ones.

    What differs from block to block follows them: where `searches`, the new search texts by the ids of leads, and then,
    where `notes`, as many ids of new notes as there may be leads.
    """

    text: str = ""
    values: list[object] = field(default_factory=list[object])
    searches: bool = False
    notes: bool = False

    def bind(self, value: object, kind: str) -> str:
        """The bind of a value."""
        self.values.append(value)
        return f"${_FIXED + len(self.values)}::{kind}"


def bulk_statement(change: BulkChange) -> BulkStatement:
    """The statement for a change; it returns `outcome` and `leads`, the number of leads that it came to."""
    statement = BulkStatement()
    new = dict(_columns(change, statement))
    differs = " or ".join(f"b.{name} is distinct from {value}" for name, value in new.items())
    note = statement.bind(change.lead.note, "text") if change.lead.note else None
    noted = f"not exists (select from notes n where n.lead_id = b.id and n.text = {note})" if note else "false"
    made = "".join(f", {value} as n_{name}" for name, value in new.items())
    statement.text = f"""
with {TAKEN}, block as (
  select r.position, r.lead_id, r.given, row_number() over (order by r.position) + {_DONE} as place, l.*
  from taken r left join leads l on l.id = r.lead_id
), made as (
  select b.position, b.lead_id, b.given, b.id, {noted} as noted,
    {differs or "false"} as differs, {_twin(change)} as twin{made}
  from block b
), judged as (
  select m.*, case
    when m.id is null then '{BulkOutcome.NOT_FOUND}'
    when m.twin or {_too_many(new)} then '{BulkOutcome.FAILED}'
    when m.differs or m.noted then '{BulkOutcome.CHANGED}'
    else '{BulkOutcome.UNCHANGED}' end as result
  from made m
){"" if change.dry_run else _writes(change, new, statement, note)}, kept as (
  insert into bulk_results (job_id, position, lead_id, given, outcome, code, message)
  select {_JOB}, position, lead_id, given, result, case when result = '{BulkOutcome.FAILED}' then {_CODE} end,
    case when result = '{BulkOutcome.FAILED}' then {_MESSAGE} end
  from judged
)
select result as outcome, count(*) as leads from judged group by result
"""
    return statement


_CODE: Final = f"case when twin then '{UserErrorCode.DUPLICATE}' else '{UserErrorCode.LIMIT_EXCEEDED}' end"
_MESSAGE: Final = (
    "case when twin then 'Another active lead has the same phone.' "
    f"else 'A lead has at most {MAX_LIST_ITEMS} tags.' end"
)


def _columns(change: BulkChange, statement: BulkStatement) -> Iterator[tuple[str, str]]:
    """Columns with their new values, in terms of the lead `b`."""
    lead = change.lead
    if change.status is not None:
        yield "status_id", statement.bind(change.status.id, "uuid")
        yield "stage", statement.bind(change.status.stage, "text")
    for name, value in lead.columns.items():
        yield name, statement.bind(value, _TYPES[name])
    for name in lead.cleared:
        if name not in _APART:
            yield name, "'{}'::text[]" if name in LIST_COLUMNS else f"null::{_TYPES[name]}"
    if change.assignees:
        users = statement.bind(list(change.assignees), "uuid[]")
        yield "assignee_id", f"({users})[(b.place - 1) % {len(change.assignees)} + 1]"
    if lead.add_tags or lead.remove_tags or "tags" in lead.cleared:
        yield "tags", _tags(lead, statement)
    if lead.custom.values or lead.custom.removed:
        added = statement.bind(dict(lead.custom.values), "jsonb")
        yield "custom", f"((b.custom || {added}) - {statement.bind(list(lead.custom.removed), 'text[]')})"


def _tags(lead: LeadChange, statement: BulkStatement) -> str:
    added = statement.bind(list(lead.add_tags), "text[]")
    kept = "'{}'::text[]"
    if "tags" not in lead.cleared:  # a bind that the text does not name has no type
        removed = statement.bind(list(lead.remove_tags), "text[]")
        kept = f"array(select t from unnest(b.tags) with ordinality u(t, o) where t <> all ({removed}) order by o)"
    return (
        f"(select k.tags || array(select t from unnest({added}) with ordinality u(t, o) "
        f"where t <> all (k.tags) order by o) from (select {kept} as tags) k)"
    )


def _twin(change: BulkChange) -> str:
    """Whether the lead would be active beside another one of the same phone, in the table or earlier in the block."""
    status = change.status
    if status is None or not status.guarded or status.stage in CLOSED_STAGES:
        return "false"
    if "phone_key" in change.lead.cleared:
        return "false"
    return f"""(coalesce(b.stage in {CLOSED} and b.phone_key is not null, false) and (
      exists (select from leads o where o.phone_key = b.phone_key and o.id <> b.id and o.stage not in {CLOSED})
      or row_number() over (partition by b.stage in {CLOSED}, b.phone_key order by b.position) > 1))"""


def _too_many(new: Mapping[str, str]) -> str:
    return f"cardinality(m.n_tags) > {MAX_LIST_ITEMS}" if "tags" in new else "false"


def _writes(change: BulkChange, new: Mapping[str, str], statement: BulkStatement, note: str | None) -> str:
    sets = "".join(f", {name} = j.n_{name}" for name in new)
    searched, who = "", statement.bind(change.who, "text")
    statement.searches, statement.notes = change.lead.searches, note is not None
    following = _FIXED + len(statement.values) + 1
    if statement.searches:
        searched = f", search_text = coalesce(${following}::jsonb ->> l.id::text, l.search_text)"
    written = f"""
, written as (
  update leads l set version = l.version + 1, updated_at = now(), updated_by = {who},
    changed_xid = pg_current_xact_id(), notes_count = l.notes_count + j.noted::int{sets}{searched}
  from judged j where l.id = j.id and j.result = '{BulkOutcome.CHANGED}'
)"""
    if note is None:
        return written
    ids = f"${following + 1}::uuid[]"
    return f"""{written}, noted as (
  insert into notes (id, lead_id, text, created_by)
  select ({ids})[row_number() over (order by j.position)], j.id, {note}, {who}
  from judged j where j.noted and j.result = '{BulkOutcome.CHANGED}'
)"""


_TYPES: Final[Mapping[str, str]] = {
    column.name: column.type.compile(dialect=postgresql.dialect()).lower() for column in leads.columns
}
