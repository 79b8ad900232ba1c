"""Organizations and what they are made of: users, keys, companies, chatbots, statuses."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from db.tables.columns import document, identity, instant, items, metadata, organization, reference, words

organizations = Table(
    "organizations",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    words("name", nullable=False),
    document("settings"),
    document("limits"),
    instant("created_at", nullable=False, now=True),
)

users = Table(
    "users",
    metadata,
    organization(),
    identity(),
    words("external_id"),
    words("name", nullable=False),
    words("email"),
    words("role", nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    instant("created_at", nullable=False, now=True),
    UniqueConstraint("organization_id", "external_id", name="users_external_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    organization(),
    identity(),
    words("name", nullable=False),
    words("prefix", nullable=False),
    words("secret_hash", nullable=False),
    items("permissions"),
    instant("created_at", nullable=False, now=True),
    instant("expires_at"),
    instant("last_used_at"),
    instant("revoked_at"),
    Index("api_keys_prefix", "prefix"),
)

companies = Table(
    "companies",
    metadata,
    organization(),
    identity(),
    words("name", nullable=False),
    words("name_key", nullable=False),
    words("external_id"),
    instant("created_at", nullable=False, now=True),
    UniqueConstraint("organization_id", "name_key", name="companies_name_key"),
)

chatbots = Table(
    "chatbots",
    metadata,
    organization(),
    identity(),
    words("name", nullable=False),
    words("name_key", nullable=False),
    reference("company_id"),
    instant("created_at", nullable=False, now=True),
    UniqueConstraint("organization_id", "name_key", name="chatbots_name_key"),
    ForeignKeyConstraint(
        ["organization_id", "company_id"],
        ["store.companies.organization_id", "store.companies.id"],
        name="chatbots_company",
    ),
)

statuses = Table(
    "statuses",
    metadata,
    organization(),
    identity(),
    words("key", nullable=False),
    words("key_folded", nullable=False),
    words("label", nullable=False),
    words("stage", nullable=False),
    Column("position", Integer, nullable=False, server_default=text("0")),
    words("color"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    UniqueConstraint("organization_id", "key_folded", name="statuses_key"),
)

custom_fields = Table(
    "custom_fields",
    metadata,
    organization(),
    Column("key", Text, primary_key=True),
    words("label", nullable=False),
    instant("created_at", nullable=False, now=True),
)
