"""One reading of database addresses for both drivers: psycopg takes all of libpq's options, asyncpg some of them."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["AsyncpgAddress", "as_role", "database_of", "for_asyncpg", "for_psycopg", "with_database"]

_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+://")
_OPTION = re.compile(r"(?:-c\s*|--)([\w.]+)=((?:\\.|\S)*)")
_FOR_ASYNCPG = frozenset(
    {
        "application_name",
        "dbname",
        "gsslib",
        "host",
        "krbsrvname",
        "passfile",
        "password",
        "port",
        "service",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "target_session_attrs",
        "user",
    }
)
_DEFAULT_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class AsyncpgAddress:
    """What `asyncpg.connect` is given: `timeout` in seconds, `server_settings` from the address's `options`."""

    dsn: str
    timeout: float = _DEFAULT_TIMEOUT
    server_settings: dict[str, str] = field(default_factory=dict)


def for_psycopg(dsn: str) -> str:
    """A libpq connection string; URLs may name a driver as SQLAlchemy writes them (`postgresql+asyncpg://`).

    Raises:
        ValueError: not an address; the message does not repeat it, for it may hold a password.
    """
    return make_conninfo(**_parts(dsn))


def for_asyncpg(dsn: str) -> AsyncpgAddress:
    """The same address for asyncpg, which would send unknown options to the server and be refused.

    `connect_timeout` and `options` are carried over; options of libpq alone (`channel_binding`, `gssencmode`,
    keepalives, ...) are left out.

    Raises:
        ValueError: as `for_psycopg`.
    """
    parts = _parts(dsn)
    known = {name: value for name, value in parts.items() if name in _FOR_ASYNCPG}
    if "hostaddr" in parts and "host" not in parts:
        known["host"] = parts["hostaddr"]
    settings = {
        name: value.replace("\\ ", " ").replace("\\\\", "\\")
        for name, value in _OPTION.findall(parts.get("options", ""))
    }
    seconds = float(parts.get("connect_timeout", "0"))
    query = urlencode(known, quote_via=quote, safe="")
    return AsyncpgAddress(f"postgresql://?{query}", seconds if seconds > 0 else _DEFAULT_TIMEOUT, settings)


def as_role(dsn: str, user: str, password: str) -> str:
    """The same database, opened as another role."""
    parts = _parts(dsn)
    database = {"dbname": parts["user"]} if "user" in parts else {}  # what libpq takes where none is named
    return make_conninfo(**{**database, **parts, "user": user, "password": password})


def with_database(dsn: str, name: str) -> str:
    """Another database of the same server, opened as the same role."""
    return make_conninfo(**{**_parts(dsn), "dbname": name})


def database_of(dsn: str) -> str | None:
    """The name of the database, where the address gives one."""
    return _parts(dsn).get("dbname")


def _parts(dsn: str) -> dict[str, str]:
    try:
        parts = conninfo_to_dict(_DRIVER.sub(r"\1://", dsn))
    except ProgrammingError:
        raise ValueError("a database address is postgresql://user:password@host:port/database") from None
    return {name: str(value) for name, value in parts.items() if value is not None}
