"""Which role may do what. The one table; everything that checks a permission reads it."""

from collections.abc import Mapping
from typing import Final

from domain.vocabulary import Permission, Role

_VIEWER: Final = frozenset({Permission.LEADS_READ})
_AGENT: Final = _VIEWER | {Permission.LEADS_WRITE}
_PRO: Final = _AGENT | {
    Permission.LEADS_ASSIGN,
    Permission.LEADS_IMPORT,
    Permission.LEADS_EXPORT,
    Permission.BULK_OPERATE,
    Permission.SCHEDULES_MANAGE,
}
_ADMIN: Final = _PRO | {
    Permission.LEADS_DELETE,
    Permission.LEADS_UNMASK,
    Permission.TEMPLATES_MANAGE,
    Permission.ACTIVITY_READ,
    Permission.SETTINGS_MANAGE,
    Permission.API_KEYS_MANAGE,
    Permission.WEBHOOKS_MANAGE,
}

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: _VIEWER,
    Role.AGENT: _AGENT,
    Role.PRO: _PRO,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN,
    Role.SYSTEM_ADMIN: frozenset(Permission),
}

_MAY_GRANT: Final[Mapping[Role, frozenset[Role]]] = {
    Role.SYSTEM_ADMIN: frozenset(Role),
    Role.OWNER: frozenset(Role) - {Role.SYSTEM_ADMIN},
}


def permissions_of(role: Role, export_roles: frozenset[Role]) -> frozenset[Permission]:
    """The permissions of a role in an organization whose settings name the roles that may export.

    OWNER, ADMIN and PRO export unless the settings say otherwise; SYSTEM_ADMIN always may.
    """
    granted = PERMISSIONS[role]
    if role in export_roles or role is Role.SYSTEM_ADMIN:
        return granted | {Permission.LEADS_EXPORT}
    return granted - {Permission.LEADS_EXPORT}


def may_grant(granter: Role | None, role: Role) -> bool:
    """Whether somebody of the granter's role may give a user this role; only an OWNER changes roles."""
    return granter is not None and role in _MAY_GRANT.get(granter, frozenset())
