"""An undo makes no doubles, and imports can be undone one after the other, the newest first."""

import pytest

from domain.imports import ImportOptions, RevertResult
from domain.jobs import JobRecord
from domain.requests import RevertImport
from domain.settings import OrganizationSettings
from domain.stored import decode, encode
from domain.vocabulary import DuplicateScope, JobState, MatchKey, MergeStrategy
from jobs.import_answers import revert_import
from tests.jobs.importing import Importing, counts_of, csv, overwriting, shown

PHONES = [f"+1212555{number:04}" for number in range(100, 110)]
HEADER = "external id,name,phone,source"
BY_ID = overwriting(match_on=(MatchKey.EXTERNAL_ID, MatchKey.PHONE))


def rows(*given: tuple[str, str, str]) -> bytes:
    return csv(*((*row, "web") for row in given), header=HEADER)


async def take(importing: Importing, *given: tuple[str, str, str]) -> JobRecord:
    return await importing.run(rows(*given), options=BY_ID)


async def revert(importing: Importing, job: JobRecord) -> tuple[int, int, int]:
    """How many leads were removed, restored and kept; a dry run says the same before."""
    told = [await _revert(importing, job, dry_run=dry_run) for dry_run in (True, False)]
    assert told[0] == told[1]
    return told[1].removed, told[1].restored, told[1].kept_because_edited


async def _revert(importing: Importing, job: JobRecord, *, dry_run: bool) -> RevertResult:
    request = RevertImport(id=shown(job), dry_run=dry_run)
    undone = await importing.ended(await revert_import(importing.runtime, importing.actor, request))
    assert undone.state is JobState.COMPLETED
    return decode(RevertResult, undone.result)


async def execute(importing: Importing, statement: str, *binds: object) -> None:
    async with importing.runtime.database.unit(importing.organization.id) as connection:
        await connection.execute(statement, *binds)


async def test_an_undo_gives_no_phone_back_that_another_lead_has_by_now(importing: Importing):
    await take(importing, ("X1", "A", PHONES[0]))
    job = await take(importing, ("X1", "A2", PHONES[1]))
    await take(importing, ("", "B", PHONES[0]))
    assert await revert(importing, job) == (0, 1, 1)
    found = await importing.leads("name, phone, phone_key, search_text like '%0101%'")
    assert found == [("A", PHONES[1], PHONES[1], True), ("B", PHONES[0], PHONES[0], False)]


async def test_an_undo_restores_no_lead_whose_phone_alone_was_changed_and_is_taken(importing: Importing):
    await take(importing, ("X1", "A", PHONES[0]))
    job = await take(importing, ("X1", "A", PHONES[1]))
    await take(importing, ("", "B", PHONES[0]))
    assert await revert(importing, job) == (0, 0, 1)


@pytest.mark.parametrize("scope", DuplicateScope)
async def test_a_closed_lead_keeps_its_phone_from_an_undo_only_where_closed_leads_count(
    importing: Importing, scope: DuplicateScope
):
    settings = OrganizationSettings(duplicate_scope=scope)
    await execute(importing, "update organizations set settings = $1", encode(settings))
    await take(importing, ("X1", "A", PHONES[0]))
    job = await take(importing, ("X1", "A2", PHONES[1]))
    await take(importing, ("", "B", PHONES[0]))
    await execute(importing, "update leads set stage = 'LOST' where name = 'B'")
    assert await revert(importing, job) == (0, 1, int(scope is DuplicateScope.ALL))
    assert await importing.leads() == [("A", PHONES[int(scope is DuplicateScope.ALL)]), ("B", PHONES[0])]


async def test_an_undo_reopens_no_lead_whose_phone_another_lead_has_by_now(importing: Importing):
    await importing.run(csv(("A", PHONES[0], "web", "new"), header="name,phone,source,status"))
    data = csv(("A2", PHONES[0], "web", "lost"), header="name,phone,source,status")
    job = await importing.run(data, options=overwriting())
    await take(importing, ("", "B", PHONES[0]))
    assert await revert(importing, job) == (0, 1, 1)
    status = "(select key from app.statuses where id = status_id)"
    assert await importing.leads(f"name, stage, lower({status})") == [("A", "LOST", "lost"), ("B", "NEW", "new")]


async def test_an_undo_of_a_swap_of_phones_gives_both_back(importing: Importing):
    await take(importing, ("X1", "A", PHONES[0]), ("X2", "B", PHONES[1]))
    job = await take(importing, ("X1", "A", PHONES[1]), ("X2", "B", PHONES[0]))
    assert await revert(importing, job) == (0, 2, 0)
    assert await importing.leads() == [("A", PHONES[0]), ("B", PHONES[1])]


async def test_a_phone_stays_where_the_lead_that_has_it_cannot_give_it_away(importing: Importing):
    await take(importing, ("X1", "A", PHONES[0]), ("X2", "B", PHONES[1]))
    job = await take(importing, ("X1", "A", PHONES[2]), ("X2", "B", PHONES[0]))
    await take(importing, ("", "C", PHONES[1]))
    assert await revert(importing, job) == (0, 0, 2)
    assert await importing.leads() == [("A", PHONES[2]), ("B", PHONES[0]), ("C", PHONES[1])]


async def test_an_undo_gives_a_phone_back_that_only_a_lead_it_removes_has(importing: Importing):
    await take(importing, ("X1", "A", PHONES[0]))
    job = await take(importing, ("X1", "A", PHONES[1]), ("", "B", PHONES[0]))
    assert counts_of(job) == {"created": 1, "updated": 1}
    assert await revert(importing, job) == (1, 1, 0)
    assert await importing.leads() == [("A", PHONES[0])]


async def test_of_two_leads_that_would_get_one_phone_the_first_gets_it(importing: Importing):
    options = ImportOptions(merge_strategy=MergeStrategy.CREATE_NEW)
    await importing.run(rows(("X1", "A", PHONES[0]), ("X2", "B", PHONES[0])), options=options)
    job = await take(importing, ("X1", "A", PHONES[1]), ("X2", "B", PHONES[2]))
    assert await revert(importing, job) == (0, 1, 1)
    assert await importing.leads() == [("A", PHONES[0]), ("B", PHONES[2])]


async def test_imports_undone_in_reverse_order_leave_no_lead_that_nobody_edited(importing: Importing):
    header = f"{HEADER},notes"
    first = await take(importing, ("X1", "A", PHONES[0]), ("X2", "B", PHONES[1]))
    data = csv(("X1", "A2", PHONES[2], "web", "hello"), ("X1", "A3", PHONES[2], "web", ""), header=header)
    second = await importing.run(data, options=BY_ID)
    third = await take(importing, ("X1", "A4", PHONES[2]))
    assert await revert(importing, third) == (0, 1, 0)
    assert await revert(importing, second) == (0, 1, 0)
    assert await revert(importing, first) == (2, 0, 0)


@pytest.mark.parametrize("moment", ["before", "between", "after"])
async def test_a_lead_edited_before_or_after_the_undo_of_a_later_import_stays(importing: Importing, moment: str):
    edit = "update leads set score = 5, version = version + 1"
    first = await take(importing, ("X1", "A", PHONES[0]))
    if moment == "before":
        await execute(importing, edit)
    second = await take(importing, ("X1", "A2", PHONES[0]))
    if moment == "between":
        await execute(importing, edit)
    await revert(importing, second)
    if moment == "after":
        await execute(importing, edit)
    assert await revert(importing, first) == (0, 0, 1)
    assert await importing.leads("name, score") == [("A", 5)]


async def test_a_lead_of_which_a_later_undo_kept_something_stays(importing: Importing):
    first = await take(importing, ("X1", "A", PHONES[0]))
    second = await take(importing, ("X1", "A2", PHONES[1]))
    await execute(importing, "update leads set name = 'Mine', version = version + 1")
    assert await revert(importing, second) == (0, 1, 1)
    assert await revert(importing, first) == (0, 0, 1)


async def test_an_undo_gives_back_phones_that_were_shifted_among_more_leads_than_it_takes_at_once(importing: Importing):
    phones = [f"+1212556{number:04}" for number in range(1_200)]
    await take(importing, *((f"X{place}", f"Lead {place}", phone) for place, phone in enumerate(phones)))
    before = await importing.leads()
    shifted = [*phones[1:], phones[0]]
    job = await take(importing, *((f"X{place}", f"Lead {place}", phone) for place, phone in enumerate(shifted)))
    assert await revert(importing, job) == (0, 1_200, 0)
    assert await importing.leads() == before


async def test_no_phone_is_doubled_where_one_of_the_shifted_was_taken_since(importing: Importing):
    phones = [f"+1212556{number:04}" for number in range(1_200)]
    await take(importing, *((f"X{place}", f"Lead {place}", phone) for place, phone in enumerate(phones)))
    shifted = [*phones[1:], PHONES[0]]
    job = await take(importing, *((f"X{place}", f"Lead {place}", phone) for place, phone in enumerate(shifted)))
    await take(importing, ("", "New", phones[0]))
    assert await revert(importing, job) == (0, 0, 1_200)
    assert await importing.rows("select phone_key from app.leads group by 1 having count(*) > 1") == []
