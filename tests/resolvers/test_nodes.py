"""Whatever the API shows an id of is found again by it, by those who may see it."""

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType

from domain.ids import IdKind, format_id, new_id
from domain.vocabulary import Role
from resolvers.nodes import FINDERS
from tests.resolvers.office import SCHEMA, Desk

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
MADE = {
    "Company": 'mutation { made: saveCompany(input: {name: "A"}) { node: company { id } } }',
    "Chatbot": 'mutation { made: saveChatbot(input: {name: "A"}) { node: chatbot { id } } }',
    "User": 'mutation { made: saveUser(input: {name: "A", role: AGENT}) { node: user { id } } }',
    "Lead": 'mutation { made: createLead(input: {lead: {name: "A"}}) { node: lead { id } } }',
    "LeadStatus": """mutation { made: saveLeadStatus(input: {key: "a", label: "A", stage: NEW}) {
      node: status { id } } }""",
    "ApiKey": 'mutation { made: createApiKey(input: {name: "A", permissions: [LEADS_READ]}) { node: apiKey { id } } }',
    "WebhookEndpoint": """mutation { made: saveWebhookEndpoint(input: {url: "https://a.example.com",
      events: [JOB_FAILED]}) { node: endpoint { id } } }""",
    "ExportTemplate": 'mutation { made: saveExportTemplate(input: {name: "A", spec: {}}) { node: template { id } } }',
    "ExportSchedule": """mutation { made: saveExportSchedule(input: {name: "A", cron: "0 7 * * 1", timeZone: "UTC",
      spec: {}, deliver: [{email: ["a@example.com"]}]}) { node: schedule { id } } }""",
    "UploadSession": 'mutation { made: createUpload(input: {fileName: "a.csv"}) { node: upload { id } } }',
    "ExportJob": "mutation { made: exportLeads(input: {spec: {}, waitSeconds: 20}) { node: job { id } } }",
    "JobFile": "mutation { made: exportLeads(input: {spec: {}, waitSeconds: 20}) { of: job { node: file { id } } } }",
    "Organization": "{ made: viewer { node: organization { id } } }",
    "Activity": "{ made: activity(first: 1) { of: nodes { id } } }",
}  # fmt: skip


async def made(desk: Desk, name: str) -> str:
    found = (await desk.ask(MADE[name]))["made"]
    if name == "Activity":
        return found["of"][0]["id"]
    return found.get("of", found)["node"]["id"]


@pytest.mark.parametrize("name", MADE)
async def test_an_object_is_found_again_by_its_id(desk: Desk, name: str):
    await desk.ask(MADE["Company"])
    if name == "Company":
        await desk.office.desk()
        found = (await desk.ask("{ viewer { organization { companies { id } } } }"))["viewer"]["organization"]
        shown = found["companies"][0]["id"]
    else:
        shown = await made(desk, name)
    assert (await desk.ask(NODE, id=shown))["node"] == {"__typename": name, "id": shown}
    assert (await (await desk.office.desk()).ask(NODE, id=shown))["node"] is None


async def test_a_builtin_template_is_found_by_the_id_that_the_list_shows(desk: Desk):
    listed = (await desk.ask("{ exportTemplates { id builtin } }"))["exportTemplates"]
    for template in listed:
        node = (await desk.ask("query($id: ID!) { node(id: $id) { ... on ExportTemplate { id builtin } } }",
                               id=template["id"]))["node"]  # fmt: skip
        assert node == template


@pytest.mark.parametrize("kind", [kind for kind in IdKind if kind in FINDERS])
async def test_an_absent_id_of_any_kind_finds_nothing(desk: Desk, kind: IdKind):
    for given in (format_id(kind, new_id()), f"{kind}_x", f"{kind}_{new_id().hex}"):
        assert (await desk.ask(NODE, id=given))["node"] is None


async def test_a_viewer_does_not_find_what_administrators_keep(desk: Desk):
    shown = [await made(desk, name) for name in ("ApiKey", "WebhookEndpoint", "ExportSchedule", "Activity")]
    viewer = desk.seat(Role.VIEWER)
    assert [await viewer.refusal(NODE, id=one) for one in shown] == ["FORBIDDEN"] * 4


def test_every_type_with_an_id_is_found_by_one():
    graphql = SCHEMA._schema
    node = graphql.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    types = {kind.name for kind in graphql.get_possible_types(node) if isinstance(kind, GraphQLObjectType)}
    jobs = {"ImportJob", "RevertJob", "BulkJob"}
    elsewhere = {"ImportMapping", "WebhookDelivery"}
    assert types - jobs - elsewhere == set(MADE)
