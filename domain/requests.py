"""What the smaller mutations are asked to do. Ids are shown ids; None means: not given, leave as it is."""

from dataclasses import dataclass
from datetime import datetime

from domain.documents import LeadDocument
from domain.exports import Delivery, ExportSpec
from domain.imports import ColumnMapping, DialectSpec, ImportOptions
from domain.settings import MaskingRule
from domain.vocabulary import DuplicateScope, LeadFieldKey, LeadStage, MergeStrategy, Permission, Role, WebhookEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLead:
    """A lead to create, and what to do where it is a duplicate."""

    lead: LeadDocument
    on_duplicate: MergeStrategy = MergeStrategy.SKIP
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLead:
    """Fields to set and to empty; refused where the version is not the expected one."""

    id: str
    set: LeadDocument
    clear: tuple[LeadFieldKey, ...] = ()
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertLeads:
    """Leads pushed by a partner under the rules of an import. `options` None: the defaults."""

    rows: tuple[LeadDocument, ...]
    options: ImportOptions | None = None
    dry_run: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """A note for a lead."""

    lead_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCall:
    """A call with a lead; `at` without offset is in the organization's zone."""

    lead_id: str
    at: datetime
    status: str
    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUpload:
    """A file that is about to be sent; `bytes` is its size where known."""

    file_name: str
    bytes: int | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateImport:
    """The answer to AWAITING_MAPPING, or a change to a plan under review; None: as before."""

    id: str
    dialect: DialectSpec | None = None
    mapping: tuple[ColumnMapping, ...] | None = None
    options: ImportOptions | None = None
    save_mapping_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitImport:
    """Carry out the plan that was reviewed."""

    id: str
    plan_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertImport:
    """Undo an import (a shown job id); a dry run only counts."""

    id: str
    dry_run: bool = False
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTemplate:
    """An export template to create, or with `id` to replace."""

    name: str
    spec: ExportSpec
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSchedule:
    """A schedule to create, or with `id` to replace. `cron` has five fields in `time_zone` (IANA)."""

    name: str
    cron: str
    time_zone: str
    spec: ExportSpec
    deliver: tuple[Delivery, ...]
    id: str | None = None
    enabled: bool | None = None
    incremental: bool | None = None
    skip_when_empty: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCompany:
    """A company to create, or with `id` to change."""

    name: str
    id: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveChatbot:
    """A chatbot to create, or with `id` to change."""

    name: str
    id: str | None = None
    company_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveUser:
    """A user to create, or with `id` to change; `external_id` is the `sub` of their token."""

    name: str
    role: Role
    id: str | None = None
    external_id: str | None = None
    email: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveStatus:
    """A status to create, or with `id` to change."""

    key: str
    label: str
    stage: LeadStage
    id: str | None = None
    position: int | None = None
    color: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings:
    """Settings to change; `clear` holds names of the API (`conversationUrlTemplate`) that go back to their default."""

    default_country: str | None = None
    time_zone: str | None = None
    duplicate_scope: DuplicateScope | None = None
    masking: tuple[MaskingRule, ...] | None = None
    export_roles: tuple[Role, ...] | None = None
    export_retention_days: int | None = None
    import_retention_days: int | None = None
    conversation_url_template: str | None = None
    clear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey:
    """A credential for a program; without `expires_at` it lives until it is revoked."""

    name: str
    permissions: tuple[Permission, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveWebhook:
    """An endpoint to create, or with `id` to change."""

    url: str
    events: tuple[WebhookEvent, ...]
    id: str | None = None
    enabled: bool | None = None
