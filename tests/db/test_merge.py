"""The merge of rows into leads: strategies, keys, order, and that a trial tells what a commit does."""

import pytest

from db.pool import Database
from domain.vocabulary import MatchKey, MergeStrategy
from tests.conftest import MakeOrganization
from tests.merge_rows import Merging

PHONES = [f"+1212555{number:04}" for number in range(100, 200)]
UPDATING = (MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS)


@pytest.fixture
async def merging(shared_database: Database, shared_organization: MakeOrganization) -> Merging:
    return await Merging.of(shared_database, await shared_organization())


async def test_skip_keeps_the_first_row_of_a_phone_in_a_file(merging: Merging):
    assert await merging.run({"name": "A", "phone": PHONES[0]}, {"name": "B", "phone": PHONES[0]}) == "CD"
    assert await merging.run({"name": "C", "phone": PHONES[0]}, {"name": "D", "phone": PHONES[1]}) == "DC"
    assert await merging.leads() == [("A",), ("D",)]


async def test_skip_leaves_leads_of_earlier_imports_alone(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0]})
    assert await merging.again().run({"name": "B", "phone": PHONES[0]}) == "S"


async def test_overwrite_lets_the_last_row_win_and_keeps_what_it_leaves_out(merging: Merging):
    merging = merging.again(strategy=MergeStrategy.OVERWRITE)
    rows = (
        {"name": "A", "phone": PHONES[0], "email": "a@example.com"},
        {"name": "B", "phone": PHONES[0]},
        {"name": "B", "phone": PHONES[0]},
        {"name": "C", "phone": PHONES[0], "score": "7"},
    )
    assert await merging.run(*rows) == "CUNU"
    assert await merging.leads("name, email, score, version") == [("C", "a@example.com", 7, 3)]


async def test_create_new_creates_every_row(merging: Merging):
    merging = merging.again(strategy=MergeStrategy.CREATE_NEW)
    assert await merging.run({"name": "A", "phone": PHONES[0]}, {"name": "B", "phone": PHONES[0]}) == "CC"


async def test_fill_blanks_never_changes_a_value(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "tags": ["x"]})
    filling = merging.again(strategy=MergeStrategy.FILL_BLANKS)
    assert await filling.run({"name": "B", "phone": PHONES[0], "score": "9", "tags": ["y"]}) == "U"
    assert await filling.run({"name": "B", "phone": PHONES[0], "score": "10"}) == "N"
    assert await filling.leads("name, score, tags") == [("A", 9, ["x"])]


@pytest.mark.parametrize("strategy", [MergeStrategy.SKIP, *UPDATING])
async def test_a_lost_lead_is_no_duplicate(merging: Merging, strategy: MergeStrategy):
    await merging.run({"name": "A", "phone": PHONES[0], "status": "lost"})
    assert await merging.again(strategy=strategy).run({"name": "B", "phone": PHONES[0]}) == "C"


async def test_a_lost_lead_is_a_duplicate_in_the_scope_of_all(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "status": "lost"})
    assert await merging.again(active_only=False).run({"name": "B", "phone": PHONES[0]}) == "S"


async def test_a_lost_row_does_not_hide_the_next_of_its_phone(merging: Merging):
    rows = ({"name": "A", "phone": PHONES[0], "status": "lost"}, {"name": "B", "phone": PHONES[0]})
    assert await merging.run(*rows) == "CC"


async def test_several_matches_are_skipped_or_refused(merging: Merging):
    await merging.again(strategy=MergeStrategy.CREATE_NEW).run(*({"name": "A", "phone": PHONES[0]},) * 3)
    assert await merging.again().run({"name": "B", "phone": PHONES[0]}) == "S"
    refused = await merging.again(strategy=MergeStrategy.OVERWRITE).block({"name": "B", "phone": PHONES[0]})
    assert [problem.code for problem in refused.problems] == ["AMBIGUOUS_MATCH"]


async def test_a_lead_id_that_nobody_has_is_refused(merging: Merging):
    refused = await merging.block({"id": "0190d3c2-0000-7000-8000-000000000000", "name": "A"})
    assert [problem.code for problem in refused.problems] == ["UNKNOWN_REFERENCE"]


async def test_an_older_version_is_a_conflict_also_within_the_file(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0]})
    lead = (await merging.leads("id"))[0][0]
    again = merging.again(strategy=MergeStrategy.OVERWRITE)
    rows = ({"id": lead, "name": "B", "version": 1}, {"id": lead, "name": "C", "version": 1})
    assert (await again.block(*rows)).outcomes == ["U", "V"]
    assert await again.run({"id": lead, "name": "C", "version": 2}) == "U"


async def test_the_first_key_with_a_value_decides(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "external_id": "x1"})
    again = merging.again(strategy=MergeStrategy.OVERWRITE)
    assert await again.run({"name": "B", "phone": PHONES[1], "external_id": "x1"}) == "U"
    assert await again.leads("name, phone_key, phone_display") == [("B", PHONES[1], "+1 212-555-0101")]


async def test_a_phone_that_an_update_gives_away_is_free_for_the_next_row(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "external_id": "x1"})
    again = merging.again(strategy=MergeStrategy.OVERWRITE)
    rows = (
        {"name": "B", "phone": PHONES[1], "external_id": "x1"},
        {"name": "C", "phone": PHONES[0]},
        {"name": "D", "phone": PHONES[1]},
    )
    assert await again.run(*rows) == "UCU"
    assert await again.leads("name, phone_key") == [("D", PHONES[1]), ("C", PHONES[0])]


async def test_unchanged_leads_are_not_touched(merging: Merging):
    row = {"name": "A", "phone": PHONES[0], "created_at": "2024-05-06 07:08:09.123456+00", "note": "hello"}
    await merging.run(row)
    before = await merging.leads("version, updated_at, changed_xid::text, created_at")
    again = merging.again(strategy=MergeStrategy.OVERWRITE)
    assert await again.run({**row, "created_at": "2024-05-06 07:08:09+00"}) == "N"
    assert await merging.leads("version, updated_at, changed_xid::text, created_at") == before


async def test_a_note_is_added_once(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "note": "one"})
    again = merging.again(strategy=MergeStrategy.OVERWRITE)
    rows = [{"phone": PHONES[0], "note": note} for note in ("two", "two", "one\ntwo", "one")]
    assert await again.run(*rows) == "UNNN"
    assert await again.leads("notes_count, search_text") == [(2, "a 12125550100 one two")]


async def test_a_national_id_is_compared_by_what_it_says(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "national_id": "123456782"})
    again = merging.again(strategy=MergeStrategy.OVERWRITE)
    assert await again.run({"phone": PHONES[0], "national_id": "123456782"}) == "N"
    assert await again.run({"phone": PHONES[0], "national_id": "999999999"}) == "U"
    assert await again.leads("national_id_cipher, national_id_last4") == [("sealed:999999999", "9999")]


async def test_a_value_that_the_database_refuses_fails_its_row_alone(merging: Merging):
    rows = [{"name": str(number), "phone": phone, "score": "5"} for number, phone in enumerate(PHONES[:9])]
    rows[4]["score"] = "no number"
    assert await merging.run(*rows) == "CCCCKCCCC"
    assert len(await merging.leads()) == 8


async def test_tags_to_add_are_added_once(merging: Merging):
    await merging.run({"name": "A", "phone": PHONES[0], "tags": ["x"]})
    again = merging.again(strategy=MergeStrategy.OVERWRITE, add_tags=("x", "y'\"\\"))
    assert await again.run({"phone": PHONES[0]}) == "U"
    assert await again.run({"phone": PHONES[0]}) == "N"
    assert await again.leads("tags") == [(["x", "y'\"\\"],)]


@pytest.mark.parametrize("strategy", list(MergeStrategy))
@pytest.mark.parametrize("block", [1, 3, 100])
async def test_a_trial_tells_what_the_commit_does_whatever_the_blocks(
    merging: Merging, strategy: MergeStrategy, block: int
):
    await merging.again(strategy=MergeStrategy.CREATE_NEW).run(
        {"name": "A", "phone": PHONES[0], "external_id": "x0"},
        {"name": "B", "phone": PHONES[1]},
        {"name": "B", "phone": PHONES[1]},
        {"name": "C", "phone": PHONES[2], "status": "won", "external_id": "x2"},
    )
    rows = [
        {"name": "A", "phone": PHONES[0], "external_id": "x0"},
        {"name": "A2", "phone": PHONES[3], "external_id": "x0"},
        {"name": "N", "phone": PHONES[0]},
        {"name": "N", "phone": PHONES[3], "note": "hi"},
        {"name": "N", "phone": PHONES[3], "note": "hi"},
        {"name": "E", "phone": PHONES[4], "email": "E@example.com", "external_id": "x9"},
        {"name": "E", "phone": PHONES[4]},
        {"name": "E", "phone": PHONES[5], "external_id": "x9"},
        {"name": "B", "phone": PHONES[1]},
        {"name": "C2", "external_id": "x2", "status": "new"},
        {"name": "C3", "phone": PHONES[2]},
        {"name": "C4", "phone": PHONES[4]},
    ]

    async def outcomes(**rules: object) -> str:
        one = merging.again(strategy=strategy, **rules)
        await one.begin()
        return "".join([await one.run(*rows[start : start + block]) for start in range(0, len(rows), block)])

    before = await merging.leads("id, version, search_text")
    told = await outcomes(trial=True)
    assert await merging.leads("id, version, search_text") == before
    assert told == await outcomes()
    assert told == OUTCOMES[strategy]


OUTCOMES = {
    MergeStrategy.SKIP: "SSSCDCDDSSCD",
    MergeStrategy.OVERWRITE: "NUCUNCNUAUUC",
    MergeStrategy.FILL_BLANKS: "NNNCNCNNANCN",
    MergeStrategy.CREATE_NEW: "C" * 12,
}


async def test_matching_by_email_ignores_case(merging: Merging):
    again = merging.again(match_on=(MatchKey.EMAIL,))
    assert await again.run({"name": "A", "email": "A@Example.com"}, {"name": "B", "email": "a@example.COM"}) == "CD"
