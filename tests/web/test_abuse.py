"""The attacks that `make bench-abuse` measures, once each: every one is answered, and the server goes on."""

import re

import pytest

from bench.abuse.attacks import ATTACKS, Target
from tests.web.conftest import Edge

SLOW = ("21 gzip of more than 1 GiB", "21 a workbook of 300 MB of zeros")
"""Which the tests of the reader hold with a smaller limit."""
REFUSED = re.compile(
    r"held|closed (4429|1009)|(200|400|413) (LIMIT_EXCEEDED|GRAPHQL_PARSE_FAILED|BAD_USER_INPUT|BAD_REQUEST"
    r"|UNREADABLE_FILE|UNSAFE_FILE|FAILED \w+|COMPLETED)"
)


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in SLOW])
async def test_an_attack_is_answered_with_a_code_and_leaves_the_server_as_it_was(edge: Edge, name: str) -> None:
    before = await edge.memory()
    said = await ATTACKS[name](Target(edge.server.url, edge.token, edge.http))
    assert REFUSED.fullmatch(said), said
    assert (await edge.ask("{ viewer { role } }")).json()["data"] == {"viewer": {"role": "ADMIN"}}
    assert await edge.memory() - before < 100 << 20
