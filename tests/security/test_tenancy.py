"""What belongs to another organization answers as what does not exist (SECURITY-TESTS 15)."""

import asyncio
import copy
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from db.organizations import Organizations
from domain.ids import IdKind, format_id, new_id
from domain.national_ids import NationalIds
from jobs.links import LinkRefused, Ticket, open_download, sign
from jobs.uploads import UploadRefused, accept_upload
from resolvers.errors import coded
from resolvers.ports import Caller, Services, request_context
from tests.resolvers.office import SCHEMA, Desk, Office, uuid
from tests.security.operations import OPERATIONS, filled
from tests.security.surface import Path, document, id_places, roots, takes_list
from tests.security.world import MARK, World

KINDS = {
    "leadId": "lead", "companyId": "company", "chatbotId": "chatbot", "assigneeId": "user", "assigneeIds": "user",
    "importJobId": "import", "templateId": "template", "uploadId": "upload", "mappingId": "mapping",
    "retryOf": "import", "webhookEndpointId": "webhook", "deliveryId": "delivery", "moveLeadsTo": "status",
    "createdById": "myself", "actorId": "myself", "scheduleId": "used_schedule", "jobId": "export", "ids": "lead",
}  # fmt: skip
"""What an argument of this name is the id of; the others are `id`, of the kind that their path or root tells."""
IDS = {
    "filter.id": "lead", "lead.id": "lead", "set.id": "lead", "rows.id": "lead",
    "Mutation.saveExportTemplate": "template",
    "Mutation.saveExportSchedule": "schedule", "Mutation.saveCompany": "company", "Mutation.saveChatbot": "chatbot",
    "Mutation.saveUser": "user", "Mutation.saveLeadStatus": "status", "Mutation.saveWebhookEndpoint": "webhook",
}  # fmt: skip
PREFIXES = {
    "export": IdKind.JOB, "import": IdKind.JOB, "review": IdKind.JOB, "myself": IdKind.USER,
    "used_schedule": IdKind.SCHEDULE,
}  # fmt: skip
NODES = ("lead", "status", "export", "user", "key", "company", "chatbot", "webhook", "delivery")
LATELY = 12
"""As many ids as one of each kind leaves in `made`."""
OPERATORS = {"eq", "in", "notIn"}
FILTERED = (("id", "eq"), ("companyId", "eq"))
LISTS = [
    root for root in roots() if not id_places(roots()[root]) or root in ("Query.leads", "Query.jobs", "Query.activity")
]
WRITES_ANYTHING = ("importTemplate", "createUpload", "updateSettings", "createApiKey")
"""Their answers name nothing that exists."""
SAME_FOR_ITS_OWNER = (
    "Mutation.createLead.input.lead.id",  # refused whatever it is
    "Mutation.updateLead.input.set.id",
    "Mutation.saveExportTemplate.input.spec",  # looked up when the template is used
    "Subscription.jobs.filter",  # nothing happens meanwhile
)


def places() -> list[tuple[str, Path]]:
    """Every id that can be sent; of a lead filter, which is one everywhere, all of it to `leads` alone."""
    every = [(root, path) for root, field in roots().items() for path in id_places(field)]
    return [
        (root, path)
        for root, path in every
        if root == "Query.leads" or path[-2:] in FILTERED or not OPERATORS & {*path}
    ]


def kind_at(root: str, path: Path) -> str:
    name = path[-2] if path[-1] in OPERATORS else path[-1]
    if name != "id":
        return KINDS[name]
    at = ".".join(path[-3:-1]) if path[-1] in OPERATORS else ".".join(path[-2:])
    if at in IDS:
        return IDS[at]
    if root in IDS:
        return IDS[root]
    arguments = OPERATIONS[root].arguments
    own = arguments.get("id") or arguments["input"]["id"]
    return own.removeprefix("$")


def with_id(arguments: Mapping[str, object], root: str, path: Path, given: str) -> dict[str, object]:
    """The arguments with an id at a place."""
    changed = copy.deepcopy(dict(arguments))
    inner = changed
    if "target" in path and "filter" in path:
        changed["input"]["target"]["filter"] = {}
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
        if isinstance(inner, list):
            inner.append(inner.pop() if inner else {})
            inner = inner[0]
    if path[-2:] == ("target", "ids"):
        inner.pop("filter"), inner.pop("expectedCount")
    inner[path[-1]] = [given] if takes_list(roots()[root], path) else given
    return changed


def test_s15_every_root_field_has_a_case() -> None:
    assert roots().keys() == OPERATIONS.keys()


@pytest.mark.parametrize(
    ("root", "path"), places(), ids=lambda value: value if isinstance(value, str) else ".".join(value)
)
async def test_s15_a_foreign_id_is_as_absent(owner: World, stranger: World, root: str, path: Path) -> None:
    kind = kind_at(root, path)
    theirs, absent = await owner.make(kind), format_id(PREFIXES.get(kind) or IdKind(kind), new_id())
    await owner.quiet()
    before = await owner.fingerprint()
    foreign = await answered(stranger, root, path, theirs)
    assert await owner.fingerprint() == before
    assert foreign == await answered(stranger, root, path, absent)
    if not any(f"{root}.{'.'.join(path)}".startswith(same) for same in SAME_FOR_ITS_OWNER):
        assert await answered(owner, root, path, theirs) != await answered(owner, root, path, absent)


@pytest.mark.parametrize("kind", NODES)
async def test_s15_a_foreign_node_is_as_absent(owner: World, stranger: World, kind: str) -> None:
    theirs = await owner.make(kind)
    assert (await stranger.desk.ask("query ($id: ID!) { node(id: $id) { id } }", id=theirs))["node"] is None
    assert (await owner.desk.ask("query ($id: ID!) { node(id: $id) { id } }", id=theirs))["node"] == {"id": theirs}


@pytest.mark.parametrize("root", LISTS)
async def test_s15_a_list_holds_nothing_of_another_organization(owner: World, office: Office, root: str) -> None:
    if root.startswith("Query") and not stocked(owner):
        for kind in (
            "lead",
            "export",
            "template",
            "schedule",
            "mapping",
            "key",
            "webhook",
            "company",
            "user",
            "status",
        ):
            await owner.make(kind)
    stranger = World(await office.desk())
    given = OPERATIONS[root].arguments
    answer = orjson.dumps(await stranger.desk.execute(document(root), **await filled(given, stranger))).decode()
    assert MARK.lower() not in answer.lower()
    assert str(owner.desk.organization.id) not in answer
    assert not [made for made in owner.made if made in answer]
    own = orjson.dumps(await owner.desk.execute(document(root), **await filled(given, owner))).decode()
    named = MARK.lower() in own.lower() or any(made in own for made in owner.made)
    assert named or root.partition(".")[2] in (*WRITES_ANYTHING, "leadFields", "metrics"), own


async def test_s15_the_events_of_all_jobs_are_those_of_the_own_organization(owner: World, stranger: World) -> None:
    events = follow(stranger.desk, "subscription { jobs { job { id } } }")
    before = stranger.desk.runtime.feed.followers
    first = asyncio.ensure_future(anext(events))
    await stranger.desk.until_followed(before + 1)
    await owner.make("export")
    mine = await stranger.make("export")
    assert (await asyncio.wait_for(first, 30))["jobs"]["job"]["id"] == mine
    await events.aclose()


async def test_s15_a_link_that_names_a_file_of_another_organization_opens_nothing(
    owner: World, stranger: World
) -> None:
    runtime, job = owner.desk.runtime, uuid(await owner.make("export"))
    file, *_ = [row["id"] for row in await owner.desk.rows("select id from app.job_files where job_id = $2", job)]
    member = uuid(await stranger.make("user"))
    until = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    forged = Ticket(stranger.desk.organization.id, file, until, member, stranger.desk.actor.kind)
    with pytest.raises(LinkRefused):
        await open_download(runtime, sign(runtime.keyring, forged), None)
    proper = Ticket(owner.desk.organization.id, file, until, uuid(await owner.make("user")), owner.desk.actor.kind)
    assert (await open_download(runtime, sign(runtime.keyring, proper), None)).id == file


async def test_s15_a_changed_upload_link_takes_nothing(owner: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    text = 'mutation { createUpload(input: {fileName: "a.csv"}) { upload { put { url } } } }'
    url = (await owner.desk.ask(text))["createUpload"]["upload"]["put"]["url"]
    token = url.rpartition("/")[2]
    for at in range(0, len(token), 11):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(UploadRefused):
            await accept_upload(owner.desk.runtime, changed, chunks())


def stocked(world: World) -> bool:
    """Whether it has the kinds of objects that lists show."""
    shown = {made.partition("_")[0] for made in world.made[-LATELY:]}
    return shown >= {"lead", "job", "template", "schedule", "mapping", "key", "webhook", "company", "user", "status"}


async def answered(world: World, root: str, path: Path, given: str) -> str:
    """The answer as text, without what no two answers share."""
    arguments = await filled(with_id(OPERATIONS[root].arguments, root, path, given), world)
    if root.startswith("Subscription"):
        answer = await first_event(world.desk, document(root), **arguments)
    else:
        answer = await world.desk.execute(document(root), **arguments)
        await world.quiet()
    text = orjson.dumps(answer).decode().replace(given, "ID").replace(given.partition("_")[2], "ID")
    for pattern, instead in (
        (r"https?://[^\"]+", "URL"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        (r"\d{4}-\d\d-\d\d[T ][\d:.]+[^\"]*", "TIME"),
        (r"\d{4}-\d\d-\d\d_\d{6}", "TIME"),
        (r"\b[0-9a-f]{64}\b", "SHA"),
        (r"lp_[^\"]+", "SECRET"),
        # what is offered instead is the asking organization's, chosen by likeness alone; the id itself would be "ID"
        (r" \(did you mean [a-z]+_UUID\?\)", ""),
        (r"\[\"[a-z]+_UUID\"\]|(?<=\"suggestion\":)\"[a-z]+_UUID\"", "null"),
        (r"(\"(?:p50Seconds|p95Seconds|bytes|rowsPerSecond)\":)[^,}]+", r"\1N"),
        (
            r"((?:New|Template|Schedule|Company|Chatbot|User|Status|Key|Pushed|Zanzibar|new-|pushed-|status|deltaToken)[^\"]*?)\d+",
            r"\1N",
        ),
    ):
        text = re.sub(pattern, instead, text)
    return text


async def first_event(desk: Desk, text: str, **given: object) -> dict[str, object]:
    """The first event or refusal, which one job always has; `silence` where all jobs have none for a moment."""
    events = follow(desk, text, **given)
    try:
        return await asyncio.wait_for(anext(events), 30 if "id" in given else 0.5)
    except TimeoutError:
        return {"silence": True}
    except StopAsyncIteration:
        return {"ended": True}
    finally:
        await events.aclose()


async def follow(desk: Desk, text: str, **given: object) -> AsyncIterator[dict[str, object]]:
    organization = await Organizations(desk.runtime.system).find(desk.organization.id)
    assert organization is not None
    services = Services(desk.runtime, Organizations(desk.runtime.system), NationalIds(desk.runtime.keyring))
    context = request_context(services, Caller(desk.actor, organization), None)
    events = await SCHEMA.subscribe(text, given, context_value=context)
    if not hasattr(events, "__aiter__"):
        yield {"errors": [coded(error).formatted for error in events.errors or ()]}
        return
    async for event in events:
        if event.errors:
            yield {"errors": [coded(error).formatted for error in event.errors]}
        else:
            yield orjson.loads(orjson.dumps(event.data, default=str))
