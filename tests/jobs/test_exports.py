"""Exports from request to file."""

import gzip
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import zstandard
from pyarrow import parquet

from domain.errors import Forbidden, Rejected
from domain.exports import ColumnSpec, ExportRequest, ExportSpec, FileOptions, LeadOrder
from domain.ids import IdKind, format_id, new_id
from domain.national_ids import NationalIds
from domain.records import OrganizationRecord
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import (
    BuiltinTemplate,
    Compression,
    ExportFormat,
    ExportProfile,
    HeaderStyle,
    JobFileRole,
    JobState,
    LeadFieldKey,
    LeadSortField,
    MaskingMode,
    PhoneFormat,
    Role,
    SortDirection,
    SplitBy,
    UserErrorCode,
)
from jobs.export_requests import submit_export
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.db.export_rows import add_lead, add_leads
from tests.jobs.exporting import Exporting

NAME_AND_SCORE = (ColumnSpec(field=LeadFieldKey.NAME), ColumnSpec(field=LeadFieldKey.SCORE))
LEADS = ({"name": "דנה", "score": 85}, {"name": "=1+1", "score": 7}, {"name": 'a,"b"\nc', "score": None})
CELLS = [["דנה", "85"], ["'=1+1", "7"], ['a,"b"\nc', ""]]


@pytest.fixture
async def acme(new_organization: MakeOrganization) -> OrganizationRecord:
    return await new_organization("acme")


@pytest.fixture
async def exporting(runtime: Runtime, acme: OrganizationRecord) -> Exporting:
    await add_leads(runtime.database, acme, *LEADS)
    return Exporting(runtime, acme)


async def test_an_export_is_a_whole_file_with_its_manifest(exporting: Exporting) -> None:
    job = await exporting.export(columns=NAME_AND_SCORE)
    assert (job.state, job.failure) == (JobState.COMPLETED, None)
    data = await exporting.bytes(job)
    assert data.startswith(b"\xef\xbb\xbfName,Score\r\n")
    assert await exporting.rows(job) == [["Name", "Score"], *CELLS]
    file = await exporting.file(job)
    assert (file.rows, file.bytes, file.sha256) == (3, len(data), hashlib.sha256(data).hexdigest())
    assert (file.sensitive, file.content_type) == (False, "text/csv; charset=utf-8")
    manifest = await exporting.manifest(job)
    assert (manifest["rows"], manifest["sha256"], manifest["file"]) == (3, file.sha256, file.name)
    assert manifest["columns"] == [{"key": "name", "header": "Name"}, {"key": "score", "header": "Score"}]
    assert (job.result["rowCount"], job.result["snapshotAt"]) == (3, manifest["snapshotAt"])
    assert await exporting.activity() == ["EXPORT_STARTED", "EXPORT_FINISHED"]
    assert (job.progress.processed, job.progress.total) == (3, 3)


async def test_s25_the_plain_profile_writes_for_programs(exporting: Exporting) -> None:
    options = FileOptions(profile=ExportProfile.PLAIN, delimiter="\t")
    data = await exporting.bytes(await exporting.export(columns=NAME_AND_SCORE, file=options))
    assert data.decode() == 'Name\tScore\nדנה\t85\n=1+1\t7\n"a,""b""\nc"\t\n'


@pytest.mark.parametrize("template", list(BuiltinTemplate))
async def test_every_builtin_template_can_be_exported(exporting: Exporting, template: BuiltinTemplate) -> None:
    job = await exporting.export(template=template)
    assert job.state is JobState.COMPLETED, job.failure
    assert len(await exporting.rows(job)) == 4


@pytest.mark.parametrize("compression", list(Compression))
async def test_packed_files_hold_the_same_rows(exporting: Exporting, compression: Compression) -> None:
    plain = await exporting.bytes(await exporting.export(columns=NAME_AND_SCORE))
    job = await exporting.export(columns=NAME_AND_SCORE, compression=compression, file=FileOptions(name="x"))
    data = await exporting.bytes(job)
    file = await exporting.file(job)
    match compression:
        case Compression.NONE:
            assert (data, file.name) == (plain, "x.csv")
        case Compression.GZIP:
            assert (gzip.decompress(data), file.name) == (plain, "x.csv.gz")
        case Compression.ZSTD:
            assert zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read() == plain
            assert file.name == "x.csv.zst"
        case Compression.ZIP:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                assert {name: archive.read(name) for name in archive.namelist()} == {"x.csv": plain}
            assert file.name == "x.zip"


async def test_json_jsonl_txt_xlsx_and_parquet_hold_the_same_rows(exporting: Exporting) -> None:
    def spec(file_format: ExportFormat) -> dict[str, object]:
        return {"format": file_format, "columns": NAME_AND_SCORE}

    objects = [{"name": lead["name"], "score": lead["score"]} for lead in LEADS]
    data = {kind: await exporting.bytes(await exporting.export(**spec(kind))) for kind in ExportFormat}
    assert json.loads(data[ExportFormat.JSON]) == objects
    assert [json.loads(line) for line in data[ExportFormat.JSONL].splitlines()] == objects
    assert parquet.read_table(io.BytesIO(data[ExportFormat.PARQUET])).to_pylist() == objects
    workbook = openpyxl.load_workbook(io.BytesIO(data[ExportFormat.XLSX]))
    assert [tuple(row) for row in workbook["Leads"].iter_rows(min_row=2, values_only=True)] == [
        (lead["name"], lead["score"]) for lead in LEADS
    ]
    assert data[ExportFormat.TXT].decode() == 'Name: דנה\nScore: 85\n\nName: =1+1\nScore: 7\n\nName: a,"b"\n    c\n\n'


async def test_a_split_export_has_a_file_for_each_company(runtime: Runtime, acme: OrganizationRecord) -> None:
    async with runtime.database.unit(acme.id) as connection:
        for name in ("Acme Ltd", "acme/ltd", None):
            company = new_id() if name else None
            if name:
                sql = "insert into companies (id, name, name_key) values ($1, $2, $2)"
                await connection.execute(sql, company, name)
            await add_lead(connection, name=f"of {name}", company_id=company)
    exporting = Exporting(runtime, acme)
    job = await exporting.export(columns=NAME_AND_SCORE, split_by=SplitBy.COMPANY, file=FileOptions(name="x"))
    assert job.state is JobState.COMPLETED, job.failure
    with zipfile.ZipFile(io.BytesIO(await exporting.bytes(job))) as archive:
        files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    assert sorted(files) == ["x-Acme_Ltd.csv", "x-acme_ltd-2.csv", "x-no_company.csv"]
    assert sorted(text.splitlines()[1] for text in files.values()) == ["of Acme Ltd,", "of None,", "of acme/ltd,"]
    assert (await exporting.file(job)).rows == 3


async def test_a_company_whose_name_no_file_can_have_is_not_taken_for_none(exporting: Exporting) -> None:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        company = new_id()
        await connection.execute("insert into companies (id, name, name_key) values ($1, 'דנה', 'dana')", company)
        await add_lead(connection, name="of dana", company_id=company)
    job = await exporting.export(columns=NAME_AND_SCORE, split_by=SplitBy.COMPANY, file=FileOptions(name="x"))
    with zipfile.ZipFile(io.BytesIO(await exporting.bytes(job))) as archive:
        files = {name: b"of dana" in archive.read(name) for name in archive.namelist()}
    assert files == {"x-no_company.csv": False, "x-company.csv": True}


async def test_each_workbook_of_a_split_export_tells_of_its_own_rows(exporting: Exporting) -> None:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await add_lead(connection, name="won one", status="won")
    job = await exporting.export(columns=NAME_AND_SCORE, split_by=SplitBy.STATUS, format=ExportFormat.XLSX)
    with zipfile.ZipFile(io.BytesIO(await exporting.bytes(job))) as archive:
        books = [openpyxl.load_workbook(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert [dict(book["About"].iter_rows(values_only=True))["Rows"] for book in books] == ["3", "1"]


async def test_a_split_export_has_a_file_for_each_status(exporting: Exporting) -> None:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await add_lead(connection, name="won one", status="won")
    job = await exporting.export(columns=NAME_AND_SCORE, split_by=SplitBy.STATUS, format=ExportFormat.JSONL)
    assert job.state is JobState.COMPLETED, job.failure
    with zipfile.ZipFile(io.BytesIO(await exporting.bytes(job))) as archive:
        rows = {name.rpartition("-")[2]: archive.read(name).count(b"\n") for name in archive.namelist()}
    assert rows == {"new.jsonl": 3, "won.jsonl": 1}


async def test_a_split_export_with_a_limit_splits_the_first_leads_alone(exporting: Exporting) -> None:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        for number in range(4):
            await add_lead(connection, name=f"won {number}", status="won", score=number)
    by_score = LeadOrder(LeadSortField.SCORE, SortDirection.ASC)
    job = await exporting.export(
        columns=NAME_AND_SCORE, split_by=SplitBy.STATUS, limit=5, order_by=by_score, format=ExportFormat.JSONL
    )
    assert job.state is JobState.COMPLETED, job.failure
    assert (await exporting.file(job)).rows == 5
    with zipfile.ZipFile(io.BytesIO(await exporting.bytes(job))) as archive:
        parts = {name.rpartition("-")[2]: archive.read(name).decode().splitlines() for name in archive.namelist()}
    scores = {name: [json.loads(line)["score"] for line in lines] for name, lines in parts.items()}
    assert scores == {"won.jsonl": [0, 1, 2, 3], "new.jsonl": [7]}


async def test_a_workbook_has_typed_cells_and_tells_what_it_holds(runtime: Runtime, acme: OrganizationRecord) -> None:
    moment = datetime(2024, 2, 29, 23, 59, 58, 999_999, tzinfo=UTC)
    await add_leads(runtime.database, acme, {"name": "x", "phone": "+33612345678", "score": 85, "converted_at": moment})
    keys = (LeadFieldKey.NAME, LeadFieldKey.PHONE, LeadFieldKey.SCORE, LeadFieldKey.CONVERTED_AT)
    exporting = Exporting(runtime, acme)
    job = await exporting.export(
        columns=tuple(ColumnSpec(field=key) for key in keys),
        format=ExportFormat.XLSX,
        filter={"score": {"gte": 80}},
        file=FileOptions(time_zone="Asia/Tokyo", header_style=HeaderStyle.KEY),
    )
    workbook = openpyxl.load_workbook(io.BytesIO(await exporting.bytes(job)))
    header, row = workbook["Leads"].iter_rows()
    assert [cell.value for cell in header] == [key.value for key in keys]
    local = moment.astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None, microsecond=0)
    assert [cell.value for cell in row] == ["x", "+33612345678", 85, local]
    assert [cell.data_type for cell in row] == ["s", "s", "n", "d"]
    about = dict(workbook["About"].iter_rows(min_row=2, values_only=True))
    assert (about["Rows"], about["Leads"], about["Time zone"]) == ("1", "Score from 80", "Asia/Tokyo")
    assert about["File"] == (await exporting.file(job)).name


async def test_the_file_is_written_as_its_options_say(runtime: Runtime, acme: OrganizationRecord) -> None:
    moment = datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)
    lead = {"phone": "+33612345678", "phone_display": "+33 6 12 34 56 78", "converted_at": moment}
    await add_leads(runtime.database, acme, lead)
    options = FileOptions(
        delimiter=";",
        header_style=HeaderStyle.KEY,
        phone_format=PhoneFormat.INTERNATIONAL,
        time_zone="Asia/Jerusalem",
        date_format="DD/MM/YYYY HH:MM",
        bom=False,
    )
    columns = (ColumnSpec(field=LeadFieldKey.PHONE), ColumnSpec(field=LeadFieldKey.CONVERTED_AT, header="When; then"))
    exporting = Exporting(runtime, acme)
    data = await exporting.bytes(await exporting.export(columns=columns, file=options))
    assert data.decode() == 'phone;"When; then"\r\n+33 6 12 34 56 78;15/01/2024 16:30\r\n'


async def test_s27_national_ids_are_masked_unless_asked_for_by_somebody_who_may(
    runtime: Runtime, acme: OrganizationRecord
) -> None:
    lead_id = new_id()
    sealed = NationalIds(runtime.keyring).seal('=12"3456', str(lead_id))
    async with runtime.database.unit(acme.id) as connection:
        await add_lead(connection, id=lead_id, national_id_cipher=sealed, national_id_last4="3456")
        await add_lead(connection, name=f"\x02sealed {lead_id} {sealed}\x03")
    columns = (ColumnSpec(field=LeadFieldKey.NATIONAL_ID), ColumnSpec(field=LeadFieldKey.SCORE))
    owner, pro = Exporting(runtime, acme), Exporting(runtime, acme, Role.PRO)
    masked = await owner.export(columns=columns)
    assert ["***3456", ""] in await owner.rows(masked)
    assert not (await owner.file(masked)).sensitive
    with pytest.raises(Forbidden):
        await pro.submit(columns=columns, unmask=True)
    shown = await owner.export(columns=columns, unmask=True)
    assert ["'=12\"3456", ""] in await owner.rows(shown)
    assert (await owner.file(shown)).sensitive
    assert "UNMASKED_READ" in await owner.activity()
    for file_format in ExportFormat:
        job = await owner.export(columns=columns, unmask=True, format=file_format)
        data = await owner.bytes(job)
        if file_format is ExportFormat.JSON:
            assert {"national_id": '=12"3456', "score": None} in json.loads(data)
        if file_format is ExportFormat.PARQUET:
            assert '=12"3456' in parquet.read_table(io.BytesIO(data)).column("national_id").to_pylist()
        if file_format is ExportFormat.XLSX:
            sheet = openpyxl.load_workbook(io.BytesIO(data))["Leads"]
            assert '=12"3456' in [cell.value for cell in sheet["A"]]


async def test_without_permission_nothing_is_exported(runtime: Runtime, acme: OrganizationRecord) -> None:
    with pytest.raises(Forbidden):
        await Exporting(runtime, acme, Role.VIEWER).submit()


async def test_ids_that_are_absent_or_foreign_are_told(
    exporting: Exporting, runtime: Runtime, new_organization: MakeOrganization
) -> None:
    other = await new_organization("other")
    [foreign] = await add_leads(runtime.database, other, {})
    shown = format_id(IdKind.LEAD, foreign)
    with pytest.raises(Rejected) as caught:
        await exporting.submit(ids=(shown,))
    [problem] = caught.value.problems
    assert (problem.code, problem.path) == (UserErrorCode.NOT_FOUND, ("input", "spec", "ids"))


async def test_a_filter_that_cannot_be_compiled_is_told_with_its_path(exporting: Exporting) -> None:
    with pytest.raises(Rejected) as caught:
        await exporting.submit(filter={"companyId": {"eq": "nope"}})
    assert caught.value.problems[0].path == ("input", "spec", "filter", "companyId", "eq")


async def test_the_same_key_and_input_give_the_same_job(exporting: Exporting) -> None:
    def request(limit: int) -> ExportRequest:
        return ExportRequest(spec=ExportSpec(limit=limit), idempotency_key="k")

    first = await submit_export(exporting.runtime, exporting.actor, request(1))
    assert (await submit_export(exporting.runtime, exporting.actor, request(1))).id == first.id
    with pytest.raises(Rejected) as caught:
        await submit_export(exporting.runtime, exporting.actor, request(2))
    assert caught.value.problems[0].code is UserErrorCode.IDEMPOTENCY_MISMATCH


async def test_a_repeated_request_for_unmasked_values_is_one_act(exporting: Exporting) -> None:
    request = ExportRequest(spec=ExportSpec(unmask=True), idempotency_key="k")
    for _ in range(2):
        await submit_export(exporting.runtime, exporting.actor, request)
    assert (await exporting.activity()).count("UNMASKED_READ") == 1


async def test_sample_data_satisfies_the_filter_and_reads_no_lead(exporting: Exporting) -> None:
    filter_ = {
        "status": {"eq": "new"},
        "score": {"gte": 80},
        "createdAt": {"within": {"last": 30, "unit": "DAY"}},
        "search": "demo",
        "or": [{"source": {"eq": "WEB"}}, {"tags": {"hasAny": ["vip"]}}],
        "primaryLanguage": {"in": ["he", "fr"]},
        "not": {"email": {"isNull": True}},
    }
    job = await exporting.export(template=BuiltinTemplate.CHATBOT, sample_rows=25, filter=filter_)
    assert job.state is JobState.COMPLETED, job.failure
    header, *rows = await exporting.rows(job)
    assert len(rows) == 25
    column = {name: [row[index] for row in rows] for index, name in enumerate(header)}
    assert set(column["Status"]) == {"new"}
    assert min(map(int, column["Lead Score"])) >= 80
    assert set(column["Primary Language"]) <= {"he", "fr"}
    assert all("demo" in text for text in column["Conversation Summary"])
    assert (await exporting.file(job)).name.startswith("mock-leads-export-")
    assert (job.result.get("deltaToken"), (await exporting.manifest(job))["sample"]) == (None, True)


async def test_an_export_without_leads_has_its_header(runtime: Runtime, acme: OrganizationRecord) -> None:
    exporting = Exporting(runtime, acme)
    for file_format in ExportFormat:
        job = await exporting.export(columns=NAME_AND_SCORE, format=file_format)
        assert (job.state, (await exporting.file(job)).rows) == (JobState.COMPLETED, 0)


async def test_the_manifest_tells_how_to_ask_again(exporting: Exporting) -> None:
    job = await exporting.export(columns=NAME_AND_SCORE, filter={"score": {"gte": 80}})
    manifest = await exporting.manifest(job)
    assert manifest["filterDescription"] == "Score from 80"
    assert manifest["spec"]["filter"] == {"score": {"gte": 80}}  # type: ignore[index] - JSON
    assert (await exporting.file(job, JobFileRole.MANIFEST)).name.endswith(".csv.manifest.json")


async def test_27_the_files_of_an_export_hide_what_its_filter_asks_of_masked_fields(
    runtime: Runtime, new_organization: MakeOrganization
) -> None:
    rules = (MaskingRule(LeadFieldKey.EMAIL, MaskingMode.PARTIAL),)
    exporting = Exporting(runtime, await new_organization(settings=OrganizationSettings(masking=rules)))
    lead = {"email": "x@y.example", "email_key": "x@y.example", "score": 85}
    await add_leads(runtime.database, exporting.organization, lead)
    asked = {"email": {"eq": "x@y.example"}, "score": {"gte": 80}}
    job = await exporting.export(columns=NAME_AND_SCORE, filter=asked, format=ExportFormat.XLSX)
    manifest = await exporting.manifest(job)
    assert (manifest["rows"], manifest["filterDescription"]) == (1, "Email is … and Score from 80")
    assert manifest["spec"]["filter"] == {"email": {"eq": "…"}, "score": {"gte": 80}}  # type: ignore[index] - JSON
    book = openpyxl.load_workbook(io.BytesIO(await exporting.bytes(job)))
    told = {row[0]: row[1] for row in book.worksheets[-1].iter_rows(values_only=True)}
    assert told["Leads"] == "Email is … and Score from 80"


@pytest.mark.parametrize(
    ("filter_", "path"),
    [
        ({"status": {"eq": "nope"}}, ("filter", "status")),
        ({"companyId": {"in": [format_id(IdKind.COMPANY, new_id())]}}, ("filter", "companyId")),
        ({"custom": [{"key": "nope", "eq": "x"}]}, ("filter", "custom")),
    ],
)
async def test_a_filter_that_names_what_is_not_there_is_told(
    exporting: Exporting, filter_: dict[str, object], path: tuple[str, ...]
) -> None:
    with pytest.raises(Rejected) as caught:
        await exporting.submit(filter=filter_)
    assert caught.value.problems[0].path == ("input", "spec", *path)


@pytest.mark.parametrize("file_format", list(ExportFormat))
async def test_a_file_of_one_column_has_a_row_for_a_lead_without_a_value(
    exporting: Exporting, file_format: ExportFormat
) -> None:
    job = await exporting.export(columns=(ColumnSpec(field=LeadFieldKey.SCORE),), format=file_format)
    assert (job.state, (await exporting.file(job)).rows) == (JobState.COMPLETED, 3)


@pytest.mark.parametrize("file_format", [ExportFormat.CSV, ExportFormat.JSON, ExportFormat.TXT])
async def test_sample_data_has_no_national_ids_to_open(exporting: Exporting, file_format: ExportFormat) -> None:
    columns = (ColumnSpec(field=LeadFieldKey.NATIONAL_ID),)
    job = await exporting.export(columns=columns, sample_rows=3, unmask=True, format=file_format)
    data = await exporting.bytes(job)
    assert (b"sealed" in data, data.count(b"***")) == (False, 3)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(1753, 1, 1, tzinfo=UTC), "01.01.1753 00:00"),
        (datetime(1900, 1, 1, tzinfo=UTC), "01.01.1900 00:00"),
        (datetime(1900, 3, 2, tzinfo=UTC), datetime(1900, 3, 2)),  # noqa: DTZ001 - workbooks hold no zone
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "31.12.9999 23:59"),
    ],
)
async def test_a_day_that_spreadsheets_have_no_number_for_is_a_text(
    exporting: Exporting, moment: datetime, shown: object
) -> None:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        lead_id = await add_lead(connection, converted_at=moment)
    job = await exporting.export(
        columns=(ColumnSpec(field=LeadFieldKey.CONVERTED_AT), *NAME_AND_SCORE),
        ids=(format_id(IdKind.LEAD, lead_id),),
        format=ExportFormat.XLSX,
        file=FileOptions(date_format="DD.MM.YYYY HH:MM"),
    )
    workbook = openpyxl.load_workbook(io.BytesIO(await exporting.bytes(job)))
    assert workbook["Leads"]["A2"].value == shown


@pytest.mark.parametrize(
    "filter_",
    [
        {"convertedAt": {"isNull": False}},
        {"lastCallStatus": {"isNull": False}, "conversionValue": {"isNull": False}},
        {"conversionValue": {"gt": "10.5", "lt": "10.7"}},
        {"custom": [{"key": "budget", "isNull": True}]},
        {"not": {"custom": [{"key": "budget", "isNull": True}]}},
        {"not": {"email": {"isNull": False}}},
        {"score": {"gte": 10, "in": [5, 12]}},
        {"score": {"eq": 12, "gte": 10}},
    ],
)
async def test_sample_data_meets_what_a_filter_says_of_empty_fields_and_narrow_ranges(
    exporting: Exporting, filter_: dict[str, object]
) -> None:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("insert into custom_fields (key, label) values ('budget', 'Budget')")
    job = await exporting.export(columns=NAME_AND_SCORE, sample_rows=5, filter=filter_)
    assert (await exporting.file(job)).rows == 5
