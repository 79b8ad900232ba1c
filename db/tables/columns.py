"""Short ways to declare the columns that many tables share."""

from typing import Final

from sqlalchemy import Column, DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

STORE: Final = "store"
CURRENT_ORGANIZATION: Final = "nullif(current_setting('app.organization_id', true), '')::uuid"

metadata = MetaData(schema=STORE)


def organization() -> Column[object]:
    """The tenant: never supplied by a statement, read from the transaction's setting."""
    return Column("organization_id", UUID, primary_key=True, server_default=text(CURRENT_ORGANIZATION))


def identity(name: str = "id") -> Column[object]:
    """A UUIDv7 made by the server."""
    return Column(name, UUID, primary_key=True)


def reference(name: str, *, nullable: bool = True) -> Column[object]:
    """The id of a row of another table of the same organization."""
    return Column(name, UUID, nullable=nullable)


def words(name: str, *, nullable: bool = True, default: str | None = None) -> Column[object]:
    """A text; `default` is a plain value."""
    return Column(name, Text, nullable=nullable, server_default=default)


def instant(name: str, *, nullable: bool = True, now: bool = False) -> Column[object]:
    """An instant with time zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=text("now()") if now else None)


def items(name: str) -> Column[object]:
    """A list of texts, empty by default."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def document(name: str, *, nullable: bool = False) -> Column[object]:
    """A JSON document, `{}` by default."""
    return Column(name, JSONB, nullable=nullable, server_default=None if nullable else text("'{}'"))
