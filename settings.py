"""Everything that the environment may say. Read by server.py alone and passed on as plain values."""

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.dsn import for_psycopg
from delivery.email import MailServer
from domain.exports import MAX_WAIT_SECONDS
from domain.keyring import parse_secrets
from domain.settings import Limits
from web.rates import RateLimits

__all__ = ["Settings", "SettingsError", "load_settings", "settings_table", "unknown_variables"]

PREFIX: Final = "LEADPORT_"
ELSEWHERE: Final = frozenset({"LEADPORT_ACCEPTANCE"})
"""Variables that the tests read."""
_LIMITS: Final = Limits()
_RATES: Final = RateLimits()


class SettingsError(ValueError):
    """A setting is wrong; the message is one line that names the variable and never repeats a secret."""


def _address(value: SecretStr) -> SecretStr:
    for_psycopg(value.get_secret_value())
    return value


def _secrets(value: SecretStr) -> SecretStr:
    parse_secrets(value.get_secret_value())
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://leads.example.com, without a query")
    return value.rstrip("/")


def _items(value: object) -> object:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or value != f"{parts.scheme}://{parts.netloc}" or "@" in value:
            raise ValueError("must be origins as browsers send them, such as https://app.example.com, comma between")
    return values


def _proxies(value: str) -> str:
    for item in value.split(","):
        if item.strip() != "*":
            try:
                ip_network(item.strip(), strict=False)
            except ValueError:
                raise ValueError("must be addresses or networks such as 10.0.0.0/8, comma between, or *") from None
    return value


def _options(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('must be a JSON object of texts, such as {"endpoint": "https://s3.example.com"}') from None


Address = Annotated[SecretStr, AfterValidator(_address)]
Secrets = Annotated[SecretStr, AfterValidator(_secrets)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_items), AfterValidator(_origins)]
Proxies = Annotated[str, AfterValidator(_proxies)]
Options = Annotated[dict[str, str], NoDecode, BeforeValidator(_options)]


class Settings(BaseSettings):
    """One field a variable, in the order of the README's table."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: Address | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 or newer, opened as a role that may make roles and schemas; needed by `migrate`, and"
        " by the other commands where the next two are not set. Without it: an embedded PostgreSQL with demo data",
    )
    app_database_url: Address | None = Field(
        None,
        description="The same database as a member of leadport_app; by default DATABASE_URL with a derived password",
    )
    system_database_url: Address | None = Field(
        None, description="The same database as a member of leadport_system; by default likewise"
    )
    worker_database_url: Address | None = Field(
        None, description="As the one before, not through a pooler in transaction mode: workers LISTEN"
    )
    database_connections: int = Field(10, ge=1, le=1000, description="Connections of one process as leadport_app")
    statement_cache_size: int = Field(1024, ge=0, description="Prepared statements a connection; 0 behind PgBouncer")
    statement_timeout_seconds: float = Field(30, gt=0, le=3600, description="Longest time of one read")
    data_dir: Path = Field(Path(".data"), description="Folder of the embedded database, its secret and local files")
    secret_keys: Secrets | None = Field(
        None,
        description="`id:secret,id2:secret2`, each secret 32 characters or more: the first signs, seals and gives the"
        " database roles their passwords, all of them verify. Made once in the data folder of the demo",
    )
    token_keys: Secrets | None = Field(
        None, description="In the same form: who else signs bearer tokens (HS256, `kid` names the key)"
    )
    token_jwks_url: PublicUrl | None = Field(
        None, description="The keys of an identity provider that signs bearer tokens"
    )
    token_issuer: str = Field("leadport", min_length=1, description="`iss` of bearer tokens")
    token_audience: str = Field("leadport", min_length=1, description="`aud` of bearer tokens")
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen at")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen at; 0 takes a free one")
    public_url: PublicUrl | None = Field(None, description="Where callers reach the server; by default host and port")
    allowed_origins: Origins = Field(
        (), description="Origins of pages that may use the API besides our own, comma between"
    )
    trusted_proxies: Proxies = Field(
        "127.0.0.1", description="Whose X-Forwarded headers are believed, comma between; `*`: all"
    )
    graphiql: bool | None = Field(None, description="Whether GraphiQL is served; by default in the demo alone")
    introspection: bool | None = Field(
        None, description="Whether anonymous callers may read the schema; by default in the demo alone"
    )
    storage_url: str | None = Field(
        None, description="Where files live: file://, s3://bucket/prefix, gs://, az://; by default in the data folder"
    )
    storage_options: Options = Field({}, description="Options of obstore as a JSON object, such as `endpoint`")
    scratch_dir: Path | None = Field(None, description="Local disk for temporary files; by default in the data folder")
    worker: bool = Field(True, description="Whether `serve` runs a worker too")
    worker_large_jobs: int | None = Field(
        None, ge=1, description="Large jobs at once; by default cores - 1, at least 1"
    )
    worker_small_jobs: int = Field(4, ge=1, description="Small jobs at once beside them")
    drain_seconds: float = Field(25, ge=0, description="How long jobs may go on after SIGTERM")
    max_wait_seconds: float = Field(
        MAX_WAIT_SECONDS,
        ge=0,
        le=MAX_WAIT_SECONDS,
        description="Longest that a request waits whatever `waitSeconds` says, for proxies that wait less",
    )
    upload_seconds: int = Field(3600, ge=60, description="How long a link for an upload is good")
    smtp_host: str | None = Field(None, description="Mail server for links; without it nothing is mailed")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port")
    smtp_user: str | None = Field(None, description="Its user")
    smtp_password: SecretStr | None = Field(None, description="Its password")
    smtp_sender: str = Field("leadport@localhost", min_length=3, description="From whom the mails come")
    smtp_starttls: bool | None = Field(None, description="Whether to demand TLS; by default where the server offers it")
    allow_private_webhooks: bool = Field(
        False, description="Whether webhooks may go to private and loopback addresses; for tests"
    )
    max_upload_bytes: int = Field(
        _LIMITS.max_upload_bytes, ge=1, description="Largest upload, where an organization sets none"
    )
    max_inline_upload_bytes: int = Field(
        _LIMITS.max_inline_upload_bytes, ge=1, description="Largest upload within a request, likewise"
    )
    max_import_rows: int = Field(_LIMITS.max_import_rows, ge=1, description="Most rows of an import, likewise")
    max_concurrent_jobs: int = Field(
        _LIMITS.max_concurrent_jobs, ge=1, description="Large jobs of an organization at once, likewise"
    )
    max_bulk_ids: int = Field(
        _LIMITS.max_bulk_ids, ge=1, description="Most leads that a bulk operation lists, likewise"
    )
    max_page_size: int = Field(_LIMITS.max_page_size, ge=1, le=1000, description="Most nodes of a page, likewise")
    rate_per_caller: int = Field(
        _RATES.credential, ge=1_000, description="Most that one user or key asks for in a minute: fields times rows"
    )
    rate_per_organization: int = Field(
        _RATES.organization, ge=1_000, description="Likewise all callers of an organization"
    )
    rate_per_address: int = Field(
        _RATES.anonymous, ge=1_000, description="Likewise callers of one network address without a credential"
    )
    log_format: Literal["json", "text"] | None = Field(None, description="By default text on a terminal, else json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")
    otel_endpoint: PublicUrl | None = Field(
        None,
        description="An OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318, for traces;"
        " needs requirements-otel.txt",
    )

    @property
    def embedded(self) -> bool:
        """Whether nothing names a database, so that this is the demo on a database of its own."""
        return self.database_url is None and self.app_database_url is None

    @property
    def limits(self) -> Limits:
        """What an organization may use at once that has no limits of its own."""
        return Limits(**{field.name: getattr(self, field.name) for field in fields(Limits)})

    @property
    def mail_server(self) -> MailServer | None:
        """The mail server, None where none is named."""
        if self.smtp_host is None:
            return None
        return MailServer(
            host=self.smtp_host,
            port=self.smtp_port,
            sender=self.smtp_sender,
            user=self.smtp_user,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            starttls=self.smtp_starttls,
        )


def load_settings(**overrides: object) -> Settings:
    """The environment's settings; `overrides` (from the command line) win, None counts as not given.

    Raises:
        SettingsError: a value is wrong.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # pyright: ignore[reportArgumentType] - checked by pydantic
    except ValidationError as error:
        raise SettingsError(_line(error.errors()[0])) from None


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """One line for each LEADPORT_ variable that is no setting, with the one that may be meant."""
    known = [_variable(name, field) for name, field in Settings.model_fields.items()]
    lines: list[str] = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and name not in ELSEWHERE:
            close = get_close_matches(name, known, 1)
            lines.append(f"{name} is not a setting{f': did you mean {close[0]}?' if close else ''}")
    return lines


def settings_table() -> str:
    """The settings as a Markdown table."""
    rows = ("| variable | default | meaning |", "|---|---|---|")
    named = Settings.model_fields.items()
    lines = (f"| `{_variable(name, field)}` | {_default(field)} | {field.description} |" for name, field in named)
    return "\n".join((*rows, *lines))


def _variable(name: str, field: FieldInfo) -> str:
    return str(field.validation_alias or PREFIX + name.upper())


def _default(field: FieldInfo) -> str:
    match field.default:
        case None | () | {}:
            return ""
        case bool(value):
            return f"`{str(value).lower()}`"
        case value:
            return f"`{value}`"


def _line(error: ErrorDetails) -> str:
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    variable = _variable(name, field) if field else name
    message = error["msg"].removeprefix("Value error, ")
    secret = field is None or name == "storage_options" or "SecretStr" in repr(field.annotation)
    return f"{variable}: {message}" + ("" if secret else f" (it is {str(error['input'])[:80]!r})")
