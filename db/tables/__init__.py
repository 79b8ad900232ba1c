"""The tables, in schema `store`. The server's role never sees them: it works through the views of db/isolation.py."""

from db.tables.columns import CURRENT_ORGANIZATION, STORE, metadata
from db.tables.jobs import (
    bulk_results,
    idempotency_keys,
    import_changes,
    import_issue_groups,
    import_issues,
    import_keys,
    import_mappings,
    import_outcomes,
    job_files,
    job_progress,
    jobs,
    uploads,
)
from db.tables.leads import calls, lead_deletions, leads, notes
from db.tables.organizations import api_keys, chatbots, companies, custom_fields, organizations, statuses, users
from db.tables.partners import activity, deliveries, export_schedules, export_templates, webhook_endpoints

__all__ = [
    "CURRENT_ORGANIZATION",
    "STORE",
    "activity",
    "api_keys",
    "bulk_results",
    "calls",
    "chatbots",
    "companies",
    "custom_fields",
    "deliveries",
    "export_schedules",
    "export_templates",
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
    "lead_deletions",
    "leads",
    "metadata",
    "notes",
    "organizations",
    "statuses",
    "uploads",
    "users",
    "webhook_endpoints",
]
