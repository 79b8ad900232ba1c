"""Whatever options an export combines, its file holds the leads asked for, each once and in the order asked for."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from random import Random

import openpyxl
import pytest
import zstandard
from pyarrow import parquet

from domain.exports import ColumnSpec, ExportSpec, FileOptions, LeadOrder
from domain.ids import IdKind, format_id, new_id
from domain.paging import Count
from domain.vocabulary import (
    Compression,
    ExportFormat,
    ExportProfile,
    HeaderStyle,
    JobState,
    LeadFieldKey,
    LeadSortField,
    SortDirection,
    SplitBy,
)
from jobs.export_preview import preview_export
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.db.export_rows import add_lead
from tests.jobs.exporting import Exporting

STATUSES = ("new", "contacted", "won", "lost")
COLUMNS = tuple(ColumnSpec(field=key) for key in (LeadFieldKey.LEAD_ID, LeadFieldKey.NAME, LeadFieldKey.SCORE))
FILTERS = {
    "l.score >= 10": {"score": {"gte": 10}},
    "l.score >= 1000": {"score": {"gte": 1000}},
    "s.key in ('won', 'new')": {"status": {"in": ["won", "new"]}},
    "l.name = 'Zoé'": {"search": "zoé"},
}
"""By what PostgreSQL is asked for the same leads."""
NAMES = ("דנה", "=1+1", 'a,"b"\nc', "x;y", None, " ", "'quoted", "tab\tin", "Zoé")


@pytest.fixture
async def exporting(runtime: Runtime, new_organization: MakeOrganization) -> Exporting:
    organization, random = await new_organization("acme"), Random(7)
    async with runtime.database.unit(organization.id) as connection:
        companies = [None, *(new_id() for _ in range(3))]
        for company in companies[1:]:
            await connection.execute(
                "insert into companies (id, name, name_key) values ($1, 'Acme', $2)", company, str(company)
            )
        for number in range(60):
            name = random.choice(NAMES)
            values = {"name": name, "score": random.choice([None, *range(number)]), "search_text": (name or "").lower()}
            await add_lead(connection, **values, status=random.choice(STATUSES), company_id=random.choice(companies))
    return Exporting(runtime, organization)


def _drawn(random: Random, ids: list[str]) -> dict[str, object]:
    """Options that may stand together."""
    split = random.choice([None, None, SplitBy.STATUS, SplitBy.COMPANY])
    excel = random.choice([ExportProfile.EXCEL, ExportProfile.PLAIN])
    drawn = {
        "format": random.choice(list(ExportFormat)),
        "split_by": split,
        "compression": random.choice([None, *([Compression.ZIP] if split else list(Compression))]),
        "limit": random.choice([None, None, 1, 7, 59, 60, 1_000]),
        "ids": random.choice([None, tuple(random.sample(ids, 20))]),
        "filter": random.choice([None, *FILTERS.values()]),
        "order_by": random.choice([None, *(LeadOrder(field, way) for field in LeadSortField for way in SortDirection)]),
        "file": FileOptions(
            profile=excel,
            delimiter=random.choice([None, ";", "\t", "|"]),
            bom=random.choice([None, True, False]),
            header_style=HeaderStyle.KEY,
        ),
    }
    return {name: value for name, value in drawn.items() if value is not None}


async def _expected(exporting: Exporting, spec: Mapping[str, object]) -> list[str]:
    """The ids asked for, as PostgreSQL sorts them."""
    order = spec.get("order_by", LeadOrder())
    column = {LeadSortField.NAME: 'lower(l.name) collate "C"'}.get(order.field, f"l.{order.field.lower()}")
    wanted = next((sql for sql, given in FILTERS.items() if given == spec.get("filter")), "true")
    sql = f"""select l.id from app.leads l join app.statuses s on s.id = l.status_id
        where {wanted} and ($2::text[] is null or 'lead_' || l.id = any ($2::text[]))
        order by {column} {order.direction} nulls last, l.id {order.direction} limit $3"""
    ids = spec.get("ids")
    rows = await exporting.runtime.database.read(
        exporting.organization.id, sql, list(ids) if ids else None, spec.get("limit")
    )
    return [format_id(IdKind.LEAD, row["id"]) for row in rows]


def _members(data: bytes, spec: Mapping[str, object]) -> list[bytes]:
    """The files, unpacked."""
    if spec.get("split_by") or spec.get("compression") is Compression.ZIP:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [archive.read(name) for name in archive.namelist()]
    unpack: Mapping[object, Callable[[bytes], bytes]] = {
        Compression.GZIP: gzip.decompress,
        Compression.ZSTD: lambda packed: zstandard.ZstdDecompressor().decompressobj().decompress(packed),
    }
    return [unpack.get(spec.get("compression"), bytes)(data)]


def _ids(data: bytes, spec: Mapping[str, object]) -> list[str]:
    match spec.get("format", ExportFormat.CSV):
        case ExportFormat.CSV:
            text = io.StringIO(data.decode("utf-8-sig"), newline="")
            return [row["lead_id"] for row in csv.DictReader(text, delimiter=spec["file"].delimiter or ",")]
        case ExportFormat.XLSX:
            header, *rows = openpyxl.load_workbook(io.BytesIO(data))["Leads"].iter_rows(values_only=True)
            assert header[0] == "lead_id"
            return [row[0] for row in rows]
        case ExportFormat.JSON:
            return [lead["lead_id"] for lead in json.loads(data)]
        case ExportFormat.JSONL:
            return [json.loads(line)["lead_id"] for line in data.splitlines()]
        case ExportFormat.TXT:
            lines = data.decode().split("\n")
            return [line.removeprefix("lead_id: ") for line in lines if line.startswith("lead_id: ")]
        case ExportFormat.PARQUET:
            return parquet.read_table(io.BytesIO(data))["lead_id"].to_pylist()


@pytest.mark.parametrize("seed", range(12))
async def test_any_options_together_give_the_leads_asked_for(exporting: Exporting, seed: int) -> None:
    random = Random(seed)
    rows = await exporting.runtime.database.read(exporting.organization.id, "select id from app.leads order by id")
    ids = [format_id(IdKind.LEAD, row["id"]) for row in rows]
    for _ in range(12):
        spec = _drawn(random, ids)
        job = await exporting.export(columns=COLUMNS, **spec)
        assert job.state is JobState.COMPLETED, (spec, job.failure)
        expected, data = await _expected(exporting, spec), await exporting.bytes(job)
        parts = [_ids(part, spec) for part in _members(data, spec)]
        assert sorted(one for part in parts for one in part) == sorted(expected), spec
        assert [sorted(part, key=expected.index) for part in parts] == parts, spec
        assert (await exporting.file(job)).rows == len(expected), spec


@pytest.mark.parametrize("seed", range(6))
async def test_a_preview_shows_what_the_file_of_any_options_begins_with(exporting: Exporting, seed: int) -> None:
    random, organization = Random(100 + seed), exporting.organization
    rows = await exporting.runtime.database.read(organization.id, "select id from app.leads order by id")
    ids = [format_id(IdKind.LEAD, row["id"]) for row in rows]
    for _ in range(12):
        spec = {**_drawn(random, ids), "format": ExportFormat.CSV, "columns": random.choice([COLUMNS, None])}
        spec = {name: value for name, value in spec.items() if name not in {"split_by", "compression"}}
        first = random.choice([1, 5, 100])
        preview = await preview_export(exporting.runtime, exporting.actor, organization, ExportSpec(**spec), first)
        data = await exporting.bytes(await exporting.export(**spec))
        delimiter = spec["file"].delimiter or ","
        header, *cells = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter)
        assert [column.header for column in preview.columns] == header, spec
        assert [[cell or "" for cell in row] for row in preview.rows] == cells[:first], spec
        assert preview.row_count == Count(len(cells)), spec
