"""The statement that updates leads from rows: which columns change, to what, and what they were before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import ARRAY

from db.merge_rules import MergeRules
from db.tables import leads
from domain.lead_values import DERIVED_COLUMNS
from domain.vocabulary import MergeStrategy

__all__ = ["EXTRA_COLUMNS", "staging_sql", "update_sql"]


EXTRA_COLUMNS: Final[Mapping[str, str]] = {
    "m_row": "int",
    "m_target": "uuid",
    "m_untouched": "text[]",
    "m_cleared": "text[]",
    "m_defaulted": "text[]",
    "m_note": "text",
    "m_search": "text",
    "m_cipher": "text",
    "m_last4": "text",
}
"""What stands before the row's own columns in `merge_rows`."""

_INSTANTS: Final = frozenset(column.name for column in leads.columns if isinstance(column.type, DateTime))
_LISTS: Final = frozenset(column.name for column in leads.columns if isinstance(column.type, ARRAY))
_NEVER_NULL: Final = frozenset(column.name for column in leads.columns if not column.nullable)
_APART: Final = frozenset({"id", "version", "tags", "custom", "notes_count"})
"""Never written, or in a way of their own."""
_ADDRESS_REST: Final = ("address_city", "address_region", "address_postal_code", "address_country")
_WHOLE_ADDRESS: Final = """nullif(concat_ws(', ', l.address_street,
  nullif(concat_ws(' ', l.address_postal_code, l.address_city), ''), l.address_region, l.address_country), '')"""
"""As exports write it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A column and the SQL of its new value; `shown`: kept in `import_changes`."""

    column: str
    value: str
    shown: bool = True


def staging_sql(rules: MergeRules) -> str:
    """The temporary table of the rows that update leads; it ends with the transaction."""
    extra = ", ".join(f"null::{kind} as {name}" for name, kind in EXTRA_COLUMNS.items())
    columns = "".join(f", {name}" for name in rules.columns)
    return (
        f"create temp table if not exists merge_rows on commit drop as select {extra}{columns} from leads where false"
    )


@lru_cache(maxsize=64)
def update_sql(rules: MergeRules) -> str:
    """Updates the leads of `merge_rows` where something changes, remembers what, and returns the rows that did (m_row).

    Binds: who updates, the job or null, and the tags to add where the rules have some. Unchanged leads are not
    touched; no lead may stand in `merge_rows` twice.
    """
    changes = tuple(_changes(rules))
    old = ", ".join(f"l.{change.column} as o_{change.column}" for change in changes)
    new = ", ".join(f"{change.value} as n_{change.column}" for change in changes)
    olds = ", ".join(f"o_{change.column}" for change in changes)
    news = ", ".join(f"n_{change.column}" for change in changes)
    sets = ", ".join(f"{change.column} = c.n_{change.column}" for change in changes)
    version = "null" if rules.trial else "version + 1"
    trial_notes = ", trial_notes = array_remove(array_append(l.trial_notes, c.m_note), null)" if rules.trial else ""
    return f"""
with pair as (
  select m.m_row, m.m_note, m.m_search, l.id, l.version, {old}, {new}
  from pg_temp.merge_rows m join {rules.target} l on l.id = m.m_target
), changed as (
  select pair.*, d.before, d.after from pair cross join lateral (
    select coalesce(jsonb_object_agg(k, b), '{{}}') as before, coalesce(jsonb_object_agg(k, a), '{{}}') as after
    from (values {_differences(changes)}) v(k, b, a, differs) where differs
  ) d
  where row({olds}) is distinct from row({news})
), written as (
  update {rules.target} l set {sets}, version = l.version + 1, updated_at = now(), updated_by = $1,
    search_text = coalesce(c.m_search, l.search_text), changed_xid = pg_current_xact_id(){trial_notes}
  from changed c where l.id = c.id
), logged as (
  insert into import_changes (job_id, row, lead_id, version_after, before, after)
  select $2, m_row, id, {version}, before, after from changed where $2::uuid is not null
)
select m_row from changed
"""


def _differences(changes: tuple[Change, ...]) -> str:
    rows = [
        f"('{change.column}', to_jsonb(o_{change.column}), to_jsonb(n_{change.column}), "
        f"o_{change.column} is distinct from n_{change.column})"
        for change in changes
        if change.shown
    ]
    rows.append("('notes', null, to_jsonb(m_note), m_note is not null)")
    return ", ".join(rows)


def _changes(rules: MergeRules) -> Iterator[Change]:
    for column in rules.written:
        if column not in _APART:
            yield from _column(rules, column)
    yield Change("national_id_cipher", "coalesce(m.m_cipher, l.national_id_cipher)")
    yield Change("national_id_last4", "coalesce(m.m_last4, l.national_id_last4)")
    yield Change("notes_count", "l.notes_count + (m.m_note is not null)::int", shown=False)
    if "custom" in rules.columns:
        yield Change("custom", _custom(rules))
    if "tags" in rules.written or rules.add_tags:
        yield Change("tags", _tags(rules))


def _column(rules: MergeRules, column: str) -> Iterator[Change]:
    applies = _applies(rules, column)
    yield Change(column, f"case when {applies} then {_value(column)} else l.{column} end")
    for follower in DERIVED_COLUMNS.get(column, ()):
        if follower in rules.columns:
            yield Change(follower, f"case when {applies} then m.{follower} else l.{follower} end")
    if column == "address_street" and rules.whole_address:
        for rest in _ADDRESS_REST:
            if rest not in rules.written:
                yield Change(rest, f"case when {applies} then null else l.{rest} end")


def _value(column: str) -> str:
    return f"coalesce(m.{column}, {_default(column)})" if column in _NEVER_NULL else f"m.{column}"


def _default(column: str) -> str:
    return "'{}'" if column in _LISTS else f"l.{column}"


def _applies(rules: MergeRules, column: str) -> str:
    """Whether the row may write the column of the lead."""
    conditions = [f"(m.m_untouched is null or '{column}' <> all (m.m_untouched))"]
    if rules.strategy is MergeStrategy.FILL_BLANKS:
        conditions.append(_blank(rules, column))
    if column in _INSTANTS:  # files show whole seconds
        conditions.append(f"{_shown(rules, f'm.{column}')} is distinct from {_shown(rules, f'l.{column}')}")
    if column == "address_street" and rules.whole_address:
        conditions.append(f"m.address_street is distinct from {_WHOLE_ADDRESS}")
    return " and ".join(conditions)


def _shown(rules: MergeRules, instant: str) -> str:
    zone = "" if rules.local_zone is None else " at time zone '" + rules.local_zone.replace("'", "''") + "'"
    return f"date_trunc('second', {instant}{zone})"


def _blank(rules: MergeRules, column: str) -> str:
    if column in _LISTS:
        return f"l.{column} = '{{}}'"
    if column == "source":
        return "l.source = 'UNKNOWN'"
    if column == "address_street" and rules.whole_address:
        return f"{_WHOLE_ADDRESS} is null"
    return f"l.{column} is null"


def _custom(rules: MergeRules) -> str:
    given = "(coalesce(m.custom, '{}'::jsonb) - coalesce(m.m_defaulted, '{}'::text[]))"
    if rules.strategy is MergeStrategy.FILL_BLANKS:
        return f"{given} || l.custom"
    return f"(l.custom || {given}) - coalesce(m.m_cleared, '{{}}'::text[])"


def _tags(rules: MergeRules) -> str:
    base = f"case when {_applies(rules, 'tags')} then {_value('tags')} else l.tags end"
    if "tags" not in rules.written:
        base = "l.tags"
    if not rules.add_tags:
        return base
    return (
        "(select t.base || array(select a from unnest($3::text[]) a where a <> all (t.base)) "
        f"from (select {base} as base) t)"
    )
