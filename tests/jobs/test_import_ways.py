"""Imports of every format, with every kind of mapping and match, to their limits."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest

from domain.errors import LimitProblem, Rejected
from domain.imports import ColumnMapping, DialectSpec, ImportOptions, RevertResult, ValueMapping
from domain.requests import CommitImport, RevertImport, UpdateImport
from domain.settings import Limits
from domain.stored import decode
from domain.vocabulary import (
    BlankCells,
    ImportFormat,
    ImportMode,
    JobFailureCode,
    JobFileRole,
    JobState,
    LeadFieldKey,
    MatchKey,
)
from jobs.import_answers import commit_import, revert_import, update_import
from jobs.import_templates import open_template, template_link
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.importing import Importing, counts_of, csv, overwriting, result_of, shown, to, working
from tests.jobs.under_fire import Fire, many, phone, records, until
from tests.transfer.packed_files import workbook, zipped

K = LeadFieldKey
PHONES = [f"+1212555{number:04}" for number in range(100, 110)]
TABLE = [["Name", "Phone", "Source", "Score"], ["Ann", PHONES[0], "web", 5], ["Bob", PHONES[1], "phone", 7]]
CSV = csv(*TABLE[1:], header="Name,Phone,Source,Score")
OBJECTS = [dict(zip(("name", "phone", "source", "score"), row, strict=True)) for row in TABLE[1:]]


FILES = {
    "leads.csv": (CSV, ImportFormat.CSV),
    "leads.tsv": (CSV.replace(b",", b"\t"), ImportFormat.CSV),
    "semicolons.csv": (CSV.replace(b",", b";").decode().encode("utf-16"), ImportFormat.CSV),
    "leads.xlsx": (workbook(TABLE), ImportFormat.XLSX),
    "leads.json": (json.dumps(OBJECTS).encode(), ImportFormat.JSON),
    "leads.jsonl": ("\n".join(map(json.dumps, OBJECTS)).encode(), ImportFormat.JSONL),
    "leads.csv.gz": (gzip.compress(CSV), ImportFormat.CSV),
    "leads.zip": (zipped({"leads.csv": CSV}), ImportFormat.CSV),
    "packed.zip": (zipped({"leads.xlsx": workbook(TABLE)}), ImportFormat.XLSX),
}


async def test_every_format_gives_the_same_leads(importing: Importing):
    for name, (data, kind) in FILES.items():
        job = await importing.run(data, name, options=overwriting())
        dialect = result_of(job).dialect
        assert dialect is not None
        assert (name, dialect.format) == (name, kind)
        assert counts_of(job) == ({"created": 2} if name == "leads.csv" else {"unchanged": 2}), name
    assert await importing.leads("name, phone_key, source, score") == [
        ("Ann", PHONES[0], "WEB", 5),
        ("Bob", PHONES[1], "PHONE", 7),
    ]


async def test_the_sheet_that_is_named_is_imported(importing: Importing):
    def add(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Ours")
        for row in TABLE:
            sheet.append(row)

    book = workbook([["Nothing"], ["here"]], add)
    job = await importing.run(book, "leads.xlsx", dialect=DialectSpec(sheet="Ours"))
    dialect = result_of(job).dialect
    assert dialect is not None
    assert (dialect.sheet, dialect.sheets) == ("Ours", ("Sheet", "Ours"))
    assert counts_of(job) == {"created": 2}


async def test_the_dialect_is_stored_and_used_by_every_later_step(importing: Importing):
    text = f"Name|Phone|Source|Created\nZoé|{PHONES[0]}|web|05/06/2024\nNoël||web|07/08/2024\n"
    spec = DialectSpec(encoding="iso-8859-15", delimiter="|", date_order="DMY")
    job = await importing.run(text.encode("iso-8859-15"), mode=ImportMode.REVIEW, dialect=spec)
    planned = result_of(job).dialect
    request = CommitImport(id=shown(job), plan_revision=1)
    done = await importing.ended(await commit_import(importing.runtime, importing.actor, request))
    assert result_of(done).dialect == planned
    (lead,) = await importing.leads("name, created_at")
    assert (lead[0], lead[1].month) == ("Zoé", 6)
    errors = await importing.file(done, JobFileRole.ERRORS) or b""
    assert records(errors, "|")[1][:4] == ["Noël", "", "web", "07/08/2024"]


async def test_a_name_is_joined_from_several_columns_and_values_are_replaced(importing: Importing):
    data = csv(("Levi", "Dana", PHONES[0], "Ads"), ("Cohen", "", PHONES[1], ""), header="last,first,number,via")
    mapping = (
        to("first", K.NAME),
        to("last", K.NAME),
        to("number", K.PHONE),
        to("via", K.SOURCE, values=(ValueMapping("Ads", "web"),), default="unknown"),
        ColumnMapping(column="via", custom="channel"),
    )
    assert counts_of(await importing.run(data, mapping=mapping)) == {"created": 2}
    assert await importing.leads("name, source, custom") == [
        ("Dana Levi", "WEB", {"channel": "Ads"}),
        ("Cohen", "UNKNOWN", {}),
    ]


async def test_a_template_comes_home(importing: Importing):
    for kind in (ImportFormat.CSV, ImportFormat.XLSX):
        link = template_link(importing.runtime, importing.actor, kind, None)
        made = await open_template(importing.runtime, link.url.rpartition("/")[2])
        job = await importing.run(made.data, made.name, mode=ImportMode.VALIDATE)
        assert (job.state, result_of(job).counts.failed) == (JobState.COMPLETED, 0)
        assert result_of(job).total_rows == 2


async def test_blank_cells_are_kept_or_cleared(importing: Importing):
    header = "name,phone,source,score,email"
    await importing.run(csv(("Ann", PHONES[0], "web", 5, "a@example.com"), header=header))
    data = csv(("Ann", PHONES[0], "web", "", ""), header=header)
    assert counts_of(await importing.run(data, options=overwriting())) == {"unchanged": 1}
    cleared = await importing.run(data, options=overwriting(blank_cells=BlankCells.CLEAR))
    assert counts_of(cleared) == {"updated": 1}
    assert await importing.leads("name, score, email, email_key") == [("Ann", None, None, None)]


async def test_the_first_match_key_with_a_value_decides(importing: Importing):
    header = "name,phone,source,external id,email"
    await importing.run(
        csv(
            ("Ann", PHONES[0], "web", "X1", "ann@example.com"),
            ("Bob", PHONES[1], "web", "X2", "bob@example.com"),
            header=header,
        )
    )
    data = csv(
        ("By id", PHONES[1], "web", "X1", ""),
        ("By mail", "", "web", "", "BOB@example.com"),
        ("New", PHONES[1], "web", "X3", ""),
        header=header,
    )
    options = overwriting(required=(), match_on=(MatchKey.EXTERNAL_ID, MatchKey.EMAIL, MatchKey.PHONE))
    job = await importing.run(data, options=options)
    assert counts_of(job) == {"created": 1, "updated": 2}
    assert await importing.leads("name, external_id") == [("By id", "X1"), ("By mail", "X2"), ("New", "X3")]


async def test_several_matches_are_skipped_or_refused(importing: Importing):
    twin = csv(("A", PHONES[0], "web"), ("B", PHONES[0], "web"))
    await importing.run(twin, options=ImportOptions(merge_strategy="CREATE_NEW"))
    data = csv(("C", PHONES[0], "web"))
    assert counts_of(await importing.run(data)) == {"skipped": 1}
    job = await importing.run(data, options=overwriting())
    assert counts_of(job) == {"failed": 1}
    issues = await importing.rows("select code from app.import_issues where job_id = $2", job.id)
    assert issues == [{"code": "AMBIGUOUS_MATCH"}]
    errors = await importing.file(job, JobFileRole.ERRORS) or b""
    assert "Several leads match" in records(errors)[1][-1]


async def test_a_row_whose_lead_has_a_newer_version_is_a_conflict(importing: Importing):
    await importing.run(csv(("Ann", PHONES[0], "web"), ("Bob", PHONES[1], "web")))
    leads = await importing.leads("'lead_' || id, version, name")
    await importing.run(csv(("Anna", PHONES[0], "web")), options=overwriting())
    data = csv(*((*lead[:2], f"{lead[2]} 2") for lead in leads), header="lead id,version,name")
    job = await importing.run(data, options=overwriting(required=()))
    assert counts_of(job) == {"updated": 1, "failed": 1}
    issues = await importing.rows("select row, code from app.import_issues where job_id = $2", job.id)
    assert issues == [{"row": 2, "code": "VERSION_CONFLICT"}]


async def test_a_limit_that_is_passed_is_named(runtime: Runtime, database_url: str, new_organization: MakeOrganization):
    small = Limits(max_import_rows=3, max_upload_bytes=1_000, max_inline_upload_bytes=5_000)
    importing = Importing.of(replace(runtime, limits=small), await new_organization(limits=small))
    async with working(importing.runtime, database_url):
        job = await importing.run(csv(*((f"L {n}", phone(n), "web") for n in range(4))))
        assert job.state is JobState.FAILED
        assert job.failure is not None
        assert job.failure.code is JobFailureCode.LIMIT_EXCEEDED
        assert job.failure.message == "The file has more than 3 rows."
        packed = gzip.compress(csv(*((f"L {n}", phone(n), "web") for n in range(100))))
        assert len(packed) < 1_000
        with pytest.raises(Rejected) as refused:
            await importing.start(packed, "leads.csv.gz")
        assert [problem.code for problem in refused.value.problems] == ["LIMIT_EXCEEDED"]
    assert Limits().max_upload_bytes == 1 << 30
    assert Limits().max_import_rows == 5_000_000


async def test_an_upload_beyond_the_limit_names_it_and_its_size(importing: Importing):
    upload = await importing.send(CSV)
    async with importing.runtime.database.unit(importing.organization.id) as connection:
        await connection.execute("update app.uploads set bytes = $1", (1 << 30) + 1)
    with pytest.raises(Rejected) as refused:
        await importing.begin(upload)
    (problem,) = refused.value.problems
    assert isinstance(problem, LimitProblem)
    assert (problem.code, problem.limit, problem.actual) == ("LIMIT_EXCEEDED", 1 << 30, (1 << 30) + 1)


async def test_issues_beyond_the_kept_ones_are_counted_and_in_the_error_file(importing: Importing):
    job = await importing.run(csv(*(("", "", "nowhere", "x") for _ in range(30_000)), header="name,phone,source,score"))
    assert counts_of(job) == {"failed": 30_000}
    assert await importing.rows("select count(*) as n from app.import_issues") == [{"n": 100_000}]
    groups = await importing.rows("select field, rows from app.import_issue_groups order by field")
    assert [tuple(group.values()) for group in groups] == [
        (field, 30_000) for field in ("name", "phone", "score", "source")
    ]
    errors = records(await importing.file(job, JobFileRole.ERRORS) or b"")
    assert len(errors) == 30_001
    assert all("score" in row[-1] and "source" in row[-1] for row in errors[1:])


async def test_a_mail_tells_that_an_answer_is_needed_or_that_the_import_failed(importing: Importing):
    told = ("a@example.com",)
    await importing.run(CSV, mode=ImportMode.REVIEW, notify=told)
    asked = await importing.run(
        csv(("A", PHONES[2], "web", "03/04/2024"), header="name,phone,source,created"), name="dates.csv", notify=told
    )
    assert asked.state is JobState.AWAITING_MAPPING
    broken = csv(("A", PHONES[3], "web"), ("", "", "")) + b'"' + b"x" * 2_000_000
    failed = await importing.run(broken, name="broken.csv", notify=told)
    assert failed.state is JobState.FAILED
    await update_import(
        importing.runtime, importing.actor, UpdateImport(id=shown(asked), dialect=DialectSpec(date_order="DMY"))
    )
    await importing.ended(await importing.load(asked.id))
    mails = await importing.rows("select payload ->> 'subject' as subject from app.deliveries order by id")
    assert sorted(str(mail["subject"]) for mail in mails) == [
        "Import broken.csv has failed",
        "Import dates.csv is done",
        "Import dates.csv needs your answer: how the file is to be read",
        "Import leads.csv waits for your review",
    ]


async def test_f1_an_undo_whose_worker_is_killed_goes_on_to_its_end(
    fire: Fire, runtime: Runtime, new_organization: MakeOrganization
):
    importing = Importing.of(runtime, await new_organization())
    async with working(runtime, fire.url):
        await importing.run(many(3_000, 1))
        before = await importing.leads("id, name, score, tags, notes_count, search_text, phone_key")
        job = await importing.run(many(12_000, 2), options=overwriting())
    request = RevertImport(id=shown(job))
    undo = await revert_import(runtime, importing.actor, request)
    for _ in range(2):
        worker, seen = fire.worker(), (await importing.load(undo.id)).progress.processed

        async def further(seen: int = seen) -> bool:
            return (await importing.load(undo.id)).progress.processed > seen

        await until(further)
        worker.kill()
    fire.worker()
    ended = await importing.ended(undo)
    assert (ended.state, ended.epoch) == (JobState.COMPLETED, 3)
    found, counts = decode(RevertResult, ended.result), result_of(job).counts
    assert (found.removed, found.kept_because_edited, found.already_gone) == (counts.created, 0, 0)
    assert await importing.leads("id, name, score, tags, notes_count, search_text, phone_key") == before
    assert await importing.rows("select count(*) as n from app.notes where import_job_id = $2", job.id) == [{"n": 0}]


async def test_a_status_out_of_use_is_given_to_no_lead(importing: Importing):
    header = "name,phone,source,external id,state"
    first = csv(
        ("Ann", PHONES[0], "web", "X1", "contacted"),
        ("Bob", PHONES[1], "web", "X2", "new"),
        header=header,
    )
    mapping = (to("state", K.STATUS),)
    await importing.run(first, mapping=mapping)
    async with importing.runtime.database.unit(importing.organization.id) as connection:
        await connection.execute("update app.statuses set active = false where key = 'contacted'")
    data = csv(
        ("Ann 2", PHONES[0], "web", "X1", "Contacted"),
        ("Bob 2", PHONES[1], "web", "X2", "contacted"),
        ("Col", PHONES[2], "web", "X3", "contacted"),
        ("Ann 3", PHONES[0], "web", "X1", "new"),
        ("Ann 4", PHONES[0], "web", "X1", "contacted"),
        ("Dee", PHONES[3], "web", "X4", "nowhere"),
        header=header,
    )
    options = overwriting(required=(), match_on=(MatchKey.EXTERNAL_ID,))
    planned = await importing.run(data, mapping=mapping, options=options, mode=ImportMode.REVIEW)
    plan = result_of(planned).plan
    assert plan is not None
    assert (plan.creates, plan.updates, plan.errors) == (0, 2, 4)
    request = CommitImport(id=shown(planned), plan_revision=1)
    done = await importing.ended(await commit_import(importing.runtime, importing.actor, request))
    assert counts_of(done) == {"updated": 2, "failed": 4}
    assert await importing.leads("name, stage") == [("Ann 3", "NEW"), ("Bob", "NEW")]
    issues = await importing.rows(
        "select row, column_name, field, code, message, value from app.import_issues where job_id = $2", done.id
    )
    said = ("state", "status", "UNKNOWN_VALUE", "not a status that is known here")
    assert [tuple(issue.values()) for issue in issues] == [
        *((row, *said, "contacted") for row in (3, 4, 6)),
        (7, *said, "nowhere"),
    ]
    (column,) = (column for column in result_of(done).columns if column.header == "state")
    assert [(value.value, value.count) for value in column.unknown_values] == [("contacted", 3), ("nowhere", 1)]
    errors = records(await importing.file(done, JobFileRole.ERRORS) or b"")
    hint = "state: not a status that is known here (did you mean converted?)"
    assert [(row[0], row[-1]) for row in errors[1:]] == [
        *((name, hint) for name in ("Bob 2", "Col", "Ann 4")),
        ("Dee", "state: not a status that is known here"),
    ]


async def test_whoever_makes_every_row_a_lead_makes_none_in_a_status_out_of_use(importing: Importing):
    async with importing.runtime.database.unit(importing.organization.id) as connection:
        await connection.execute("update app.statuses set active = false where key = 'contacted'")
    data = csv(
        ("Ann", PHONES[0], "web", "contacted"), ("Bob", PHONES[1], "web", "new"), header="name,phone,source,status"
    )
    job = await importing.run(data, options=ImportOptions(merge_strategy="CREATE_NEW"))
    assert counts_of(job) == {"created": 1, "failed": 1}
    assert await importing.leads("name") == [("Bob",)]


async def test_a_corrected_error_file_runs_with_the_mapping_and_options_of_its_import(importing: Importing):
    mapping = (
        to("Who", K.NAME),
        to("Lead Source", K.SOURCE, values=(ValueMapping("Cold Call", "phone"),), default="unknown"),
    )
    await importing.run(csv(("Bob", PHONES[1], "web")))
    rows = ("Ann", PHONES[0], "Cold Call", 5), ("Robert", PHONES[1], "Fair", "x")
    job = await importing.run(
        csv(*rows, header="Who,phone,Lead Source,score"), mapping=mapping, options=overwriting()
    )  # fmt: skip
    failed = await importing.file(job, JobFileRole.ERRORS)
    again = await importing.run(failed.replace(b",x,", b",7,"))
    assert counts_of(again) == {"updated": 1}
    assert await importing.leads("name, source, score", "name = 'Robert'") == [("Robert", "UNKNOWN", 7)]


async def test_a_corrected_error_file_has_the_date_order_and_decimal_mark_of_its_import(importing: Importing):
    rows = ["Ann;web;31/12/2023;1.200,50;5", "Bob;web;03/04/2024;2.400;x"]
    data = "\n".join(["name;source;created at;conversion value;score", *rows]).encode()
    options = ImportOptions(required=(K.NAME,))
    failed = await importing.file(await importing.run(data, options=options), JobFileRole.ERRORS)
    assert counts_of(await importing.run(failed.replace(b";x;", b";7;"))) == {"created": 1}
    (lead,) = await importing.leads("created_at, conversion_value", "name = 'Bob'")
    assert lead == (datetime(2024, 4, 3, tzinfo=UTC), Decimal(2400))


async def test_a_retry_that_says_otherwise_is_heeded(importing: Importing):
    await importing.run(csv(("Bob", PHONES[1], "web")))
    data = csv(("Robert", PHONES[1], "web", "x"), header="name,phone,source,score")
    failed = await importing.file(await importing.run(data, options=overwriting()), JobFileRole.ERRORS)
    again = await importing.run(failed.replace(b",x,", b",7,"), options=ImportOptions())
    assert counts_of(again) == {"skipped": 1}
