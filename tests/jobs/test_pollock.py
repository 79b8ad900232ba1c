"""The Pollock benchmark's polluted files (PVLDB), through the real job: every record is accounted for."""

import pytest

from domain.errors import Rejected
from domain.imports import ColumnMapping, ImportOptions
from domain.jobs import JobRecord
from domain.vocabulary import JobFileRole, JobState, LeadFieldKey, UnmappedColumns
from tests.jobs.importing import Importing, counts_of, result_of
from tests.jobs.test_import_acceptance import FOLDER
from tests.jobs.under_fire import check_outcomes, records

POLLOCK = FOLDER / "data" / "pollock"
HEADER = ("DATE", "TIME", "Qty", "PRODUCTID", "Price", "ProductType", "ProductDescription", "URL", "Comments")
MAPPING = tuple(
    ColumnMapping(index=index, field=LeadFieldKey.NAME)
    if name == "ProductType"
    else ColumnMapping(index=index, custom=name)
    for index, name in enumerate(HEADER)
)
LENIENT = ImportOptions(required=(), unmapped=UnmappedColumns.CUSTOM)
CLEAN = "record_delimiter_0xA"
LIKE_CLEAN = {
    "double_trailing_newline",
    "no_trailing_newline",
    "record_delimiter_0xA",
    "record_delimiter_0xD",
    "field_delimiter_0x3B",
    "field_delimiter_0x9",
    "field_delimiter_0x2C_0x20",
    "no_header",
}
RECORDS = {
    "field_delimiter_0x20": 83,
    "quotation_char_0x27": 83,
    "escape_char_0x5C": 83,
    "escape_char_0x00": 83,
    "header_only": 0,
    "one_data_row": 1,
    "header_multirow_2": 84,
    "header_multirow_3": 85,
}
SEVERAL_TABLES = {"preamble", "multitable_less", "multitable_more", "multitable_same"}
pytestmark = pytest.mark.skipif(not POLLOCK.is_dir(), reason="the acceptance files are not here (LEADPORT_ACCEPTANCE)")


def content(name: str) -> bytes:
    return (POLLOCK / f"file_{name}.csv").read_bytes()


async def imported(importing: Importing, name: str, **request: object) -> JobRecord:
    """The finished job: what it counts is what it did to leads, and its error file holds what failed."""
    job = await importing.run(content(name), f"file_{name}.csv", **{"options": LENIENT, **request})
    counts = result_of(job).counts
    assert job.state is (JobState.COMPLETED_WITH_ERRORS if counts.failed else JobState.COMPLETED)
    assert len(await importing.leads(where=f"import_job_id = '{job.id}'")) == counts.created
    errors = await importing.file(job, JobFileRole.ERRORS)
    delimiter = result_of(job).dialect.delimiter.value
    assert (0 if errors is None else len(records(errors, delimiter)) - 1) == counts.failed
    await check_outcomes(importing, job)
    return job


def test_every_file_has_a_test():
    files = {path.stem.removeprefix("file_") for path in POLLOCK.iterdir()}
    assert files == LIKE_CLEAN | RECORDS.keys() | SEVERAL_TABLES | {"no_payload"}
    assert len(files) == 21


async def test_polluted_files_give_the_leads_of_the_clean_one(importing: Importing):
    leads: dict[str, list[tuple[object, ...]]] = {}
    for name in sorted(LIKE_CLEAN):
        job = await imported(importing, name, mapping=MAPPING)
        assert (counts_of(job), result_of(job).total_rows) == ({"created": 83}, 83)
        leads[name] = await importing.leads("name, custom", f"import_job_id = '{job.id}'")
    expected = [(row[5], {key: row[i] for i, key in enumerate(HEADER) if i != 5 and row[i]}) for row in clean_rows()]
    assert leads == dict.fromkeys(LIKE_CLEAN, expected)


def clean_rows() -> list[list[str]]:
    return records(content(CLEAN))[1:]


async def test_every_record_of_a_file_in_an_unusual_dialect_is_accounted_for(importing: Importing):
    for name, expected in RECORDS.items():
        job = await imported(importing, name)
        counts = result_of(job).counts
        assert counts.created + counts.failed == result_of(job).total_rows == expected, name
        await check_ragged(importing, job, content(name))


async def check_ragged(importing: Importing, job: JobRecord, data: bytes) -> None:
    """Rows with more or fewer cells than the header are told as such, each of them."""
    header, *rows = records(data, result_of(job).dialect.delimiter.value)
    ragged = sum(len(row) < len(header) or any(map(str.strip, row[len(header) :])) for row in rows)
    told = "select coalesce(sum(rows), 0)::int as n from app.import_issue_groups where job_id = $2 and code = $3"
    assert await importing.rows(told, job.id, "COLUMN_COUNT") == [{"n": ragged}]


async def test_tables_under_a_preamble_and_several_in_a_file_lose_no_record(importing: Importing):
    for name in sorted(SEVERAL_TABLES):
        job = await imported(importing, name)
        counts, dialect = result_of(job).counts, result_of(job).dialect
        rows = records(content(name))[dialect.header_row :]
        assert counts.created + counts.failed == result_of(job).total_rows == len([row for row in rows if row]), name


async def test_an_empty_file_is_refused_as_one(importing: Importing):
    with pytest.raises(Rejected) as refused:
        await importing.start(content("no_payload"))
    assert [problem.code for problem in refused.value.problems] == ["UNREADABLE_FILE"]
    assert await importing.rows("select id from app.jobs") == []
