"""People and programs inside other objects."""

from collections.abc import Sequence
from functools import cached_property
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.api_keys import load_api_keys
from db.people import load_users
from db.pool import Database
from domain.records import ApiKeyRecord, UserRecord

__all__ = ["PeoplePort"]


class PeoplePort:
    """Implements the People of schema/context.py within one organization."""

    def __init__(self, database: Database, organization_id: UUID) -> None:
        self._database = database
        self._organization_id = organization_id

    async def user(self, user_id: UUID) -> UserRecord | None:
        """A user, active or not."""
        return await self._users.load(user_id)

    async def api_key(self, key_id: UUID) -> ApiKeyRecord | None:
        """An API key, revoked or not."""
        return await self._keys.load(key_id)

    @cached_property
    def _users(self) -> DataLoader[UUID, UserRecord | None]:
        return DataLoader(load_fn=self._load_users, cache=False)  # the context of a subscription lives for hours

    @cached_property
    def _keys(self) -> DataLoader[UUID, ApiKeyRecord | None]:
        return DataLoader(load_fn=self._load_keys, cache=False)  # the context of a subscription lives for hours

    async def _load_users(self, ids: list[UUID]) -> Sequence[UserRecord | None]:
        found = await load_users(self._database, self._organization_id, ids)
        return [found.get(user_id) for user_id in ids]

    async def _load_keys(self, ids: list[UUID]) -> Sequence[ApiKeyRecord | None]:
        found = await load_api_keys(self._database, self._organization_id, ids)
        return [found.get(key_id) for key_id in ids]
