"""Leads pushed without a file: the rules of an import, at once."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.documents import LeadDocument
from domain.errors import LimitProblem, Rejected
from domain.imports import ImportOptions
from domain.requests import UpsertLeads
from domain.settings import Limits
from domain.vocabulary import (
    BlankCells,
    ErrorPolicy,
    LeadFieldKey,
    LeadSource,
    MatchKey,
    MergeStrategy,
    RowOutcome,
    UserErrorCode,
)
from jobs.lead_pushes import count_pushed, upsert_leads
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.importing import Importing

_K = LeadFieldKey
PHONE = "+12125550100"


@pytest.fixture
async def pushing(runtime: Runtime, new_organization: MakeOrganization) -> Importing:
    return Importing.of(runtime, await new_organization())


def lead(name: str | None = "A", phone: str = PHONE, custom: dict[str, object] | None = None, **more: object):
    values = {_K.NAME: name, _K.PHONE: phone, _K.SOURCE: LeadSource.WEB}
    given = {key: value for key, value in values.items() if value is not None}
    return LeadDocument(values=given | {_K[key.upper()]: value for key, value in more.items()}, custom=custom or {})


def overwriting(**options: object) -> ImportOptions:
    return ImportOptions(merge_strategy=MergeStrategy.OVERWRITE, required=(), **options)


async def push(pushing: Importing, *rows: LeadDocument, options: ImportOptions | None = None, **more: object) -> list:
    request = UpsertLeads(rows=rows, options=options, **more)
    return list(await upsert_leads(pushing.runtime, pushing.actor, request))


async def test_a_push_answers_for_each_lead(pushing: Importing):
    pushed = await push(pushing, lead(), lead(name=None, phone="+12125550101"), lead("B"))
    assert [one.outcome for one in pushed] == [RowOutcome.CREATED, RowOutcome.FAILED, RowOutcome.SKIPPED]
    assert [issue.code for issue in pushed[1].issues] == ["REQUIRED"]
    assert pushed[2].lead_id == pushed[0].lead_id
    assert await pushing.leads() == [("A", PHONE)]


async def test_what_a_document_leaves_out_stays_and_what_it_empties_goes(pushing: Importing):
    full = lead(
        score=5,
        tags=("a;b", 'c"d', "e,f"),
        email="a@example.com",
        ai_legitimate=True,
        conversion_value=Decimal("12.50"),
        created_at=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
        notes="hello",
        custom={"one": "1", "two": "2"},
    )
    await push(pushing, full)
    changes = (
        LeadDocument(values={_K.PHONE: PHONE, _K.EMAIL: ""}, custom={"two": None, "three": 3}),
        LeadDocument(values={_K.PHONE: PHONE, _K.SCORE: 6}),
    )
    pushed = await push(pushing, *changes, options=overwriting(blank_cells=BlankCells.CLEAR))
    assert [one.outcome for one in pushed] == [RowOutcome.UPDATED, RowOutcome.UPDATED]
    found = await pushing.leads(
        "name, score, email, tags, ai_legitimate, conversion_value, custom, notes_count, created_at"
    )
    assert found == [
        (
            "A",
            6,
            None,
            ["a;b", 'c"d', "e,f"],
            True,
            Decimal("12.5000"),
            {"one": "1", "three": "3"},
            1,
            datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
        )
    ]


async def test_an_empty_text_or_list_keeps_what_is_there_unless_it_is_to_clear(pushing: Importing):
    await push(pushing, lead(email="a@example.com", tags=("vip",)))
    blank = LeadDocument(values={_K.PHONE: PHONE, _K.EMAIL: "", _K.TAGS: ()})
    kept = await push(pushing, blank, options=overwriting())
    assert [one.outcome for one in kept] == [RowOutcome.UNCHANGED]
    assert await pushing.leads("email, tags") == [("a@example.com", ["vip"])]
    await push(pushing, blank, options=overwriting(blank_cells=BlankCells.CLEAR))
    assert await pushing.leads("email, tags") == [(None, [])]


async def test_a_push_that_is_to_abort_writes_all_or_nothing(pushing: Importing):
    options = ImportOptions(on_error=ErrorPolicy.ABORT)
    pushed = await push(pushing, lead(), lead(name=None, phone="+12125550101"), options=options)
    assert [(one.outcome, one.lead_id) for one in pushed] == [(RowOutcome.PENDING, None), (RowOutcome.FAILED, None)]
    counts = count_pushed(pushed)
    assert (counts.created, counts.failed, counts.unprocessed) == (0, 1, 1)
    assert await pushing.leads() == []
    pushed = await push(pushing, lead(), lead("B", "+12125550101"), options=options)
    assert [one.outcome for one in pushed] == [RowOutcome.CREATED] * 2


async def test_to_remove_a_custom_field_makes_none(pushing: Importing):
    await push(pushing, lead(custom={"never_there": None, "policy_no": "1"}))
    await push(pushing, lead(custom={"Policy No": "2"}), options=overwriting())
    assert [row["key"] for row in await pushing.rows("select key from app.custom_fields")] == ["policy_no"]
    assert await pushing.leads("custom") == [({"policy_no": "2"},)]


async def test_as_many_leads_as_an_organization_may_name_at_once_are_pushed_at_once(pushing: Importing):
    most = pushing.organization.limits.max_bulk_ids
    pushed = await push(pushing, *(lead(f"Lead {n}", f"+1212{n:07}") for n in range(2_000_000, 2_000_000 + most)))
    assert count_pushed(pushed).created == most == 10_000
    assert len(await pushing.leads()) == most


async def test_a_push_of_more_leads_than_may_be_is_refused_whole(pushing: Importing):
    small = replace(pushing, runtime=replace(pushing.runtime, limits=Limits(max_bulk_ids=2)))
    with pytest.raises(Rejected) as refused:
        await push(small, *[lead()] * 3)
    (problem,) = refused.value.problems
    assert isinstance(problem, LimitProblem)
    assert (problem.code, problem.limit, problem.actual) == (UserErrorCode.LIMIT_EXCEEDED, 2, 3)
    assert await pushing.leads() == []


async def test_a_dry_run_writes_nothing(pushing: Importing):
    pushed = await push(pushing, lead(company_name="Acme"), dry_run=True)
    assert [one.outcome for one in pushed] == [RowOutcome.CREATED]
    assert await pushing.leads() == []
    assert await pushing.rows("select id from app.companies") == []


async def test_a_key_gives_the_same_answer_again_and_refuses_another_input(pushing: Importing):
    options = ImportOptions(match_on=(MatchKey.EXTERNAL_ID,))
    first = await push(pushing, lead(), options=options, idempotency_key="k")
    assert await push(pushing, lead(), options=options, idempotency_key="k") == first
    assert len(await pushing.leads()) == 1
    with pytest.raises(Rejected) as refused:
        await push(pushing, lead("B"), options=options, idempotency_key="k")
    assert refused.value.problems[0].code == "IDEMPOTENCY_MISMATCH"


async def test_a_company_is_made_where_a_lead_of_it_is_written(pushing: Importing):
    await push(pushing, lead(company_name="Acme"), lead("B", company_name="Nobody"))
    assert await pushing.rows("select name from app.companies") == [{"name": "Acme"}]


async def test_a_custom_field_is_made_where_a_lead_with_a_value_of_it_is_written(pushing: Importing):
    rows = (lead(custom={"one": "1"}), lead("B", custom={"zz": "1"}), lead(None, "+12125550101", custom={"bad": "1"}))
    pushed = await push(pushing, *rows)
    assert [one.outcome for one in pushed] == [RowOutcome.CREATED, RowOutcome.SKIPPED, RowOutcome.FAILED]
    await push(pushing, lead(custom={"two": "2"}), options=overwriting())
    keys = await pushing.rows("select key from app.custom_fields order by key")
    assert [row["key"] for row in keys] == ["one", "two"]
