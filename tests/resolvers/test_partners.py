"""API keys, webhooks and organizations, through the API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from db.api_keys import find_api_keys
from domain.api_keys import secret_matches
from domain.ids import IdKind, format_id, new_id
from domain.vocabulary import Permission, Role
from jobs import partner_changes
from tests.delivery.peers import webhook_peer
from tests.resolvers.office import Desk, Office, open_office

ERRORS = "userErrors { code message path }"
KEY = f"""mutation($input: CreateApiKeyInput!) {{ createApiKey(input: $input) {{
  apiKey {{ id name prefix permissions expiresAt revokedAt }} secret {ERRORS} }} }}"""
REVOKE = f"mutation($id: ID!) {{ revokeApiKey(id: $id) {{ apiKey {{ id revokedAt }} {ERRORS} }} }}"
KEYS = "{ apiKeys { id name prefix permissions revokedAt } }"
WEBHOOK = f"""mutation($input: WebhookEndpointInput!) {{ saveWebhookEndpoint(input: $input) {{
  endpoint {{ id url events enabled }} signingSecret {ERRORS} }} }}"""
DELETE = f"mutation($id: ID!) {{ deleteWebhookEndpoint(id: $id) {{ deletedId {ERRORS} }} }}"
AGAIN = f"""mutation($id: ID!) {{ redeliverWebhook(deliveryId: $id) {{
  delivery {{ id event state attempts payload }} {ERRORS} }} }}"""
WEBHOOKS = """{ webhookEndpoints { id url events enabled deliveries {
  nodes { id event state attempts responseStatus payload deliveredAt } pageInfo { hasNextPage } } } }"""
BULK = """mutation($ids: [ID!]!) { bulkUpdateLeads(input: {target: {ids: $ids}, set: {score: 1}, waitSeconds: 20}) {
  job { id state } userErrors { code } } }"""
EXPORT = """mutation($deliver: [DeliveryInput!]) { exportLeads(input: {spec: {}, deliver: $deliver, waitSeconds: 20}) {
  job { id state file { id } } userErrors { code } } }"""
SCHEDULE = """mutation($input: ExportScheduleInput!) { saveExportSchedule(input: $input) {
  schedule { id } userErrors { code } } }"""
RUN = "mutation($id: ID!) { runExportSchedule(id: $id) { job { id } userErrors { code } } }"
URL = "https://hooks.example.com/leads"


async def make(desk: Desk, document: str, **given: object) -> dict:
    (answer,) = (await desk.ask(document, input=given)).values()
    return answer


def codes(answer: dict) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in answer["userErrors"]]


@pytest.fixture
async def near(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """The owner of an organization of a server of its own, whose worker sends to private addresses."""
    async with open_office(database_url, tmp_path, allow_private_webhooks=True) as office:
        yield await office.desk()


async def told(desk: Desk) -> list[dict]:
    """The endpoints, once nothing waits to be sent."""
    async with asyncio.timeout(30):
        while await desk.rows("select id from app.deliveries where state = 'PENDING'"):  # noqa: ASYNC110 - the worker's
            await asyncio.sleep(0.05)
    return (await desk.ask(WEBHOOKS))["webhookEndpoints"]


async def test_a_key_is_shown_once_and_kept_as_a_hash(desk: Desk):
    answer = await make(desk, KEY, name="CRM sync", permissions=["LEADS_IMPORT", "LEADS_READ", "LEADS_READ"])
    key, secret = answer["apiKey"], answer["secret"]
    assert secret.startswith(f"{key['prefix']}_")
    assert key["permissions"] == ["LEADS_READ", "LEADS_IMPORT"]
    (stored,) = await find_api_keys(desk.runtime.system, key["prefix"])
    assert secret_matches(secret, stored.secret_hash)
    assert secret not in str(await desk.rows("select * from app.api_keys"))
    assert secret not in str(await desk.rows("select summary, details from app.activity"))
    (listed,) = (await desk.ask(KEYS))["apiKeys"]
    assert listed == {key: value for key, value in key.items() if key != "expiresAt"}


async def test_a_revoked_key_stays_in_the_list(desk: Desk):
    key = (await make(desk, KEY, name="A", permissions=["LEADS_READ"]))["apiKey"]["id"]
    first = (await desk.ask(REVOKE, id=key))["revokeApiKey"]["apiKey"]["revokedAt"]
    assert first is not None
    assert (await desk.ask(REVOKE, id=key))["revokeApiKey"]["apiKey"]["revokedAt"] == first
    assert (await desk.ask(KEYS))["apiKeys"][0]["revokedAt"] == first
    acts = await desk.rows("select action, summary from app.activity order by at, id")
    assert [row["action"] for row in acts] == ["API_KEY_CHANGED"] * 3


async def test_nobody_gives_a_key_more_than_they_may(desk: Desk):
    program = desk.program(Permission.API_KEYS_MANAGE, Permission.LEADS_READ)
    answer = await make(program, KEY, name="A", permissions=["LEADS_READ", "LEADS_UNMASK"])
    assert answer["secret"] is None
    assert codes(answer) == [("FORBIDDEN", ["input", "permissions", "1"])]
    admin = desk.seat(Role.SYSTEM_ADMIN)
    crossing = await make(admin, KEY, name="A", permissions=["CROSS_ORGANIZATION"])
    assert codes(crossing) == [("INVALID", ["input", "permissions", "0"])]


@pytest.mark.parametrize(
    ("given", "code", "name"),
    [
        ({"name": " "}, "REQUIRED", "name"),
        ({"permissions": []}, "INVALID", "permissions"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "OUT_OF_RANGE", "expiresAt"),
    ],
)
async def test_a_wrong_key_is_refused_with_its_path(desk: Desk, given: dict, code: str, name: str):
    answer = await make(desk, KEY, **({"name": "A", "permissions": ["LEADS_READ"]} | given))
    assert codes(answer) == [(code, ["input", name])]


async def test_an_endpoint_shows_its_secret_once(desk: Desk):
    made = await make(desk, WEBHOOK, url=URL, events=["JOB_FINISHED"])
    assert made["signingSecret"].startswith("whsec_")
    endpoint = made["endpoint"]
    assert endpoint["enabled"] is True
    changed = await make(desk, WEBHOOK, id=endpoint["id"], url=URL, events=["JOB_FAILED"], enabled=False)
    assert changed["signingSecret"] is None
    assert changed["endpoint"] == {"id": endpoint["id"], "url": URL, "events": ["JOB_FAILED"], "enabled": False}
    again = await make(desk, WEBHOOK, id=endpoint["id"], url=URL, events=["JOB_FAILED"])
    assert again["endpoint"]["enabled"] is False
    assert made["signingSecret"] not in str(await desk.rows("select * from app.webhook_endpoints"))
    assert (await desk.ask(DELETE, id=endpoint["id"]))["deleteWebhookEndpoint"]["deletedId"] == endpoint["id"]
    assert (await desk.ask(WEBHOOKS))["webhookEndpoints"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "https://", "nonsense", "https://user:pw@example.com/",
        "https://example.com/#x", "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data",
        "https://[::1]/", "https://[fe80::1]/", "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://intranet/",
        "https://db.internal/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0/",
        "https://example.com:99999/", "https://exa mple.com/", "https://100.64.0.1/", "https://224.0.0.1/",
    ],
)  # fmt: skip
async def test_s30_addresses_that_are_not_public_are_refused(desk: Desk, url: str):
    answer = await make(desk, WEBHOOK, url=url, events=["JOB_FINISHED"])
    assert codes(answer) == [("INVALID", ["input", "url"])]


async def test_s30_a_name_is_judged_by_where_it_leads():
    assert await partner_changes._leads_inside("localhost")
    assert not await partner_changes._leads_inside("no-such-name.invalid")


async def test_events_are_named_once_each(desk: Desk):
    assert codes(await make(desk, WEBHOOK, url=URL, events=[])) == [("INVALID", ["input", "events"])]
    twice = await make(desk, WEBHOOK, url=URL, events=["JOB_FAILED", "JOB_FAILED"])
    assert codes(twice) == [("DUPLICATE", ["input", "events"])]


async def test_the_end_of_a_job_is_told_signed_and_without_values(near: Desk):
    (lead,) = await near.leads({"name": "Dana Secret"})
    async with webhook_peer() as peer:
        made = await make(near, WEBHOOK, url=peer.url, events=["JOB_FINISHED", "JOB_FAILED"])
        await make(near, WEBHOOK, url=peer.url, events=["JOB_FAILED"])
        await make(near, WEBHOOK, url=peer.url, events=["JOB_FINISHED"], enabled=False)
        job = (await near.ask(BULK, ids=[lead]))["bulkUpdateLeads"]["job"]
        endpoints = await told(near)
        ((headers, sent),) = peer.requests
    body = Webhook(made["signingSecret"]).verify(sent, headers)
    assert body["type"] == "JOB_FINISHED"
    assert body["data"] == {"jobId": job["id"], "kind": "BULK_UPDATE", "state": "COMPLETED", "rows": 1}
    (delivery,) = endpoints[0]["deliveries"]["nodes"]
    assert (delivery["state"], delivery["attempts"], delivery["responseStatus"]) == ("SENT", 1, 200)
    assert [endpoint["deliveries"]["nodes"] for endpoint in endpoints[1:]] == [[], []]


async def test_an_endpoint_that_an_export_is_to_tell_still_hears_its_other_events_and_the_file_once(desk: Desk):
    endpoint = (await make(desk, WEBHOOK, url=URL, events=["EXPORT_READY", "JOB_FINISHED"]))["endpoint"]["id"]
    other = (await make(desk, WEBHOOK, url=URL, events=["EXPORT_READY"]))["endpoint"]["id"]
    job = (await desk.ask(EXPORT, deliver=[{"webhookEndpointId": endpoint}]))["exportLeads"]["job"]
    answer = (await desk.ask(WEBHOOKS))["webhookEndpoints"]
    told = {node["id"]: [sent["payload"] for sent in node["deliveries"]["nodes"]] for node in answer}
    assert sorted(payload["type"] for payload in told[endpoint]) == ["EXPORT_READY", "JOB_FINISHED"]
    data = {"jobId": job["id"], "kind": "EXPORT", "state": "COMPLETED", "rows": 0}
    ready = {**data, "fileId": job["file"]["id"]}
    assert [payload["data"] for payload in told[other]] == [ready]
    assert {payload["type"]: payload["data"] for payload in told[endpoint]} == {
        "EXPORT_READY": ready, "JOB_FINISHED": data,
    }  # fmt: skip


async def test_an_export_that_made_no_file_is_finished_and_nothing_is_ready(desk: Desk):
    await make(desk, WEBHOOK, url=URL, events=["EXPORT_READY", "JOB_FINISHED"])
    nightly = {"name": "nightly", "cron": "0 0 * * *", "timeZone": "UTC", "spec": {}, "skipWhenEmpty": True}
    saved = (await make(desk, SCHEDULE, **nightly, deliver=[]))["schedule"]["id"]
    job = (await desk.ask(RUN, id=saved))["runExportSchedule"]["job"]["id"]
    ended = await desk.ask("query($id: ID!) { job(id: $id, waitSeconds: 20) { state files { id } } }", id=job)
    assert ended["job"] == {"state": "COMPLETED", "files": []}
    (endpoint,) = (await desk.ask(WEBHOOKS))["webhookEndpoints"]
    assert [sent["event"] for sent in endpoint["deliveries"]["nodes"]] == ["JOB_FINISHED"]


async def test_a_message_is_sent_once_more_as_a_delivery_of_its_own(near: Desk):
    (lead,) = await near.leads({"name": "A"})
    async with webhook_peer() as peer:
        await make(near, WEBHOOK, url=peer.url, events=["JOB_FINISHED"])
        await near.ask(BULK, ids=[lead])
        (endpoint,) = await told(near)
        (first,) = endpoint["deliveries"]["nodes"]
        answer = (await near.ask(AGAIN, id=first["id"]))["redeliverWebhook"]
        assert (answer["delivery"]["state"], answer["delivery"]["attempts"]) == ("PENDING", 0)
        assert answer["delivery"]["payload"] == first["payload"]
        (endpoint,) = await told(near)
        assert [body for _, body in peer.requests] == [peer.requests[0][1]] * 2
    assert [node["id"] for node in endpoint["deliveries"]["nodes"]] == [answer["delivery"]["id"], first["id"]]
    node = await near.ask("query($id: ID!) { node(id: $id) { id __typename } }", id=first["id"])
    assert node["node"] == {"id": first["id"], "__typename": "WebhookDelivery"}


async def test_what_is_tried_again_goes_to_where_its_endpoint_is_by_then(near: Desk):
    (lead,) = await near.leads({"name": "A"})
    async with webhook_peer() as wrong, webhook_peer() as right:
        wrong.status = 404
        given = {"url": wrong.url, "events": ["JOB_FINISHED"]}
        endpoint = (await make(near, WEBHOOK, **given))["endpoint"]["id"]
        await near.ask(BULK, ids=[lead])
        async with asyncio.timeout(30):
            while not wrong.requests:  # noqa: ASYNC110 - the worker's
                await asyncio.sleep(0.05)
        await make(near, WEBHOOK, **given | {"id": endpoint, "url": right.url})
        (answer,) = await told(near)
        assert (len(wrong.requests), len(right.requests)) == (1, 1)
    assert [sent["state"] for sent in answer["deliveries"]["nodes"]] == ["SENT"]


async def test_s15_keys_and_webhooks_of_another_organization_are_absent(desk: Desk):
    other = await desk.office.desk()
    key = (await make(other, KEY, name="A", permissions=["LEADS_READ"]))["apiKey"]["id"]
    endpoint = (await make(other, WEBHOOK, url=URL, events=["JOB_FAILED"]))["endpoint"]["id"]
    absent = format_id(IdKind.DELIVERY, new_id())
    answers = [
        (await desk.ask(REVOKE, id=key))["revokeApiKey"],
        (await desk.ask(DELETE, id=endpoint))["deleteWebhookEndpoint"],
        await make(desk, WEBHOOK, id=endpoint, url=URL, events=["JOB_FAILED"]),
        (await desk.ask(AGAIN, id=absent))["redeliverWebhook"],
    ]
    assert [codes(answer)[0][0] for answer in answers] == ["NOT_FOUND"] * 4
    for absent_id in (key, endpoint, "key_x"):
        assert (await desk.ask("query($id: ID!) { node(id: $id) { id } }", id=absent_id))["node"] is None
    assert (await desk.ask(KEYS))["apiKeys"] == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.PRO, Role.ADMIN, Role.OWNER])
async def test_s16_admins_and_owners_work_with_partners(office: Office, role: Role):
    seat = (await office.desk()).seat(role)
    answers = [
        await seat.execute(KEYS),
        await seat.execute(WEBHOOKS),
        await seat.execute(KEY, input={"name": "A", "permissions": ["LEADS_READ"]}),
        await seat.execute(REVOKE, id="key_x"),
        await seat.execute(WEBHOOK, input={"url": URL, "events": ["JOB_FAILED"]}),
        await seat.execute(DELETE, id="webhook_x"),
        await seat.execute(AGAIN, id="delivery_x"),
    ]
    refused = [[error["extensions"]["code"] for error in answer["errors"]] for answer in answers]
    assert refused == [[] if role in (Role.ADMIN, Role.OWNER) else ["FORBIDDEN"]] * len(answers)


async def test_a_system_admin_sees_organizations_and_others_their_own(desk: Desk):
    other = await desk.office.desk()
    document = """query($first: Int, $after: String) { organizations(first: $first, after: $after) {
      nodes { id slug companies { name } users { nodes { name } } } pageInfo { hasNextPage endCursor } } }"""
    own = (await desk.ask(document))["organizations"]["nodes"]
    assert [node["id"] for node in own] == [format_id(IdKind.ORGANIZATION, desk.organization.id)]
    admin = desk.seat(Role.SYSTEM_ADMIN)
    seen, after = set[str](), {}
    while True:
        page = (await admin.ask(document, first=3, **after))["organizations"]
        seen |= {node["id"] for node in page["nodes"]}
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = {"after": page["pageInfo"]["endCursor"]}
    assert {format_id(IdKind.ORGANIZATION, each.organization.id) for each in (desk, other)} <= seen
    assert await admin.refusal(document, after="garbage") == "BAD_USER_INPUT"


async def test_a_key_that_would_expire_after_the_last_year_is_refused_with_its_path(office: Office):
    desk = await office.desk(zone="America/New_York")
    answer = await make(desk, KEY, name="k", permissions=["LEADS_READ"], expiresAt="9999-12-31T23:00:00")
    assert codes(answer) == [("INVALID", ["input", "expiresAt"])]
