"""Imports as jobs: counts, reports, error file, refusals before a job exists."""

import pytest

from domain.errors import Rejected
from domain.imports import FieldValue, ImportOptions, ValueCount
from domain.vocabulary import (
    BlankCells,
    ErrorPolicy,
    ImportMode,
    JobFileRole,
    JobState,
    LeadFieldKey,
    MergeStrategy,
    UnmappedColumns,
)
from tests.jobs.importing import Importing, counts_of, csv, overwriting, result_of, to

PHONES = [f"+1212555{number:04}" for number in range(100, 200)]


def rows(count: int, name: str = "Lead") -> bytes:
    return csv(*((f"{name} {number}", PHONES[number], "web") for number in range(count)))


async def test_an_import_creates_leads_and_says_how_many(importing: Importing):
    job = await importing.run(rows(3))
    assert (job.state, counts_of(job), result_of(job).total_rows) == (JobState.COMPLETED, {"created": 3}, 3)
    assert await importing.leads() == [(f"Lead {number}", PHONES[number]) for number in range(3)]
    assert await importing.leads("import_job_id, created_by, stage") == [(job.id, importing.actor.name, "NEW")] * 3


async def test_rows_with_errors_are_told_and_come_home_in_the_error_file(importing: Importing):
    data = csv(("A", PHONES[0], "web"), ("", PHONES[1], "web"), ("C", PHONES[2], "nowhere"), ("D", PHONES[0], "web"))
    job = await importing.run(data)
    assert job.state is JobState.COMPLETED_WITH_ERRORS
    assert counts_of(job) == {"created": 1, "skipped": 1, "failed": 2}
    issues = await importing.rows("select row, line, field, code, severity from app.import_issues order by row")
    assert [tuple(issue.values()) for issue in issues] == [
        (3, 3, "name", "REQUIRED", "ERROR"),
        (4, 4, "source", "UNKNOWN_VALUE", "ERROR"),
        (5, 5, "phone", "DUPLICATE_IN_FILE", "WARNING"),
    ]
    errors = (await importing.file(job, JobFileRole.ERRORS) or b"").decode("utf-8-sig").splitlines()
    assert len(errors) == 3
    assert await importing.file(job, JobFileRole.ORIGINAL) == data


async def test_a_plan_writes_nothing_and_tells_what_the_commit_does(importing: Importing):
    await importing.run(rows(2))
    data = csv(("New", PHONES[0], "web"), ("X", PHONES[5], "web"), ("", PHONES[6], "web"), ("Lead 1", PHONES[1], "web"))
    before = await importing.leads("id, version, name")
    job = await importing.run(data, mode=ImportMode.VALIDATE, options=overwriting())
    plan = result_of(job).plan
    assert await importing.leads("id, version, name") == before
    assert plan is not None
    assert (plan.creates, plan.updates, plan.unchanged, plan.skips, plan.errors) == (1, 1, 1, 0, 1)
    touched = {touch.field: (touch.set, touch.overwritten, touch.cleared) for touch in plan.fields_touched}
    assert touched == {"name": (1, 1, 0), "phone": (1, 0, 0), "source": (1, 0, 0)}
    assert counts_of(job) == {"failed": 1, "unprocessed": 3}
    done = await importing.run(data, options=overwriting())
    assert counts_of(done) == {"created": 1, "updated": 1, "unchanged": 1, "failed": 1}


@pytest.mark.parametrize("strategy", list(MergeStrategy))
async def test_a_plan_counts_what_it_sets_overwrites_and_clears_new_leads_included(
    importing: Importing, strategy: MergeStrategy
):
    header = "name,phone,source,score,tags,notes,national id,plan"
    before = csv(("A", PHONES[0], "web", "5", "", "", "", "gold"), header=header)
    await importing.run(before, options=ImportOptions(unmapped=UnmappedColumns.CUSTOM))
    data = csv(
        ("A", PHONES[0], "phone", "", "vip", "", "123456782", "silver"),
        ("B", PHONES[1], "web", "7", "", "said hello", "", ""),
        ("C", PHONES[2], "", "", "a;b", "", "234567891", "gold"),
        ("", PHONES[3], "web", "9", "", "", "", ""),
        header=header,
    )
    options = ImportOptions(
        merge_strategy=strategy,
        unmapped=UnmappedColumns.CUSTOM,
        blank_cells=BlankCells.CLEAR,
        required=(LeadFieldKey.NAME,),
        defaults=(FieldValue(field=LeadFieldKey.CATEGORY, value="DEMO_REQUEST"),),
    )
    job = await importing.run(data, mode=ImportMode.VALIDATE, options=options)
    plan = result_of(job).plan
    assert plan is not None
    created = {
        "name": (2, 0, 0),
        "phone": (2, 0, 0),
        "source": (1, 0, 0),
        "score": (1, 0, 0),
        "tags": (1, 0, 0),
        "notes": (1, 0, 0),
        "national_id": (1, 0, 0),
        "category": (2, 0, 0),
        "custom.plan": (1, 0, 0),
    }
    updated = {
        "source": (1, 1, 0),
        "score": (1, 0, 1),
        "tags": (2, 0, 0),
        "national_id": (2, 0, 0),
        "custom.plan": (1, 1, 0),
    }
    filled = {"tags": (2, 0, 0), "national_id": (2, 0, 0)}
    doubled = {
        "name": (3, 0, 0),
        "phone": (3, 0, 0),
        "source": (2, 0, 0),
        "tags": (2, 0, 0),
        "national_id": (2, 0, 0),
        "category": (3, 0, 0),
        "custom.plan": (2, 0, 0),
    }
    changed = {
        MergeStrategy.SKIP: {},
        MergeStrategy.OVERWRITE: updated,
        MergeStrategy.FILL_BLANKS: filled,
        MergeStrategy.CREATE_NEW: doubled,
    }
    assert {touch.field: (touch.set, touch.overwritten, touch.cleared) for touch in plan.fields_touched} == (
        created | changed[strategy]
    )


async def test_abort_writes_nothing_where_a_row_fails(importing: Importing):
    data = csv(("A", PHONES[0], "web"), ("", PHONES[1], "web"))
    job = await importing.run(data, options=ImportOptions(on_error=ErrorPolicy.ABORT))
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "TOO_MANY_ERRORS"
    assert counts_of(job) == {"failed": 1, "unprocessed": 1}
    assert await importing.leads() == []
    assert await importing.file(job, JobFileRole.ERRORS)
    clean = await importing.run(csv(("A", PHONES[0], "web")), options=ImportOptions(on_error=ErrorPolicy.ABORT))
    assert counts_of(clean) == {"created": 1}


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "UNREADABLE_FILE"), (b"%PDF-1.7 nothing", "UNREADABLE_FILE"), (b"phone,source\n1,web\n", "REQUIRED")],
)
async def test_a_file_that_cannot_be_imported_is_refused_before_there_is_a_job(
    importing: Importing, data: bytes, code: str
):
    with pytest.raises(Rejected) as refused:
        await importing.start(data)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert await importing.rows("select id from app.jobs") == []


async def test_the_same_file_is_refused_until_it_is_allowed_or_undone(importing: Importing):
    await importing.ended(await importing.start(rows(2)))
    with pytest.raises(Rejected) as refused:
        await importing.start(rows(2))
    assert [problem.code for problem in refused.value.problems] == ["SAME_FILE"]
    again = await importing.run(rows(2))
    assert counts_of(again) == {"skipped": 2}


async def test_a_file_without_rows_succeeds(importing: Importing):
    job = await importing.run(b"name,phone,source\n")
    assert (job.state, result_of(job).total_rows) == (JobState.COMPLETED, 0)


async def test_a_company_is_made_where_a_row_of_it_is_written(importing: Importing):
    data = csv(
        ("A", PHONES[0], "web", "Acme"),
        ("B", PHONES[0], "web", "Nobody"),
        ("C", PHONES[1], "web", " ACME "),
        header="name,phone,source,company",
    )
    job = await importing.run(data, mapping=(to("company", LeadFieldKey.COMPANY_NAME),))
    assert counts_of(job) == {"created": 2, "skipped": 1}
    assert [row["name"] for row in await importing.rows("select name from app.companies")] == ["Acme"]


@pytest.mark.parametrize("strategy", list(MergeStrategy))
async def test_blocks_make_no_difference(importing: Importing, strategy: MergeStrategy):
    names = ("A", "B", "A", "C", "B", "D", "A")
    data = csv(*((name, PHONES[place % 3], "web") for place, name in enumerate(names)))
    job = await importing.run(data, options=ImportOptions(merge_strategy=strategy))
    expected = {
        MergeStrategy.SKIP: {"created": 3, "skipped": 4},
        MergeStrategy.OVERWRITE: {"created": 3, "updated": 3, "unchanged": 1},
        MergeStrategy.CREATE_NEW: {"created": 7},
        MergeStrategy.FILL_BLANKS: {"created": 3, "unchanged": 4},
    }
    assert counts_of(job) == expected[strategy]


async def test_an_unknown_chatbot_leaves_the_chatbot_as_it_is_and_is_told_with_the_nearest(importing: Importing):
    async with importing.runtime.database.unit(importing.organization.id) as connection:
        for name in ("Greeter", "Seller"):
            sql = "insert into app.chatbots (id, name, name_key) values (gen_random_uuid(), $1, lower($1))"
            await connection.execute(sql, name)
    header = "name,phone,source,chatbot"
    await importing.run(csv(("A", PHONES[0], "web", " greeter "), header=header))
    data = csv(
        ("A", PHONES[0], "web", "Greter"), ("B", PHONES[1], "web", "Greter"), ("C", PHONES[2], "web", "Seller"),
        header=header,
    )  # fmt: skip
    job = await importing.run(data, options=overwriting())
    assert counts_of(job) == {"created": 2, "unchanged": 1}
    assert result_of(job).counts.warnings == 2
    named = "name, (select c.name from app.chatbots c where c.id = chatbot_id) as chatbot"
    assert await importing.leads(named) == [("A", "Greeter"), ("B", None), ("C", "Seller")]
    groups = "select code, severity, field, value, rows, suggestion from app.import_issue_groups where job_id = $2"
    assert [tuple(group.values()) for group in await importing.rows(groups, job.id)] == [
        ("UNKNOWN_REFERENCE", "WARNING", "chatbot_name", "Greter", 2, "Greeter")
    ]
    unknown = {column.header: column.unknown_values for column in result_of(job).columns if column.unknown_values}
    assert unknown == {"chatbot": (ValueCount("Greter", 2, "Greeter"),)}
    strict = overwriting(must_be_valid=(LeadFieldKey.CHATBOT_NAME,))
    assert counts_of(await importing.run(data, options=strict)) == {"unchanged": 1, "failed": 2}


@pytest.mark.parametrize("strategy", [MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS])
async def test_a_default_of_a_custom_field_is_for_new_leads_alone(importing: Importing, strategy: MergeStrategy):
    header = "name,phone,source,plan"
    first = csv(("A", PHONES[0], "web", "gold"), ("B", PHONES[1], "web", ""), header=header)
    await importing.run(first, options=ImportOptions(unmapped=UnmappedColumns.CUSTOM))
    data = csv(*((name, PHONES[place], "web", "") for place, name in enumerate("ABC")), header=header)
    options = ImportOptions(
        merge_strategy=strategy, unmapped=UnmappedColumns.CUSTOM, defaults=(FieldValue(custom="plan", value="basic"),)
    )
    job = await importing.run(data, options=options)
    assert await importing.leads("name, custom") == [("A", {"plan": "gold"}), ("B", {}), ("C", {"plan": "basic"})]
    assert counts_of(job) == {"created": 1, "unchanged": 2}


@pytest.mark.parametrize("strategy", [MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS])
async def test_a_phone_and_an_address_that_do_not_validate_reach_a_lead_that_is_there(
    importing: Importing, strategy: MergeStrategy
):
    header = "name,source,external id,phone,email"
    await importing.run(csv(("A", "web", "X1", "", ""), header=header), options=ImportOptions(required=()))
    data = csv(("A", "web", "X1", "555 ask Bo", "a at example"), header=header)
    job = await importing.run(data, options=ImportOptions(merge_strategy=strategy, required=()))
    assert counts_of(job) == {"updated": 1}
    assert result_of(job).counts.warnings == 1
    assert await importing.leads("phone, phone_key, email") == [("555 ask Bo", "555", "a at example")]


@pytest.mark.parametrize("strategy", [MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS])
@pytest.mark.parametrize("header", ["name,phone,source", "name,phone,source,notes,national id"])
async def test_a_default_note_and_national_id_are_for_new_leads_alone(
    importing: Importing, strategy: MergeStrategy, header: str
):
    await importing.run(rows(1))
    blanks = [""] * (header.count(",") - 2)
    data = csv(*((f"Lead {number}", PHONES[number], "web", *blanks) for number in range(2)), header=header)
    defaults = (
        FieldValue(field=LeadFieldKey.NOTES, value="from fair"),
        FieldValue(field=LeadFieldKey.NATIONAL_ID, value="123456782"),
    )
    job = await importing.run(data, options=ImportOptions(merge_strategy=strategy, defaults=defaults))
    assert counts_of(job) == {"created": 1, "unchanged": 1}
    notes = "array(select n.text from app.notes n where n.lead_id = leads.id)"
    told = await importing.leads(f"notes_count, {notes}, national_id_last4, search_text like '%from fair%'")
    assert told == [(0, [], None, False), (1, ["from fair"], "6782", True)]
