"""What becomes of each row of a block: pure decisions, made in file order as if the rows were merged one by one.

A batch ends early where a row depends on what an update before it does to another lead's keys; the caller then
carries the batch out, looks up again and goes on. That is rare, and keeps blocks of any size equal to single rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from db.merge_match import IDENTITIES, KeyOf, Match, Matches
from db.merge_rules import (
    FIELD_OF,
    KIND_OF,
    WORDS_OF,
    BlockOutcome,
    MergeRows,
    MergeRules,
    Outcome,
    RowProblem,
)
from db.stages import line_is_active
from domain.vocabulary import ImportIssueCode, MatchKey, MergeStrategy

__all__ = ["Batch", "Update", "decide"]


@dataclass(frozen=True, slots=True)
class Update:
    """A row that may change a lead. Rows of one lead have growing rounds: each sees what the one before did."""

    index: int
    lead_id: str
    kind: MatchKey
    round: int


@dataclass(slots=True)
class Batch:
    """Rows that can be carried out together: first the creates, then the updates round by round. Ends before `stop`."""

    creates: list[int] = field(default_factory=list[int])
    updates: list[Update] = field(default_factory=list[Update])
    stop: int = 0


def decide(rules: MergeRules, rows: MergeRows, matches: Matches, outcome: BlockOutcome, start: int) -> Batch:
    """Decide the rows from `start` on: skipped and failed ones in `outcome`, the others in the batch."""
    if rules.strategy is MergeStrategy.CREATE_NEW:
        kept_out = rows.finished | rows.retired.keys()
        creates = [index for index in range(start, len(rows.ids)) if index not in kept_out]
        for index in rows.retired:
            outcome.refuse(rows.retired[index])
        for index in rows.finished:
            outcome.settle(index, Outcome.SKIPPED, None)
        return Batch(creates, [], len(rows.ids))
    return _Decider(rules, rows, matches, outcome).run(start)


class _Decider:
    def __init__(self, rules: MergeRules, rows: MergeRows, matches: Matches, outcome: BlockOutcome) -> None:
        self.rules = rules
        self.rows = rows
        self.matches = matches
        self.outcome = outcome
        self.batch = Batch()
        self.made: dict[KeyOf, tuple[int, ...]] = {}
        self.kinds = [(kind, rows.keys[kind]) for kind in rules.match_on if kind in rows.keys]
        self.lasting = [(kind, values) for kind, values in self.kinds if kind is not MatchKey.LEAD_ID]
        self.rounds: dict[str, int] = {}
        self.dirty: set[KeyOf] = set()
        self.rekeyed: set[tuple[str, MatchKey]] = set()

    def run(self, start: int) -> Batch:
        for index in range(start, len(self.rows.ids)):
            key = self._deciding_key(index)
            if index in self.rows.finished:
                self.outcome.settle(index, Outcome.SKIPPED, None)
                continue
            if key is None or (key not in self.matches and key not in self.made and key not in self.dirty):
                self._decide_absent(index, key)
                continue
            found = self.matches.get(key, ())
            if key in self.made:
                found = (*found, *self._made_before(key))
            if self._depends(index, key, found):
                self.batch.stop = index
                return self.batch
            self._decide(index, key, found)
        self.batch.stop = len(self.rows.ids)
        return self.batch

    def _decide(self, index: int, key: KeyOf, found: Sequence[Match]) -> None:
        if not found:
            self._decide_absent(index, key)
        elif self.rules.strategy is MergeStrategy.SKIP:
            letter = Outcome.SKIPPED_IN_FILE if found[0].own else Outcome.SKIPPED
            self.outcome.settle(index, letter, found[0].lead_id, KIND_OF[key[0]])
        elif len(found) > 1:
            message = f"Several leads have this {WORDS_OF[key[0]]}: it cannot be told which one is meant."
            self._refuse(index, key[0], ImportIssueCode.AMBIGUOUS_MATCH, message)
        else:
            self._update(index, key, found[0])

    def _deciding_key(self, index: int) -> KeyOf | None:
        """As `deciding_key`, for the columns of this block."""
        for kind, values in self.kinds:
            value = values[index]
            if value is not None:
                return kind, value
        return None

    def _decide_absent(self, index: int, key: KeyOf | None) -> None:
        if key is not None and key[0] is MatchKey.LEAD_ID:
            self._refuse(index, key[0], ImportIssueCode.UNKNOWN_REFERENCE, "There is no lead with this id.")
        else:
            self._create(index)

    def _create(self, index: int) -> None:
        if index in self.rows.retired:
            self.outcome.refuse(self.rows.retired[index])
            return
        self.batch.creates.append(index)
        for kind, values in self.lasting:
            value = values[index]
            if value is not None:
                key = (kind, value)
                self.made[key] = (*self.made[key], index) if key in self.made else (index,)

    def _made_before(self, key: KeyOf) -> list[Match]:
        """The leads of this key that earlier rows of the batch create."""
        any_stage = key[0] in IDENTITIES or not self.rules.active_only
        return [
            Match(self.rows.ids[index], 1, True, active, tuple(self._keys(index)))
            for index in self.made[key]
            if (active := self._active(index)) or any_stage
        ]

    def _update(self, index: int, key: KeyOf, lead: Match) -> None:
        version = None if self.rows.versions is None else self.rows.versions[index]
        if version is not None and version != lead.version:
            message = (
                f"The lead was changed since this file was made: it has version {lead.version} now, not {version}."
            )
            self._refuse(index, key[0], ImportIssueCode.VERSION_CONFLICT, message)
            return
        order = self.rounds.get(lead.lead_id, 0)
        self.rounds[lead.lead_id] = order + 1
        self.batch.updates.append(Update(index, lead.lead_id, key[0], order))
        self._note_keys(index, key[0], lead)

    def _note_keys(self, index: int, kind: MatchKey, lead: Match) -> None:
        """Remember which keys the update may give the lead or take from it."""
        for other in self.rows.keys:
            if other not in (kind, MatchKey.LEAD_ID):
                self.rekeyed.add((lead.lead_id, other))
                value = self.rows.key(other, index)
                if value is not None:
                    self.dirty.add((other, value))
        if "status_id" in self.rules.written and self._active(index) != lead.active:
            self.rekeyed.update((lead.lead_id, other) for other in self.rules.match_on if other not in IDENTITIES)
            self.dirty.update((*lead.keys, *self._keys(index)))

    def _depends(self, index: int, key: KeyOf, found: Sequence[Match]) -> bool:
        """Whether an update of this batch must be carried out before the row can be decided."""
        if not self.rounds:
            return False
        if key in self.dirty or any((lead.lead_id, key[0]) in self.rekeyed for lead in found):
            return True
        versioned = self.rows.versions is not None and self.rows.versions[index] is not None
        return versioned and any(lead.lead_id in self.rounds for lead in found)

    def _keys(self, index: int) -> list[KeyOf]:
        return [(kind, value) for kind, values in self.lasting if (value := values[index]) is not None]

    def _active(self, index: int) -> bool:
        return line_is_active(self.rows.lines[index], self.rules.stage)

    def _refuse(self, index: int, kind: MatchKey, code: ImportIssueCode, message: str) -> None:
        self.outcome.refuse(RowProblem(index, code, message, FIELD_OF[kind]), KIND_OF[kind])
