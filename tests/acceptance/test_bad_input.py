"""What callers get wrong: a clear error with its code, and nothing half done."""

from collections.abc import Callable

import pytest

from tests.acceptance.calling import EXPORT, IMPORT, Caller
from tests.acceptance.conftest import Enter, token_of

JOBS = "{ jobs(first: 1) { totalCount { value } } }"
LEAK = ("Traceback", "asyncpg", "sqlalchemy", "select ", "postgres", "/tmp", ".py")


@pytest.fixture(scope="module")
def caller(found: Callable[..., Caller]) -> Caller:
    return found()


async def jobs_of(caller: Caller) -> int:
    return (await caller.ask(JOBS))["jobs"]["totalCount"]["value"]


async def import_errors(caller: Caller, data: bytes, name: str = "leads.csv", **more: object) -> list[dict]:
    """The userErrors of an import that makes no lead; a job there is has failed with this error."""
    payload = await caller.import_file(data, name, **more)
    assert await caller.count() == 0
    if payload["job"] is not None:
        assert payload["job"]["state"] == "FAILED"
        return [payload["job"]["failure"]]
    return plain(payload["userErrors"])


def plain(errors: list[dict]) -> list[dict]:
    assert errors
    for error in errors:
        assert error["message"]
        assert not any(word in error["message"] for word in LEAK), error
    return errors


@pytest.mark.parametrize("token", ["nonsense", "lp_nonsense", "a.b.c"])
async def test_a_wrong_token_is_unauthenticated(demo: Caller, token: str):
    stranger = Caller(demo.url, token, demo.http)
    answer = await stranger.post("{ viewer { role } }")
    (error,) = plain(answer.json()["errors"])
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.json().get("data") is None


async def test_a_token_signed_by_somebody_else_is_unauthenticated(demo: Caller):
    head, body, signature = demo.token.split(".")
    forged = Caller(demo.url, f"{head}.{body}.{signature[::-1]}", demo.http)
    (error,) = await forged.refused("{ leads(first: 1) { nodes { id } } }")
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_token_of_an_organization_that_is_not_there_is_unauthenticated(demo: Caller):
    nobody = Caller(demo.url, token_of("nowhere", "ADMIN"), demo.http)
    (error,) = await nobody.refused("{ viewer { role } }")
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_leads_and_jobs_of_another_organization_are_as_if_absent(demo: Caller, caller: Caller):
    leads = await demo.ask("{ leads(first: 1) { nodes { id } } }")
    lead_id = leads["leads"]["nodes"][0]["id"]
    job, _ = await demo.export({"limit": 1})
    absent = "lead_00000000-0000-7000-8000-000000000000"
    for given in (lead_id, absent):
        assert await caller.ask("query ($id: ID!) { lead(id: $id) { id } }", id=given) == {"lead": None}
        assert await caller.ask("query ($id: ID!) { node(id: $id) { id } }", id=given) == {"node": None}
    assert await caller.ask("query ($id: ID!) { job(id: $id) { id } }", id=job["id"]) == {"job": None}
    cancelled = await caller.ask(
        "mutation ($id: ID!) { cancelJob(id: $id) { job { id } userErrors { code message } } }", id=job["id"]
    )
    (error,) = plain(cancelled["cancelJob"]["userErrors"])
    assert error["code"] == "NOT_FOUND"


async def test_somebody_cannot_name_another_organization_in_a_header(demo: Caller, caller: Caller):
    viewer = (await demo.ask("{ viewer { organization { id } } }"))["viewer"]
    headers = {"X-Organization-Id": viewer["organization"]["id"]}
    meddler = Caller(caller.url, caller.token, caller.http, headers)
    answer = await meddler.post("{ viewer { organization { slug } } }")
    body = answer.json()
    if "errors" in body:
        assert body["errors"][0]["extensions"]["code"] in {"FORBIDDEN", "UNAUTHENTICATED"}
    else:
        assert body["data"]["viewer"]["organization"]["slug"] != "demo"


async def test_a_viewer_may_not_export(enter: Enter):
    viewer = enter("demo", "VIEWER")
    (error,) = await viewer.refused(EXPORT, spec={"limit": 1})
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "LEADS_EXPORT" in error["message"]


async def test_a_viewer_may_not_import(enter: Enter):
    viewer = enter("demo", "VIEWER")
    (error,) = await viewer.refused('mutation { createUpload(input: {fileName: "a.csv"}) { upload { id } } }')
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_an_unknown_column_is_refused_before_anything_runs(caller: Caller):
    before = await jobs_of(caller)
    (error,) = await caller.refused(EXPORT, spec={"columns": [{"field": "SHOE_SIZE"}]})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "SHOE_SIZE" in error["message"]
    payload = (await caller.ask(EXPORT, spec={"columns": [{"custom": "shoe_size"}]}))["exportLeads"]
    (problem,) = plain(payload["userErrors"])
    assert (problem["code"], problem["path"]) == ("UNKNOWN_VALUE", ["input", "spec", "columns", "0", "custom"])
    assert payload["job"] is None
    assert await jobs_of(caller) == before


@pytest.mark.parametrize("status", ["nonsense", "new\n", "", "new' or '1'='1"])
async def test_an_unknown_status_is_refused(caller: Caller, status: str):
    before = await jobs_of(caller)
    payload = (await caller.ask(EXPORT, spec={"filter": {"status": {"eq": status}}}))["exportLeads"]
    (problem,) = plain(payload["userErrors"])
    assert payload["job"] is None
    assert problem["code"] == "UNKNOWN_VALUE"
    assert problem["path"][:4] == ["input", "spec", "filter", "status"]
    document = "query ($filter: LeadFilter) { leads(filter: $filter, first: 1) { nodes { id } } }"
    (error,) = await caller.refused(document, filter={"status": {"eq": status}})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert await jobs_of(caller) == before


PAGE = (
    "query ($filter: LeadFilter, $first: Int, $after: String) { leads(filter: $filter, first: $first, after: $after) "
)


@pytest.mark.parametrize(
    "variables",
    [
        {"filter": {"source": {"eq": "CARRIER_PIGEON"}}},
        {"filter": {"createdAt": {"within": {"last": 1, "unit": "FORTNIGHT"}}}},
        {"filter": {"score": {"in": []}}},
        {"filter": {"status": {"in": []}}},
        {"filter": {"name": {"eq": None}}},
        {"filter": {"search": None}},
        {"filter": {"or": [{}]}},
        {"filter": None},
        {"first": 0},
        {"first": -1},
        {"first": 10_000},
        {"first": None},
        {"after": None},
        {"after": "nonsense"},
    ],
    ids=str,
)
async def test_a_page_that_cannot_be_meant_is_bad_input(caller: Caller, variables: dict[str, object]):
    (error,) = plain(await caller.refused(f"{PAGE} {{ nodes {{ id }} }} }}", **variables))
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_cursor_of_another_list_is_bad_input(demo: Caller):
    page = (await demo.ask("{ leads(first: 1) { pageInfo { endCursor } } }"))["leads"]
    foreign = {"filter": {"score": {"gt": 1}}, "after": page["pageInfo"]["endCursor"]}
    (error,) = plain(await demo.refused(f"{PAGE} {{ nodes {{ id }} }} }}", **foreign))
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_enum_that_is_not_there_is_found_before_anything_runs(caller: Caller):
    (error,) = plain(await caller.refused("{ leads(filter: {source: {eq: CARRIER_PIGEON}}) { nodes { id } } }"))
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_pdf_called_leads_csv_is_refused(caller: Caller):
    pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
    (error,) = await import_errors(caller, pdf)
    assert error["code"] in {"UNSUPPORTED_FORMAT", "UNREADABLE_FILE"}
    assert "PDF" in error["message"]


async def test_an_empty_file_is_refused(caller: Caller):
    (error,) = await import_errors(caller, b"")
    assert error["code"] == "UNREADABLE_FILE"
    assert "empty" in error["message"]


async def test_a_file_whose_required_column_is_missing_makes_no_job(caller: Caller):
    before = await jobs_of(caller)
    (error,) = await import_errors(caller, b"name,source\nAda,web\n")
    assert error["code"] == "REQUIRED"
    assert "phone" in error["message"].lower()
    assert await jobs_of(caller) == before


async def test_an_upload_that_was_never_put_is_refused(caller: Caller):
    made = await caller.ask('mutation { createUpload(input: {fileName: "a.csv"}) { upload { id } } }')
    upload = made["createUpload"]["upload"]["id"]
    payload = (await caller.ask(IMPORT, input={"source": {"uploadId": upload}}))["importLeads"]
    assert payload["job"] is None
    assert plain(payload["userErrors"])[0]["path"] == ["input", "source", "uploadId"]


async def test_an_upload_of_another_organization_is_as_if_absent(demo: Caller, caller: Caller):
    foreign = await demo.upload(b"name,phone,source\nAda,+12025550123,web\n")
    payload = (await caller.ask(IMPORT, input={"source": {"uploadId": foreign}}))["importLeads"]
    (error,) = plain(payload["userErrors"])
    assert (payload["job"], error["code"]) == (None, "NOT_FOUND")
    assert await caller.count() == 0
