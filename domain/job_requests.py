"""What a job is made of: the request that starts one and the files that its end publishes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.json import JsonObject, JsonValue
from domain.vocabulary import JobFileRole, JobKind, JobTrigger

SMALL_UPLOAD_BYTES: Final = 5 << 20
SMALL_ROW_COUNT: Final = 10_000
SMALL_JOB_SLOTS: Final = 2
"""How many small jobs of an organization run beside its large ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to submit.

    `spec` is the kind's spec as JSON. `large`: more than SMALL_UPLOAD_BYTES to read or SMALL_ROW_COUNT rows to touch.
    `input_hash` is compared where `idempotency_key` was used before; None: the hash of kind, name and spec.
    `trigger` None: what the actor is. `summary` is the activity entry's line.
    """

    kind: JobKind
    name: str
    spec: JsonObject
    large: bool
    summary: str
    details: JsonObject = field(default_factory=dict[str, JsonValue])
    result: JsonObject = field(default_factory=dict[str, JsonValue])
    priority: int = 0
    trigger: JobTrigger | None = None
    schedule_id: UUID | None = None
    idempotency_key: str | None = None
    input_hash: str | None = None
    file_sha256: str | None = None
    expires_at: datetime | None = None
    files: tuple["NewFile", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A whole object in the store that becomes a file of the job. `rows` None: not a table of rows."""

    id: UUID
    role: JobFileRole
    name: str
    key: str
    content_type: str
    bytes: int
    sha256: str
    expires_at: datetime
    rows: int | None = None
    sensitive: bool = False
    uploader_id: UUID | None = None
