"""Who may do what: roles and permissions."""

from enum import StrEnum


class Role(StrEnum):
    """A person's role; roles map to permissions in domain/permissions.py."""

    SYSTEM_ADMIN = "SYSTEM_ADMIN"
    OWNER = "OWNER"
    ADMIN = "ADMIN"
    PRO = "PRO"
    AGENT = "AGENT"
    VIEWER = "VIEWER"


class Permission(StrEnum):
    """What a credential may do."""

    LEADS_READ = "LEADS_READ"
    LEADS_WRITE = "LEADS_WRITE"
    LEADS_DELETE = "LEADS_DELETE"
    LEADS_ASSIGN = "LEADS_ASSIGN"
    LEADS_IMPORT = "LEADS_IMPORT"
    LEADS_EXPORT = "LEADS_EXPORT"
    LEADS_UNMASK = "LEADS_UNMASK"
    BULK_OPERATE = "BULK_OPERATE"
    SCHEDULES_MANAGE = "SCHEDULES_MANAGE"
    TEMPLATES_MANAGE = "TEMPLATES_MANAGE"
    ACTIVITY_READ = "ACTIVITY_READ"
    SETTINGS_MANAGE = "SETTINGS_MANAGE"
    API_KEYS_MANAGE = "API_KEYS_MANAGE"
    WEBHOOKS_MANAGE = "WEBHOOKS_MANAGE"
    CROSS_ORGANIZATION = "CROSS_ORGANIZATION"
