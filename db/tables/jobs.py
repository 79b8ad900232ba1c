"""Jobs, their progress and files, and what an import remembers of every row."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, CHAR, DOUBLE_PRECISION, UUID

from db.tables.columns import document, identity, instant, items, metadata, organization, reference, words

jobs = Table(
    "jobs",
    metadata,
    organization(),
    identity(),
    words("kind", nullable=False),
    words("state", nullable=False),
    words("name", nullable=False),
    Column("large", Boolean, nullable=False, server_default=text("false")),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    words("actor_kind", nullable=False),
    reference("actor_id"),
    words("actor_name", nullable=False),
    words("actor_role"),
    items("actor_permissions"),
    words("actor_address"),
    words("trigger", nullable=False),
    reference("schedule_id"),
    document("spec"),
    document("result"),
    document("failure", nullable=True),
    words("idempotency_key"),
    words("input_hash"),
    words("file_sha256"),
    Column("row_count", BigInteger, nullable=False, server_default=text("0")),
    Column("byte_count", BigInteger, nullable=False, server_default=text("0")),
    Column("engine_id", BigInteger),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    instant("created_at", nullable=False, now=True),
    instant("admitted_at"),
    instant("started_at"),
    instant("finished_at"),
    instant("expires_at"),
    UniqueConstraint("organization_id", "idempotency_key", name="jobs_idempotency_key"),
    Index("jobs_newest", "organization_id", text("created_at DESC"), text("id DESC")),
    Index(
        "jobs_waiting",
        "organization_id",
        text("priority DESC"),
        "created_at",
        postgresql_where=text("state = 'QUEUED'"),
    ),
    Index(
        "jobs_active", "state", "organization_id", postgresql_where=text("state IN ('QUEUED', 'RUNNING', 'CANCELLING')")
    ),
    Index("jobs_same_file", "organization_id", "file_sha256", postgresql_where=text("file_sha256 IS NOT NULL")),
)

job_progress = Table(
    "job_progress",
    metadata,
    organization(),
    identity("job_id"),
    # that of the run that may report, 0 while none may: a report on its way is lost once the run has ended
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    words("phase", nullable=False, default="queued"),
    Column("processed", BigInteger, nullable=False, server_default=text("0")),
    Column("total", BigInteger),
    Column("rows_per_second", DOUBLE_PRECISION),
    Column("eta_seconds", Integer),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    instant("updated_at", nullable=False, now=True),
    postgresql_with={"fillfactor": "50"},
)

job_files = Table(
    "job_files",
    metadata,
    organization(),
    identity(),
    reference("job_id", nullable=False),
    words("role", nullable=False),
    words("name", nullable=False),
    words("key", nullable=False),
    words("content_type", nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows", BigInteger),
    words("sha256", nullable=False),
    Column("sensitive", Boolean, nullable=False, server_default=text("false")),
    reference("uploader_id"),
    instant("created_at", nullable=False, now=True),
    instant("expires_at", nullable=False),
    instant("deleted_at"),
    Column("download_count", Integer, nullable=False, server_default=text("0")),
    Index("job_files_of_job", "organization_id", "job_id"),
    Index("job_files_expiring", "expires_at", postgresql_where=text("deleted_at IS NULL")),
)

uploads = Table(
    "uploads",
    metadata,
    organization(),
    identity(),
    words("file_name", nullable=False),
    words("key", nullable=False),
    words("content_type"),
    Column("declared_bytes", BigInteger),
    Column("bytes", BigInteger),
    words("sha256"),
    words("state", nullable=False),
    reference("actor_id"),
    instant("created_at", nullable=False, now=True),
    instant("expires_at", nullable=False),
    Index("uploads_expiring", "expires_at"),
)

import_issues = Table(
    "import_issues",
    metadata,
    organization(),
    identity("job_id"),
    Column("row", Integer, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("line", Integer),
    words("column_name"),
    words("field"),
    words("code", nullable=False),
    words("severity", nullable=False),
    words("message", nullable=False),
    words("value"),
    words("suggestion"),
    Column("created_at", instant("created_at").type, primary_key=True, server_default=text("now()")),
    postgresql_partition_by="RANGE (created_at)",
)

import_issue_groups = Table(
    "import_issue_groups",
    metadata,
    organization(),
    identity("job_id"),
    Column("group_key", Text, primary_key=True),
    words("code", nullable=False),
    words("severity", nullable=False),
    words("column_name"),
    words("field"),
    words("value"),
    Column("rows", Integer, nullable=False),
    Column("first_row", Integer, nullable=False),
    words("message", nullable=False),
    words("suggestion"),
)

import_outcomes = Table(
    "import_outcomes",
    metadata,
    organization(),
    identity("job_id"),
    Column("block", Integer, primary_key=True),
    Column("first_row", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("rows", ARRAY(Integer), nullable=False),
    Column("lines", ARRAY(Integer)),
    Column("source_rows", ARRAY(Integer)),
    words("outcomes", nullable=False),
    Column("lead_ids", ARRAY(UUID), nullable=False),
    words("matched_by", nullable=False),
)

import_changes = Table(
    "import_changes",
    metadata,
    organization(),
    identity("job_id"),
    Column("row", Integer, primary_key=True),
    reference("lead_id", nullable=False),
    Column("version_after", Integer),
    document("before"),
    document("after"),
    Column("reverted", Boolean, nullable=False, server_default=text("false")),
    Index("import_changes_of_lead", "organization_id", "job_id", "lead_id"),
)

import_keys = Table(
    "import_keys",
    metadata,
    organization(),
    identity("job_id"),
    Column("kind", CHAR(1), primary_key=True),
    Column("key", Text, primary_key=True),
    identity("lead_id"),
    Column("row", Integer, nullable=False),
    document("state", nullable=True),
    # begins with what look-ups of keys have not: without statistics they would take it for as good as the primary key
    Index("import_keys_of_lead", "lead_id", "job_id"),
    prefixes=["UNLOGGED"],
)

import_mappings = Table(
    "import_mappings",
    metadata,
    organization(),
    identity(),
    words("name", nullable=False),
    document("columns"),
    document("options"),
    Column("used_count", Integer, nullable=False, server_default=text("0")),
    instant("updated_at", nullable=False, now=True),
    UniqueConstraint("organization_id", "name", name="import_mappings_name"),
)

bulk_results = Table(
    "bulk_results",
    metadata,
    organization(),
    identity("job_id"),
    Column("position", Integer, primary_key=True),
    reference("lead_id"),
    words("given"),
    words("outcome", nullable=False),
    words("code"),
    words("message"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    organization(),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    words("input_hash", nullable=False),
    document("response"),
    instant("created_at", nullable=False, now=True),
)

__all__ = [
    "bulk_results",
    "idempotency_keys",
    "import_changes",
    "import_issue_groups",
    "import_issues",
    "import_keys",
    "import_mappings",
    "import_outcomes",
    "job_files",
    "job_progress",
    "jobs",
    "uploads",
]
