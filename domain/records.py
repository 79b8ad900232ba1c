"""What an organization is made of, as everybody reads it: rows without their storage."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.actors import ActorRef
from domain.exports import ResolvedColumn
from domain.json import JsonObject, JsonValue
from domain.settings import Limits, OrganizationSettings
from domain.vocabulary import BuiltinTemplate, LeadStage, Permission, Role, UploadState


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    """The tenant."""

    id: UUID
    name: str
    slug: str
    settings: OrganizationSettings
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """A person; `external_id` is the `sub` of their token."""

    id: UUID
    external_id: str | None
    name: str
    email: str | None
    role: Role
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """A program's credential, without its secret."""

    id: UUID
    name: str
    prefix: str
    permissions: tuple[Permission, ...]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """A company that leads belong to."""

    id: UUID
    name: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatbotRecord:
    """A chatbot that leads come from."""

    id: UUID
    name: str
    company: CompanyRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecord:
    """A status as the organization names it, over a fixed stage."""

    id: UUID
    key: str
    label: str
    stage: LeadStage
    position: int
    color: str | None
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRecord:
    """A note on a lead; `created_by` is a name."""

    id: UUID
    text: str
    created_at: datetime
    created_by: str | None


@dataclass(frozen=True, slots=True)
class HttpHeader:
    """A header to send along."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A link that needs no further credential until `expires_at`."""

    url: str
    expires_at: datetime
    method: str = "GET"
    headers: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRecord:
    """A file on its way in. `bytes` is None until known; `key` is where the object store keeps it."""

    id: UUID
    state: UploadState
    file_name: str
    key: str
    content_type: str | None
    bytes: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRecord:
    """A saved or builtin set of export columns; a builtin one has neither id nor spec."""

    id: UUID | None
    name: str
    builtin: BuiltinTemplate | None
    columns: tuple[ResolvedColumn, ...]
    spec: JsonObject | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """An export that runs by itself. `spec` and `deliver` are JSON of the inputs' shape."""

    id: UUID
    name: str
    cron: str
    time_zone: str
    enabled: bool
    spec: JsonObject
    incremental: bool
    skip_when_empty: bool
    deliver: JsonValue
    actor: ActorRef
    next_run_at: datetime | None
    last_job_id: UUID | None
    consecutive_failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRecord:
    """A saved import mapping: `columns` is the JSON of ColumnMapping entries, `options` of ImportOptions."""

    id: UUID
    name: str
    columns: JsonValue
    options: JsonObject
    used_count: int
    updated_at: datetime
