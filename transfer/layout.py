"""Which columns of `leads` an import writes, in the order of its COPY lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.fields import FIELDS
from domain.lead_values import DERIVED_COLUMNS, SEARCHED_FIELDS
from domain.vocabulary import LeadFieldKey, LeadSource
from transfer.cells import NULL, escape
from transfer.messages import ColumnOrigin, CopyColumn, OrganizationFacts
from transfer.targets import NOT_COPIED, Target
from transfer.validate_lists import EMPTY_LIST, array_literal

_K = LeadFieldKey
NEVER_BLANK: Final = frozenset({"source", "status_id", "created_at"})
"""Columns that no blank cell clears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`read` are columns with a value a row, in the order of the lines; `tail` the text of all others, with its TAB.

    `blanks` is what a new lead gets where a column that cannot be NULL has no value.
    """

    columns: tuple[CopyColumn, ...]
    read: tuple[str, ...]
    tail: str
    blanks: Mapping[str, str]


def layout_of(
    targets: Sequence[Target],
    facts: OrganizationFacts,
    constants: Mapping[str, str | None],
    *,
    now: str,
    tags: tuple[str, ...],
) -> Layout:
    """The layout for a file's targets; `now` is what `created_at` is where a file with that column leaves it blank."""
    read = [CopyColumn("id", ColumnOrigin.DERIVED), *_read_columns(targets), *_derived_columns(targets)]
    names = {column.name for column in read}
    fixed = {name: value for name, value in _fixed(facts, constants, tags).items() if name not in names}
    stage = _default_stage(facts)
    return Layout(
        columns=(*read, *(CopyColumn(name, ColumnOrigin.CONSTANT) for name in fixed)),
        read=tuple(column.name for column in read),
        tail="".join("\t" + (NULL if value is None else escape(value)) for value in fixed.values()),
        blanks={
            "source": LeadSource.UNKNOWN.name,
            "status_id": facts.default_status_id or NULL,
            "stage": stage or NULL,
            "created_at": now,
            "detected_languages": EMPTY_LIST,
            "ai_verification_reasons": EMPTY_LIST,
            "tags": escape(array_literal(list(tags))),
            "assignee_id": constants.get("assignee_id") or NULL,
        },
    )


def _read_columns(targets: Sequence[Target]) -> list[CopyColumn]:
    columns = list[CopyColumn]()
    for target in targets:
        if target.field is None or target.field in NOT_COPIED:
            continue
        name = FIELDS[target.field].column
        if name is not None:
            origin = ColumnOrigin.FILE if target.sources else ColumnOrigin.DEFAULT
            columns.append(CopyColumn(name, origin, target.field))
            followers = DERIVED_COLUMNS.get(name, ())
            columns += [CopyColumn(follower, ColumnOrigin.DERIVED, target.field) for follower in followers]
    return columns


def _derived_columns(targets: Sequence[Target]) -> list[CopyColumn]:
    fields = {target.field for target in targets}
    columns = [CopyColumn("search_text", ColumnOrigin.DERIVED)] if fields.intersection(SEARCHED_FIELDS) else []
    if _K.NOTES in fields:
        columns.append(CopyColumn("notes_count", ColumnOrigin.DERIVED, _K.NOTES))
    if any(target.custom is not None for target in targets):
        columns.append(CopyColumn("custom", ColumnOrigin.FILE))
    return columns


def _fixed(
    facts: OrganizationFacts, constants: Mapping[str, str | None], tags: tuple[str, ...]
) -> dict[str, str | None]:
    fixed: dict[str, str | None] = {"status_id": facts.default_status_id, "stage": _default_stage(facts)}
    if tags:
        fixed["tags"] = array_literal(list(tags))
    return fixed | dict(constants)


def _default_stage(facts: OrganizationFacts) -> str | None:
    return next((status.stage.name for status in facts.statuses if status.id == facts.default_status_id), None)
