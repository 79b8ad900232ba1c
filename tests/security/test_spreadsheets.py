"""What a spreadsheet makes of our files: LibreOffice opens them without one formula (SECURITY-TESTS 25)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from domain.vocabulary import JobFileRole
from tests.resolvers.office import Desk, Office, uuid
from tests.security.test_masks import EXPORT
from tests.security.world import World

SOFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(SOFFICE is None, reason="soffice (LibreOffice) is not here")
EVALUATING = "CSV:44,34,76,1,,0,false,true,false,false,false,-1,true"
"""UTF-8, commas, special numbers recognised: as people open a file by a double click."""
FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    " =1+1",
    "\n=1+1",
    "'=1+1",
    '"=1+1',
    "＝1+1",
    "＋1+1",
    "=cmd|'/c calc'!A1",
    "\u200b=1+1",
    "\ufeff=1+1",
    '="a"&"b"',
    "''=1+1",
    ";=1+1",
    ",=1+1",
)
SPEC = {"columns": [{"field": name} for name in ("NAME", "NOTES", "TAGS", "ADDRESS_STREET", "COMPANY_NAME")]}
LEAD = """mutation ($l: LeadInput!) { createLead(input: {lead: $l, onDuplicate: CREATE_NEW}) {
  lead { id } userErrors { code message path } } }"""
ERRORS = """mutation ($id: ID!) { importLeads(input: {source: {uploadId: $id}, waitSeconds: 30,
  options: {required: [NAME, PHONE]}}) { job { id } userErrors { code message } } }"""


@pytest.fixture(scope="module")
async def desk(office: Office) -> Desk:
    desk = await office.desk()
    for text in FORMULAS:
        lead = {"name": text, "notes": text, "tags": [text], "address": {"street": text}, "companyName": text}
        made = (await desk.ask(LEAD, l={**lead, "source": "WEB"}))["createLead"]
        assert made["userErrors"] == []
    return desk


async def exported(desk: Desk, **spec: object) -> bytes:
    made = (await desk.ask(EXPORT, input={"spec": {**SPEC, **spec}, "waitSeconds": 30}))["exportLeads"]
    assert made["userErrors"] == []
    return await content(desk, made["job"]["id"], JobFileRole.DATA)


async def content(desk: Desk, job: str, role: JobFileRole) -> bytes:
    (row,) = await desk.rows("select key from app.job_files where job_id = $2 and role = $3", uuid(job), role)
    return b"".join([piece async for piece in desk.runtime.store.read(str(row["key"]))])


def formulas(folder: Path, name: str, data: bytes) -> list[str]:
    """The formulas that LibreOffice finds in a file."""
    (folder / name).write_bytes(data)
    read = [f"--infilter={EVALUATING}"] if name.endswith(".csv") else []
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [SOFFICE, profile, "--headless", *read, "--convert-to", "fods", "--outdir", str(folder), name]
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=180)
    text = (folder / name).with_suffix(".fods").read_text(encoding="utf-8")
    assert text.count("<table:table-row") > len(FORMULAS) / 2
    return re.findall(r'table:formula="([^"]*)"', text)


async def test_s25_libreoffice_finds_no_formula_in_an_exported_csv(desk: Desk, tmp_path: Path) -> None:
    assert formulas(tmp_path, "leads.csv", await exported(desk)) == []
    bare = await exported(desk, file={"escapeFormulas": False})
    assert "of:=1+1" in formulas(tmp_path, "bare.csv", bare), "without the guard there are some"


async def test_s25_libreoffice_finds_no_formula_in_an_exported_workbook(desk: Desk, tmp_path: Path) -> None:
    assert formulas(tmp_path, "leads.xlsx", await exported(desk, format="XLSX")) == []


async def test_s25_libreoffice_finds_no_formula_in_an_error_file(desk: Desk, tmp_path: Path) -> None:
    world = World(desk)
    rows = "".join('"{}","{}"\n'.format(text.replace('"', '""'), text.replace('"', '""')) for text in FORMULAS)
    upload = await world.uploaded(f"name,address,phone\n{rows}".encode())
    made = (await desk.ask(ERRORS, id=upload))["importLeads"]
    assert made["userErrors"] == []
    assert formulas(tmp_path, "errors.csv", await content(desk, made["job"]["id"], JobFileRole.ERRORS)) == []
