"""Links to files."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.actors import ActorKind
from domain.errors import BadInput
from domain.ids import new_id
from domain.keyring import Keyring
from domain.vocabulary import BuiltinTemplate, Role
from jobs.lifecycle import delete_files
from jobs.links import LinkRefused, Ticket, WhyRefused, link_to, open_download, sign, verify
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization, actor_of
from tests.db.export_rows import add_leads
from tests.jobs.exporting import Exporting

NOW = datetime(2024, 1, 1, tzinfo=UTC)
OLD = Keyring({"k1": b"one"}, "k1")
ROTATED = Keyring({"k1": b"one", "k2": b"two"}, "k2")
TICKET = Ticket(new_id(), new_id(), int(NOW.timestamp()) + 60, new_id(), ActorKind.USER)


def _why(keyring: Keyring, token: str, now: datetime = NOW) -> WhyRefused:
    with pytest.raises(LinkRefused) as caught:
        verify(keyring, token, now)
    return caught.value.why


def test_s26_a_token_says_what_was_signed() -> None:
    assert verify(OLD, sign(OLD, TICKET), NOW) == TICKET


def test_s26_any_change_of_a_token_is_refused() -> None:
    token = sign(OLD, TICKET)
    for place in range(len(token)):
        for other in "A.":
            changed = token[:place] + other + token[place + 1 :]
            assert changed == token or _why(OLD, changed) is WhyRefused.LINK
    for changed in ("", ".", "..", token + "=", token + "A", token[:-1], "x" * 5_000, "é.é.é"):
        assert _why(OLD, changed) is WhyRefused.LINK


def test_s26_a_rotated_key_still_opens_and_a_dropped_one_does_not() -> None:
    assert verify(ROTATED, sign(OLD, TICKET), NOW) == TICKET
    assert _why(OLD, sign(ROTATED, TICKET)) is WhyRefused.LINK


def test_s26_a_token_ends() -> None:
    assert _why(OLD, sign(OLD, TICKET), NOW + timedelta(seconds=60)) is WhyRefused.EXPIRED


@pytest.fixture
async def exporting(runtime: Runtime, new_organization: MakeOrganization) -> Exporting:
    acme = await new_organization("acme")
    await add_leads(runtime.database, acme, {"name": "a"})
    exporting = Exporting(runtime, acme)
    async with runtime.database.unit(acme.id) as connection:
        await connection.execute("insert into users (id, name, role) values ($1, 'Dana', 'OWNER')", exporting.actor.id)
    return exporting


async def _token(exporting: Exporting, seconds: int = 300) -> str:
    file = await exporting.file(await exporting.export())
    link = await link_to(exporting.runtime, exporting.actor, exporting.organization.settings, file, seconds)
    assert link is not None
    assert link.url.startswith("http://127.0.0.1:8000/files/")
    return link.url.rpartition("/")[2]


async def _refused(exporting: Exporting, token: str) -> WhyRefused:
    with pytest.raises(LinkRefused) as caught:
        await open_download(exporting.runtime, token, None)
    return caught.value.why


async def test_a_download_is_counted_and_logged_once(exporting: Exporting) -> None:
    token = await _token(exporting)
    opened = await open_download(exporting.runtime, token, "192.0.2.7")
    await open_download(exporting.runtime, token, "192.0.2.7", begins=lambda _: False)
    sql = "select actor_name, ip_address, job_id from activity where action = 'EXPORT_DOWNLOADED'"
    [entry] = await exporting.runtime.database.read(exporting.organization.id, sql)
    assert tuple(entry) == ("Dana", "192.0.2.7", opened.job_id)
    sql = "select download_count from job_files where role = 'DATA'"
    [row] = await exporting.runtime.database.read(exporting.organization.id, sql)
    assert row["download_count"] == 1


async def test_s26_deleting_the_files_ends_their_links(exporting: Exporting) -> None:
    token = await _token(exporting)
    opened = await open_download(exporting.runtime, token, None)
    await delete_files(exporting.runtime, exporting.actor, opened.job_id)
    assert await _refused(exporting, token) is WhyRefused.GONE
    assert await exporting.runtime.store.size(opened.key) is None
    assert await link_to(exporting.runtime, exporting.actor, exporting.organization.settings, opened, 60) is None


async def test_s26_a_user_who_is_not_active_any_more_opens_nothing(exporting: Exporting) -> None:
    token = await _token(exporting)
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("update users set active = false")
    assert await _refused(exporting, token) is WhyRefused.LINK


async def test_a_link_of_a_system_administrator_opens_in_an_organization_that_is_not_their_own(
    exporting: Exporting, new_organization: MakeOrganization
) -> None:
    home = await new_organization("home")
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute("delete from users")
    async with exporting.runtime.database.unit(home.id) as connection:
        row = "insert into users (id, name, role) values ($1, 'Helper', 'SYSTEM_ADMIN')"
        await connection.execute(row, exporting.actor.id)
    token = await _token(exporting)
    await open_download(exporting.runtime, token, None)
    sql = "select actor_name from activity where action = 'EXPORT_DOWNLOADED'"
    [entry] = await exporting.runtime.database.read(exporting.organization.id, sql)
    assert entry["actor_name"] == "Helper"
    async with exporting.runtime.database.unit(home.id) as connection:
        await connection.execute("update users set active = false")
    assert await _refused(exporting, token) is WhyRefused.LINK


async def test_s26_a_link_of_another_organization_opens_nothing(
    exporting: Exporting, new_organization: MakeOrganization
) -> None:
    other = await new_organization("other")
    file = await exporting.file(await exporting.export())
    until = int((datetime.now(UTC) + timedelta(seconds=60)).timestamp())
    token = sign(exporting.runtime.keyring, Ticket(other.id, file.id, until, exporting.actor.id, ActorKind.USER))
    assert await _refused(exporting, token) is WhyRefused.LINK
    stranger = actor_of(Role.OWNER, other)
    assert await link_to(exporting.runtime, stranger, other.settings, file, 60) is None


async def test_s26_only_who_may_export_gets_a_link(exporting: Exporting) -> None:
    file = await exporting.file(await exporting.export())
    viewer = actor_of(Role.VIEWER, exporting.organization)
    assert await link_to(exporting.runtime, viewer, exporting.organization.settings, file, 60) is None


async def test_s27_a_file_with_unmasked_values_opens_only_to_who_may_unmask(exporting: Exporting) -> None:
    from_owner = await exporting.export(template=BuiltinTemplate.FULL, unmask=True)
    file = await exporting.file(from_owner)
    assert file.sensitive
    pro = actor_of(Role.PRO, exporting.organization)
    assert await link_to(exporting.runtime, pro, exporting.organization.settings, file, 60) is None


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
async def test_s26_a_link_lives_at_most_a_day(exporting: Exporting, seconds: int) -> None:
    file = await exporting.file(await exporting.export())
    with pytest.raises(BadInput):
        await link_to(exporting.runtime, exporting.actor, exporting.organization.settings, file, seconds)
