"""What is masked stays masked on every surface that somebody without LEADS_UNMASK reaches (SECURITY-TESTS 27)."""

import io
import logging
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson
import pyarrow.parquet
import pytest
from graphql import GraphQLInputField, get_named_type, is_enum_type, is_list_type

from domain.settings import MaskingRule, OrganizationSettings
from domain.vocabulary import ExportFormat, LeadFieldKey, MaskingMode, Permission
from tests.resolvers.office import Desk, Office, uuid
from tests.security.surface import GRAPHQL, document, roots
from tests.security.test_tenancy import first_event
from tests.security.world import CLOSED, World

K = LeadFieldKey
MASKED = {
    K.NAME: MaskingMode.PARTIAL,
    K.PHONE: MaskingMode.PARTIAL,
    K.EMAIL: MaskingMode.PARTIAL,
    K.EXTERNAL_ID: MaskingMode.REDACT,
    K.ADDRESS: MaskingMode.REDACT,
    K.COMPANY_NAME: MaskingMode.REDACT,
    K.TAGS: MaskingMode.PARTIAL,
    K.NOTES: MaskingMode.PARTIAL,
    K.CATEGORY: MaskingMode.REDACT,
    K.CONVERSATION_SUMMARY: MaskingMode.PARTIAL,
    K.POLICY_OF_INTEREST: MaskingMode.PARTIAL,
}
LEAD = {
    "name": "Zyzzyva Quixote",
    "phone": "+12125550187",
    "email": "zyzzyva.quixote@hidden.example",
    "externalId": "XJ-449-TROUT",
    "address": {"street": "17 Umbrageous Way", "city": "Xanadupolis", "postalCode": "QZX-98761", "region": "Erewhon"},
    "tags": ["Quagmire"],
    "companyName": "Obfuscata Holdings",
    "notes": "A perspicacious note",
    "policyOfInterest": "Defenestration",
    "nationalId": "493827165",
}
SECRETS = (
    "yzzyva", "quixote", "2125550187", "212-555", "-449-", "umbrageous", "xanadupolis", "qzx-98761", "erewhon",
    "quagmire", "serendipitous", "efenestration", "49382716", "obfuscata", "erspicacious",
)  # fmt: skip
FILE = """name,phone,email,external_id,category,tags,address_street,company,source
Zyzzyva Quixote Junior,+12125550187,zyzzyva@hidden.example,XJ-449-TROUT,,Quagmire,18 Umbrageous Way,Obfuscata Two,web
Quixote Second,+12125550188,zyzzyva.quixote@,XJ-449-B,,,,,web
Quixote Third,+12125550189,,XJ-449-C,Quagmire,,,,web
Quixote Fourth,+1212555018,,XJ-449-D,,,,,web
Quixote Fifth,+12125550187,,XJ-449-TROUT,,,,,web
Quixote Sixth,+12125550186,,XJ-449-F,,,,,web,Obfuscata,Umbrageous
Quixote\x07 Seventh,+12125550185,,XJ-449-G,,,19 Umbrageous Way,,web
"""
IMPORTING = {
    "options": {"mergeStrategy": "OVERWRITE", "mustBeValid": ["PHONE", "EMAIL"], "required": ["NAME"]},
    "notify": ["somebody@example.com"],
    "waitSeconds": 30,
    "allowSameFile": True,
}
SPEC = {"template": "FULL"}
DEPTH = 4
DEEPER = {"Query.job": 5, "Subscription.job": 6, "Subscription.jobs": 5}
LONG = {"from": "2020-01-01T00:00:00Z", "to": "2050-01-01T00:00:00Z"}
EVENTS = ["JOB_FINISHED", "JOB_FAILED", "JOB_AWAITING_REVIEW", "EXPORT_READY"]


class Lines(logging.Handler):
    """Keeps what is logged, with every value that came with it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{record.getMessage()} {record.__dict__}\n"


@dataclass
class House:
    """An organization whose values are masked for `reader`, who may do everything but unmask; `$name` is an object."""

    owner: Desk
    reader: Desk
    lines: Lines
    made: dict[str, object] = field(default_factory=dict)

    def of(self, value: object) -> object:
        """The value with the objects in it named."""
        if isinstance(value, Mapping):
            return {name: self.of(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        return self.made[value[1:]] if isinstance(value, str) and value.startswith("$") else value

    async def make(self, document: str, shown: str, **given: object) -> str:
        """What the owner makes, by its id."""
        (payload,) = (await self.owner.ask(document, **given)).values()
        assert payload["userErrors"] == [], payload
        return payload[shown]["id"]

    async def imported(self, desk: Desk, mode: str) -> str:
        given = {
            "source": {"uploadId": await World(desk).uploaded(FILE.encode(), "leads.csv")},
            "mode": mode,
            **IMPORTING,
        }
        text = (
            f"mutation ($input: ImportLeadsInput!) {{ made: importLeads(input: $input) {{ job {{ id }} {ERRORS} }} }}"
        )
        made = (await desk.ask(text, input=given))["made"]
        assert made["userErrors"] == [], made
        return made["job"]["id"]


ERRORS = "userErrors { code message path }"
EXPORT = f"mutation ($input: ExportLeadsInput!) {{ exportLeads(input: $input) {{ job {{ id state }} {ERRORS} }} }}"
BULK = f"mutation ($input: BulkUpdateLeadsInput!) {{ bulkUpdateLeads(input: $input) {{ job {{ id }} {ERRORS} }} }}"
REVERT = f"mutation ($input: RevertImportInput!) {{ revertImport(input: $input) {{ job {{ id }} {ERRORS} }} }}"


@pytest.fixture(scope="module")
def lines() -> Iterator[Lines]:
    root, handler = logging.getLogger(), Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture(scope="module")
async def house(office: Office, lines: Lines) -> House:
    rules = tuple(MaskingRule(key, mode) for key, mode in MASKED.items())
    owner = await office.desk(settings=OrganizationSettings(masking=rules))
    house = House(owner, owner.program(*(set(Permission) - {Permission.LEADS_UNMASK})), lines)
    lead = f"mutation ($l: LeadInput!) {{ createLead(input: {{lead: $l}}) {{ lead {{ id }} {ERRORS} }} }}"
    hook = f"""mutation ($input: WebhookEndpointInput!) {{ saveWebhookEndpoint(input: $input) {{
      endpoint {{ id }} {ERRORS} }} }}"""
    await house.make(hook, "endpoint", input={"url": f"{CLOSED}/hook", "events": EVENTS})
    made = house.made
    made["lead"] = await house.make(lead, "lead", l={**LEAD, "source": "WEB"})
    async with owner.runtime.database.unit(owner.organization.id) as connection:
        await connection.execute("update app.leads set conversation_summary = 'A serendipitous grievance'")
    made["review"] = await house.imported(owner, "REVIEW")
    made["upload"] = await World(owner).uploaded(FILE.encode(), "leads.csv")
    made["import"] = await house.imported(owner, "COMMIT")
    change = {"target": {"ids": [made["lead"]]}, "set": {"addTags": ["Quagmire too"]}, "waitSeconds": 20}
    made["bulk"] = await house.make(BULK, "job", input=change)
    made["export"] = await house.make(EXPORT, "job", input={"spec": {**SPEC, "unmask": True}, "waitSeconds": 20})
    made["revert"] = await house.make(REVERT, "job", input={"id": made["import"], "dryRun": True, "waitSeconds": 20})
    await World(owner).quiet()
    return house


def found(shown: object, *, companies: bool = True) -> list[str]:
    """The secrets in an answer, a file or a text. `companies`: whether their names are among them."""
    text = (shown if isinstance(shown, str) else orjson.dumps(shown, default=str).decode()).lower()
    return [secret for secret in SECRETS if secret in text and (companies or secret != "obfuscata")]


READS: Mapping[str, list[dict[str, object]]] = {
    "Query.viewer": [{}],
    "Query.node": [{"id": f"${kind}"} for kind in ("lead", "review", "import", "bulk", "export", "revert", "upload")],
    "Query.lead": [{"id": "$lead"}],
    "Query.leads": [{}],
    "Query.leadGroups": [{"by": [by]} for by in ("STATUS", "SOURCE", "CREATED_DAY")],
    "Query.leadFields": [{}],
    "Query.leadStatuses": [{}],
    "Query.validateLeadIds": [{"ids": ["$lead"]}],
    "Query.job": [{"id": f"${kind}", "waitSeconds": 0} for kind in ("review", "import", "bulk", "export", "revert")],
    "Query.jobs": [{}],
    "Query.exportPreview": [{"spec": SPEC}, {"spec": {"template": "CHATBOT"}}],
    "Query.exportTemplates": [{}],
    "Query.exportSchedules": [{}],
    "Query.importMappings": [{}],
    "Query.importTemplate": [{"format": "CSV"}],
    "Query.upload": [{"id": "$upload"}],
    "Query.organizations": [{}],
    "Query.apiKeys": [{}],
    "Query.webhookEndpoints": [{}],
    "Query.activity": [{}],
    "Query.metrics": [LONG],
    "Subscription.job": [{"id": f"${kind}"} for kind in ("review", "import", "bulk", "export", "revert")],
    "Subscription.jobs": [{}],
}
SHOWN_TO_THE_OWNER = ("Query.node", "Query.lead", "Query.leads", "Query.job", "Query.activity", "Query.exportPreview")
"""Which of them show something that is masked for others: no empty answer passes for a masked one."""
ASKED_BY_THE_OWNER = {"Query.exportPreview": {"spec": {**SPEC, "unmask": True}}}


NAMES_COMPANIES = ("Query.viewer", "Query.organizations", "Query.activity")
"""Where the organization's companies are named, whoever they belong to."""


def test_s27_every_surface_has_a_case() -> None:
    assert READS.keys() == {root for root in roots() if not root.startswith("Mutation")}


@pytest.mark.parametrize("root", READS)
async def test_s27_no_query_and_no_event_shows_what_is_masked(house: House, root: str) -> None:
    text, seen = document(root, DEEPER.get(root, DEPTH)), list[str]()
    for given in READS[root]:
        arguments = {key: house.of(value) for key, value in given.items()}
        if root.startswith("Query"):
            answer = await house.reader.execute(text, **arguments)
            assert answer["errors"] == []
            seen += found(await house.owner.execute(text, **{**arguments, **ASKED_BY_THE_OWNER.get(root, {})}))
        else:
            answer = await first_event(house.reader, text, **arguments)
        assert "INTERNAL" not in str(answer)
        assert found(answer, companies=root not in NAMES_COMPANIES) == [], answer
    assert seen or root not in SHOWN_TO_THE_OWNER


WRITES = {
    "createLead": {"lead": {**LEAD, "source": "WEB"}, "onDuplicate": "SKIP"},
    "updateLead": {"id": "$lead", "set": {"score": 7}},
    "addNote": {"leadId": "$lead", "text": "Seen"},
    "recordCall": {"leadId": "$lead", "at": "2026-01-01T00:00:00Z", "status": "answered"},
    "upsertLeads": {"rows": [{**LEAD, "name": "X", "source": "WEB"}], "options": {"mergeStrategy": "FILL_BLANKS"}},
    "bulkUpdateLeads": {"target": {"ids": ["$lead"]}, "set": {"score": 8}, "waitSeconds": 20},
    "bulkAssignLeads": {"target": {"ids": ["$lead"]}, "assigneeIds": [], "dryRun": True, "waitSeconds": 20},
    "updateImport": {"id": "$review"},
    "exportActivity": {"format": "CSV", "waitSeconds": 20},
}


@pytest.mark.parametrize("name", WRITES)
async def test_s27_no_answer_to_a_change_shows_what_is_masked(house: House, name: str) -> None:
    answer = await house.reader.execute(document(f"Mutation.{name}", DEPTH), input=house.of(WRITES[name]))
    assert answer["errors"] == []
    assert found(answer) == [], answer


async def exported(desk: Desk, **spec: object) -> tuple[str, str]:
    """The names and the contents of the files of an export by a desk, unpacked, as text."""
    payload = (await desk.ask(EXPORT, input={"spec": spec, "waitSeconds": 30}))["exportLeads"]
    assert payload["userErrors"] == [], payload
    assert payload["job"]["state"] == "COMPLETED"
    rows = await desk.rows("select key, name from app.job_files where job_id = $2", uuid(payload["job"]["id"]))
    data = [b"".join([piece async for piece in desk.runtime.store.read(str(row["key"]))]) for row in rows]
    return " ".join(str(row["name"]) for row in rows), " ".join(map(unpacked, data))


def unpacked(data: bytes) -> str:
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        return " ".join(f"{name} {unpacked(archive.read(name))}" for name in archive.namelist())
    if data.startswith(b"PAR1"):
        return str(pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist())
    return data.decode()


@pytest.mark.parametrize("file_format", ExportFormat)
async def test_s27_a_file_of_any_format_keeps_the_masks(house: House, file_format: ExportFormat) -> None:
    for desk in (house.reader, house.owner):
        names, text = await exported(desk, **SPEC, format=file_format)
        assert (found(names), found(text)) == ([], [])
        assert "***" in text
    assert len(found((await exported(house.owner, **SPEC, format=file_format, unmask=True))[1])) >= 10


@pytest.mark.parametrize("name", ["reader", "owner"])
async def test_s27_a_file_is_not_split_by_what_is_masked_in_it(house: House, name: str) -> None:
    """The parts are named after what they hold."""
    desk: Desk = getattr(house, name)
    spec = {**SPEC, "splitBy": "COMPANY"}
    (error,) = (await desk.ask(EXPORT, input={"spec": spec}))["exportLeads"]["userErrors"]
    assert (error["code"], error["path"]) == ("INVALID", ["input", "spec", "splitBy"])
    assert found(error) == []
    assert "obfuscata" in found((await exported(house.owner, **spec, unmask=True))[1])


OTHERS_FILES = """query ($id: ID!) { job(id: $id) { files { role download { url } }
  ... on ExportJob { file { download { url } } } } }"""


@pytest.mark.parametrize("kind", ["import", "review", "export"])
async def test_s27_files_that_hold_values_open_to_their_uploader_or_to_who_may_see_all(house: House, kind: str) -> None:
    job = house.made[kind]
    files = (await house.owner.ask(OTHERS_FILES, id=job))["job"]["files"]
    roles = {file["role"] for file in files if file["download"]}
    assert roles & {"ORIGINAL", "DATA"}
    files = (await house.reader.ask(OTHERS_FILES, id=job))["job"]["files"]
    assert not {file["role"] for file in files if file["download"]} & {"ORIGINAL", "ERRORS", "DATA"}


PLACES = {
    "leads": "query ($f: LeadFilter) { leads(filter: $f) { nodes { id } } }",
    "leadGroups": "query ($f: LeadFilter) { leadGroups(by: [STATUS], filter: $f) { count } }",
    "exportPreview": "query ($f: LeadFilter) { exportPreview(spec: {filter: $f}) { __typename } }",
    "exportLeads": """mutation ($f: LeadFilter) { r: exportLeads(input: {spec: {filter: $f}}) {
      userErrors { code message } } }""",
    "bulkUpdateLeads": """mutation ($f: LeadFilter) { r: bulkUpdateLeads(input: {target: {filter: $f, expectedCount: 1},
      set: {score: 1}, dryRun: true}) { userErrors { code message } } }""",
}
FILTERS = ("name", "phone", "email", "externalId", "addressCity", "companyId", "tags", "category", "policyOfInterest")


def operators(name: str) -> dict[str, GraphQLInputField]:
    return get_named_type(GRAPHQL.type_map["LeadFilter"].fields[name].type).fields


def value_of(name: str, operator: str) -> object:
    of = operators(name)[operator].type
    named = get_named_type(of)
    one: object = next(iter(named.values)) if is_enum_type(named) else True if named.name == "Boolean" else "Zyz"
    return [one] if is_list_type(of) or is_list_type(getattr(of, "of_type", None)) else one


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FILTERS)
async def test_s27_a_filter_does_not_tell_what_is_masked(house: House, place: str, name: str) -> None:
    for operator in operators(name).keys() - {"eq", "isNull"}:
        where = {"not": {"or": [{name: {operator: value_of(name, operator)}}]}}
        answer = await house.reader.execute(PLACES[place], f=where)
        codes = [error["extensions"]["code"] for error in answer["errors"]]
        codes += [error["code"] for error in ((answer["data"] or {}).get("r") or {}).get("userErrors", ())]
        assert codes in (["BAD_USER_INPUT"], ["INVALID"]), (operator, answer)
        assert "masked" in str(answer), (operator, answer)


@pytest.mark.parametrize(
    "text", ["Zyzzyva", "yzzyva", "12125550187", "hidden.example", "XJ-449", "perspicacious", "serendip"]
)
async def test_s27_a_search_does_not_find_what_is_masked(house: House, text: str) -> None:
    where = {"search": text, "id": {"eq": house.made["lead"]}}
    assert (await house.reader.ask(PLACES["leads"], f=where))["leads"]["nodes"] == []
    assert len((await house.owner.ask(PLACES["leads"], f=where))["leads"]["nodes"]) == 1


SORTED = "query ($by: LeadSortField!) { leads(orderBy: {field: $by}) { nodes { id } } }"
SORTED_FILE = """query ($by: LeadSortField!) { exportPreview(spec: {orderBy: {field: $by}}) { __typename } }"""


@pytest.mark.parametrize("by", ["COMPANY", "CATEGORY"])
async def test_s27_groups_do_not_tell_what_is_masked(house: House, by: str) -> None:
    grouped = "query ($by: LeadGroupBy!) { leadGroups(by: [$by]) { count keys { value label } } }"
    assert await house.reader.refusal(grouped, by=by) == "BAD_USER_INPUT"
    assert len((await house.owner.ask(grouped, by=by))["leadGroups"]) >= 1


@pytest.mark.parametrize("document", [SORTED, SORTED_FILE])
async def test_s27_an_order_does_not_tell_what_is_masked(house: House, document: str) -> None:
    assert await house.reader.refusal(document, by="NAME") == "BAD_USER_INPUT"


@pytest.mark.parametrize("table", ["activity", "deliveries"])
async def test_s27_messages_and_the_activity_hold_no_value(house: House, table: str) -> None:
    rows = await house.owner.rows(f"select t::text as row from app.{table} t")
    assert rows
    assert found(" ".join(str(row["row"]) for row in rows), companies=False) == []


async def test_s27_no_line_of_the_log_and_no_file_left_over_holds_a_value(house: House) -> None:
    """After all of the above: the log at its most talkative, and the folder of temporary files."""
    await World(house.owner).quiet()
    assert found(house.lines.text) == []
    runtime = house.owner.runtime
    left = [path for path in runtime.settings.scratch.rglob("*") if path.is_file() and "store" not in path.parts]
    assert left == []
