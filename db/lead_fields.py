"""Each field of the GraphQL types that are served from rows: what it reads and how the value is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import func, literal_column, or_
from sqlalchemy.types import Integer

from db.columns import EXPRESSIONS, Join, LeadRow, Source, of, own
from db.expressions import Truth
from domain.fields import FIELDS
from domain.ids import IdKind
from domain.vocabulary import FieldType, LeadFieldKey

__all__ = ["LEAD", "STATUS", "TYPES", "Computed", "Field", "Joined", "Leaf", "Part", "RowType", "Write", "presence"]

_K = LeadFieldKey


class Write(StrEnum):
    """How a value becomes JSON; instants are left to the encoder."""

    PLAIN = "PLAIN"
    DECIMAL = "DECIMAL"
    URL = "URL"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value. `key`: the registry entry whose mask hides it. `id`: the kind of identifier that it shows."""

    source: Source
    key: LeadFieldKey | None = None
    write: Write = Write.PLAIN
    id: IdKind | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """An object made of the lead's own columns, null where `columns` hold nothing."""

    type: "RowType"
    columns: tuple[str, ...]
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """A row that the lead refers to. `key`: the registry entry whose mask hides all of it."""

    type: "RowType"
    join: Join
    key: LeadFieldKey | None = None
    nullable: bool = True


class Computed(StrEnum):
    """Fields with a making of their own."""

    MASKED_FIELDS = "MASKED_FIELDS"
    NATIONAL_ID = "NATIONAL_ID"
    IMPORT_JOB = "IMPORT_JOB"
    NOTES = "NOTES"
    LEAD_COUNT = "LEAD_COUNT"


Field = Leaf | Part | Joined | Computed


@dataclass(frozen=True, slots=True)
class RowType:
    """A GraphQL type and its fields by their names."""

    name: str
    fields: Mapping[str, Field]


def _of_registry(prefix: str = "") -> dict[str, Field]:
    """The leaves that the registry places in the lead itself, or in the object called `prefix`."""
    place = (prefix,) if prefix else ()
    return {
        field.path[-1]: Leaf(EXPRESSIONS[field.key], field.key, _write(field.key))
        for field in FIELDS.values()
        if field.path and field.path[:-1] == place
    }


def _write(key: LeadFieldKey) -> Write:
    if key is _K.CONVERSATION_URL:
        return Write.URL
    return Write.DECIMAL if FIELDS[key].type is FieldType.DECIMAL else Write.PLAIN


def _plain(join: Join, *names: str) -> dict[str, Field]:
    return {name: Leaf(of(join, name)) for name in names}


def _company(join: Join) -> RowType:
    fields = {
        "id": Leaf(of(join, "id"), id=IdKind.COMPANY),
        "name": Leaf(of(join, "name")),
        "externalId": Leaf(of(join, "external_id")),
    }
    return RowType("Company", fields)


STATUS: Final = RowType(
    "LeadStatus",
    {
        "id": Leaf(of(Join.STATUS, "id"), id=IdKind.STATUS),
        **_plain(Join.STATUS, "key", "label", "stage", "position", "color", "active"),
        "leadCount": Computed.LEAD_COUNT,
    },
)
_CHATBOT: Final = RowType(
    "Chatbot",
    {
        "id": Leaf(of(Join.CHATBOT, "id"), id=IdKind.CHATBOT),
        "name": Leaf(of(Join.CHATBOT, "name")),
        "company": Joined(_company(Join.CHATBOT_COMPANY), Join.CHATBOT_COMPANY, _K.COMPANY_ID),
    },
)
_USER: Final = RowType(
    "User",
    {
        "id": Leaf(of(Join.ASSIGNEE, "id"), id=IdKind.USER),
        "externalId": Leaf(of(Join.ASSIGNEE, "external_id")),
        **_plain(Join.ASSIGNEE, "name", "email", "role", "active"),
    },
)


def _part(name: str, prefix: str, *further: str, lists: tuple[str, ...] = (), **fields: Leaf) -> Part:
    """`further` columns decide like those of the registry whether there is anything."""
    entries = [field for field in FIELDS.values() if field.path[:-1] == (prefix,)]
    columns = [field.column for field in entries if field.column and field.column not in lists]
    return Part(RowType(name, {**_of_registry(prefix), **fields}), (*columns, *further), lists)


LEAD: Final = RowType(
    "Lead",
    {
        **_of_registry(),
        "id": Leaf(own("id"), id=IdKind.LEAD),
        "nationalId": Computed.NATIONAL_ID,
        "address": _part("Address", "address"),
        "status": Joined(STATUS, Join.STATUS, nullable=False),
        "ai": _part("AiVerification", "ai", lists=("ai_verification_reasons",)),
        "session": _part("LeadSession", "session"),
        "engagement": _part("Engagement", "engagement"),
        "conversion": _part("Conversion", "conversion"),
        "lastCall": _part(
            "CallSummary",
            "lastCall",
            "last_call_duration_seconds",
            durationSeconds=Leaf(own("last_call_duration_seconds")),
        ),
        "company": Joined(_company(Join.COMPANY), Join.COMPANY, _K.COMPANY_ID),
        "chatbot": Joined(_CHATBOT, Join.CHATBOT, _K.CHATBOT_ID),
        "assignee": Joined(_USER, Join.ASSIGNEE, _K.ASSIGNEE),
        "notes": Computed.NOTES,
        "customFields": Leaf(own("custom")),
        "importJob": Computed.IMPORT_JOB,
        "maskedFields": Computed.MASKED_FIELDS,
    },
)


def _types(row_type: RowType) -> dict[str, RowType]:
    found = {row_type.name: row_type}
    for field in row_type.fields.values():
        if isinstance(field, Part | Joined):
            found |= _types(field.type)
    return found


TYPES: Final[Mapping[str, RowType]] = _types(LEAD)
"""Every type that is served from rows, by its GraphQL name."""


def presence(part: Part, row: LeadRow) -> Truth:
    """Whether any column of the part holds something."""
    zero = literal_column("0", Integer())
    known = func.num_nonnulls(*(row.lead.c[name] for name in part.columns)) > zero
    filled = (func.cardinality(row.lead.c[name]) > zero for name in part.lists)
    return or_(known, *filled)
