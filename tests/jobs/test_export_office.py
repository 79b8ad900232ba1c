"""What LibreOffice reads in exported files: every script, dates as dates, numbers as numbers, texts as texts."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from domain.exports import ColumnSpec, FileOptions
from domain.records import OrganizationRecord
from domain.vocabulary import ExportFormat, ExportProfile, LeadFieldKey
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.db.export_rows import add_leads
from tests.jobs.exporting import Exporting

SOFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(SOFFICE is None, reason="soffice (LibreOffice) is not here")
AS_OPENED = "CSV:44,34,76,1,,0,false,true,false,false,false,-1,true"
"""UTF-8, commas, special numbers recognised: as people open a file by a double click."""
K = LeadFieldKey
NAMES = ("דנה לוי־כהן, בע״מ", "आरव शर्मा ज्ञ", "😀👩‍👩‍👧 Zoé 🇮🇱", "=1+1", "007", 'a "b"\nc')
LEADS = tuple(
    {
        "name": name,
        "phone": "+33612345678",
        "score": number,
        "converted_at": datetime(2024, 2, 29, 23, 59, number, tzinfo=UTC),
        "tags": ["a;b", "c"],
    }
    for number, name in enumerate(NAMES)
)
COLUMNS = tuple(ColumnSpec(field=key) for key in (K.NAME, K.PHONE, K.SCORE, K.CONVERTED_AT, K.TAGS))
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
Cell = tuple[str | None, str | None]
"""Type and value; a text's lines stand below each other."""


@pytest.fixture
async def exporting(runtime: Runtime, new_organization: MakeOrganization) -> Exporting:
    acme: OrganizationRecord = await new_organization("acme")
    await add_leads(runtime.database, acme, *LEADS)
    return Exporting(runtime, acme)


def opened(folder: Path, name: str, data: bytes) -> list[list[Cell]]:
    """The cells of the first sheet as LibreOffice sees them, without the header."""
    (folder / name).write_bytes(data)
    read = [f"--infilter={AS_OPENED}"] if name.endswith(".csv") else []
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [str(SOFFICE), profile, "--headless", *read, "--convert-to", "fods", "--outdir", str(folder), name]
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=240)
    document = ET.parse((folder / name).with_suffix(".fods"))
    sheet = next(document.iter(f"{TABLE}table"))
    assert not [cell for cell in document.iter(f"{TABLE}table-cell") if f"{TABLE}formula" in cell.attrib]
    rows = [
        [_cell(cell) for cell in row.iter(f"{TABLE}table-cell")][: len(COLUMNS)]
        for row in sheet.iter(f"{TABLE}table-row")
    ]
    return [row for row in rows if row[0][1]][1:]


def _cell(cell: ET.Element) -> Cell:
    kind = cell.get(f"{OFFICE}value-type")
    value = cell.get(f"{OFFICE}date-value") or cell.get(f"{OFFICE}value")
    return kind, value or "\n".join("".join(line.itertext()) for line in cell.iter(f"{TEXT}p"))


async def test_libreoffice_reads_every_script_dates_and_numbers_of_an_exported_csv(
    exporting: Exporting, tmp_path: Path
) -> None:
    rows = opened(tmp_path, "leads.csv", await exporting.bytes(await exporting.export(columns=COLUMNS)))
    names = [row[0] for row in rows]
    assert names[:4] == [("string", text) for text in (*NAMES[:3], "'=1+1")]
    assert names[5] == ("string", NAMES[5])
    assert [row[2] for row in rows] == [("float", str(number)) for number in range(len(LEADS))]
    assert [row[3] for row in rows] == [("date", f"2024-02-29T23:59:0{number}") for number in range(len(LEADS))]
    assert {row[4] for row in rows} == {("string", '"a;b";c')}


async def test_libreoffice_reads_every_script_dates_and_numbers_of_an_exported_workbook(
    exporting: Exporting, tmp_path: Path
) -> None:
    spec = {"columns": COLUMNS, "format": ExportFormat.XLSX}
    rows = opened(tmp_path, "leads.xlsx", await exporting.bytes(await exporting.export(**spec)))
    assert [row[0] for row in rows] == [("string", name) for name in NAMES]
    assert {row[1] for row in rows} == {("string", "+33612345678")}, "a phone is a text"
    assert [row[2] for row in rows] == [("float", str(number)) for number in range(len(LEADS))]
    assert [row[3] for row in rows] == [("date", f"2024-02-29T23:59:0{number}") for number in range(len(LEADS))]
    assert {row[4] for row in rows} == {("string", '"a;b";c')}


async def test_libreoffice_reads_a_plain_csv_in_every_script(exporting: Exporting, tmp_path: Path) -> None:
    plain = FileOptions(profile=ExportProfile.PLAIN, escape_formulas=True)
    data = await exporting.bytes(await exporting.export(columns=COLUMNS, file=plain))
    assert not data.startswith(b"\xef\xbb\xbf")
    assert [row[0][1] for row in opened(tmp_path, "leads.csv", data)][:3] == list(NAMES[:3])
