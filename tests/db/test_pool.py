from uuid import uuid4

import asyncpg
import pytest

from db.pool import Database
from tests.conftest import MakeOrganization


async def test_read_sees_its_organization_alone(shared_database: Database, shared_organization: MakeOrganization):
    ours, theirs = await shared_organization(), await shared_organization()
    rows = await shared_database.read(ours.id, "select id, slug from organizations")
    assert [row["id"] for row in rows] == [ours.id]
    assert theirs.id not in {row["id"] for row in rows}
