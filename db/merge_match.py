"""Which leads the rows of a block mean: one look-up for each match key, the same for every strategy and for plans."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.merge_rules import KIND_OF, MergeRows, MergeRules
from db.stages import CLOSED
from domain.vocabulary import MatchKey

__all__ = [
    "COLUMN_OF",
    "IDENTITIES",
    "LEAD_STATE",
    "KeyOf",
    "Match",
    "Matches",
    "deciding_key",
    "look_up",
    "look_up_sql",
]

IDENTITIES: Final = frozenset({MatchKey.LEAD_ID, MatchKey.EXTERNAL_ID})
"""Keys that name a lead, whatever its stage; the others only tell duplicates, within the duplicate scope."""
LEAD_STATE: Final = "L"
"""The kind of `import_keys` that holds a whole would-be lead; its key is the lead's id."""

KeyOf = tuple[MatchKey, str]
COLUMN_OF: Final[Mapping[MatchKey, str]] = {
    MatchKey.LEAD_ID: "id",
    MatchKey.EXTERNAL_ID: "external_id",
    MatchKey.PHONE: "phone_key",
    MatchKey.EMAIL: "email_key",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A lead that a key means. `own`: this import created it, so that its row stands in the same file."""

    lead_id: str
    version: int
    own: bool
    active: bool
    keys: tuple[KeyOf, ...] = ()


Matches = Mapping[KeyOf, Sequence[Match]]


def deciding_key(rules: MergeRules, rows: MergeRows, index: int) -> KeyOf | None:
    """The first match key that the row has a value for; None: the row is a new lead."""
    for kind in rules.match_on:
        value = rows.key(kind, index)
        if value is not None:
            return kind, value
    return None


async def look_up(connection: Connection, rules: MergeRules, keys: Collection[KeyOf]) -> Matches:
    """The leads that the keys mean, at most two a key: more make no difference."""
    found: dict[KeyOf, list[Match]] = {}
    values_of: dict[MatchKey, list[str]] = {}
    for kind, value in keys:
        values_of.setdefault(kind, []).append(value)
    for kind, values in values_of.items():
        sql = look_up_sql(kind, active_only=rules.active_only and kind not in IDENTITIES, trial=rules.trial)
        for row in await connection.fetch(sql, values, rules.job_id):
            match = Match(str(row["id"]), row["version"], row["own"], row["active"], _keys(row))
            found.setdefault((kind, row["key"]), []).append(match)
    return found


def _keys(row: Row) -> tuple[KeyOf, ...]:
    pairs = ((kind, row[COLUMN_OF[kind]]) for kind in (MatchKey.EXTERNAL_ID, MatchKey.PHONE, MatchKey.EMAIL))
    return tuple((kind, str(value)) for kind, value in pairs if value is not None)


@cache
def look_up_sql(kind: MatchKey, *, active_only: bool, trial: bool) -> str:
    """Binds: the keys, the job. Two leads a key, so that a value which thousands of leads share costs no more."""
    comparison = "l.id = k.key::uuid" if kind is MatchKey.LEAD_ID else f"l.{COLUMN_OF[kind]} = k.key"
    active = f" and l.stage not in {CLOSED}" if active_only else ""
    leads = f"""
      select l.id, l.version, coalesce(l.import_job_id = $2::uuid, false) as own,
        l.stage not in {CLOSED} as active, l.external_id, l.phone_key, l.email_key
      from leads l where {comparison}{active}"""
    source = f"{leads} order by l.id limit 2"
    if trial:
        source = f"select * from ({leads} and {_NOT_TOUCHED} union all {_would_be(kind)}) both_ order by id limit 2"
    return f"select k.key, m.* from unnest($1::text[]) k(key) cross join lateral ({source}) m"


_NOT_TOUCHED: Final = f"""(
      select true from import_keys t where t.job_id = $2 and t.kind = '{LEAD_STATE}' and t.key = l.id::text limit 1
      ) is null"""
"""As a subquery with a limit it is one look-up a lead; a join would read all keys where there are no statistics."""


def _would_be(kind: MatchKey) -> str:
    letter = LEAD_STATE if kind is MatchKey.LEAD_ID else KIND_OF[kind]
    return f"""
      select t.lead_id, coalesce((s.state ->> 'version')::int, 1),
        coalesce(s.state ->> 'import_job_id' = $2::text, true),
        coalesce(s.state ->> 'stage' not in {CLOSED}, true),
        s.state ->> 'external_id', s.state ->> 'phone_key', s.state ->> 'email_key'
      from import_keys t
      left join lateral (select o.state from import_keys o
        where o.job_id = $2 and o.kind = '{LEAD_STATE}' and o.key = t.lead_id::text limit 1) s on true
      where t.job_id = $2 and t.kind = '{letter}' and t.key = k.key"""


def uuids(ids: Collection[str]) -> list[UUID]:
    """Ids as the driver takes them."""
    return [UUID(value) for value in ids]
