import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from domain.fields import FIELDS
from domain.imports import ImportOptions
from domain.vocabulary import ImportFormat, LeadFieldKey
from tests.transfer.child_run import run
from transfer.template_file import TemplateFacts, template_fields, template_file

Writer = Callable[..., Path]
K = LeadFieldKey
FACTS = TemplateFacts(statuses=("New", "Deal won"), moment=datetime(2024, 1, 15, tzinfo=UTC))


def sheets(data: bytes) -> dict[str, list[tuple[str, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {
        sheet.title: [tuple(cell or "" for cell in row) for row in sheet.iter_rows(values_only=True)] for sheet in book
    }


@pytest.mark.parametrize("kind", ImportFormat)
def test_a_template_is_recognised_column_by_column_and_its_examples_import_without_an_issue(
    file: Writer, kind: ImportFormat
):
    fields = template_fields(None)
    answer = run(file(template_file(kind, fields, FACTS), f"leads.{kind.lower()}"), options=ImportOptions())
    recognised = {column.field for column in answer.opened.columns if column.field}
    known = {field.key.value for field in fields}
    filled = {field.key.value for field in fields if field.example}
    assert known & filled <= recognised <= known
    assert (answer.opened.problems, answer.done.total_rows, answer.issues) == ((), 2, [])
    assert len(answer.rows) == 2


def test_the_examples_of_a_template_have_a_status_of_the_organization():
    fields = template_fields([K.NAME, K.PHONE, K.STATUS, K.DETECTED_LANGUAGES])
    assert sheets(template_file(ImportFormat.XLSX, fields, FACTS))["Leads"] == [
        ("Name", "Phone", "Status", "Detected Languages"),
        ("Dana Levi", "+33612345678", "New", "he;en"),
        ("Kim Example", "+12025550123", "", ""),
    ]


def test_only_what_can_be_imported_is_in_a_template():
    assert [field.key for field in template_fields([K.NAME, K.UPDATED_AT, K.PHONE, K.NAME])] == [K.NAME, K.PHONE]
    assert all(field.importable for field in template_fields(None))


def test_the_second_sheet_explains_each_field():
    fields = template_fields([K.NAME, K.SOURCE, K.STATUS, K.SCORE])
    explained = sheets(template_file(ImportFormat.XLSX, fields, FACTS))["Fields"]
    by_key = {row[1]: row for row in explained[1:]}
    assert by_key["name"][2:6] == ("yes", "text", "text of at most 500 characters", FIELDS[K.NAME].example)
    assert by_key["source"][4].startswith("web, mobile, phone")
    assert by_key["status"][4] == "New, Deal won"
    assert by_key["score"][4] == "a whole number from 0 to 100"
