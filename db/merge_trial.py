"""A trial merge: the same statements as the real one, against a temporary copy of the leads that a batch touches.

What the rows would make of them is remembered in `import_keys` for the batches after: the keys of would-be leads and,
where a later row may change them, the whole lead as JSON. The table is unlogged: a crash of the database empties it,
which `remembers` tells, and the plan is made again from the file's beginning.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final
from uuid import UUID

from sqlalchemy import DefaultClause

from db.connections import Connection
from db.merge_decisions import Batch
from db.merge_match import COLUMN_OF, IDENTITIES, LEAD_STATE, uuids
from db.merge_rules import KIND_OF, MergeRows, MergeRules
from db.stages import CLOSED, line_is_active
from db.tables import leads
from domain.vocabulary import MatchKey

__all__ = ["begin_trial", "forget", "load_targets", "open_trial", "remember", "remembers"]

_BEGUN: Final = "0"
_COLUMNS: Final = ", ".join(column.name for column in leads.columns)


async def begin_trial(connection: Connection, job_id: UUID) -> None:
    """Forget earlier plans of the job and mark that its keys are being remembered."""
    await forget(connection, job_id)
    await connection.execute(
        "insert into import_keys (job_id, kind, key, lead_id, row) values ($1, $2, '', $1, 0)", job_id, _BEGUN
    )


async def remembers(connection: Connection, job_id: UUID) -> bool:
    """Whether the keys of the job's earlier blocks are still there."""
    sql = "select exists (select from import_keys where job_id = $1 and kind = $2)"
    return bool(await connection.fetchval(sql, job_id, _BEGUN))


async def forget(connection: Connection, job_id: UUID) -> None:
    """Remove what was remembered for the job."""
    await connection.execute("delete from import_keys where job_id = $1", job_id)


async def open_trial(connection: Connection) -> None:
    """Make the temporary leads of this transaction, empty, with the defaults of the real ones."""
    await connection.execute(
        "create temp table if not exists trial_leads on commit drop as "
        "select leads.*, null::text[] as trial_notes from leads where false"
    )
    await connection.execute(_defaults())
    await connection.execute("truncate pg_temp.trial_leads")


async def load_targets(connection: Connection, rules: MergeRules, ids: Collection[str]) -> None:
    """Copy the leads to be updated, as earlier rows of the file would have made them."""
    await connection.execute(_LOAD_TOUCHED, uuids(ids), rules.job_id)
    await connection.execute(_LOAD, uuids(ids))


async def remember(connection: Connection, rules: MergeRules, rows: MergeRows, batch: Batch) -> None:
    """Keep what the batch would have written for the batches after it."""
    if rules.updates:
        touched = {rows.ids[index] for index in batch.creates} | {update.lead_id for update in batch.updates}
        await _remember_leads(connection, rules, touched)
    else:
        await _remember_keys(connection, rules, rows, batch)


async def _remember_keys(connection: Connection, rules: MergeRules, rows: MergeRows, batch: Batch) -> None:
    records = [
        (rules.job_id, KIND_OF[kind], value, rows.ids[index], rows.numbers[index])
        for index in batch.creates
        for kind in rules.match_on
        if kind is not MatchKey.LEAD_ID and (value := rows.key(kind, index)) is not None
        if kind in IDENTITIES or not rules.active_only or line_is_active(rows.lines[index], rules.stage)
    ]
    columns = ("job_id", "kind", "key", "lead_id", "row")
    await connection.copy_records_to_table("import_keys", schema_name="store", columns=columns, records=records)


async def _remember_leads(connection: Connection, rules: MergeRules, touched: Collection[str]) -> None:
    await connection.execute(
        "delete from import_keys where job_id = $1 and lead_id = any($2)", rules.job_id, uuids(touched)
    )
    await connection.execute(_STATES, rules.job_id)
    for kind in rules.match_on:
        if kind is MatchKey.LEAD_ID:
            continue
        active = f" and stage not in {CLOSED}" if rules.active_only and kind not in IDENTITIES else ""
        column = COLUMN_OF[kind]
        await connection.execute(
            "insert into import_keys (job_id, kind, key, lead_id, row) "
            f"select $1, $2, {column}, id, 0 from pg_temp.trial_leads where {column} is not null{active}",
            rules.job_id,
            KIND_OF[kind],
        )


_STATES: Final = f"""
insert into import_keys (job_id, kind, key, lead_id, row, state)
select $1, '{LEAD_STATE}', id::text, id, 0, to_jsonb(t) from pg_temp.trial_leads t
"""
_LOAD_TOUCHED: Final = f"""
insert into pg_temp.trial_leads
select r.* from import_keys k cross join lateral jsonb_populate_record(null::pg_temp.trial_leads, k.state) r
where k.job_id = $2 and k.kind = '{LEAD_STATE}' and k.lead_id = any($1)
"""
_LOAD: Final = f"""
insert into pg_temp.trial_leads ({_COLUMNS})
select {_COLUMNS} from leads where id = any($1) and id not in (select id from pg_temp.trial_leads)
"""


@lru_cache(maxsize=1)
def _defaults() -> str:
    defaults = {column.name: column.server_default for column in leads.columns}
    changes = [
        f"alter column {name} set default {_default_sql(default.arg)}"
        for name, default in defaults.items()
        if isinstance(default, DefaultClause)
    ]
    return f"alter table pg_temp.trial_leads {', '.join(changes)}"


def _default_sql(default: object) -> str:
    return f"'{default}'" if isinstance(default, str) else str(default)
