"""What a bulk operation is asked to do, and what it recorded. Stored with the job as JSON."""

from dataclasses import dataclass, field

from domain.json import JsonObject
from domain.vocabulary import InterestLevel, LeadCategory, LeadFieldKey, LeadSource


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTarget:
    """Exactly one of shown ids and a filter document; a filter needs `expected_count`."""

    ids: tuple[str, ...] | None = None
    filter: JsonObject | None = None
    expected_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPatch:
    """What a bulk update sets; None leaves a field as it is, `clear` empties it."""

    status: str | None = None
    source: LeadSource | None = None
    lead_source: str | None = None
    score: int | None = None
    interest_level: InterestLevel | None = None
    category: LeadCategory | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    won_reason: str | None = None
    loss_reason: str | None = None
    add_note: str | None = None
    custom_fields: JsonObject | None = None
    clear: tuple[LeadFieldKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSpec:
    """The operation is the job's kind: BULK_UPDATE uses `patch`, BULK_ASSIGN `assignee_ids`, BULK_DELETE neither.

    `whole_status`: a status itself has changed and all its leads follow, duplicates or not; `drop_status` (a shown id)
    is deleted once they have.
    """

    target: LeadTarget
    patch: LeadPatch = field(default_factory=LeadPatch)
    assignee_ids: tuple[str, ...] = ()
    dry_run: bool = False
    whole_status: bool = False
    drop_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRequest:
    """A bulk operation as asked for."""

    spec: BulkSpec
    wait_seconds: float = 0.0
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """Counts of leads; `matched` is what the target named.

    The checkpoint: places of the target up to `position` are done, `processed` of them named leads.
    """

    matched: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    position: int = 0
    processed: int = 0
