"""What works for partners and administrators: templates, schedules, deliveries, webhooks, the activity log."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, UniqueConstraint, text

from db.tables.columns import document, identity, instant, items, metadata, organization, reference, words

export_templates = Table(
    "export_templates",
    metadata,
    organization(),
    identity(),
    words("name", nullable=False),
    document("spec"),
    instant("updated_at", nullable=False, now=True),
    UniqueConstraint("organization_id", "name", name="export_templates_name"),
)

export_schedules = Table(
    "export_schedules",
    metadata,
    organization(),
    identity(),
    words("name", nullable=False),
    words("cron", nullable=False),
    words("time_zone", nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    document("spec"),
    Column("incremental", Boolean, nullable=False, server_default=text("false")),
    Column("skip_when_empty", Boolean, nullable=False, server_default=text("false")),
    document("deliver"),
    words("actor_kind", nullable=False),
    reference("actor_id"),
    words("actor_name", nullable=False),
    instant("next_run_at"),
    reference("last_job_id"),
    words("delta_token"),
    Column("consecutive_failures", Integer, nullable=False, server_default=text("0")),
    instant("created_at", nullable=False, now=True),
    Index("export_schedules_due", "next_run_at", postgresql_where=text("enabled")),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    organization(),
    identity(),
    words("url", nullable=False),
    items("events"),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    words("secret_cipher", nullable=False),
    instant("created_at", nullable=False, now=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    organization(),
    identity(),
    words("channel", nullable=False),
    words("target", nullable=False),
    reference("job_id"),
    reference("file_id"),
    reference("webhook_endpoint_id"),
    words("event"),
    document("payload"),
    words("state", nullable=False, default="PENDING"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    words("last_error"),
    Column("response_status", Integer),
    instant("next_attempt_at"),
    instant("link_expires_at"),
    instant("created_at", nullable=False, now=True),
    instant("delivered_at"),
    Index("deliveries_due", "next_attempt_at", postgresql_where=text("state = 'PENDING'")),
    Index("deliveries_of_job", "organization_id", "job_id"),
    Index("deliveries_of_endpoint", "organization_id", "webhook_endpoint_id", text("created_at DESC")),
)

activity = Table(
    "activity",
    metadata,
    organization(),
    identity(),
    Column("at", instant("at").type, primary_key=True, server_default=text("now()")),
    words("action", nullable=False),
    words("actor_kind", nullable=False),
    reference("actor_id"),
    words("actor_name", nullable=False),
    words("summary", nullable=False),
    reference("job_id"),
    reference("lead_id"),
    Column("lead_count", BigInteger),
    words("ip_address"),
    document("details"),
    Index("activity_newest", "organization_id", text("at DESC"), text("id DESC")),
    postgresql_partition_by="RANGE (at)",
)
