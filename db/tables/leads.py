"""Leads, their notes and calls. Each index is named after the query it serves."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    text,
)
from sqlalchemy.types import UserDefinedType

from db.tables.columns import document, identity, instant, items, metadata, organization, reference, words

__all__ = ["calls", "lead_deletions", "leads", "notes"]


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **kw: object) -> str:  # noqa: ARG002 - SQLAlchemy's signature
        """The type's name in DDL."""
        return "xid8"


def changed_xid() -> Column[str]:
    """The transaction that wrote the row last: what delta exports compare."""
    return Column("changed_xid", Xid8(), nullable=False, server_default=text("pg_current_xact_id()"))


leads = Table(
    "leads",
    metadata,
    organization(),
    identity(),
    Column("version", Integer, nullable=False, server_default=text("1")),
    words("external_id"),
    words("name"),
    words("phone"),
    words("phone_display"),
    words("phone_key"),
    words("email"),
    words("email_key"),
    words("national_id_cipher"),
    words("national_id_last4"),
    words("address_street"),
    words("address_city"),
    words("address_region"),
    words("address_postal_code"),
    words("address_country"),
    words("policy_of_interest"),
    words("preferred_contact_time"),
    reference("status_id", nullable=False),
    words("stage", nullable=False),
    words("status_code"),
    words("source", nullable=False, default="UNKNOWN"),
    words("lead_source"),
    Column("score", SmallInteger),
    words("interest_level"),
    words("confidence"),
    words("category"),
    words("primary_language"),
    items("detected_languages"),
    Column("ai_legitimate", Boolean),
    Column("ai_confidence_score", SmallInteger),
    items("ai_verification_reasons"),
    words("session_id"),
    words("user_agent"),
    words("ip_address"),
    words("location_country"),
    words("location_city"),
    Column("message_count", Integer),
    Column("session_duration", Integer),
    instant("first_interest_detected"),
    instant("last_interest_detected"),
    words("conversation_summary"),
    words("conversation_id"),
    reference("company_id"),
    reference("chatbot_id"),
    reference("assignee_id"),
    items("tags"),
    instant("converted_at"),
    Column("conversion_value", Numeric(18, 4)),
    words("conversion_currency"),
    words("conversion_source"),
    instant("last_call_at"),
    words("last_call_status"),
    Column("last_call_duration_seconds", Integer),
    words("property_id"),
    words("case_type"),
    words("won_reason"),
    words("loss_reason"),
    Column("notes_count", Integer, nullable=False, server_default=text("0")),
    document("custom"),
    words("search_text", nullable=False, default=""),
    instant("created_at", nullable=False, now=True),
    instant("updated_at", nullable=False, now=True),
    words("created_by"),
    words("updated_by"),
    reference("import_job_id"),
    changed_xid(),
    ForeignKeyConstraint(
        ["organization_id", "status_id"], ["store.statuses.organization_id", "store.statuses.id"], name="leads_status"
    ),
    ForeignKeyConstraint(
        ["organization_id", "company_id"],
        ["store.companies.organization_id", "store.companies.id"],
        name="leads_company",
    ),
    ForeignKeyConstraint(
        ["organization_id", "assignee_id"], ["store.users.organization_id", "store.users.id"], name="leads_assignee"
    ),
    Index("leads_newest", "organization_id", text("created_at DESC"), text("id DESC")),
    Index("leads_status_newest", "organization_id", "status_id", text("created_at DESC"), text("id DESC")),
    Index("leads_by_phone", "organization_id", "phone_key"),
    Index("leads_recently_updated", "organization_id", text("updated_at DESC"), text("id DESC")),
    Index("leads_by_score", "organization_id", text("score DESC NULLS LAST"), text("id DESC")),
    Index("leads_by_name", "organization_id", text('(lower(name) COLLATE "C")'), "id"),
    Index("leads_by_email", "organization_id", "email_key", postgresql_where=text("email_key IS NOT NULL")),
    Index("leads_by_external_id", "organization_id", "external_id", postgresql_where=text("external_id IS NOT NULL")),
    Index("leads_by_import", "organization_id", "import_job_id", postgresql_where=text("import_job_id IS NOT NULL")),
    Index(
        "leads_search",
        "organization_id",
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    ),
)

notes = Table(
    "notes",
    metadata,
    organization(),
    identity(),
    reference("lead_id", nullable=False),
    words("text", nullable=False),
    instant("created_at", nullable=False, now=True),
    words("created_by"),
    reference("import_job_id"),
    Index("notes_of_lead", "organization_id", "lead_id", "created_at", "id"),
)

calls = Table(
    "calls",
    metadata,
    organization(),
    identity(),
    reference("lead_id", nullable=False),
    instant("at", nullable=False),
    words("status", nullable=False),
    Column("duration_seconds", Integer),
    words("created_by"),
    Index("calls_of_lead", "organization_id", "lead_id", "at"),
)

lead_deletions = Table(
    "lead_deletions",
    metadata,
    organization(),
    identity("lead_id"),
    words("external_id"),
    instant("deleted_at", nullable=False, now=True),
    changed_xid(),
    Index("lead_deletions_since", "organization_id", "changed_xid"),
)
