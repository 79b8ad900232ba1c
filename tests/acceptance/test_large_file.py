"""A hundred thousand rows in by createUpload and out again, watched over a WebSocket."""

import asyncio
import hashlib
from collections.abc import Callable

from tests.acceptance.calling import Caller, rows_of
from tests.acceptance.files import EXPECTED, content, import_input, needs_folder

pytestmark = needs_folder

START = "mutation ($input: ImportLeadsInput!) { importLeads(input: $input) { job { id } userErrors { code message } } }"
EXPORT = """mutation { exportLeads(input: {spec: {template: LEADS}}) { job { id } userErrors { message } } }"""
REPORT = """query ($id: ID!) { job(id: $id) { state
  ... on ImportJob { totalRows counts { created updated unchanged skipped failed unprocessed } }
  ... on ExportJob { rowCount file { rows sha256 download { url } } } } }"""
FOLLOW = """subscription ($id: ID!) { job(id: $id) { type revision job { state progress { phase processed total }
  ... on ImportJob { counts { created updated unchanged skipped failed unprocessed } totalRows } } } }"""


async def test_a_hundred_thousand_rows_go_in_and_out_and_every_side_counts_the_same(found: Callable[..., Caller]):
    caller, rows = found("--country", "US"), EXPECTED["p8"]["data_rows"]
    upload = await caller.upload(content("p8"), "customers.csv")
    given = {"source": {"uploadId": upload}, **import_input("p8", "S1")}
    job_id = (await caller.ask(START, input=given))["importLeads"]["job"]["id"]
    async with asyncio.timeout(300):
        events = [event["job"] async for event in caller.follow(FOLLOW, id=job_id)]
    without_gaps(events, rows)
    imported = (await caller.ask(REPORT, id=job_id))["job"]
    assert (imported["state"], imported["totalRows"], imported["counts"]["created"]) == ("COMPLETED", rows, rows)
    assert sum(imported["counts"].values()) == rows
    assert await caller.count() == rows
    exported = await export(caller)
    assert (exported["rowCount"], exported["file"]["rows"]) == (rows, rows)
    data = (await caller.download(exported["file"]["download"]["url"])).content
    assert hashlib.sha256(data).hexdigest() == exported["file"]["sha256"]
    header, *records = rows_of(data)
    assert len(records) == rows
    phone = header.index("phone")
    assert len({record[phone] for record in records}) == rows


def without_gaps(events: list[dict], rows: int) -> None:
    """From a snapshot to the end, never backwards, and what was done is where the counts say it is."""
    assert events[0]["type"] == "SNAPSHOT"
    revisions = [event["revision"] for event in events]
    assert revisions == sorted(set(revisions))
    processed = [event["job"]["progress"]["processed"] for event in events]
    assert processed == sorted(processed)
    assert len(set(processed)) > 3, "an import of this size is seen on its way"
    assert events[-1]["job"]["state"] == "COMPLETED"
    assert processed[-1] == rows
    for event in events:
        if event["job"]["totalRows"] is not None:
            assert sum(event["job"]["counts"].values()) == event["job"]["totalRows"]


async def export(caller: Caller) -> dict:
    job_id = (await caller.ask(EXPORT))["exportLeads"]["job"]["id"]
    states = [event["job"]["job"]["state"] async for event in caller.follow(FOLLOW, id=job_id)]
    assert states[-1] == "COMPLETED"
    return (await caller.ask(REPORT, id=job_id))["job"]
