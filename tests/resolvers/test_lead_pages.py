"""Pages by keyset: every order, both directions, forwards and backwards, NULLs last, filters, totals and cursors."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from db.pool import Database
from domain.errors import BadInput
from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import LeadFieldKey, LeadSortField, MaskingMode, Role, SortDirection
from tests.conftest import MakeOrganization
from tests.lead_rows import add_leads
from tests.resolvers.lead_schema import Requester

START = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 41
FIELDS = {
    LeadSortField.CREATED_AT: ("createdAt", "created_at"),
    LeadSortField.UPDATED_AT: ("updatedAt", "updated_at"),
    LeadSortField.NAME: ("name", "name"),
    LeadSortField.SCORE: ("score", "score"),
    LeadSortField.CONVERTED_AT: ("conversion { at }", "converted_at"),
    LeadSortField.LAST_CALL_AT: ("lastCall { at }", "last_call_at"),
    LeadSortField.CONVERSION_VALUE: ("conversion { value }", "conversion_value"),
}


def row(random: Random) -> dict[str, object]:
    """Few different values, so that ties are common, and NULLs wherever they may be."""
    some = {
        "name": random.choice(["dana", "Dana", "Élodie", "דנה", "z"]),
        "score": random.randint(0, 5),
        "converted_at": START + timedelta(days=random.randint(0, 3)),
        "last_call_at": START + timedelta(microseconds=random.randint(0, 3)),
        "conversion_value": Decimal(random.randint(0, 4)) / 4,
    }
    return {
        **{name: value for name, value in some.items() if random.random() < 0.7},
        "created_at": START + timedelta(hours=random.randint(0, 8)),
        "updated_at": START + timedelta(hours=random.randint(0, 8)),
        "status": random.choice(["new", "won"]),
    }


@pytest.fixture(scope="module")
async def world(
    shared_database: Database, shared_organization: MakeOrganization
) -> tuple[Requester, dict[str, object]]:
    organization = await shared_organization()
    random = Random(7)
    rows = [row(random) for _ in range(COUNT)]
    ids = await add_leads(shared_database, organization, rows)
    leads = {f"lead_{identity}": {**given, "id": identity} for identity, given in zip(ids, rows, strict=True)}
    await add_leads(shared_database, await shared_organization(), rows)
    return Requester(shared_database, organization), leads


def expected(leads: dict[str, dict[str, object]], field: LeadSortField, direction: SortDirection) -> list[str]:
    column = FIELDS[field][1]

    def value(shown: str) -> object:
        found = leads[shown].get(column)
        return found.lower() if isinstance(found, str) else found

    known = [shown for shown in leads if value(shown) is not None]
    falling = direction is SortDirection.DESC
    known.sort(key=lambda shown: (value(shown), leads[shown]["id"].bytes), reverse=falling)
    unknown = sorted((shown for shown in leads if value(shown) is None), key=lambda shown: leads[shown]["id"].bytes)
    return [*known, *(reversed(unknown) if falling else unknown)]


PAGE = """query({declared}$order: LeadOrder!) {{ leads({given}orderBy: $order) {{
  edges {{ cursor node {{ id {field} }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""


async def pages(requester: Requester, field: LeadSortField, direction: SortDirection, size: int, *, back: bool):
    """The ids of each page, walked to the end."""
    order, cursor, found = {"field": field, "direction": direction}, None, []
    while True:
        names = ("last", "before") if back else ("first", "after")
        given = {names[0]: size} | ({names[1]: cursor} if cursor else {})
        declared = "".join(f"${name}: {'Int' if name in {'first', 'last'} else 'String'} " for name in given)
        arguments = "".join(f"{name}: ${name} " for name in given)
        document = PAGE.format(declared=declared, given=arguments, field=FIELDS[field][0])
        data = (await requester.ask(document, order=order, **given))["leads"]
        info = data["pageInfo"]
        ids = [edge["node"]["id"] for edge in data["edges"]]
        assert info["startCursor"] == data["edges"][0]["cursor"]
        assert info["endCursor"] == data["edges"][-1]["cursor"]
        assert info["hasNextPage" if back else "hasPreviousPage"] == (cursor is not None)
        found.append(ids)
        cursor = info["startCursor" if back else "endCursor"]
        if not info["hasPreviousPage" if back else "hasNextPage"]:
            return found


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("field", LeadSortField)
async def test_forward_pages_are_the_whole_list_once_and_in_order(
    world: tuple[Requester, dict[str, object]], field: LeadSortField, direction: SortDirection
):
    requester, leads = world
    found = await pages(requester, field, direction, 6, back=False)
    assert [shown for page in found for shown in page] == expected(leads, field, direction)


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("field", LeadSortField)
async def test_backward_pages_are_the_same_list_from_its_end(
    world: tuple[Requester, dict[str, object]], field: LeadSortField, direction: SortDirection
):
    requester, leads = world
    found = await pages(requester, field, direction, 7, back=True)
    assert [shown for page in reversed(found) for shown in page] == expected(leads, field, direction)


async def test_a_page_joins_what_it_shows_and_keeps_its_order(world: tuple[Requester, dict[str, object]]):
    requester, leads = world
    document = "{ leads(first: 40, orderBy: {field: NAME}) { nodes { id status { key } company { name } } } }"
    data = await requester.ask(document)
    wanted = expected(leads, LeadSortField.NAME, SortDirection.DESC)[:40]
    assert [lead["id"] for lead in data["leads"]["nodes"]] == wanted
    assert [lead["status"]["key"] for lead in data["leads"]["nodes"]] == [leads[shown]["status"] for shown in wanted]


async def test_a_total_is_of_the_filter_and_not_of_the_page(world: tuple[Requester, dict[str, object]]):
    requester, leads = world
    won = sum(lead["status"] == "won" for lead in leads.values())
    document = '{ leads(first: 2, filter: {status: {eq: "won"}}) { totalCount { value exact } nodes { id } } }'
    data = await requester.ask(document)
    assert data["leads"]["totalCount"] == {"value": won, "exact": True}
    assert len(data["leads"]["nodes"]) == 2


async def test_the_total_is_still_there_beyond_the_last_page(world: tuple[Requester, dict[str, object]]):
    requester, _ = world
    end = await requester.ask("{ leads(last: 1) { pageInfo { endCursor } } }")
    document = "query($after: String!) { leads(after: $after) { totalCount { value } nodes { id } } }"
    data = await requester.ask(document, after=end["leads"]["pageInfo"]["endCursor"])
    assert data["leads"] == {"totalCount": {"value": COUNT}, "nodes": []}


async def test_of_a_list_without_leads_the_total_is_zero_and_the_cursors_are_null(
    world: tuple[Requester, dict[str, object]],
):
    requester, _ = world
    document = """{ leads(filter: {name: {eq: "nobody"}}) {
        totalCount { value exact } edges { cursor }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    data = await requester.ask(document)
    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert data["leads"] == {"totalCount": {"value": 0, "exact": True}, "edges": [], "pageInfo": nothing}


async def test_without_first_a_page_has_fifty_leads_at_most(world: tuple[Requester, dict[str, object]]):
    requester, _ = world
    assert len((await requester.ask("{ leads { nodes { id } } }"))["leads"]["nodes"]) == COUNT


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ("first: -1", ("first",)),
        ("first: 0", ("first",)),
        ("first: 1000000000", ("first",)),
        ("last: 0", ("last",)),
        ("first: 1, last: 1", ("last",)),
        ('first: 1, before: "x"', ("last",)),
        ('after: "garbage"', ("after",)),
        ('after: ""', ("after",)),
        ('after: "öäü"', ("after",)),
        ('before: "AAAA"', ("before",)),
        ("first: null", ("first",)),
        ("orderBy: null", ("orderBy",)),
        ("filter: null", ("filter",)),
        ("filter: {score: {in: []}}", ("filter", "score", "in")),
        ("filter: {score: {}}", ("filter", "score")),
        ("filter: {name: null}", ("filter", "name")),
        ("filter: {name: {eq: null}}", ("filter", "name", "eq")),
        ("filter: {or: [{}]}", ("filter", "or", "0")),
        ('filter: {status: {eq: "no such"}}', ("filter", "status")),
        ('filter: {id: {eq: "lead_1"}}', ("filter", "id", "eq")),
        ('filter: {companyId: {eq: "company_01a1fc7c-a04f-7759-860e-af04412eb384"}}', ("filter", "companyId")),
        ('filter: {custom: [{key: "no such", eq: "x"}]}', ("filter", "custom")),
    ],
)
async def test_s06_arguments_that_mean_nothing_are_bad_input_with_their_place(
    world: tuple[Requester, dict[str, object]], arguments: str, place: tuple[str, ...]
):
    refused = await world[0].refusal(f"{{ leads({arguments}) {{ nodes {{ id }} }} }}")
    assert isinstance(refused, BadInput), refused
    assert refused.path == place


@pytest.mark.parametrize(
    "arguments",
    ["orderBy: {field: SCORE}", "orderBy: {field: CREATED_AT, direction: ASC}", "filter: {score: {gt: 1}}"],
)
async def test_s06_a_cursor_of_another_list_is_bad_input(world: tuple[Requester, dict[str, object]], arguments: str):
    requester, _ = world
    data = await requester.ask("{ leads(first: 1) { pageInfo { endCursor } } }")
    cursor = data["leads"]["pageInfo"]["endCursor"]
    refused = await requester.refusal(f'{{ leads({arguments}, after: "{cursor}") {{ nodes {{ id }} }} }}')
    assert isinstance(refused, BadInput)
    assert refused.path == ("after",)


@pytest.mark.parametrize("position", range(0, 60, 7))
async def test_s06_a_cursor_that_was_tampered_with_is_bad_input_or_a_page_and_never_a_failure(
    world: tuple[Requester, dict[str, object]], position: int
):
    requester, _ = world
    document = "{ leads(first: 1, orderBy: {field: CONVERSION_VALUE}) { pageInfo { endCursor } } }"
    cursor = (await requester.ask(document))["leads"]["pageInfo"]["endCursor"]
    index = position % len(cursor)
    changed = cursor[:index] + ("A" if cursor[index] != "A" else "B") + cursor[index + 1 :]
    given = f'leads(first: 1, orderBy: {{field: CONVERSION_VALUE}}, after: "{changed}")'
    result = await requester.execute(f"{{ {given} {{ nodes {{ id }} }} }}")
    assert not result.errors or isinstance(result.errors[0].original_error, BadInput)


async def test_s27_a_masked_field_cannot_be_ordered_by(
    shared_database: Database, shared_organization: MakeOrganization
):
    settings = OrganizationSettings(masking=(MaskingRule(LeadFieldKey.SCORE, MaskingMode.REDACT),))
    organization = await shared_organization(settings=settings)
    document = "{ leads(orderBy: {field: SCORE}) { nodes { id } } }"
    refused = await Requester(shared_database, organization, Role.AGENT).refusal(document)
    assert isinstance(refused, BadInput)
    assert refused.path == ("orderBy", "field")
    await Requester(shared_database, organization, Role.ADMIN).ask(document)
