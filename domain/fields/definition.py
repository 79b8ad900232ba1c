"""What a column is, and short ways to declare the usual kinds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.vocabulary import FieldType, LeadFieldKey

CUSTOM_PREFIX: Final = "custom."
MAX_CUSTOM_FIELDS: Final = 200
MAX_CUSTOM_LENGTH: Final = 32_768
MAX_LIST_ITEMS: Final = 200
LIST_SEPARATORS: Final = ";,"
INT_MAX: Final = 2_147_483_647
"""The largest number of an integer column."""
Vocabulary = type[StrEnum]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadField:
    """One column.

    `path` is where the GraphQL Lead shows it (empty: files only). `column` is the column of `leads` that an import
    writes (None: written elsewhere or never). `aliases` are further headers it is recognised by, compared without
    case, accents and separators. `enum` names the closed vocabulary; the organization's statuses are open.
    """

    key: LeadFieldKey
    label: str
    type: FieldType
    path: tuple[str, ...] = ()
    column: str | None = None
    aliases: tuple[str, ...] = ()
    importable: bool = True
    exportable: bool = True
    sensitive: bool = False
    enum: Vocabulary | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    example: str | None = None


def text(key: LeadFieldKey, label: str, path: str, length: int, *aliases: str, example: str | None = None) -> LeadField:
    """A text of at most `length` characters."""
    column = key.value
    return LeadField(
        key=key,
        label=label,
        type=FieldType.TEXT,
        path=tuple(path.split(".")),
        column=column,
        aliases=aliases,
        max_length=length,
        example=example,
    )


def instant(key: LeadFieldKey, label: str, path: str, *aliases: str, importable: bool = True) -> LeadField:
    """An instant."""
    return LeadField(
        key=key,
        label=label,
        type=FieldType.DATETIME,
        path=tuple(path.split(".")),
        column=key.value,
        aliases=aliases,
        importable=importable,
        example="2024-01-15 14:30:22",
    )


def integer(key: LeadFieldKey, label: str, path: str, maximum: int, *aliases: str, example: str = "3") -> LeadField:
    """A whole number from 0 to `maximum`."""
    return LeadField(
        key=key,
        label=label,
        type=FieldType.INTEGER,
        path=tuple(path.split(".")),
        column=key.value,
        aliases=aliases,
        minimum=0,
        maximum=maximum,
        example=example,
    )


def enumeration(
    key: LeadFieldKey, label: str, path: str, vocabulary: type[StrEnum], *aliases: str, importable: bool = True
) -> LeadField:
    """One of a closed vocabulary."""
    return LeadField(
        key=key,
        label=label,
        type=FieldType.ENUM,
        path=(path,),
        column=key.value,
        aliases=aliases,
        enum=vocabulary,
        importable=importable,
        example=next(iter(vocabulary)).value.lower(),
    )


def listing(key: LeadFieldKey, label: str, path: str, example: str, *aliases: str) -> LeadField:
    """A list of short texts."""
    return LeadField(
        key=key,
        label=label,
        type=FieldType.LIST,
        path=tuple(path.split(".")),
        column=key.value,
        aliases=aliases,
        max_length=1_000,
        example=example,
    )


def shown(key: LeadFieldKey, label: str, kind: FieldType, path: str, *aliases: str) -> LeadField:
    """A column that files and queries show and nobody imports."""
    return LeadField(
        key=key, label=label, type=kind, path=tuple(path.split(".")) if path else (), aliases=aliases, importable=False
    )


def status(key: LeadFieldKey, label: str, path: str, *aliases: str, example: str = "new") -> LeadField:
    """The organization's status, however a file names it."""
    return LeadField(
        key=key,
        label=label,
        type=FieldType.ENUM,
        path=tuple(path.split(".")),
        column="status_id",
        aliases=aliases,
        max_length=200,
        example=example,
    )


def reference(
    key: LeadFieldKey, label: str, path: str, column: str, *aliases: str, kind: FieldType = FieldType.TEXT
) -> LeadField:
    """A record of the organization, by its id or name."""
    return LeadField(
        key=key, label=label, type=kind, path=tuple(path.split(".")), column=column, aliases=aliases, max_length=300
    )
