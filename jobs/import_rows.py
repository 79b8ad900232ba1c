"""From what the parsing child says to what the merge asks for."""

from typing import Final
from uuid import UUID

from db.merge_columns import DERIVED
from db.merge_rules import MergeRows, MergeRules
from domain.imports import ImportSpec
from domain.vocabulary import DuplicateScope, LeadFieldKey, MatchKey
from transfer.messages import Block, ColumnOrigin, Opened

__all__ = ["rows_of", "rules_of"]

_DERIVED: Final = frozenset(follower for followers in DERIVED.values() for follower in followers)


def rules_of(
    opened: Opened, spec: ImportSpec, scope: DuplicateScope, job: tuple[UUID, UUID, str], *, trial: bool
) -> MergeRules:
    """The rules of a pass; `job` is the organization, the job, and the name of who imports."""
    organization_id, job_id, actor_name = job
    columns = opened.copy_columns
    written = [column for column in columns if column.origin is ColumnOrigin.FILE and column.name not in _DERIVED]
    return MergeRules(
        organization_id=organization_id,
        job_id=job_id,
        strategy=spec.options.merge_strategy,
        match_on=spec.options.match_on,
        active_only=(spec.options.duplicate_scope or scope) is DuplicateScope.ACTIVE,
        columns=tuple(column.name for column in columns),
        written=tuple(column.name for column in written),
        whole_address=any(column.field is LeadFieldKey.ADDRESS for column in written),
        add_tags=spec.options.add_tags,
        actor_name=actor_name,
        trial=trial,
        reviewed_at=None if trial else spec.reviewed_at_xid,
    )


def rows_of(block: Block, renamed: dict[str, str], finished: frozenset[int]) -> MergeRows:
    """The valid rows of a block; `renamed` are companies that somebody else made first, by the child's id."""
    ready = block.ready
    copy = ready.copy
    for given, existing in renamed.items():
        copy = copy.replace(given.encode(), existing.encode())
    keys = {
        MatchKey.LEAD_ID: ready.lead_ids,
        MatchKey.EXTERNAL_ID: ready.external_ids,
        MatchKey.PHONE: ready.phone_keys,
        MatchKey.EMAIL: ready.email_keys,
    }
    return MergeRows(
        ids=ready.ids,
        numbers=ready.rows,
        copy=copy,
        keys={kind: values for kind, values in keys.items() if values is not None},
        versions=ready.versions,
        untouched=ready.untouched,
        notes=ready.notes,
        national_ids=ready.national_ids,
        cleared_custom=ready.cleared_custom,
        finished=finished,
    )
