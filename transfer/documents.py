"""Leads that callers write one by one or push in small lots, judged by the rules of a file's rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from domain.documents import FieldInput, LeadDocument
from domain.fields import FIELDS, LIST_SEPARATORS
from domain.imports import ColumnMapping, Detected, Dialect, ImportOptions, Issue
from domain.json import JsonValue
from domain.vocabulary import DateOrder, DetectionConfidence, ImportFormat, LeadFieldKey
from transfer.copy_lines import Assembler
from transfer.layout import layout_of
from transfer.mapping import FileHeader, map_columns
from transfer.messages import CopyColumn, NewCompany, OrganizationFacts, Position, Ready
from transfer.read_csv import Records
from transfer.readers import Companies, Readers
from transfer.validate import RowJudge

__all__ = ["JudgedDocuments", "judge_documents"]

_GIVEN: Final = DetectionConfidence.GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDocuments:
    """`ready.rows` and `Issue.row` are the documents' places, from 0; documents in `failed` are not ready."""

    copy_columns: tuple[CopyColumn, ...]
    custom_keys: tuple[str, ...]
    ready: Ready
    failed: frozenset[int]
    issues: tuple[Issue, ...]
    companies: tuple[NewCompany, ...]


def judge_documents(
    documents: Sequence[LeadDocument],
    options: ImportOptions,
    facts: OrganizationFacts,
    constants: Mapping[str, str | None],
    clear: Iterable[LeadFieldKey] = (),
) -> JudgedDocuments:
    """Judge the documents. What one leaves out stays as it is in a lead that is there.

    An empty text or list does what `options.blank_cells` says; `clear` empties fields where that is CLEAR.

    Raises ValueError where custom keys are too many or no keys at all.
    """
    emptied = tuple(clear)
    fields = _fields(documents, options, emptied)
    custom = tuple(dict.fromkeys(key for document in documents for key in document.custom))
    headers = tuple([FIELDS[key].label for key in fields] + list(custom))
    mapping = [ColumnMapping(index=index, field=key) for index, key in enumerate(fields)]
    mapping += [ColumnMapping(index=len(fields) + index, custom=key) for index, key in enumerate(custom)]
    plan = map_columns(FileHeader(names=headers), mapping, options, facts.custom_keys)
    if plan.problems:
        raise ValueError(plan.problems[0].message)
    companies = Companies(dict(facts.companies))
    readers = Readers(options=options, dialect=_dialect(facts), facts=facts, companies=companies)
    judge = RowJudge(plan, readers, options, facts)
    now = datetime.now(UTC).isoformat(sep=" ", timespec="microseconds")
    layout = layout_of(plan.targets, facts, constants, now=now, tags=options.add_tags)
    assembler = Assembler(layout=layout, plan=plan, options=options, companies=companies)
    judged = judge.judge(_records(documents, fields, custom))
    kept = [index not in judged.log.failed for index in range(judged.count)]
    ready = assembler.ready(judged, kept)
    return JudgedDocuments(
        copy_columns=layout.columns,
        custom_keys=plan.custom_keys,
        ready=_leaving(ready, documents, fields, (custom, emptied)),
        failed=frozenset(judged.log.failed),
        issues=tuple(judged.log.issues(judged.records.numbers, None, len(documents) * len(headers) + 1)),
        companies=assembler.new_companies(judged, kept),
    )


def _fields(
    documents: Sequence[LeadDocument], options: ImportOptions, clear: tuple[LeadFieldKey, ...]
) -> list[LeadFieldKey]:
    """Every field that a document has, with those that it must have."""
    given = dict.fromkeys(key for document in documents for key in document.values)
    return list(given | dict.fromkeys(clear) | dict.fromkeys(options.required)) or [LeadFieldKey.NAME]


def _records(documents: Sequence[LeadDocument], fields: Sequence[LeadFieldKey], custom: Sequence[str]) -> Records:
    rows = [
        [
            *("" if (value := document.values.get(key)) is None else _cell(value) for key in fields),
            *(_custom_cell(document.custom.get(key)) for key in custom),
        ]
        for document in documents
    ]
    return Records(rows=rows, numbers=list(range(len(rows))), lines=[], next=Position(), suspect=True)


def _leaving(
    ready: Ready,
    documents: Sequence[LeadDocument],
    fields: Sequence[LeadFieldKey],
    named: tuple[Sequence[str], Sequence[LeadFieldKey]],
) -> Ready:
    """Marks what a document leaves out as untouched, and the custom keys that it removes as cleared."""
    custom, clear = named
    emptied = {_column(key) for key in clear}
    untouched = [
        _with(
            literal, [_column(key) for key in fields if key not in documents[row].values and key not in clear], emptied
        )
        for row, literal in zip(ready.rows, ready.untouched, strict=bool(ready.untouched))
    ]
    cleared = {
        index: removed
        for index, row in enumerate(ready.rows)
        if (
            removed := tuple(
                key for key in custom if key in documents[row].custom and documents[row].custom[key] is None
            )
        )
    }
    return msgspec.structs.replace(ready, untouched=untouched, cleared_custom=cleared)


def _with(literal: str, columns: Iterable[str | None], emptied: Collection[str | None]) -> str:
    names = [name for name in (*literal.strip("{}").split(","), *columns) if name and name not in emptied]
    return "{" + ",".join(dict.fromkeys(names)) + "}"


def _column(key: LeadFieldKey) -> str | None:
    return FIELDS[key].column


def _cell(value: FieldInput) -> str:
    match value:
        case StrEnum():
            return value.name
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ")
        case tuple():
            return ";".join(_item(item) for item in value)
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def _item(text: str) -> str:
    """An item of a list, quoted as in CSV where it holds what separates items."""
    if any(mark in text for mark in (*LIST_SEPARATORS, '"')):
        return '"' + text.replace('"', '""') + '"'
    return text


def _custom_cell(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return msgspec.json.encode(value).decode()


def _dialect(facts: OrganizationFacts) -> Dialect:
    return Dialect(
        format=ImportFormat.JSON,
        encoding=Detected("utf-8", _GIVEN),
        delimiter=Detected(",", _GIVEN),
        quote='"',
        escape=None,
        header_row=1,
        date_order=Detected(DateOrder.YMD.value, _GIVEN),
        decimal_mark=Detected(".", _GIVEN),
        time_zone=facts.time_zone,
        bom=False,
    )
