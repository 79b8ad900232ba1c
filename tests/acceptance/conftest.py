"""One server a session with the demo data, and callers in organizations of their own."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from domain.vocabulary import Role
from tests.acceptance.calling import Caller
from tests.serving import SECRET_KEYS, Server, demo_folder
from web.tokens import Tokens, TokenSettings

Enter = Callable[..., Caller]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with demo_folder() as folder:
        started = Server(folder)
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def enter(server: Server, http: httpx.AsyncClient) -> Enter:
    """`enter("demo", "VIEWER")`: a caller with a token of this role."""

    def enter(organization: str = "demo", role: str = "ADMIN", url: str = server.url) -> Caller:
        return Caller(url, token_of(organization, role), http)

    return enter


@pytest.fixture(scope="session")
def demo(enter: Enter) -> Caller:
    return enter("demo")


@pytest.fixture(scope="session")
def found(server: Server, enter: Enter) -> Callable[..., Caller]:
    """`found("--country", "FR")`: an administrator in a new, empty organization."""
    numbers = itertools.count(1)

    def found(*options: str) -> Caller:
        slug = f"org-{next(numbers)}"
        made = server.run("organization", slug, *options)
        assert made.returncode == 0, made.stderr
        return enter(slug)

    return found


def token_of(organization: str, role: str) -> str:
    """As `server.py token` issues it, without starting a process for each."""
    key, _, secret = SECRET_KEYS.partition(":")
    tokens = Tokens(TokenSettings("leadport", "leadport", {key: secret.encode()}))
    subject = role.lower()
    return tokens.issue(organization=organization, role=Role(role), subject=subject, name=subject, seconds=86_400)
