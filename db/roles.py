"""The database's three roles, and how their passwords come from the server's secret.

leadport_owner owns every table and cannot log in; leadport_app serves one organization at a time through views;
leadport_system does the work across organizations and sees no lead. One cluster has each of them once: databases of
one cluster that are migrated with different secrets need LEADPORT_APP_DATABASE_URL and LEADPORT_SYSTEM_DATABASE_URL.
"""

from base64 import urlsafe_b64encode
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from db.dsn import as_role

OWNER: Final = "leadport_owner"
APP: Final = "leadport_app"
SYSTEM: Final = "leadport_system"
SEARCH_PATHS: Final = {APP: ("app", "pg_temp"), SYSTEM: ("store", "queue", "pg_temp")}
"""pg_temp comes last, else a temporary table could stand in for a view."""


def role_password(secret: str, role: str) -> str:
    """The password of a role: HKDF-SHA256 (RFC 5869) of the server's secret, in URL-safe base 64."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"leadport database role " + role.encode())
    return urlsafe_b64encode(derivation.derive(secret.encode())).decode().rstrip("=")


def app_dsn(admin_dsn: str, secret: str) -> str:
    """The address of the server's own role, which sees one organization at a time."""
    return as_role(admin_dsn, APP, role_password(secret, APP))


def system_dsn(admin_dsn: str, secret: str) -> str:
    """The address of the role for work across organizations."""
    return as_role(admin_dsn, SYSTEM, role_password(secret, SYSTEM))
