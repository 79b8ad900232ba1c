"""Generated dirty files: whole blocks at once give what one row at a time gives, and what the csv module reads."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.imports import ImportOptions
from domain.vocabulary import LeadFieldKey, MergeStrategy, UnmappedColumns
from tests.transfer.child_run import Answer, run
from tests.transfer.dirty_files import damaged, dirty_file
from tests.transfer.packed_files import workbook, zipped
from transfer.detect_encoding import detect_encoding
from transfer.messages import Block, ChildLimits

K = LeadFieldKey
OPTIONS = ImportOptions(
    required=(K.NAME,), unmapped=UnmappedColumns.CUSTOM, merge_strategy=MergeStrategy.OVERWRITE, add_tags=("q4",)
)


def read(path: Path, rows: int) -> Answer:
    return run(path, options=OPTIONS, limits=ChildLimits(block_rows=rows))


def facts_of(answer: Answer) -> dict[str, object]:
    """Everything that must not depend on how rows are put into blocks."""
    companies = {company.id: company.name_key for block in answer.blocks for company in block.companies}
    leads = [lead | {"id": None} for lead in answer.leads]
    for lead in leads:
        lead["company_id"] = companies.get(lead.get("company_id"), lead.get("company_id"))
        lead["created_at"] = (lead.get("created_at") or "")[:10]
    ready = [block.ready for block in answer.blocks]
    return {
        "failed": answer.failed,
        "opened": answer.opened and (answer.opened.dialect, answer.opened.columns, answer.opened.problems),
        "leads": leads,
        "rows": answer.rows,
        "lines": [line for part in ready for line in part.lines or ()],
        "keys": [key for part in ready for key in part.phone_keys or ()],
        "emails": [key for part in ready for key in part.email_keys or ()],
        "notes": [note for part in ready for note in part.notes or ()],
        "untouched": [marks for part in ready for marks in part.untouched],
        "warned": [part.rows[place] for part in ready for place in part.warned],
        "failed rows": answer.failed_rows,
        "issues": answer.issues,
        "groups": sorted(map(str, answer.groups)),
        "total": answer.done and answer.done.total_rows,
    }


def records_of(path: Path, answer: Answer) -> Iterator[tuple[int, int]]:
    """Rows and lines as the csv module alone reads them."""
    dialect = answer.opened.dialect
    encoding = detect_encoding(path, None)
    text = path.read_bytes()[encoding.bom_bytes :].decode(encoding.python, "replace")
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter.value[0],
        skipinitialspace=len(dialect.delimiter.value) > 1,
    )
    line = 1
    for number, record in enumerate(reader, start=1):
        if record and number > dialect.header_row:
            yield number, line
        line = reader.line_num + 1


def places(block: Block) -> Iterator[tuple[int, int]]:
    yield from zip(block.ready.rows, block.ready.lines or (), strict=True)
    yield from zip(block.failed_rows, block.failed_lines or (), strict=True)


def some_file(seed: int) -> bytes:
    """A file of any format."""
    rows = [{"name": "Dana", "tags": ["a", "b"], "address": {"city": "Lyon"}}] * (seed % 4)
    csv_file = dirty_file(seed)
    kinds = [
        lambda: csv_file,
        lambda: gzip.compress(csv_file),
        lambda: zipped({"leads.csv": csv_file}),
        lambda: workbook([["Name", "Score"], *[["Dana", number] for number in range(seed % 20)]]),
        lambda: json.dumps(rows).encode(),
        lambda: "\n".join(map(json.dumps, rows)).encode(),
    ]
    return kinds[seed % len(kinds)]()


def survive(path: Path, seed: int) -> None:
    path.write_bytes(damaged(some_file(seed), seed))
    answer = run(path, options=OPTIONS)
    if answer.failed is None and not answer.opened.problems and not answer.opened.ambiguous:
        assert len(answer.rows) + len(answer.failed_rows) == answer.done.total_rows, seed


def check(path: Path, seed: int) -> None:
    path.write_bytes(dirty_file(seed))
    whole = read(path, 5_000)
    assert facts_of(whole) == facts_of(read(path, 1)), seed
    if whole.done is not None:
        read_rows = [place for block in whole.blocks for place in places(block)]
        assert sorted(read_rows) == list(records_of(path, whole)), seed


def test_blocks_and_single_rows_agree_on_300_dirty_files(tmp_path: Path):
    for seed in range(300):
        check(tmp_path / "dirty.csv", seed)


@pytest.mark.chaos
def test_blocks_and_single_rows_agree_on_20_000_dirty_files(tmp_path: Path):
    for seed in range(20_000):
        check(tmp_path / "dirty.csv", seed)


def test_damaged_files_of_every_format_end_in_an_answer(tmp_path: Path):
    for seed in range(200):
        survive(tmp_path / "damaged", seed)


@pytest.mark.chaos
def test_10_000_damaged_files_of_every_format_end_in_an_answer(tmp_path: Path):
    for seed in range(10_000):
        survive(tmp_path / "damaged", seed)
