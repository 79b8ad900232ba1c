"""One real server for the attacks on its edge."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest

from domain.keyring import parse_secrets
from domain.vocabulary import Role
from tests.serving import SECRET_KEYS, Server, demo_folder
from web.tokens import Tokens, TokenSettings


@dataclass(frozen=True)
class Edge:
    """A running server, a client without cookies, and an administrator's token."""

    server: Server
    http: httpx.AsyncClient
    token: str

    @property
    def graphql(self) -> str:
        return f"{self.server.url}/graphql"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def ask(self, query: str, **variables: object) -> httpx.Response:
        body = {"query": query, "variables": variables}
        return await self.http.post(self.graphql, json=body, headers=self.headers, timeout=30)

    async def code(self, query: str, **variables: object) -> str:
        """The code of the answer's first error."""
        answer = (await self.ask(query, **variables)).json()
        return answer["errors"][0]["extensions"]["code"]

    async def memory(self) -> int:
        """Resident bytes of the server."""
        fields = (await self.http.get(f"{self.server.url}/metrics")).text.splitlines()
        line = next(field for field in fields if field.startswith("process_resident_memory_bytes"))
        return int(float(line.split()[1]))


def issued(role: str, subject: str | None = None, *, seconds: int = 600) -> str:
    """A bearer token of the demo organization, without the second that a command takes to start."""
    tokens = Tokens(TokenSettings("leadport", "leadport", parse_secrets(SECRET_KEYS)))
    subject = subject or role.lower()
    return tokens.issue(organization="demo", role=Role(role), subject=subject, name=subject, seconds=seconds)


@pytest.fixture(scope="session")
def attacked() -> Iterator[Server]:
    with demo_folder() as folder:
        server = Server(folder)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
async def edge(attacked: Server) -> AsyncIterator[Edge]:
    async with httpx.AsyncClient(timeout=60) as http:
        yield Edge(attacked, http, attacked.token())
