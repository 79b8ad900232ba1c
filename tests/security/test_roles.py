"""What each role may do, over the whole schema, and that no input gives more (SECURITY-TESTS 16)."""

import pytest

from domain.ids import IdKind, format_id, new_id
from domain.permissions import PERMISSIONS, permissions_of
from domain.vocabulary import JobKind, Permission, Role
from resolvers.jobs import visible_kinds
from tests.resolvers.office import Desk, Office
from tests.security.operations import OPERATIONS, filled
from tests.security.surface import document, roots
from tests.security.test_tenancy import PREFIXES, first_event
from tests.security.world import World

ORDINARY = [role for role in Role if role is not Role.SYSTEM_ADMIN]
SAVE_USER = """mutation ($input: SaveUserInput!) { saveUser(input: $input) {
  user { id role } userErrors { code path } } }"""
CREATE_KEY = """mutation ($permissions: [Permission!]!) { createApiKey(input: {name: "k", permissions: $permissions}) {
  apiKey { permissions } userErrors { code path } } }"""


class Nothing(World):
    """Its objects do not exist: whether a caller may is asked first."""

    async def make(self, kind: str) -> str:
        return format_id(PREFIXES.get(kind) or IdKind(kind), new_id())


@pytest.fixture(scope="session")
async def house(office: Office) -> World:
    """An organization whose owner makes what others try to reach."""
    return World(await office.desk())


def test_s16_every_root_field_has_a_row() -> None:
    assert roots().keys() == OPERATIONS.keys()


@pytest.mark.parametrize("root", OPERATIONS)
async def test_s16_a_role_is_refused_exactly_what_it_may_not_do(house: World, root: str) -> None:
    needs = OPERATIONS[root].needs
    for role in Role:
        allowed = needs is None or needs in PERMISSIONS[role]
        assert await is_forbidden(house.desk.seat(role), root, house) is not allowed, role


@pytest.mark.parametrize("root", OPERATIONS)
async def test_s16_a_key_with_every_other_permission_is_refused(house: World, root: str) -> None:
    needs = OPERATIONS[root].needs
    if needs is None:
        return
    others = house.desk.program(*(permission for permission in Permission if permission is not needs))
    assert await is_forbidden(others, root, house)


@pytest.mark.parametrize("action", ["cancelJob", "deleteJobFiles"])
async def test_s16_a_job_is_changed_by_who_may_start_one(house: World, action: str) -> None:
    job = await house.make("export")
    for role in ORDINARY:
        answer = await house.desk.seat(role).execute(
            f"mutation ($id: ID!) {{ {action}(id: $id) {{ job {{ id }} }} }}", id=job
        )
        assert ("FORBIDDEN" in str(answer)) is (Permission.LEADS_EXPORT not in PERMISSIONS[role])


async def is_forbidden(desk: Desk, root: str, house: World) -> bool:
    answer = await asked(desk, root, house)
    codes = {error["extensions"]["code"] for error in answer.get("errors") or ()}
    assert "INTERNAL" not in codes, answer
    return "FORBIDDEN" in codes


async def asked(desk: Desk, root: str, house: World) -> dict:
    given = await filled(OPERATIONS[root].arguments, Nothing(house.desk))
    if root.startswith("Subscription"):
        return await first_event(desk, document(root, 1), **given)
    return await desk.execute(document(root, 1), **given)


@pytest.mark.parametrize("role", ORDINARY)
@pytest.mark.parametrize("wanted", [Role.OWNER, Role.SYSTEM_ADMIN])
async def test_s16_nobody_gives_a_role_above_their_own(house: World, role: Role, wanted: Role) -> None:
    for given in ({"name": "New"}, {"name": "Old", "id": await house.make("user")}):
        answer = await house.desk.seat(role).execute(SAVE_USER, input={**given, "role": wanted})
        made = answer["data"] and answer["data"]["saveUser"]["user"]
        assert bool(made) is (role is Role.OWNER and wanted is Role.OWNER), answer


@pytest.mark.parametrize("permission", Permission)
async def test_s16_a_key_makes_no_key_that_may_more(house: World, permission: Permission) -> None:
    maker = house.desk.program(Permission.API_KEYS_MANAGE)
    answer = (await maker.ask(CREATE_KEY, permissions=[permission]))["createApiKey"]
    assert (answer["apiKey"] is not None) is (permission is Permission.API_KEYS_MANAGE)


@pytest.mark.parametrize(
    ("document", "given"),
    [
        ("exportLeads(input: $input) { job { id } }", {"spec": {"unmask": True}}),
        ("exportLeads(input: $input) { job { id } }", {"spec": {}, "deliver": [{"email": ["a@example.com"]}]}),
    ],
)
async def test_s16_an_input_asks_for_no_more_than_the_caller_may(house: World, document: str, given: dict) -> None:
    pro = house.desk.seat(Role.PRO)
    answer = await pro.execute(f"mutation ($input: ExportLeadsInput!) {{ {document} }}", input=given)
    refused = "FORBIDDEN" in str(answer)
    assert refused is bool(given["spec"])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
async def test_s16_who_may_not_assign_assigns_by_no_way(house: World, role: Role) -> None:
    user, lead = await house.make("user"), await house.make("lead")
    for text, given in (
        ("mutation ($input: CreateLeadInput!) { createLead(input: $input) { lead { id } } }",
         {"lead": {"name": "A", "assigneeId": user}, "onDuplicate": "SKIP"}),
        ("mutation ($input: UpdateLeadInput!) { updateLead(input: $input) { lead { id } } }",
         {"id": lead, "set": {"assigneeId": user}}),
        ("mutation ($input: UpdateLeadInput!) { updateLead(input: $input) { lead { id } } }",
         {"id": lead, "set": {}, "clear": ["ASSIGNEE"]}),
    ):  # fmt: skip
        assert await house.desk.seat(role).refusal(text, input=given) == "FORBIDDEN"


def test_s16_jobs_are_seen_by_who_may_read_leads_or_start_them(house: World) -> None:
    assert visible_kinds(house.desk.program().actor) == frozenset()
    assert visible_kinds(house.desk.program(Permission.LEADS_EXPORT).actor) == {JobKind.EXPORT}


def test_s16_only_a_system_administrator_crosses_organizations() -> None:
    for role in ORDINARY:
        assert Permission.CROSS_ORGANIZATION not in permissions_of(role, frozenset(Role))
