"""Organizations as rows: made by the command line, found by the id or slug of a credential."""

import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from db.connections import Connection, Row
from db.system import SystemDatabase
from domain.ids import new_id
from domain.presets import STATUSES, Preset
from domain.records import OrganizationRecord
from domain.settings import Limits, OrganizationSettings
from domain.stored import decode, encode

__all__ = [
    "NewOrganization",
    "Organizations",
    "create_organization",
    "find_organization",
    "load_organization",
    "organization_of",
]

COLUMNS: Final = "id, slug, name, settings, limits"
SERVER_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganization:
    """`slug` names it in tokens and commands; `limits` None: those of the server, whatever they will be."""

    slug: str
    name: str
    settings: OrganizationSettings = field(default_factory=OrganizationSettings)
    limits: Limits | None = None
    preset: Preset = Preset.STANDARD


async def create_organization(system: SystemDatabase, new: NewOrganization) -> OrganizationRecord | None:
    """The organization with the statuses of its preset; None where the slug is taken."""
    async with system.unit() as connection:
        row = await connection.fetchrow(
            f"insert into store.organizations (id, slug, name, settings, limits) values ($1, $2, $3, $4, $5)"
            f" on conflict (slug) do nothing returning {COLUMNS}",
            new_id(),
            new.slug,
            new.name,
            encode(new.settings),
            encode(new.limits) if new.limits else {},
        )
        if row is None:
            return None
        await _insert_statuses(connection, row["id"], new.preset)
    return organization_of(row)


async def find_organization(
    system: SystemDatabase, id_or_slug: UUID | str, limits: Limits = SERVER_LIMITS
) -> OrganizationRecord | None:
    """The organization of this id or slug; `limits` are the server's."""
    column = "id" if isinstance(id_or_slug, UUID) else "slug"
    rows = await system.fetch(f"select {COLUMNS} from store.organizations where {column} = $1", id_or_slug)
    return organization_of(rows[0], limits) if rows else None


async def load_organization(connection: Connection, limits: Limits = SERVER_LIMITS) -> OrganizationRecord:
    """The organization of the transaction; `limits` are the server's."""
    row = await connection.fetchrow(f"select {COLUMNS} from organizations")
    if row is None:
        raise LookupError("the transaction names no organization")
    return organization_of(row, limits)


class Organizations:
    """Organizations by id or slug, remembered for so many seconds: every request asks for its own.

    A change made by this process is seen at once when it calls `forget`, by others after those seconds.
    """

    def __init__(self, system: SystemDatabase, limits: Limits = SERVER_LIMITS, seconds: float = 2.0) -> None:
        self._system = system
        self._limits = limits
        self._seconds = seconds
        self._known: dict[UUID | str, tuple[float, OrganizationRecord]] = {}

    async def find(self, id_or_slug: UUID | str) -> OrganizationRecord | None:
        """The organization, None where there is none; what is absent is not remembered."""
        known = self._known.get(id_or_slug)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        found = await find_organization(self._system, id_or_slug, self._limits)
        if found is None:
            self._known.pop(id_or_slug, None)
            return None
        self._known[id_or_slug] = (time.monotonic() + self._seconds, found)
        return found

    def forget(self, organization: OrganizationRecord) -> None:
        """Ask the database again the next time."""
        self._known.pop(organization.id, None)
        self._known.pop(organization.slug, None)


def organization_of(row: Row, limits: Limits = SERVER_LIMITS) -> OrganizationRecord:
    """A row of organizations as a record; settings that it leaves out have their defaults, limits those of `limits`."""
    return OrganizationRecord(
        id=row["id"],
        slug=row["slug"],
        name=row["name"],
        settings=decode(OrganizationSettings, row["settings"]),
        limits=decode(Limits, {**encode(limits), **row["limits"]}),
    )


async def _insert_statuses(connection: Connection, organization_id: UUID, preset: Preset) -> None:
    statement = (
        "insert into store.statuses (organization_id, id, key, key_folded, label, stage, position, color)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    rows = [
        (
            organization_id,
            new_id(),
            status.key,
            status.key.casefold(),
            status.label,
            status.stage,
            position,
            status.color,
        )
        for position, status in enumerate(STATUSES[preset])
    ]
    await connection.executemany(statement, rows)
