"""Everything that a use case needs, made once by the server and passed on explicitly."""

from dataclasses import dataclass
from pathlib import Path

from db.pool import Database
from db.system import SystemDatabase
from delivery.email import MailServer
from domain.keyring import Keyring
from domain.observing import Observe
from domain.settings import Limits
from jobs.feed import JobFeed
from storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """Plain values of the server's settings.

    `public_url` has no slash at its end. `scratch` is a folder on local disk for temporary files. Waiting and links
    in seconds.
    """

    public_url: str
    scratch: Path
    max_wait_seconds: float = 30.0
    upload_seconds: int = 3_600
    mail_server: MailServer | None = None
    allow_private_webhooks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The server's resources. `limits` are those of an organization that has none of its own.

    `observe` is told of requests, operations and runs of jobs, where somebody traces the server.
    """

    database: Database
    system: SystemDatabase
    store: Store
    keyring: Keyring
    feed: JobFeed
    limits: Limits
    settings: RuntimeSettings
    observe: Observe | None = None
