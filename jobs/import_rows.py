"""From what the parsing child says to what the merge asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.merge_rules import BlockOutcome, MergeRows, MergeRules, Outcome, RowProblem
from domain.imports import ImportOptions, Issue
from domain.lead_values import FOLLOWERS
from domain.vocabulary import DuplicateScope, LeadFieldKey, MatchKey
from transfer.messages import ColumnOrigin, CopyColumn, NewCompany, Ready

__all__ = ["Writer", "rows_of", "rules_of", "unused_companies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who merges, and for which job; `trial` and `reviewed_at` as in MergeRules."""

    organization_id: UUID
    name: str
    job_id: UUID | None = None
    trial: bool = False
    reviewed_at: str | None = None


def rules_of(
    columns: Sequence[CopyColumn],
    options: ImportOptions,
    scope: DuplicateScope,
    writer: Writer,
    *,
    local_zone: str | None = None,
) -> MergeRules:
    """The rules of merging rows with these columns; `scope` is the organization's, `local_zone` as in MergeRules."""
    written = [column for column in columns if column.origin is ColumnOrigin.FILE and column.name not in FOLLOWERS]
    return MergeRules(
        organization_id=writer.organization_id,
        job_id=writer.job_id,
        strategy=options.merge_strategy,
        match_on=options.match_on,
        active_only=(options.duplicate_scope or scope) is DuplicateScope.ACTIVE,
        columns=tuple(column.name for column in columns),
        written=tuple(column.name for column in written),
        whole_address=any(column.field is LeadFieldKey.ADDRESS for column in written),
        add_tags=options.add_tags,
        actor_name=writer.name,
        trial=writer.trial,
        reviewed_at=None if writer.trial else writer.reviewed_at,
        local_zone=local_zone,
    )


def rows_of(ready: Ready, renamed: dict[str, str], finished: frozenset[int] = frozenset()) -> MergeRows:
    """The valid rows of a block; `renamed` are companies that somebody else made first, by the child's id."""
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
        defaulted_custom=ready.defaulted_custom,
        finished=finished,
        retired={index: _problem(index, issue) for index, issue in ready.retired.items()},
    )


def unused_companies(companies: Sequence[NewCompany], outcome: BlockOutcome) -> frozenset[str]:
    """Companies that only rows name which wrote nothing."""
    written = {Outcome.CREATED, Outcome.UPDATED}
    return frozenset(
        company.id for company in companies if not any(outcome.outcomes[index] in written for index in company.rows)
    )


def _problem(index: int, issue: Issue) -> RowProblem:
    return RowProblem(index, issue.code, issue.message, issue.field, issue.value, issue.suggestion)
