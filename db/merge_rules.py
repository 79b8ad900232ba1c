"""What merging rows into leads is told, and what it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol
from uuid import UUID

from domain.imports import UPDATING
from domain.vocabulary import ImportIssueCode, MatchKey, MergeStrategy

__all__ = [
    "FIELD_OF",
    "KIND_OF",
    "MATCHED_BY",
    "WORDS_OF",
    "BlockOutcome",
    "MergeRows",
    "MergeRules",
    "Outcome",
    "RowProblem",
    "Sealer",
]

KIND_OF: Final[Mapping[MatchKey, str]] = {
    MatchKey.LEAD_ID: "I",
    MatchKey.EXTERNAL_ID: "X",
    MatchKey.PHONE: "P",
    MatchKey.EMAIL: "E",
}
"""The letter of a match key in `import_outcomes` and `import_keys`."""
FIELD_OF: Final[Mapping[MatchKey, str]] = {
    MatchKey.LEAD_ID: "lead_id",
    MatchKey.EXTERNAL_ID: "external_id",
    MatchKey.PHONE: "phone",
    MatchKey.EMAIL: "email",
}
"""The registry key of the field whose value a match key is."""
WORDS_OF: Final[Mapping[MatchKey, str]] = {
    MatchKey.LEAD_ID: "lead id",
    MatchKey.EXTERNAL_ID: "external id",
    MatchKey.PHONE: "phone",
    MatchKey.EMAIL: "e-mail",
}
"""A match key in the words of a message."""
MATCHED_BY: Final[Mapping[str, MatchKey]] = {letter: key for key, letter in KIND_OF.items()}


class Outcome:
    """The letters of `import_outcomes`, one for each row. FAILED: validation; REFUSALS: the merge."""

    CREATED: Final = "C"
    UPDATED: Final = "U"
    UNCHANGED: Final = "N"
    SKIPPED: Final = "S"
    SKIPPED_IN_FILE: Final = "D"
    FAILED: Final = "F"
    NO_MATCH: Final = "-"
    REFUSALS: Final[Mapping[ImportIssueCode, str]] = {
        ImportIssueCode.AMBIGUOUS_MATCH: "A",
        ImportIssueCode.VERSION_CONFLICT: "V",
        ImportIssueCode.UNKNOWN_REFERENCE: "R",
        ImportIssueCode.CONSTRAINT: "K",
        ImportIssueCode.UNKNOWN_VALUE: "O",
    }
    ALL_FAILED: Final = "FAVRKO"


class Sealer(Protocol):
    """Seals and opens national ids; a sealed text is bound to its lead."""

    def seal(self, plain: str, lead_id: str) -> str:
        """The text to store."""
        ...

    def open(self, sealed: str, lead_id: str) -> str | None:
        """What was sealed, None where that cannot be read any more."""
        ...


@dataclass(frozen=True, kw_only=True)
class MergeRules:
    """How rows become leads.

    `columns` are those of the rows' COPY lines. `written` are the columns that an update of an existing lead writes;
    what follows from them (keys, stage, search text) is written along. `whole_address`: `address_street` holds the
    whole address on one line. `job_id` None: no import, nothing is kept for an undo.
    `trial`: nothing is written to leads; the would-be leads are remembered for later rows of the same job.
    `local_zone`: the time zone whose clocks the rows' instants were read from; the hour that a clock shows twice is
    the same as long as the clock shows the same. None: the instants are exact.
    `reviewed_at`: the snapshot (text of `pg_snapshot`) of a plan: leads changed since are refused.
    """

    organization_id: UUID
    job_id: UUID | None
    strategy: MergeStrategy
    match_on: tuple[MatchKey, ...]
    active_only: bool
    columns: tuple[str, ...]
    written: tuple[str, ...]
    whole_address: bool = False
    add_tags: tuple[str, ...] = ()
    actor_name: str
    trial: bool = False
    reviewed_at: str | None = None
    local_zone: str | None = None

    @property
    def target(self) -> str:
        """The relation that rows are merged into."""
        return "pg_temp.trial_leads" if self.trial else "leads"

    @cached_property
    def stage(self) -> int | None:
        """The place of the stage in a COPY line."""
        return self.columns.index("stage") if "stage" in self.columns else None

    @property
    def updates(self) -> bool:
        """Whether a row may change a lead that is there already."""
        return self.strategy in UPDATING


@dataclass(frozen=True, kw_only=True)
class MergeRows:
    """Valid rows: parallel lists, one entry a row; a whole list is None where no row has such a value.

    `ids` are the ids of new leads, as text like all ids here. `copy` holds COPY text lines of `MergeRules.columns`, one
    a row. `numbers` are the rows' places in the file. `untouched` are PostgreSQL array literals of
    columns (or `notes`, `national_id`) that must not change an existing lead (empty list: none).
    `cleared_custom` are custom keys to remove, `defaulted_custom` those that only a new lead gets.
    `finished` are rows that an earlier retry has brought in: they are skipped.
    `retired` are rows whose status is out of use, with why they must make or move no lead.
    """

    ids: Sequence[str]
    numbers: Sequence[int]
    copy: bytes
    keys: Mapping[MatchKey, Sequence[str | None]] = field(default_factory=dict[MatchKey, Sequence[str | None]])
    versions: Sequence[int | None] | None = None
    untouched: Sequence[str] = ()
    notes: Sequence[str | None] | None = None
    national_ids: Sequence[str | None] | None = None
    cleared_custom: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    defaulted_custom: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    finished: frozenset[int] = frozenset()
    retired: "Mapping[int, RowProblem]" = field(default_factory=dict[int, "RowProblem"])

    @cached_property
    def lines(self) -> list[bytes]:
        """The COPY lines one by one, each with its line break."""
        return self.copy.splitlines(keepends=True)

    def key(self, kind: MatchKey, index: int) -> str | None:
        """The row's value of a match key."""
        values = self.keys.get(kind)
        return None if values is None else values[index]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a valid row could not be merged. `index` is its place in MergeRows."""

    index: int
    code: ImportIssueCode
    message: str
    field: str | None = None
    value: str | None = None
    suggestion: str | None = None


@dataclass(slots=True)
class BlockOutcome:
    """What became of each row: letters of `Outcome`, ids of leads, letters of KIND_OF or NO_MATCH."""

    outcomes: list[str]
    lead_ids: list[str | None]
    matched: list[str]
    problems: list[RowProblem] = field(default_factory=list[RowProblem])

    @classmethod
    def of(cls, rows: int) -> "BlockOutcome":
        """Nothing decided yet."""
        return cls([""] * rows, [None] * rows, [Outcome.NO_MATCH] * rows)

    def settle(self, index: int, outcome: str, lead_id: str | None, matched: str = Outcome.NO_MATCH) -> None:
        """Decide a row."""
        self.outcomes[index] = outcome
        self.lead_ids[index] = lead_id
        self.matched[index] = matched

    def refuse(self, problem: RowProblem, matched: str = Outcome.NO_MATCH) -> None:
        """Fail a row."""
        self.settle(problem.index, Outcome.REFUSALS[problem.code], None, matched)
        self.problems.append(problem)

    def count(self, *letters: str) -> int:
        """How many rows had one of these outcomes."""
        return sum(self.outcomes.count(letter) for letter in letters)
