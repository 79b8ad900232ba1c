"""Files to fill in: headers with example rows; a workbook has a second sheet that explains each field."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from domain.fields import DEFAULT_REQUIRED, FIELDS, LIST_SEPARATORS, STATUS_FIELDS, LeadField
from domain.json import JsonValue
from domain.vocabulary import FieldType, ImportFormat, LeadFieldKey
from transfer import xlsx_parts as parts
from transfer.write_zip import ZipWriter

_K = LeadFieldKey
_BOM: Final = "\ufeff"
_SHEETS: Final = ("Leads", "Fields")
_EXPLAINED: Final = ("Column", "Key", "Required", "Type", "Allowed values", "Example", "Also recognised as")
_WIDTHS: Final = (26, 26, 10, 12, 60, 30, 60)
_WIDTH: Final = 22
_DATE_FORMAT: Final = "yyyy-mm-dd hh:mm:ss"
_LEFT_OUT: Final = frozenset(
    {_K.LEAD_ID, _K.VERSION, _K.STATUS_ID, _K.STATUS_NAME, _K.COMPANY_ID, _K.CHATBOT_ID, _K.ADDRESS}
)
"""Fields of round trips and second names of others: in a template only where they are asked for."""

_SHORT_ROW: Final = {_K.NAME: "Kim Example", _K.PHONE: "+12025550123", _K.SOURCE: "phone"}
"""The second example: a row with what a lead needs and no more."""

_ALLOWED: Final = {
    FieldType.DECIMAL: "an amount such as 1200.50",
    FieldType.BOOLEAN: "yes, no",
    FieldType.DATETIME: "a date such as 2024-01-15 or 2024-01-15 14:30:22",
    FieldType.LIST: f"several values with {LIST_SEPARATORS[0]} between them",
    FieldType.PHONE: "a phone number, with + and country code where it is foreign",
    FieldType.EMAIL: "an e-mail address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFacts:
    """`statuses` are the organization's labels in order; `moment` is the time that a workbook's parts carry."""

    statuses: Sequence[str]
    moment: datetime
    required: Sequence[LeadFieldKey] = DEFAULT_REQUIRED


def template_fields(asked: Sequence[LeadFieldKey] | None) -> list[LeadField]:
    """The columns of a template: what was asked for and can be imported, or all that people fill in."""
    keys = asked if asked is not None else [key for key in FIELDS if key not in _LEFT_OUT]
    return [FIELDS[key] for key in dict.fromkeys(keys) if FIELDS[key].importable]


def template_file(kind: ImportFormat, fields: Sequence[LeadField], facts: TemplateFacts) -> bytes:
    """The file; the import that it is filled in for takes every example as it stands."""
    match kind:
        case ImportFormat.CSV:
            return _csv(fields, facts)
        case ImportFormat.XLSX:
            return _workbook(fields, facts)
        case ImportFormat.JSON:
            return json.dumps(_objects(fields, facts), ensure_ascii=False, indent=2).encode() + b"\n"
        case ImportFormat.JSONL:
            return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in _objects(fields, facts))
        case _:
            assert_never(kind)


def example_rows(fields: Sequence[LeadField], facts: TemplateFacts) -> list[tuple[str, ...]]:
    """A row with whatever may be filled in, and one with what a lead needs. A status is one of the organization's."""
    status = facts.statuses[0] if facts.statuses else ""
    full = tuple(status if field.key in STATUS_FIELDS else field.example or "" for field in fields)
    short = tuple(_SHORT_ROW.get(field.key, "") for field in fields)
    return [row for row in (full, short) if any(row)]


def _csv(fields: Sequence[LeadField], facts: TemplateFacts) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([[field.label for field in fields], *example_rows(fields, facts)])
    return (_BOM + out.getvalue()).encode()


def _objects(fields: Sequence[LeadField], facts: TemplateFacts) -> list[dict[str, JsonValue]]:
    return [
        {field.key.value: _typed(field, text) for field, text in zip(fields, row, strict=True) if text}
        for row in example_rows(fields, facts)
    ]


def _typed(field: LeadField, text: str) -> JsonValue:
    match field.type:
        case FieldType.INTEGER:
            return int(text)
        case FieldType.LIST:
            return [*text.split(LIST_SEPARATORS[0])]
        case _:
            return text


def _workbook(fields: Sequence[LeadField], facts: TemplateFacts) -> bytes:
    archive = ZipWriter(facts.moment)
    examples = b"".join(parts.text_row(row) for row in example_rows(fields, facts))
    leads = parts.sheet_start([field.label for field in fields], [_WIDTH] * len(fields)) + examples + parts.SHEET_END
    rows = b"".join(parts.text_row(tuple(_explanation(field, facts))) for field in fields)
    explained = parts.sheet_start(_EXPLAINED, _WIDTHS) + rows + parts.SHEET_END
    members = (
        ("[Content_Types].xml", parts.content_types(len(_SHEETS))),
        ("_rels/.rels", parts.relationships()),
        ("xl/workbook.xml", parts.workbook(_SHEETS)),
        ("xl/_rels/workbook.xml.rels", parts.workbook_relationships(len(_SHEETS))),
        ("xl/styles.xml", parts.styles(_DATE_FORMAT)),
        ("xl/worksheets/sheet1.xml", leads),
        ("xl/worksheets/sheet2.xml", explained),
    )
    return b"".join(archive.write(name, data) for name, data in members) + archive.finish()


def _explanation(field: LeadField, facts: TemplateFacts) -> Iterator[str]:
    yield field.label
    yield field.key.value
    yield "yes" if field.key in facts.required else "no"
    yield field.type.value.replace("_", " ").lower()
    yield allowed_values(field, facts.statuses)
    yield field.example or ""
    yield ", ".join(field.aliases)


def allowed_values(field: LeadField, statuses: Sequence[str]) -> str:
    """What may stand in a field's cells, in words."""
    if field.key in STATUS_FIELDS:
        return ", ".join(statuses)
    if field.enum is not None:
        return ", ".join(member.name.lower() for member in field.enum)
    if field.type is FieldType.INTEGER:
        return f"a whole number from {field.minimum:,} to {field.maximum:,}"
    longest = f"text of at most {field.max_length:,} characters" if field.max_length else "text"
    return _ALLOWED.get(field.type, longest)
