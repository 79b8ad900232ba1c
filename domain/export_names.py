"""Names of exported files."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.filter_text import file_name_part
from domain.filters import AllOf, Condition, LeadFilter, Operator
from domain.vocabulary import Compression, ExportFormat, LeadFieldKey

EXTENSIONS: Final = {
    ExportFormat.CSV: ".csv",
    ExportFormat.XLSX: ".xlsx",
    ExportFormat.JSON: ".json",
    ExportFormat.JSONL: ".jsonl",
    ExportFormat.TXT: ".txt",
    ExportFormat.PARQUET: ".parquet",
}
CONTENT_TYPES: Final = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.JSON: "application/json",
    ExportFormat.JSONL: "application/x-ndjson",
    ExportFormat.TXT: "text/plain; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
PACKED_TYPES: Final = {
    Compression.ZIP: "application/zip",
    Compression.GZIP: "application/gzip",
    Compression.ZSTD: "application/zstd",
}
_PACKED: Final = {
    Compression.NONE: "",
    Compression.ZIP: ".zip",
    Compression.GZIP: ".gz",
    Compression.ZSTD: ".zst",
}
_TOKENS: Final = ("status", "date", "time", "compact", "format", "filter", "organization")
_LONGEST: Final = 120
FALLBACK: Final = "leads_export"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts:
    """What the tokens of a name stand for. `moment` is in the zone of the file; of `masked` fields no value is told."""

    moment: datetime
    format: ExportFormat
    compression: Compression
    organization: str
    leads: LeadFilter
    masked: Collection[LeadFieldKey] = ()


def file_name(pattern: str, facts: NameFacts) -> str:
    """The pattern with its tokens filled in, of `[A-Za-z0-9._-]` alone, at most 120 characters and the extension."""
    return with_extension(_stem(pattern, facts), facts.format, facts.compression)


def with_extension(stem: str, file_format: ExportFormat, compression: Compression) -> str:
    """`leads` as `leads.csv.gz`; an archive is called `leads.zip`. An extension that is there already stays single."""
    inner, outer = EXTENSIONS[file_format], _PACKED[compression]
    stem = stem.removesuffix(outer).removesuffix(inner)
    return f"{stem}{outer}" if compression is Compression.ZIP else f"{stem}{inner}{outer}"


def part_name(name: str, file_format: ExportFormat) -> str:
    """The name of a file inside an archive: `leads.zip` holds `leads.csv`."""
    return name.removesuffix(".zip") + EXTENSIONS[file_format]


def clean(text: str) -> str:
    """The text in `[A-Za-z0-9._-]`: every other run of characters becomes one underscore, none leads or trails."""
    return re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9._-]+", "_", text)).strip("_.")


def unknown_token(pattern: str) -> str | None:
    """The first `{token}` that no name knows, None where all are known."""
    return next((token for token in re.findall(r"\{([^{}]*)\}", pattern) if token not in _TOKENS), None)


def _stem(pattern: str, facts: NameFacts) -> str:
    values = {
        "status": _status(facts.leads),
        "date": facts.moment.strftime("%Y-%m-%d"),
        "time": facts.moment.strftime("%H%M%S"),
        "compact": facts.moment.strftime("%Y%m%d_%H%M%S"),
        "format": facts.format.lower(),
        "filter": file_name_part(facts.leads, facts.masked),
        "organization": facts.organization,
    }
    filled = re.sub(r"\{([a-z]+)\}", lambda token: values.get(token.group(1), ""), pattern)
    return clean(filled)[:_LONGEST].rstrip("_.") or FALLBACK


def _status(leads: LeadFilter) -> str:
    """The statuses that the filter asks for, `all` where it asks for none."""
    conditions = leads.items if isinstance(leads, AllOf) else (leads,)
    for condition in conditions:
        match condition:
            case Condition(known, Operator.EQ, value) if known.name == "status":
                return str(value)
            case Condition(known, Operator.IN, tuple(values)) if known.name == "status":
                return "_".join(str(value) for value in values)
            case _:
                continue
    return "all"
