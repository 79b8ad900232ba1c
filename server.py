"""The commands. `python server.py serve` starts the server; `--help` says what else there is."""

import argparse
import asyncio
import logging
import os
import sys
import tomllib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import uvloop
from pydantic import SecretStr

from commands.arguments import TOKEN_DAYS, parse
from commands.check import findings, secret_warnings
from commands.demo import LOOPBACK, banner, owner_token, seed
from commands.embedded import embedded_database
from commands.logs import configure_logging
from commands.organizations import CommandError, OrganizationRequest, TokenRequest, issue_token, make_organization
from commands.resources import Addresses, Pools, Resources, open_databases, open_runtime
from commands.secret_file import demo_secret_keys
from commands.serve import Listening, listen, serve_until_signalled, work_until_signalled
from db.connections import DatabaseUnreachable
from db.embedded import EmbeddedPostgresError
from db.migrate import MigrationError, migrate
from db.role_check import RoleError
from db.roles import app_dsn, system_dsn
from domain.ids import IdKind, format_id
from domain.keyring import parse_secrets
from jobs.export_schedules import submit_scheduled
from jobs.queue import DispatchOptions
from jobs.runtime import RuntimeSettings
from jobs.worker import Worker
from settings import Settings, SettingsError, load_settings, unknown_variables
from web.app import create_app
from web.config import WebConfig
from web.pages import PageConfig
from web.rates import RateLimits
from web.tokens import TokenSettings

EXPECTED: Final = (
    CommandError,
    DatabaseUnreachable,
    EmbeddedPostgresError,
    MigrationError,
    OSError,
    RoleError,
    SettingsError,
)
"""What may go wrong without being our fault, and is said in one line."""
INTERRUPTED: Final = 130


def main(arguments: list[str]) -> int:
    """The exit code: 0, 1 where the command cannot be carried out, 2 where it is not understood."""
    options = parse(arguments)
    try:
        settings = load_settings(data_dir=options.data_dir, host=options.host, port=options.port)
        configure_logging(settings.log_format, settings.log_level)
        for line in unknown_variables():
            print(f"leadport: {line}", file=sys.stderr)
        with _opened(settings) as resources:
            return COMMANDS[options.command](options, settings, resources)
    except EXPECTED as error:
        print(f"leadport: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _serve(_: argparse.Namespace, settings: Settings, resources: Resources) -> int:
    with listen(settings.host, settings.port) as taken:
        uvloop.run(_serving(settings, resources, Listening(socket=taken, trusted_proxies=settings.trusted_proxies)))
    return 0


async def _serving(settings: Settings, resources: Resources, listening: Listening) -> None:
    public_url = settings.public_url or listening.address
    async with open_runtime(resources.reached_at(public_url)) as runtime:
        tokens = _tokens(settings, resources)
        token = await owner_token(runtime, tokens, TOKEN_DAYS) if settings.embedded else None
        worker = (
            Worker(runtime, _dispatch(settings, resources), scheduled=submit_scheduled) if settings.worker else None
        )
        config = WebConfig(
            runtime=runtime,
            tokens=tokens,
            pages=_pages(settings, token),
            introspection=settings.embedded if settings.introspection is None else settings.introspection,
            allowed_origins=settings.allowed_origins,
            worker_healthy=(lambda: worker.healthy) if worker else None,
            rates=RateLimits(
                credential=settings.rate_per_caller,
                organization=settings.rate_per_organization,
                anonymous=settings.rate_per_address,
            ),
        )
        application = create_app(config)
        print(banner(config.pages, public_url, token), flush=True)
        await serve_until_signalled(application, listening, worker)


def _work(_: argparse.Namespace, settings: Settings, resources: Resources) -> int:
    async def work() -> None:
        async with open_runtime(resources) as runtime:
            await work_until_signalled(Worker(runtime, _dispatch(settings, resources), scheduled=submit_scheduled))

    uvloop.run(work())
    return 0


def _migrate(_: argparse.Namespace, settings: Settings, resources: Resources) -> int:
    if resources.addresses.admin is None:
        raise SettingsError("DATABASE_URL: migrate needs it")
    if not settings.embedded:  # which is migrated already
        migrate(resources.addresses.admin, _first(resources.secrets))
    print("The database is up to date.")
    return 0


def _seed(_: argparse.Namespace, __: Settings, resources: Resources) -> int:
    async def write() -> None:
        async with open_databases(resources.addresses, resources.pools) as (database, system):
            seeded = await seed(database, system, resources.keyring)
        now = f"has {seeded.leads:,} invented leads now" if seeded.leads else "had been seeded before"
        print(f"The organization {seeded.organization.slug} {now}.")

    asyncio.run(write())
    return 0


def _organization(options: argparse.Namespace, _: Settings, resources: Resources) -> int:
    request = OrganizationRequest(
        slug=options.slug,
        name=options.name or options.slug,
        country=options.country,
        time_zone=options.time_zone,
        preset=options.preset,
    )

    async def make() -> None:
        async with open_databases(resources.addresses, resources.pools) as (_, system):
            made = await make_organization(system, request)
        print(f"The organization {made.slug} is made: {format_id(IdKind.ORGANIZATION, made.id)}")

    asyncio.run(make())
    return 0


def _token(options: argparse.Namespace, settings: Settings, resources: Resources) -> int:
    subject = options.subject or options.role.lower()
    request = TokenRequest(
        organization=options.organization,
        role=options.role,
        subject=subject,
        name=options.name or subject,
        days=options.days,
    )

    async def issue() -> None:
        async with open_databases(resources.addresses, resources.pools) as (_, system):
            print(await issue_token(system, _tokens(settings, resources), request))

    asyncio.run(issue())
    return 0


def _check(_: argparse.Namespace, settings: Settings, resources: Resources) -> int:
    async def check() -> int:
        well = True
        async for good, line in findings(resources):
            print(f"{'ok  ' if good else 'FAIL'}  {line}", flush=True)
            well = well and good
        return 0 if well else 1

    print(f"ok    settings, {'the embedded demo' if settings.embedded else 'a database of yours'}")
    for line in () if settings.embedded else secret_warnings(resources.secrets):
        print(f"warn  {line}")
    return asyncio.run(check())


Command = Callable[[argparse.Namespace, Settings, Resources], int]
COMMANDS: Final[Mapping[str, Command]] = {
    "serve": _serve,
    "worker": _work,
    "migrate": _migrate,
    "seed": _seed,
    "organization": _organization,
    "token": _token,
    "check": _check,
}


@contextmanager
def _opened(settings: Settings) -> Generator[Resources]:
    """What the settings name; where they name no database the embedded one, up and migrated until the block ends."""
    given = _revealed(settings.secret_keys)
    if not settings.embedded:
        if given is None:
            raise SettingsError("LEADPORT_SECRET_KEYS: needed beside the address of a database")
        secrets = parse_secrets(given)
        yield _resources(settings, _addresses(settings, _first(secrets)), secrets)
        return
    if not settings.data_dir.exists():
        print(f"leadport: making the demo's database in {settings.data_dir}", file=sys.stderr)
    secrets = parse_secrets(given or demo_secret_keys(settings.data_dir))
    with embedded_database(settings.data_dir) as admin:
        migrate(admin, _first(secrets))
        system = system_dsn(admin, _first(secrets))
        addresses = Addresses(admin=admin, app=app_dsn(admin, _first(secrets)), system=system, worker=system)
        yield _resources(settings, addresses, secrets)


def _addresses(settings: Settings, secret: str) -> Addresses:
    admin = _revealed(settings.database_url)
    app = _revealed(settings.app_database_url) or (admin and app_dsn(admin, secret))
    system = _revealed(settings.system_database_url) or (admin and system_dsn(admin, secret))
    if app is None or system is None:
        raise SettingsError(
            "LEADPORT_SYSTEM_DATABASE_URL: needed beside LEADPORT_APP_DATABASE_URL without DATABASE_URL"
        )
    return Addresses(admin=admin, app=app, system=system, worker=_revealed(settings.worker_database_url) or system)


def _resources(settings: Settings, addresses: Addresses, secrets: dict[str, bytes]) -> Resources:
    data_dir = settings.data_dir.resolve()
    return Resources(
        addresses=addresses,
        pools=Pools(
            connections=settings.database_connections,
            statement_cache_size=settings.statement_cache_size,
            statement_timeout=settings.statement_timeout_seconds,
        ),
        secrets=secrets,
        storage_url=settings.storage_url or f"file://{data_dir / 'files'}",
        storage_options=settings.storage_options,
        limits=settings.limits,
        otel_endpoint=settings.otel_endpoint,
        settings=RuntimeSettings(
            public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
            scratch=settings.scratch_dir or data_dir / "scratch",
            max_wait_seconds=settings.max_wait_seconds,
            upload_seconds=settings.upload_seconds,
            mail_server=settings.mail_server,
            allow_private_webhooks=settings.allow_private_webhooks,
        ),
    )


def _tokens(settings: Settings, resources: Resources) -> TokenSettings:
    others = _revealed(settings.token_keys)
    return TokenSettings(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        secrets={**resources.secrets, **(parse_secrets(others) if others else {})},
        jwks_url=settings.token_jwks_url,
    )


def _pages(settings: Settings, token: str | None) -> PageConfig:
    """Everybody who reaches the page gets its token: only where nobody else can reach it."""
    return PageConfig(
        graphiql_enabled=settings.embedded if settings.graphiql is None else settings.graphiql,
        demo_token=token if settings.host in LOOPBACK else None,
        version=tomllib.loads((Path(__file__).parent / "pyproject.toml").read_text())["project"]["version"],
    )


def _dispatch(settings: Settings, resources: Resources) -> DispatchOptions:
    return DispatchOptions(
        dsn=resources.addresses.worker,
        large=settings.worker_large_jobs or max(1, (os.cpu_count() or 1) - 1),
        small=settings.worker_small_jobs,
        drain_seconds=settings.drain_seconds,
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _first(secrets: dict[str, bytes]) -> str:
    return next(iter(secrets.values())).decode()


def _leave(code: int) -> None:
    """End without the interpreter's own clearing up: native threads that come back during it abort the process."""
    logging.shutdown()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main(sys.argv[1:]))
