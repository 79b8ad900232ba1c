"""What a file is read into: targets with their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.fields import CUSTOM_PREFIX
from domain.imports import ImportColumn
from domain.vocabulary import LeadFieldKey
from transfer.messages import MappingProblem

NOT_COPIED: Final = frozenset(
    {LeadFieldKey.LEAD_ID, LeadFieldKey.VERSION, LeadFieldKey.NOTES, LeadFieldKey.NATIONAL_ID}
)
"""Fields whose values travel beside the COPY lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceColumn:
    """A column that a target is read from; `values` replaces exact cells (None: makes them blank)."""

    index: int
    values: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A field or custom field with the columns it is read from, in mapping order.

    `default` serves blank cells and, where `values` is given, cells that it does not list. Without columns the default
    is the value of every row.
    """

    field: LeadFieldKey | None = None
    custom: str | None = None
    sources: tuple[SourceColumn, ...] = ()
    default: str | None = None

    @property
    def is_copied(self) -> bool:
        """Whether its text stands in the COPY lines as it is."""
        return self.field is not None and self.field not in NOT_COPIED

    @property
    def name(self) -> str:
        """The registry key (`phone`) or `custom.<key>`."""
        return self.field.value if self.field else f"{CUSTOM_PREFIX}{self.custom}"


@dataclass(slots=True, kw_only=True)
class MappedColumns:
    """The plan for a file's columns. `import_column` and `row_column` are those of our own error file."""

    headers: tuple[str, ...]
    targets: list[Target] = field(default_factory=list[Target])
    columns: list[ImportColumn] = field(default_factory=list[ImportColumn])
    problems: list[MappingProblem] = field(default_factory=list[MappingProblem])
    custom_keys: tuple[str, ...] = ()
    import_column: int | None = None
    row_column: int | None = None


def column_name(headers: Sequence[str], index: int) -> str:
    """How a column is called in messages."""
    return headers[index] if index < len(headers) and headers[index] else f"column {index + 1}"
