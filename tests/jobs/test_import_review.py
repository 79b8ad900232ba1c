"""Plans under review, answers, undo, retries: what comes after an import was asked for."""

import pytest

from domain.errors import Rejected
from domain.imports import ColumnMapping, DialectSpec, ImportOptions, RevertResult
from domain.jobs import JobRecord
from domain.requests import CommitImport, RevertImport, UpdateImport
from domain.stored import decode
from domain.vocabulary import DateOrder, ImportMode, JobFileRole, JobState, LeadFieldKey, MatchKey, MergeStrategy
from jobs.import_answers import commit_import, revert_import, update_import
from tests.jobs.importing import Importing, counts_of, csv, overwriting, result_of, shown, to
from tests.jobs.under_fire import many

PHONES = [f"+1212555{number:04}" for number in range(100, 200)]


def rows(*names: str, first: int = 0) -> bytes:
    return csv(*((name, PHONES[first + place], "web") for place, name in enumerate(names)))


async def commit(importing: Importing, job: JobRecord, revision: int) -> JobRecord:
    request = CommitImport(id=shown(job), plan_revision=revision)
    return await importing.ended(await commit_import(importing.runtime, importing.actor, request))


async def revert(importing: Importing, job: JobRecord, *, dry_run: bool = False) -> RevertResult:
    request = RevertImport(id=shown(job), dry_run=dry_run)
    undone = await importing.ended(await revert_import(importing.runtime, importing.actor, request))
    assert undone.state is JobState.COMPLETED
    return decode(RevertResult, undone.result)


async def edit(importing: Importing, statement: str, where: str = "true") -> None:
    written = "version = version + 1, changed_xid = pg_current_xact_id()"
    await execute(importing, f"update leads set {statement}, {written} where {where}")


async def execute(importing: Importing, statement: str) -> None:
    async with importing.runtime.database.unit(importing.organization.id) as connection:
        await connection.execute(statement)


async def test_a_reviewed_plan_is_carried_out(importing: Importing):
    await importing.run(rows("A", "B"))
    job = await importing.run(rows("A2", "B", "C"), mode=ImportMode.REVIEW, options=overwriting())
    assert job.state is JobState.AWAITING_REVIEW
    assert await importing.leads("name") == [("A",), ("B",)]
    done = await commit(importing, job, 1)
    assert (done.state, counts_of(done)) == (JobState.COMPLETED, {"created": 1, "updated": 1, "unchanged": 1})
    assert await importing.leads("name") == [("A2",), ("B",), ("C",)]


OUTCOMES = """select r.row, r.line, r.letter from app.import_outcomes o cross join lateral
unnest(o.rows, o.lines, string_to_array(o.outcomes, null)) r(row, line, letter) where o.job_id = $2 order by 1"""
CHANGES = """select row, before - 'company_id' as before, after - 'company_id' as after, after ? 'company_id' as company
from app.import_changes where job_id = $2 order by row"""
ISSUES = "select row, position, code, severity, field, value from app.import_issues where job_id = $2 order by 1, 2"


@pytest.mark.parametrize("strategy", [MergeStrategy.SKIP, MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS])
async def test_a_plan_is_exactly_what_the_commit_does_row_by_row(importing: Importing, strategy: MergeStrategy):
    await importing.run(many(2_000, 1, first=500))
    data, options = many(6_000, 2), ImportOptions(merge_strategy=strategy)
    planned = await importing.run(data, mode=ImportMode.VALIDATE, options=options)
    done = await importing.run(data, options=options)
    plan, counts = result_of(planned).plan, result_of(done).counts
    assert plan is not None
    assert (plan.creates, plan.updates, plan.unchanged, plan.skips, plan.errors) == (
        counts.created, counts.updated, counts.unchanged, counts.skipped, counts.failed,
    )  # fmt: skip
    assert counts.created > 0
    for told in (OUTCOMES, CHANGES, ISSUES):
        assert await importing.rows(told, planned.id) == await importing.rows(told, done.id)


async def test_a_lead_that_changed_after_the_review_is_left_alone(importing: Importing):
    await importing.run(rows("A"))
    data = csv(("B", PHONES[0], "web"), ("C", PHONES[0], "web"), ("D", PHONES[1], "web"), ("E", PHONES[1], "web"))
    job = await importing.run(data, mode=ImportMode.REVIEW, options=overwriting())
    await edit(importing, "score = 5")
    done = await commit(importing, job, 1)
    assert counts_of(done) == {"created": 1, "updated": 1, "failed": 2}
    assert await importing.leads("name, score") == [("A", 5), ("E", None)]
    issues = await importing.rows("select row, code from app.import_issues order by row")
    assert [tuple(issue.values()) for issue in issues] == [(2, "VERSION_CONFLICT"), (3, "VERSION_CONFLICT")]


async def test_another_plan_than_the_one_looked_at_is_refused(importing: Importing):
    job = await importing.run(rows("A"), mode=ImportMode.REVIEW)
    answer = UpdateImport(id=shown(job), options=ImportOptions(add_tags=("x",)))
    again = await importing.ended(await update_import(importing.runtime, importing.actor, answer))
    with pytest.raises(Rejected) as refused:
        await commit(importing, again, 1)
    assert refused.value.problems[0].code == "PLAN_STALE"
    await commit(importing, again, 2)
    assert await importing.leads("tags") == [(["x"],)]


async def test_an_ambiguous_date_order_is_asked_and_answered(importing: Importing):
    data = csv(
        ("A", PHONES[0], "web", "03/04/2024"), ("B", PHONES[1], "web", "05/06/2024"), header="name,phone,source,created"
    )
    job = await importing.run(data)
    assert job.state is JobState.AWAITING_MAPPING
    dialect = result_of(job).dialect
    assert dialect is not None
    assert dialect.date_order.confidence == "AMBIGUOUS"
    answer = UpdateImport(id=shown(job), dialect=DialectSpec(date_order=DateOrder.DMY))
    done = await importing.ended(await update_import(importing.runtime, importing.actor, answer))
    assert counts_of(done) == {"created": 2}
    assert [created.month for (created,) in await importing.leads("created_at")] == [4, 6]


async def test_an_undo_removes_and_restores_and_lets_the_file_in_again(importing: Importing):
    before = csv(("A", PHONES[0], "web", "1", "x"), header="name,phone,source,score,note")
    await importing.run(before)
    kept = await importing.leads("id, name, score, notes_count, search_text, phone_key, tags")
    data = csv(
        ("A2", PHONES[0], "web", "2", "y"),
        ("A3", PHONES[0], "web", "3", "z"),
        ("B", PHONES[1], "web", "9", "new"),
        header="name,phone,source,score,note",
    )
    job = await importing.ended(await importing.start(data, options=overwriting(add_tags=("t",))))
    assert counts_of(job) == {"created": 1, "updated": 2}
    dry = await revert(importing, job, dry_run=True)
    assert (dry.removed, dry.restored, dry.kept_because_edited) == (1, 1, 0)
    assert len(await importing.leads()) == 2
    done = await revert(importing, job)
    assert (done.removed, done.restored, done.kept_because_edited, done.already_gone) == (1, 1, 0, 0)
    assert await importing.leads("id, name, score, notes_count, search_text, phone_key, tags") == kept
    with pytest.raises(Rejected):
        await revert(importing, job)
    again = await importing.ended(await importing.start(data, options=overwriting()))
    assert counts_of(again) == {"created": 1, "updated": 2}


async def test_the_activity_tells_of_an_undo_in_one_sentence(importing: Importing):
    job = await importing.ended(await importing.start(csv(("A", PHONES[0], "web"), header="name,phone,source")))
    await revert(importing, job, dry_run=True)
    await revert(importing, job)
    sql = "select summary, lead_count from app.activity where action = 'IMPORT_REVERTED' order by at, id"
    told = "1 removed, 0 restored, 0 kept"
    assert await importing.rows(sql) == [
        {"summary": f"Dry run of undoing {job.name}: {told}", "lead_count": None},
        {"summary": f"Undo of {job.name}: {told}", "lead_count": 1},
    ]


async def test_an_undo_keeps_what_people_have_edited_since(importing: Importing):
    await importing.run(csv(("A", PHONES[0], "web", "1"), header="name,phone,source,score"))
    data = csv(
        ("A2", PHONES[0], "web", "2"), ("B", PHONES[1], "web", "3"), ("C", PHONES[2], "web", "4"),
        header="name,phone,source,score",
    )  # fmt: skip
    job = await importing.run(data, options=overwriting())
    await edit(importing, "score = 50", "name in ('A2', 'B')")
    await execute(importing, "delete from leads where name = 'C'")
    done = await revert(importing, job)
    assert (done.removed, done.restored, done.kept_because_edited, done.already_gone) == (0, 1, 2, 1)
    assert await importing.leads("name, score") == [("A", 50), ("B", 50)]


@pytest.mark.parametrize("deleted", [True, False])
async def test_an_undo_gives_a_status_back_as_it_is_now_and_none_that_was_deleted(
    importing: Importing, *, deleted: bool
):
    header = "name,phone,source,status"
    await execute(importing, "insert into statuses (id, key, key_folded, label, stage, position, active) "
                 "values (gen_random_uuid(), 'MET', 'met', 'Met', 'CONTACTED', 90, true)")  # fmt: skip
    await importing.run(csv(("A", PHONES[0], "web", "met"), header=header))
    [(first,)] = await importing.leads("(select key from app.statuses where id <> status_id order by position limit 1)")
    job = await importing.run(csv(("B", PHONES[0], "web", first), header=header), options=overwriting())
    change = "delete from statuses where" if deleted else "update statuses set stage = 'WON' where"
    await execute(importing, f"{change} key = 'MET'")
    done = await revert(importing, job)
    assert (done.restored, done.kept_because_edited) == (1, int(deleted))
    key = "(select key from app.statuses where id = status_id)"
    [(name, now, stage)] = await importing.leads(f"name, {key}, stage")
    assert (name, now) == ("A", first if deleted else "MET")
    assert deleted or stage == "WON"


async def test_a_corrected_error_file_runs_its_rows_alone_and_never_twice(importing: Importing):
    data = csv(("A", PHONES[0], "web"), ("", "5", "web"), ("C", "", "nowhere"), header="name,phone,source")
    options = ImportOptions(required=(LeadFieldKey.NAME, LeadFieldKey.SOURCE), match_on=(MatchKey.EXTERNAL_ID,))
    first = await importing.run(data, options=options)
    assert counts_of(first) == {"created": 1, "failed": 2}
    errors = await importing.file(first, JobFileRole.ERRORS) or b""
    half = errors.replace(b",5,", b"Bea,5,", 1) if b"\n,5" not in errors else errors.replace(b"\n,5", b"\nBea,5", 1)
    second = await importing.run(half, name="errors.csv", options=options)
    assert counts_of(second) == {"created": 1, "failed": 1}
    assert result_of(second).total_rows == 2
    full = half.replace(b"nowhere", b"web", 1)
    third = await importing.run(full, name="errors.csv", options=options)
    assert counts_of(third) == {"created": 1, "skipped": 1}
    assert sorted(name for (name,) in await importing.leads("name")) == ["A", "Bea", "C"]


async def test_a_saved_mapping_serves_the_next_file(importing: Importing):
    mapping = (to("who", LeadFieldKey.NAME), to("number", LeadFieldKey.PHONE), ColumnMapping(column="via", ignore=True))
    data = csv(("A", PHONES[0], "x"), header="who,number,via")
    options = ImportOptions(required=(LeadFieldKey.NAME,), merge_strategy=MergeStrategy.OVERWRITE)
    await importing.run(data, mapping=mapping, options=options, save_mapping_as="Partner")
    saved = await importing.rows("select 'mapping_' || id as id from app.import_mappings where name = 'Partner'")
    job = await importing.run(data, mapping_id=str(saved[0]["id"]))
    assert counts_of(job) == {"unchanged": 1}
    assert await importing.rows("select used_count from app.import_mappings") == [{"used_count": 1}]
