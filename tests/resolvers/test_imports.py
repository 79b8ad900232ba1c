"""Imports through the API: the plan and its rows, issues and their groups, reviews, undo, saved mappings."""

import io
from collections.abc import Mapping

import pytest
from starlette.datastructures import UploadFile

from tests.resolvers.office import Desk

PHONES = [f"+1212555{number:04}" for number in range(100, 110)]
JOB = """id state totalRows successCount errorCount skippedCount fileName mode
  counts { created updated unchanged skipped failed unprocessed warnings }
  plan { revision creates updates unchanged skips errors fieldsTouched { field set overwritten cleared } }
  columns { index header field suggestedField suggestionScore samples blankCount ignored
    unknownValues { value count suggestion } }
  dialect { format delimiter { value confidence } dateOrder { value confidence alternatives } headerRow }"""
IMPORT = f"""mutation ($file: Upload!, $mode: ImportMode! = COMMIT, $options: ImportOptionsInput, $retryOf: ID,
  $mapping: [ColumnMappingInput!], $mappingId: ID, $saveMappingAs: String, $same: Boolean! = true) {{
  importLeads(input: {{source: {{file: $file}}, mode: $mode, options: $options, mapping: $mapping, retryOf: $retryOf,
    mappingId: $mappingId, saveMappingAs: $saveMappingAs, allowSameFile: $same, waitSeconds: 25}}) {{
    job {{ {JOB} }} userErrors {{ code message path }} }} }}"""
ROWS = """query ($id: ID!, $filter: ImportRowFilter, $first: Int! = 50, $after: String) { job(id: $id) {
  ... on ImportJob { rows(filter: $filter, first: $first, after: $after) {
    nodes { row line outcome matchedBy lead { name } changes { field before after } issues { code } }
    pageInfo { hasNextPage endCursor } totalCount { value exact } } } } }"""
ISSUES = """query ($id: ID!, $filter: ImportIssueFilter, $lines: Int! = 1000) { job(id: $id) { ... on ImportJob {
  issues(filter: $filter) { nodes { row line column field code severity message value suggestion }
    totalCount { value exact } }
  issueGroups { code severity field value rows firstRow message suggestion }
  validationErrors { row } errorReport(maxLines: $lines) } } }"""
COMMIT = """mutation ($id: ID!, $revision: Int!) { commitImport(input: {id: $id, planRevision: $revision}) {
  job { id } userErrors { code path ... on ConflictError { currentPlanRevision } } } }"""
UPDATE = """mutation ($id: ID!, $options: ImportOptionsInput, $dialect: DialectInput) {
  updateImport(input: {id: $id, options: $options, dialect: $dialect}) { job { id } userErrors { code } } }"""
WAIT = f"""query ($id: ID!, $since: Int!) {{ job(id: $id, sinceRevision: $since, waitSeconds: 25) {{
  revision ... on ImportJob {{ {JOB} }} }} }}"""
REVERT = """mutation ($id: ID!, $dry: Boolean! = false) {
  revertImport(input: {id: $id, dryRun: $dry, waitSeconds: 25}) {
  job { id state dryRun importJob { id } summary { removed restored keptBecauseEdited alreadyGone } }
  userErrors { code path } } }"""
MAPPINGS = "{ importMappings { id name columns options usedCount } }"
OVERWRITE = {"mergeStrategy": "OVERWRITE"}


def table(*rows: str, header: str = "name,phone,source,score") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


async def send(desk: Desk, data: bytes, **variables: object) -> Mapping[str, object]:
    file = UploadFile(io.BytesIO(data), filename="leads.csv")
    return (await desk.ask(IMPORT, file=file, **variables))["importLeads"]


async def run(desk: Desk, data: bytes, **variables: object) -> Mapping[str, object]:
    payload = await send(desk, data, **variables)
    assert payload["userErrors"] == []
    return payload["job"]


async def until(desk: Desk, job_id: str, *states: str) -> Mapping[str, object]:
    revision = 0
    while True:
        job = (await desk.ask(WAIT, id=job_id, since=revision))["job"]
        if job["state"] in states:
            return job
        revision = job["revision"]


async def rows_of(desk: Desk, job: Mapping[str, object], **variables: object) -> list[Mapping[str, object]]:
    return (await desk.ask(ROWS, id=job["id"], **variables))["job"]["rows"]["nodes"]


async def test_a_plan_shows_per_row_what_it_would_do_field_by_field(desk: Desk):
    await run(desk, table(f"Ann,{PHONES[0]},web,5", f"Bob,{PHONES[1]},web,"))
    data = table(
        f"Anna,{PHONES[0]},web,9", f"Bob,{PHONES[1]},web,", f"Cyd,{PHONES[2]},web,1", f",{PHONES[3]},web,1"
    )  # fmt: skip
    job = await run(desk, data, mode="VALIDATE", options=OVERWRITE)
    assert (job["state"], job["mode"], job["totalRows"]) == ("COMPLETED_WITH_ERRORS", "VALIDATE", 4)
    plan = {"revision": 1, "creates": 1, "updates": 1, "unchanged": 1, "skips": 0, "errors": 1}
    assert {key: job["plan"][key] for key in plan} == plan
    touched = {touch.pop("field"): tuple(touch.values()) for touch in job["plan"]["fieldsTouched"]}
    assert touched == {"name": (1, 1, 0), "phone": (1, 0, 0), "score": (1, 1, 0), "source": (1, 0, 0)}
    rows = await rows_of(desk, job)
    assert [(row["row"], row["line"], row["outcome"], row["matchedBy"]) for row in rows] == [
        (2, 2, "UPDATED", "PHONE"), (3, 3, "UNCHANGED", "PHONE"), (4, 4, "CREATED", None), (5, 5, "FAILED", None),
    ]  # fmt: skip
    assert rows[0]["lead"] == {"name": "Ann"}
    assert rows[0]["changes"] == [
        {"field": "name", "before": "Ann", "after": "Anna"}, {"field": "score", "before": "5", "after": "9"},
    ]  # fmt: skip
    assert rows[3]["issues"] == [{"code": "REQUIRED"}]
    assert await desk.rows("select count(*) as n from app.leads") == [{"n": 2}]


async def test_rows_are_filtered_and_paged(desk: Desk):
    data = table(*(f"{'' if n % 2 else 'A'},{PHONES[n]},web," for n in range(10)))
    job = await run(desk, data)
    assert [row["row"] for row in await rows_of(desk, job, filter={"outcome": ["FAILED"]})] == [3, 5, 7, 9, 11]
    found = await rows_of(desk, job, filter={"code": ["REQUIRED"], "rowFrom": 5, "rowTo": 8})
    assert [row["row"] for row in found] == [5, 7]
    first = (await desk.ask(ROWS, id=job["id"], first=6))["job"]["rows"]
    rest = (await desk.ask(ROWS, id=job["id"], first=6, after=first["pageInfo"]["endCursor"]))["job"]["rows"]
    assert [row["row"] for row in (*first["nodes"], *rest["nodes"])] == list(range(2, 12))
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == ({"value": 10, "exact": True}, True)
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_issues_name_row_line_column_field_value_and_suggestion(desk: Desk):
    data = table(
        f'"Ann\nLee",{PHONES[0]},referal,101', "Bob,,referal,", f"Cyd,{PHONES[2]},refferal,x",
        header="Full Name,Mobile,Source,Score",
    )  # fmt: skip
    job = await run(desk, data)
    assert (job["errorCount"], job["totalRows"]) == (3, 3)
    found = (await desk.ask(ISSUES, id=job["id"]))["job"]
    issues = [tuple(issue[key] for key in ("row", "line", "column", "code")) for issue in found["issues"]["nodes"]]
    assert sorted(issues) == [
        (2, 2, "Score", "OUT_OF_RANGE"), (2, 2, "Source", "UNKNOWN_VALUE"), (3, 4, "Mobile", "REQUIRED"),
        (3, 4, "Source", "UNKNOWN_VALUE"), (4, 5, "Score", "INVALID_NUMBER"), (4, 5, "Source", "UNKNOWN_VALUE"),
    ]  # fmt: skip
    (source,) = [one for one in found["issues"]["nodes"] if one["row"] == 2 and one["column"] == "Source"]
    assert (source["field"], source["value"], source["suggestion"]) == ("source", "referal", "referral")
    groups = {(group["field"], group["value"]): group["rows"] for group in found["issueGroups"]}
    assert groups[("source", "referal")] == 2
    assert groups[("source", "refferal")] == 1
    assert "Row 3: phone is required" in found["errorReport"].splitlines()
    assert len((await desk.ask(ISSUES, id=job["id"], lines=2))["job"]["errorReport"].splitlines()) <= 3
    column = job["columns"][2]
    assert column["unknownValues"] == [
        {"value": "referal", "count": 2, "suggestion": "referral"},
        {"value": "refferal", "count": 1, "suggestion": "referral"},
    ]
    only = (await desk.ask(ISSUES, id=job["id"], filter={"column": "Score"}))["job"]["issues"]
    assert ([issue["row"] for issue in only["nodes"]], only["totalCount"]["value"]) == ([2, 4], 2)


async def test_columns_tell_what_they_became_and_what_comes_near(desk: Desk):
    header = "NAME,phone number,Source,Scoore,Nothing"
    job = await run(desk, table(f"Ann,{PHONES[0]},web,5,x", f"Bob,{PHONES[1]},web,,", header=header))
    fields = {column["header"]: column["field"] for column in job["columns"]}
    assert fields == {"NAME": "name", "phone number": "phone", "Source": "source", "Scoore": None, "Nothing": None}
    near = job["columns"][3]
    assert near["suggestedField"] == "score"
    assert 0.5 < near["suggestionScore"] < 1
    assert (near["samples"], near["blankCount"]) == (["5"], 1)


async def test_a_review_is_committed_as_it_was_seen_and_a_stale_one_refused(desk: Desk):
    job = await run(desk, table(f"Ann,{PHONES[0]},web,5"), mode="REVIEW")
    assert (job["state"], job["plan"]["revision"]) == ("AWAITING_REVIEW", 1)
    again = (await desk.ask(UPDATE, id=job["id"], options={"addTags": ["q4"]}))["updateImport"]
    assert again["userErrors"] == []
    planned = await until(desk, job["id"], "AWAITING_REVIEW")
    assert planned["plan"]["revision"] == 2
    stale = (await desk.ask(COMMIT, id=job["id"], revision=1))["commitImport"]
    assert stale["userErrors"] == [
        {"code": "PLAN_STALE", "path": ["input", "planRevision"], "currentPlanRevision": 2}
    ]  # fmt: skip
    assert await desk.rows("select count(*) as n from app.leads") == [{"n": 0}]
    assert (await desk.ask(COMMIT, id=job["id"], revision=2))["commitImport"]["userErrors"] == []
    done = await until(desk, job["id"], "COMPLETED")
    assert done["counts"]["created"] == 1
    assert await desk.rows("select tags from app.leads") == [{"tags": ["q4"]}]
    twice = (await desk.ask(COMMIT, id=job["id"], revision=2))["commitImport"]
    assert [error["code"] for error in twice["userErrors"]] == ["WRONG_STATE"]


async def test_a_date_that_could_be_both_is_asked_and_the_answer_used(desk: Desk):
    job = await run(desk, table(f"Ann,{PHONES[0]},web,03/04/2024", header="name,phone,source,created at"))
    assert job["state"] == "AWAITING_MAPPING"
    assert job["dialect"]["dateOrder"]["confidence"] == "AMBIGUOUS"
    assert set(job["dialect"]["dateOrder"]["alternatives"]) == {"DMY", "MDY"}
    await desk.ask(UPDATE, id=job["id"], dialect={"dateOrder": "MDY"})
    done = await until(desk, job["id"], "COMPLETED")
    assert done["dialect"]["dateOrder"]["value"] == "MDY"
    assert done["dialect"]["dateOrder"]["confidence"] == "GIVEN"
    (lead,) = await desk.rows("select created_at from app.leads")
    assert (lead["created_at"].month, lead["created_at"].day) in {(3, 4), (3, 3)}


async def test_an_undo_is_tried_dry_and_then_done_once(desk: Desk):
    await run(desk, table(f"Ann,{PHONES[0]},web,5"))
    job = await run(desk, table(f"Anna,{PHONES[0]},web,6", f"Bob,{PHONES[1]},web,7"), options=OVERWRITE)
    before = await desk.rows("select name, version from app.leads order by id")
    dry = (await desk.ask(REVERT, id=job["id"], dry=True))["revertImport"]["job"]
    counts = {"removed": 1, "restored": 1, "keptBecauseEdited": 0, "alreadyGone": 0}
    assert (dry["state"], dry["dryRun"], dry["summary"]) == ("COMPLETED", True, counts)
    assert await desk.rows("select name, version from app.leads order by id") == before
    done = (await desk.ask(REVERT, id=job["id"]))["revertImport"]["job"]
    assert (done["dryRun"], done["summary"], done["importJob"]["id"]) == (False, counts, job["id"])
    assert await desk.rows("select name, score from app.leads") == [{"name": "Ann", "score": 5}]
    twice = (await desk.ask(REVERT, id=job["id"]))["revertImport"]
    assert [error["code"] for error in twice["userErrors"]] == ["NOT_REVERTIBLE"]
    again = await run(desk, table(f"Anna,{PHONES[0]},web,6", f"Bob,{PHONES[1]},web,7"), options=OVERWRITE, same=False)
    assert (again["counts"]["created"], again["counts"]["updated"]) == (1, 1)


async def test_the_same_bytes_are_refused_unless_allowed(desk: Desk):
    data = table(f"Ann,{PHONES[0]},web,5")
    await run(desk, data, same=False)
    refused = await send(desk, data, same=False)
    assert [(error["code"], error["path"]) for error in refused["userErrors"]] == [("SAME_FILE", ["input", "source"])]
    assert (await run(desk, data, same=True))["counts"]["skipped"] == 1


async def test_a_saved_mapping_is_listed_used_and_deleted(desk: Desk):
    data = table(f"Ann,{PHONES[0]},Ads", header="who,number,via")
    mapping = [
        {"column": "who", "field": "NAME"},
        {"column": "number", "field": "PHONE"},
        {"column": "via", "field": "SOURCE", "values": [{"from": "Ads", "to": "web"}], "default": "unknown"},
    ]
    await run(desk, data, mapping=mapping, saveMappingAs="Partner")
    (saved,) = (await desk.ask(MAPPINGS))["importMappings"]
    assert (saved["name"], saved["usedCount"]) == ("Partner", 0)
    job = await run(desk, data, mappingId=saved["id"], options=OVERWRITE)
    assert job["counts"]["unchanged"] == 1
    assert (await desk.ask(MAPPINGS))["importMappings"][0]["usedCount"] == 1
    delete = "mutation ($id: ID!) { deleteImportMapping(id: $id) { userErrors { code } } }"
    assert (await desk.ask(delete, id=saved["id"]))["deleteImportMapping"]["userErrors"] == []
    assert (await desk.ask(MAPPINGS))["importMappings"] == []
    gone = await send(desk, data, mappingId=saved["id"])
    assert [error["code"] for error in gone["userErrors"]] == ["NOT_FOUND"]


async def test_a_whole_file_sent_again_as_a_retry_runs_its_failed_rows_alone(desk: Desk):
    first = await run(desk, table(f"Ann,{PHONES[0]},web,5", f"Bob,{PHONES[1]},nowhere,6"))
    corrected = table(f"Ann,{PHONES[0]},web,99", f"Bob,{PHONES[1]},phone,6")
    second = await run(desk, corrected, retryOf=first["id"], options=OVERWRITE)
    assert (second["totalRows"], second["counts"]["created"], second["counts"]["updated"]) == (1, 1, 0)
    for strategy in ("OVERWRITE", "CREATE_NEW"):
        third = await run(desk, corrected, retryOf=first["id"], options={"mergeStrategy": strategy})
        assert (third["totalRows"], third["counts"]["created"], third["counts"]["skipped"]) == (1, 0, 1)
    assert await desk.rows("select name, score from app.leads order by name") == [
        {"name": "Ann", "score": 5}, {"name": "Bob", "score": 6},
    ]  # fmt: skip
    absent = await send(desk, corrected, retryOf="job_0190d3c2-0000-7000-8000-000000000000")
    assert [(error["code"], error["path"]) for error in absent["userErrors"]] == [("NOT_FOUND", ["input", "retryOf"])]


UPDATED = """mutation ($input: UpdateImportInput!) { updateImport(input: $input) { userErrors { code path } } }"""
START = """mutation ($input: ImportLeadsInput!) { importLeads(input: $input) { userErrors { code path } } }"""


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"saveMappingAs": "a\0"}, "saveMappingAs"),
        ({"dialect": {"sheet": "a\0"}}, "dialect.sheet"),
        ({"options": {"addTags": ["vip", "a\0"]}}, "options.addTags.1"),
        ({"options": {"defaults": [{"custom": "k", "value": "a\0"}]}}, "options.defaults.0.value"),
        ({"mapping": [{"column": "name", "values": [{"from": "a\0"}]}]}, "mapping.0.values.0.from"),
        ({"mapping": [{"column": "name", "default": "a\0"}]}, "mapping.0.default"),
    ],
)
async def test_a_text_that_cannot_be_stored_is_refused_where_it_stands(desk: Desk, given: dict[str, object], path: str):
    answer = (await desk.ask(START, input={"source": {"uploadId": "upload_x"}, **given}))["importLeads"]
    assert answer["userErrors"] == [{"code": "INVALID", "path": ["input", *path.split(".")]}]


WRONG_DEFAULTS = [
    ({"options": {"defaults": [{"field": "SOURCE", "value": "web"}, {"field": "SCORE", "value": "ten"}]}},
     ["options", "defaults", "1"]),
    ({"mapping": [{"column": "name", "field": "NAME"}, {"column": "extra", "field": "SCORE", "default": "ten"}]},
     ["mapping", "1"]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "path"), WRONG_DEFAULTS, ids=["of the options", "of a column"])
async def test_a_default_that_is_no_value_is_refused_where_it_stands(
    desk: Desk, given: dict[str, object], path: list[str]
):
    (error,) = (await send(desk, b"name,phone,source,extra\nDana,+12025550123,web,\n", **given))["userErrors"]
    assert (error["code"], error["path"]) == ("INVALID", ["input", *path])


@pytest.mark.parametrize(("name", "code"), [(" ", "REQUIRED"), ("x" * 1_001, "TOO_LONG")])
async def test_a_mapping_is_saved_under_a_name_of_a_name_s_length(desk: Desk, name: str, code: str):
    for document, given in ((START, {"source": {"uploadId": "upload_x"}}), (UPDATED, {"id": "job_x"})):
        ((_, answer),) = (await desk.ask(document, input={**given, "saveMappingAs": name})).items()
        assert answer["userErrors"] == [{"code": code, "path": ["input", "saveMappingAs"]}]


async def test_a_country_that_is_none_is_refused(desk: Desk):
    given = {"source": {"uploadId": "upload_x"}, "options": {"defaultCountry": "UK"}}
    answer = (await desk.ask(START, input=given))["importLeads"]
    assert answer["userErrors"] == [{"code": "INVALID", "path": ["input", "options", "defaultCountry"]}]
