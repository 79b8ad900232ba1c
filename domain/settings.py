"""What an organization may set, and the limits it lives within."""

from dataclasses import dataclass
from typing import Final

from domain.vocabulary import DuplicateScope, LeadFieldKey, MaskingMode, Role

DEFAULT_EXPORT_ROLES: Final = (Role.OWNER, Role.ADMIN, Role.PRO)


@dataclass(frozen=True, slots=True)
class MaskingRule:
    """How a field is hidden, and from whom not."""

    field: LeadFieldKey
    mode: MaskingMode
    except_roles: tuple[Role, ...] = ()


DEFAULT_MASKING: Final = (MaskingRule(LeadFieldKey.NATIONAL_ID, MaskingMode.PARTIAL),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSettings:
    """`default_country` is ISO 3166-1 alpha-2, `time_zone` an IANA name, retention in days.

    `conversation_url_template` holds `{id}` where the conversation's id goes.
    """

    default_country: str = "US"
    time_zone: str = "UTC"
    duplicate_scope: DuplicateScope = DuplicateScope.ACTIVE
    masking: tuple[MaskingRule, ...] = DEFAULT_MASKING
    export_roles: tuple[Role, ...] = DEFAULT_EXPORT_ROLES
    export_retention_days: int = 7
    import_retention_days: int = 30
    conversation_url_template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes, rows, jobs and ids that one organization may use at once."""

    max_upload_bytes: int = 1 << 30
    max_inline_upload_bytes: int = 10 << 20
    max_import_rows: int = 5_000_000
    max_concurrent_jobs: int = 2
    max_bulk_ids: int = 10_000
    max_page_size: int = 200
