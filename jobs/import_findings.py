"""What a block's rows came to, as reports keep it: outcomes in file order, issues, exact groups."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from db.import_reports import RowOutcomes
from db.merge_rules import FIELD_OF, MATCHED_BY, WORDS_OF, BlockOutcome, MergeRows, Outcome, RowProblem
from domain.imports import MAX_STORED_ISSUES, ImportCounts, Issue, IssueGroup
from domain.vocabulary import ImportIssueCode, Severity
from transfer.messages import Block, Opened

__all__ = ["Findings", "MergedBlock", "row_outcomes"]

MAX_STORED_DUPLICATES: Final = 10_000
"""Skipped rows are told one by one up to here, so that they do not crowd out errors."""


_SKIPPED: Final = {
    Outcome.SKIPPED: (ImportIssueCode.DUPLICATE_EXISTING, "there is a lead with this {} already"),
    Outcome.SKIPPED_IN_FILE: (ImportIssueCode.DUPLICATE_IN_FILE, "an earlier row has the same {}"),
}


@dataclass(frozen=True, slots=True)
class MergedBlock:
    """A block with its rows as they were merged and what became of them."""

    block: Block
    rows: MergeRows
    outcome: BlockOutcome


class Findings:
    """Reads merged blocks of one file."""

    def __init__(self, opened: Opened) -> None:
        self._headers = {column.field: column.header for column in opened.columns if column.field}

    def counts(self, merged: MergedBlock) -> ImportCounts:
        """How many rows came to what; warnings are rows with a warning and no error, skipped ones among them."""
        outcome = merged.outcome
        skipped = outcome.count(Outcome.SKIPPED, Outcome.SKIPPED_IN_FILE)
        warned = sum(1 for index in merged.block.ready.warned if outcome.outcomes[index] in _KEPT)
        return ImportCounts(
            created=outcome.count(Outcome.CREATED),
            updated=outcome.count(Outcome.UPDATED),
            unchanged=outcome.count(Outcome.UNCHANGED),
            skipped=skipped,
            failed=outcome.count(*Outcome.ALL_FAILED) + len(merged.block.failed_rows),
            warnings=warned + skipped,
        )

    def issues(self, merged: MergedBlock, stored: int) -> list[Issue]:
        """The single issues to keep, in row order, where so many are kept already."""
        refused = [self._refused(merged, problem) for problem in merged.outcome.problems]
        duplicates = list(self._duplicates(merged, MAX_STORED_DUPLICATES - stored))
        found = [*merged.block.issues, *refused, *duplicates]
        if refused or duplicates:
            found.sort(key=lambda issue: issue.row)
        return found[: max(0, MAX_STORED_ISSUES - stored)]

    def groups(self, merged: MergedBlock) -> list[IssueGroup]:
        """Every issue of the block, counted."""
        refused = [self._refused(merged, problem) for problem in merged.outcome.problems]
        return [*merged.block.groups, *_grouped(refused), *self._duplicate_groups(merged)]

    def _duplicates(self, merged: MergedBlock, most: int) -> Iterator[Issue]:
        for index, letter in enumerate(merged.outcome.outcomes):
            if letter in _SKIPPED and merged.outcome.matched[index] != Outcome.NO_MATCH:
                if most <= 0:
                    return
                most -= 1
                key = MATCHED_BY[merged.outcome.matched[index]]
                code, reason = _SKIPPED[letter]
                problem = RowProblem(index, code, f"Skipped: {reason.format(WORDS_OF[key])}.", FIELD_OF[key])
                problem = replace(problem, value=merged.rows.key(key, index))
                yield self._issue(merged, problem, Severity.WARNING)

    def _duplicate_groups(self, merged: MergedBlock) -> Iterator[IssueGroup]:
        outcome = merged.outcome
        pairs = list(zip(outcome.outcomes, outcome.matched, strict=True))
        for (letter, matched), count in Counter(pairs).items():
            if letter not in _SKIPPED or matched == Outcome.NO_MATCH:
                continue
            key = MATCHED_BY[matched]
            code, reason = _SKIPPED[letter]
            yield IssueGroup(
                code=code,
                severity=Severity.WARNING,
                column=self._headers.get(FIELD_OF[key]),
                field=FIELD_OF[key],
                value=None,
                rows=count,
                first_row=merged.rows.numbers[pairs.index((letter, matched))],
                message=f"Skipped: {reason.format(WORDS_OF[key])}.",
            )

    def _refused(self, merged: MergedBlock, problem: RowProblem) -> Issue:
        return self._issue(merged, problem, Severity.ERROR)

    def _issue(self, merged: MergedBlock, problem: RowProblem, severity: Severity) -> Issue:
        ready = merged.block.ready
        return Issue(
            row=ready.rows[problem.index],
            line=None if ready.lines is None else ready.lines[problem.index],
            column=self._headers.get(problem.field or ""),
            field=problem.field,
            code=problem.code,
            severity=severity,
            message=problem.message,
            value=problem.value,
            suggestion=problem.suggestion,
        )


def row_outcomes(merged: MergedBlock) -> RowOutcomes:
    """All rows of the block in file order, those that validation refused among them."""
    ready, failed = merged.block.ready, merged.block.failed_rows
    rows = [*ready.rows, *failed]
    found = RowOutcomes(
        rows=rows,
        lines=None if ready.lines is None else [*ready.lines, *(merged.block.failed_lines or [0] * len(failed))],
        letters=[*merged.outcome.outcomes, *(Outcome.FAILED * len(failed))],
        lead_ids=[*merged.outcome.lead_ids, *([None] * len(failed))],
        matched=[*merged.outcome.matched, *(Outcome.NO_MATCH * len(failed))],
        source_rows=None if ready.source_rows is None else [*ready.source_rows, *([None] * len(failed))],
    )
    return found.ordered(sorted(range(len(rows)), key=rows.__getitem__)) if failed else found


_KEPT: Final = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED})


def _grouped(issues: Sequence[Issue]) -> list[IssueGroup]:
    groups: dict[tuple[ImportIssueCode, str | None, str | None], list[Issue]] = {}
    for issue in issues:
        groups.setdefault((issue.code, issue.field, issue.value), []).append(issue)
    return [
        IssueGroup(
            code=code,
            severity=Severity.ERROR,
            column=found[0].column,
            field=field,
            value=value,
            rows=len(found),
            first_row=min(issue.row for issue in found),
            message=found[0].message,
            suggestion=found[0].suggestion,
        )
        for (code, field, value), found in groups.items()
    ]
