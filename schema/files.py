"""Files of jobs and the links to them."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from domain.ids import IdKind, format_id
from domain.jobs import JobFileRecord
from domain.records import HttpHeader as HeaderRecord
from domain.records import SignedUrl as UrlRecord
from domain.vocabulary import JobFileRole
from schema.arguments import given
from schema.context import Info
from schema.nodes import Mirror, Node
from schema.scalars import BigInt

LINK_SECONDS: Final = 300


@strawberry.type(description="A header to send along.")
class HttpHeader(Mirror[HeaderRecord]):
    name: str = strawberry.field(description="The header's name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(
    description="Always the server's own route: it checks, writes the download to the activity log, then streams with "
    "Range or redirects to the object store."
)
class SignedUrl(Mirror[UrlRecord]):
    url: str = strawberry.field(description="Needs no further credential.")
    expires_at: datetime = strawberry.field(description="Refused from then on.")
    method: str = strawberry.field(description="GET or PUT.")
    headers: list[HttpHeader] = strawberry.field(description="To be sent along.")


@strawberry.type(description="A file of a job.")
class JobFile(Node):
    record: strawberry.Private[JobFileRecord]
    role: JobFileRole = strawberry.field(description="What the file is for its job.")
    name: str = strawberry.field(description="Its name for people.")
    content_type: str = strawberry.field(description="Media type.")
    bytes: BigInt = strawberry.field(description="Its size.")
    rows: int | None = strawberry.field(description="Rows of data, the header aside.")
    sha256: str = strawberry.field(description="SHA-256 of the bytes, hexadecimal.")
    created_at: datetime = strawberry.field(description="When it was written.")
    expires_at: datetime | None = strawberry.field(description="When it is deleted by itself.")
    download_count: int = strawberry.field(description="How often it was downloaded.")

    @classmethod
    def of(cls, record: JobFileRecord) -> "JobFile":
        """The file as the API shows it."""
        return cls(
            record=record,
            id=strawberry.ID(format_id(IdKind.FILE, record.id)),
            role=record.role,
            name=record.name,
            content_type=record.content_type,
            bytes=BigInt(record.bytes),
            rows=record.rows,
            sha256=record.sha256,
            created_at=record.created_at,
            expires_at=record.expires_at,
            download_count=record.download_count,
        )

    @strawberry.field(description="Whether it can still be downloaded.")
    def available(self, info: Info) -> bool:
        return info.context.jobs.available(self.record)

    @strawberry.field(
        description="Signed afresh on every read, never stored. Null unless the caller may export (or import, for its "
        "files) and, where the file holds values masked for the caller, may unmask."
    )
    async def download(
        self,
        info: Info,
        ttl_seconds: Annotated[int | None, strawberry.argument(description="How long the link lives.")] = LINK_SECONDS,
    ) -> SignedUrl | None:
        seconds = given(ttl_seconds, "ttlSeconds")
        link = await info.context.jobs.download(self.record, LINK_SECONDS if seconds is None else seconds)
        return SignedUrl.of(link) if link else None
