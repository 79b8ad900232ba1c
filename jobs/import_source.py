"""What a run of an import stands on: its file on local disk, its organization's facts, the request to the child."""

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db.connections import Connection
from db.import_facts import ImportFacts, StatusRow, load_facts
from db.import_reads import failed_rows
from domain.errors import JobFailed
from domain.ids import IdKind, format_id, parse_id
from domain.imports import Dialect, ImportOptions, ImportSpec
from domain.settings import Limits
from domain.vocabulary import JobFailureCode
from jobs.running import RunningJob
from jobs.runtime import Runtime
from transfer.messages import ChildLimits, ChildMode, ChildRequest, OrganizationFacts, StatusFact, UserFact

__all__ = ["Source", "child_facts", "child_limits", "constants_of", "open_source", "private_folder", "request_of"]

_BLOCK_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file at `path`; `folder` is private to this run. `only_rows`: a retry's rows, None where it is none."""

    path: Path
    folder: Path
    facts: ImportFacts
    only_rows: tuple[int, ...] | None = None

    @property
    def errors(self) -> Path:
        """Where the child writes the error file."""
        return self.folder / "errors"


@asynccontextmanager
async def private_folder(runtime: Runtime) -> AsyncGenerator[Path]:
    """A folder on local disk that nobody else reads, gone when the block ends."""
    runtime.settings.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="import-", dir=runtime.settings.scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def open_source(runtime: Runtime, job: RunningJob, spec: ImportSpec) -> AsyncGenerator[Source]:
    """The job's file, copied to local disk. Raises JobFailed where it is no longer kept."""
    async with private_folder(runtime) as folder:
        path = folder / "original"
        try:
            await runtime.store.fetch(spec.source_key, path)
        except FileNotFoundError as error:
            raise JobFailed(JobFailureCode.UNREADABLE_FILE, "The uploaded file is no longer kept.") from error
        except OSError as error:
            message = "The worker has no room for the file on its disk."
            raise JobFailed(JobFailureCode.STORAGE_UNAVAILABLE, message, retryable=True) from error
        async with runtime.database.unit(job.organization_id) as connection:
            facts = await load_facts(connection, runtime.limits)
            only = await _only_rows(connection, spec)
        yield Source(path=path, folder=folder, facts=facts, only_rows=only)


def request_of(source: Source, spec: ImportSpec, job: RunningJob, dialect: Dialect | None) -> ChildRequest:
    """What the child is asked, for all rows from the beginning."""
    child_folder = source.folder / "child"
    child_folder.mkdir(exist_ok=True)
    return ChildRequest(
        mode=ChildMode.ROWS,
        path=str(source.path),
        scratch=str(child_folder),
        file_name=spec.file_name,
        format=spec.format,
        dialect=spec.dialect,
        decided=dialect,
        mapping=spec.mapping,
        options=spec.options,
        facts=child_facts(source.facts),
        limits=child_limits(source.facts.organization.limits),
        constants=constants_of(spec.options, job.actor.name) | {"import_job_id": str(job.id)},
        only_rows=source.only_rows,
        import_id=format_id(IdKind.JOB, job.id),
    )


def constants_of(options: ImportOptions, actor_name: str) -> dict[str, str | None]:
    """Columns with one value for all new leads."""
    assignee = parse_id(IdKind.USER, options.assignee_id) if options.assignee_id else None
    constants: dict[str, str | None] = {"created_by": actor_name, "updated_by": actor_name}
    return constants if assignee is None else constants | {"assignee_id": str(assignee)}


def child_facts(facts: ImportFacts) -> OrganizationFacts:
    """The organization as the child knows it."""
    return OrganizationFacts(
        country=facts.organization.settings.default_country,
        time_zone=facts.organization.settings.time_zone,
        default_status_id=str(facts.statuses[0].id) if facts.statuses else None,
        statuses=tuple(map(_status_fact, facts.statuses)),
        retired_statuses=tuple(map(_status_fact, facts.retired_statuses)),
        companies={key: str(company) for key, company in facts.companies.items()},
        chatbots={key: str(chatbot) for key, chatbot in facts.chatbots.items()},
        users=tuple(UserFact(str(row.id), row.name, row.email) for row in facts.users),
        custom_keys=tuple(facts.custom_keys),
    )


def _status_fact(row: StatusRow) -> StatusFact:
    return StatusFact(str(row.id), row.key, row.label, row.stage)


def child_limits(limits: Limits) -> ChildLimits:
    """What the child may use."""
    return ChildLimits(max_rows=limits.max_import_rows, max_bytes=limits.max_upload_bytes, block_rows=_BLOCK_ROWS)


async def _only_rows(connection: Connection, spec: ImportSpec) -> tuple[int, ...] | None:
    original = parse_id(IdKind.JOB, spec.retry_of) if spec.retry_of else None
    return None if original is None else tuple(await failed_rows(connection, original))
