"""Files in: announced, sent to a signed link or inline, kept under a generated key until a job takes them over."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from db.connections import Connection
from db.organizations import load_organization
from db.uploads import NewUpload, complete_upload, expire_uploads, insert_upload, load_upload
from domain.actors import Actor
from domain.errors import InputProblem, LimitProblem, Rejected, not_found
from domain.file_names import shown_file_name
from domain.ids import IdKind, new_id, parse_id
from domain.records import HttpHeader, SignedUrl, UploadRecord
from domain.requests import CreateUpload
from domain.settings import Limits
from domain.signed_tokens import InvalidToken, sign_token, verified
from domain.vocabulary import Permission, UploadState, UserErrorCode
from jobs.runtime import Runtime
from storage.store import StoredObject

__all__ = [
    "UploadRefused",
    "WhyRefused",
    "accept_upload",
    "create_upload",
    "drop_expired_uploads",
    "get_upload",
    "receive",
    "upload_target",
]

_PURPOSE: Final = "upload"
_BINARY: Final = "application/octet-stream"
_BATCH: Final = 500
_MEDIA_TYPE: Final = re.compile(r"[ -~]{0,255}")
"""What a header can carry, and nothing where a browser knows none; the content decides what the file is."""


class WhyRefused(StrEnum):
    """What the HTTP edge answers with 403, 410, 409 and 413."""

    LINK = "LINK"
    EXPIRED = "EXPIRED"
    COMPLETE = "COMPLETE"
    TOO_LARGE = "TOO_LARGE"


class UploadRefused(Exception):
    """Bytes for an upload are not taken; the message is safe to show."""

    def __init__(self, why: WhyRefused, message: str) -> None:
        super().__init__(message)
        self.why = why
        self.message = message


class _Ticket(msgspec.Struct, frozen=True):
    """What a link's token says; `until` in seconds since the epoch."""

    organization: UUID
    upload: UUID
    until: int


async def create_upload(runtime: Runtime, actor: Actor, limits: Limits, request: CreateUpload) -> UploadRecord:
    """Announce a file. Raises Forbidden, Rejected (LIMIT_EXCEEDED, OUT_OF_RANGE, INVALID)."""
    actor.require(Permission.LEADS_IMPORT)
    if request.bytes is not None and request.bytes < 0:
        message = "A size is not below 0."
        raise Rejected(InputProblem(UserErrorCode.OUT_OF_RANGE, message, ("input", "bytes")))
    if request.content_type is not None and not _MEDIA_TYPE.fullmatch(request.content_type):
        message = "A media type is written as type/subtype, e.g. text/csv."
        raise Rejected(InputProblem(UserErrorCode.INVALID, message, ("input", "contentType")))
    if request.bytes is not None and request.bytes > limits.max_upload_bytes:
        raise _too_large(limits.max_upload_bytes, request.bytes, "input", "bytes")
    async with runtime.database.unit(actor.organization_id) as connection:
        return await _announce(runtime, connection, actor, request)


async def get_upload(runtime: Runtime, actor: Actor, shown_id: str) -> UploadRecord | None:
    """An upload of the caller's organization. Raises Forbidden."""
    actor.require(Permission.LEADS_IMPORT)
    upload_id = parse_id(IdKind.UPLOAD, shown_id)
    if upload_id is None:
        return None
    async with runtime.database.unit(actor.organization_id) as connection:
        stored = await load_upload(connection, upload_id)
    return None if stored is None else stored.record


def upload_target(runtime: Runtime, organization_id: UUID, upload: UploadRecord) -> SignedUrl:
    """A fresh link to send the file to by PUT; it lives as long as the upload."""
    ticket = _Ticket(organization_id, upload.id, int(upload.expires_at.timestamp()))
    url = f"{runtime.settings.public_url}/uploads/{sign_token(runtime.keyring, _PURPOSE, ticket)}"
    headers = (HttpHeader("Content-Type", upload.content_type or _BINARY),)
    return SignedUrl(url, upload.expires_at, "PUT", headers)


async def accept_upload(runtime: Runtime, token: str, chunks: AsyncIterable[bytes]) -> UploadRecord:
    """Take the bytes that were sent to a link. Raises UploadRefused; nothing is kept then."""
    ticket = _ticket(runtime, token)
    async with runtime.database.unit(ticket.organization) as connection:
        stored = await load_upload(connection, ticket.upload)
        limits = (await load_organization(connection, runtime.limits)).limits
    if stored is None or stored.record.state is UploadState.EXPIRED:
        raise UploadRefused(WhyRefused.EXPIRED, "This upload has expired.")
    if stored.record.state is UploadState.COMPLETE:
        raise UploadRefused(WhyRefused.COMPLETE, "This upload is complete already.")
    kept = await _keep(runtime, stored.record, chunks, limits.max_upload_bytes)
    async with runtime.database.unit(ticket.organization) as connection:
        record = await complete_upload(connection, ticket.upload, kept.bytes, kept.sha256)
    if record is None:
        raise UploadRefused(WhyRefused.COMPLETE, "This upload is complete already.")
    return record


async def receive(
    runtime: Runtime, actor: Actor, limits: Limits, file: tuple[str, AsyncIterable[bytes]]
) -> UploadRecord:
    """Take a small file, given by name and bytes, that came with the request. Raises Forbidden, Rejected."""
    actor.require(Permission.LEADS_IMPORT)
    name, chunks = file
    async with runtime.database.unit(actor.organization_id) as connection:
        upload = await _announce(runtime, connection, actor, CreateUpload(file_name=name))
    try:
        kept = await _keep(runtime, upload, chunks, limits.max_inline_upload_bytes)
    except UploadRefused as refused:
        raise _too_large(limits.max_inline_upload_bytes, None, "input", "source", "file") from refused
    async with runtime.database.unit(actor.organization_id) as connection:
        record = await complete_upload(connection, upload.id, kept.bytes, kept.sha256)
    if record is None:
        raise not_found("upload", str(upload.id), "input", "source", "file")
    return record


async def drop_expired_uploads(runtime: Runtime) -> int:
    """Delete uploads past their date that no job took over; how many objects went."""
    dropped = 0
    while keys := await expire_uploads(runtime.system, _BATCH):
        await runtime.store.delete(*keys)
        dropped += len(keys)
    return dropped


async def _announce(runtime: Runtime, connection: Connection, actor: Actor, request: CreateUpload) -> UploadRecord:
    upload_id = new_id()
    new = NewUpload(
        id=upload_id,
        file_name=shown_file_name(request.file_name),
        key=f"uploads/{actor.organization_id}/{upload_id}",
        content_type=request.content_type,
        declared_bytes=request.bytes,
        actor_id=actor.id,
        expires_at=datetime.now(UTC) + timedelta(seconds=runtime.settings.upload_seconds),
    )
    return await insert_upload(connection, new)


async def _keep(runtime: Runtime, upload: UploadRecord, chunks: AsyncIterable[bytes], most: int) -> StoredObject:
    async def counted() -> AsyncIterator[bytes]:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise UploadRefused(WhyRefused.TOO_LARGE, f"At most {most:,} bytes can be uploaded.")
            yield chunk

    kind = upload.content_type or _BINARY
    return await runtime.store.put(upload.key, counted(), content_type=kind, download_name=upload.file_name)


def _ticket(runtime: Runtime, token: str) -> _Ticket:
    try:
        ticket = verified(runtime.keyring, _PURPOSE, token, _Ticket)
    except InvalidToken as error:
        raise UploadRefused(WhyRefused.LINK, "This link is not valid.") from error
    if ticket.until <= datetime.now(UTC).timestamp():
        raise UploadRefused(WhyRefused.EXPIRED, "This link has expired.")
    return ticket


def _too_large(limit: int, actual: int | None, *path: str) -> Rejected:
    message = f"At most {limit:,} bytes can be uploaded here."
    return Rejected(LimitProblem(UserErrorCode.LIMIT_EXCEEDED, message, path, limit=limit, actual=actual))
