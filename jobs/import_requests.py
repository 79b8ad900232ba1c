"""importLeads: everything that can be wrong is answered before there is a job."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from db.connections import Connection
from db.import_facts import ImportFacts, load_facts
from db.import_requests import find_mapping, same_file, save_mapping, use_mapping, user_exists
from db.jobs import StoredJob, load_job_by_key
from db.uploads import StoredUpload, key_has_owner, load_upload
from domain.actors import Actor
from domain.checks import MAX_RECIPIENTS, idempotency_key_problems, require
from domain.emails import is_email
from domain.errors import InputProblem, LimitProblem, Problem, Rejected, invalid, not_found
from domain.ids import IdKind, format_id, new_id, parse_id
from domain.imports import ColumnMapping, ImportOptions, ImportRequest, ImportSpec
from domain.job_requests import SMALL_UPLOAD_BYTES, NewFile, NewJob
from domain.jobs import JobRecord
from domain.json import JsonObject, JsonValue
from domain.stored import decode, encode, to_json
from domain.vocabulary import JobFileRole, JobKind, Permission, UploadState, UserErrorCode
from jobs.idempotency import input_hash
from jobs.import_files import look_into, refuse_problems
from jobs.import_retries import retried_import, retrying
from jobs.lifecycle import submit
from jobs.progress import wait
from jobs.runtime import Runtime

__all__ = ["check_options", "import_leads", "keep_mapping"]

_SOURCE: Final = ("input", "source", "uploadId")


@dataclass(frozen=True, slots=True)
class _Draft:
    """An import on its way to its job."""

    request: ImportRequest
    spec: ImportSpec
    upload: StoredUpload
    facts: ImportFacts
    mapping_id: UUID | None

    @property
    def sha256(self) -> str:
        return self.upload.sha256 or ""

    def input_hash(self) -> str:
        """Of all that was asked and of the bytes, wherever they were sent."""
        asked = replace(self.request, upload_id=None, source_key=None, idempotency_key=None, wait_seconds=0.0)
        return input_hash([self.sha256, encode(asked)])


async def import_leads(runtime: Runtime, actor: Actor, request: ImportRequest) -> JobRecord:
    """Make an import job of an upload, and wait for it as long as the request says.

    Raises Forbidden, or Rejected: NOT_FOUND, WRONG_STATE, EXPIRED, UNREADABLE_FILE, UNSAFE_FILE, REQUIRED (a field
    that rows must have is neither mapped nor defaulted), SAME_FILE, LIMIT_EXCEEDED, IDEMPOTENCY_MISMATCH.
    """
    actor.require(Permission.LEADS_IMPORT)
    require(idempotency_key_problems(request.idempotency_key))
    async with runtime.database.unit(actor.organization_id) as connection:
        draft = await _draft(runtime, connection, request)
        same = None if request.allow_same_file else await same_file(connection, draft.sha256)
        earlier = await _earlier(connection, request)  # asked last, so that it is seen wherever `same` is that job
        if earlier is None and same is not None:
            raise _same_file(same)
    if earlier is not None and earlier.input_hash == draft.input_hash():
        job = earlier.record
    else:  # where the key stands for other input, submit refuses it
        job = await _submit(runtime, actor, draft)
    return await wait(runtime, actor, job.id, request.wait_seconds)


async def check_options(connection: Connection, options: ImportOptions) -> None:
    """What options name must be there. Raises Rejected."""
    if options.assignee_id is not None:
        user_id = parse_id(IdKind.USER, options.assignee_id)
        if user_id is None or not await user_exists(connection, user_id):
            raise not_found("user", options.assignee_id, "input", "options", "assigneeId")


async def keep_mapping(
    connection: Connection, name: str, mapping: tuple[ColumnMapping, ...], options: ImportOptions
) -> None:
    """Save a mapping under a name."""
    await save_mapping(connection, new_id(), name.strip(), to_json(mapping), encode(options))


async def _draft(runtime: Runtime, connection: Connection, request: ImportRequest) -> _Draft:
    upload = await _upload(connection, request.upload_id or "")
    facts = await load_facts(connection, runtime.limits)
    _refuse_size(upload, facts)
    mapping_id, mapping, options = await _rules(connection, request)
    await check_options(connection, options)
    _check_recipients(request.notify)
    spec = ImportSpec(
        source_key=upload.record.key,
        file_name=upload.record.file_name,
        file_bytes=upload.record.bytes or 0,
        mode=request.mode,
        format=request.format,
        dialect=request.dialect,
        mapping=mapping,
        options=options,
        notify=request.notify,
    )
    draft = _Draft(request, spec, upload, facts, mapping_id)
    if request.retry_of is None:
        return draft
    retry = await _as_retry(connection, draft, request.retry_of)
    if retry is None:
        raise not_found("import", request.retry_of, "input", "retryOf")
    return retry


async def _upload(connection: Connection, shown_id: str) -> StoredUpload:
    upload_id = parse_id(IdKind.UPLOAD, shown_id)
    stored = None if upload_id is None else await load_upload(connection, upload_id)
    if stored is None:
        raise not_found("upload", shown_id, *_SOURCE)
    match stored.record.state:
        case UploadState.COMPLETE:
            return stored
        case UploadState.EXPIRED:
            raise Rejected(Problem(UserErrorCode.EXPIRED, "The upload has expired.", _SOURCE))
        case UploadState.OPEN:
            raise Rejected(Problem(UserErrorCode.WRONG_STATE, "The file has not been sent yet.", _SOURCE))


def _refuse_size(upload: StoredUpload, facts: ImportFacts) -> None:
    size, limit = upload.record.bytes or 0, facts.organization.limits.max_upload_bytes
    if not size:
        raise Rejected(Problem(UserErrorCode.UNREADABLE_FILE, "The file is empty.", ("input", "source")))
    if size > limit:
        message = f"A file has at most {limit:,} bytes."
        raise Rejected(
            LimitProblem(UserErrorCode.LIMIT_EXCEEDED, message, ("input", "source"), limit=limit, actual=size)
        )


async def _rules(
    connection: Connection, request: ImportRequest
) -> tuple[UUID | None, tuple[ColumnMapping, ...], ImportOptions]:
    """Mapping and options: the request's own, else those of the saved mapping that it names."""
    if request.mapping_id is None:
        return None, request.mapping, request.options or ImportOptions()
    mapping_id = parse_id(IdKind.MAPPING, request.mapping_id)
    saved = None if mapping_id is None else await find_mapping(connection, mapping_id)
    if saved is None:
        raise not_found("mapping", request.mapping_id, "input", "mappingId")
    columns = tuple(decode(ColumnMapping, item) for item in _objects(saved.columns))
    options = request.options or decode(ImportOptions, saved.options)
    return mapping_id, request.mapping or columns, options


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    return iter(cast("list[JsonObject]", value or []))


def _check_recipients(notify: tuple[str, ...]) -> None:
    if len(notify) > MAX_RECIPIENTS:
        message = f"At most {MAX_RECIPIENTS} addresses."
        raise Rejected(InputProblem(UserErrorCode.OUT_OF_RANGE, message, ("input", "notify")))
    for index, address in enumerate(notify):
        if not is_email(address):
            raise invalid("This is no e-mail address.", "input", "notify", str(index))


async def _earlier(connection: Connection, request: ImportRequest) -> StoredJob | None:
    """The job that was made under the request's key before."""
    return await load_job_by_key(connection, request.idempotency_key) if request.idempotency_key else None


def _same_file(earlier: UUID) -> Rejected:
    message = f"The same file was imported before, by {format_id(IdKind.JOB, earlier)}."
    return Rejected(Problem(UserErrorCode.SAME_FILE, message, ("input", "source")))


async def _submit(runtime: Runtime, actor: Actor, draft: _Draft) -> JobRecord:
    opened = await look_into(runtime, draft.spec, draft.facts)
    if opened.retry_of and draft.spec.retry_of is None:  # a corrected error file, known by its `_import` column
        async with runtime.database.unit(actor.organization_id) as connection:
            recognised = await _as_retry(connection, draft, opened.retry_of)
        if recognised is not None:
            draft, opened = recognised, await look_into(runtime, recognised.spec, draft.facts)
    refuse_problems(opened)
    async with runtime.database.unit(actor.organization_id) as connection:
        spec = await _own_file(runtime, connection, draft)
        if draft.mapping_id is not None:
            await use_mapping(connection, draft.mapping_id)
        if draft.request.save_mapping_as:
            await keep_mapping(connection, draft.request.save_mapping_as, spec.mapping, spec.options)
        return await submit(runtime, actor, _new_job(actor, draft, spec), connection)


async def _as_retry(connection: Connection, draft: _Draft, shown_id: str) -> _Draft | None:
    """The draft as a retry of this import, None where the organization has no such import that has ended."""
    original = await retried_import(connection, shown_id)
    if original is None:
        return None
    return replace(draft, spec=retrying(draft.spec, draft.request, shown_id, original))


async def _own_file(runtime: Runtime, connection: Connection, draft: _Draft) -> ImportSpec:
    """A second import of one upload gets a copy: each job deletes its own file."""
    if not await key_has_owner(connection, draft.spec.source_key, draft.sha256):
        return draft.spec
    key = f"uploads/{draft.facts.organization.id}/{new_id()}"
    name, kind = draft.spec.file_name, draft.upload.record.content_type or "application/octet-stream"
    chunks = runtime.store.read(draft.spec.source_key)
    await runtime.store.put(key, chunks, content_type=kind, download_name=name)
    return replace(draft.spec, source_key=key)


def _new_job(actor: Actor, draft: _Draft, spec: ImportSpec) -> NewJob:
    kept = timedelta(days=draft.facts.organization.settings.import_retention_days)
    original = NewFile(
        id=new_id(),
        role=JobFileRole.ORIGINAL,
        name=spec.file_name,
        key=spec.source_key,
        content_type=draft.upload.record.content_type or "application/octet-stream",
        bytes=spec.file_bytes,
        sha256=draft.sha256,
        expires_at=datetime.now(UTC) + kept,
        sensitive=True,
        uploader_id=actor.id,
    )
    name = (draft.request.name or spec.file_name).strip()
    return NewJob(
        kind=JobKind.IMPORT,
        name=name,
        spec=encode(spec),
        large=spec.file_bytes > SMALL_UPLOAD_BYTES,
        summary=f"Import {name} started",
        idempotency_key=draft.request.idempotency_key,
        input_hash=draft.input_hash(),
        file_sha256=draft.sha256,
        expires_at=original.expires_at,
        files=(original,),
    )
