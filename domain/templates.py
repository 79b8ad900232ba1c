"""The builtin export templates: exact columns, headers, order, separators and file names of the replaced systems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.fields import FIELDS
from domain.ids import IdKind
from domain.vocabulary import BuiltinTemplate, LeadFieldKey

_K = LeadFieldKey


@dataclass(frozen=True, slots=True)
class Template:
    """A fixed set of columns. `separators` tells what joins the items of a list column where it is not `;`.

    `file_name` is a pattern without extension; its tokens are those of FileOptionsInput.name, and {compact} for
    YYYYMMDD_HHMMSS.
    """

    name: str
    columns: tuple[tuple[LeadFieldKey, str], ...]
    file_name: str
    separators: Mapping[LeadFieldKey, str] = field(default_factory=dict[LeadFieldKey, str])


DEFAULT_FILE_NAME: Final = "leads_export_{date}_{time}"
FILTERED_FILE_NAME: Final = "leads_export_{filter}_{date}_{time}"
MOCK_PREFIX: Final = "mock-"
MOCK_FILE_NAME: Final = "mock-leads-export-{date}"


def builtin_id(builtin: BuiltinTemplate) -> str:
    """The id under which a builtin template is shown, such as `template_basic`."""
    return f"{IdKind.TEMPLATE}_{builtin}".lower()


def builtin_of(shown: str) -> BuiltinTemplate | None:
    """The builtin template of this id, None for any other id."""
    return next((builtin for builtin in BuiltinTemplate if builtin_id(builtin) == shown), None)


def _labels(*keys: LeadFieldKey) -> tuple[tuple[LeadFieldKey, str], ...]:
    return tuple((key, FIELDS[key].label) for key in keys)


_CHATBOT: Final = (
    (_K.LEAD_ID, "Lead ID"),
    (_K.CHATBOT_NAME, "Chatbot Name"),
    (_K.COMPANY_NAME, "Company Name"),
    (_K.SESSION_ID, "Session ID"),
    (_K.EMAIL, "Email"),
    (_K.PHONE, "Phone"),
    (_K.SCORE, "Lead Score"),
    (_K.INTEREST_LEVEL, "Interest Level"),
    (_K.CONFIDENCE, "Confidence"),
    (_K.CATEGORY, "Category"),
    (_K.PRIMARY_LANGUAGE, "Primary Language"),
    (_K.DETECTED_LANGUAGES, "Detected Languages"),
    (_K.AI_LEGITIMATE, "AI Legitimate"),
    (_K.AI_CONFIDENCE_SCORE, "AI Confidence Score"),
    (_K.AI_VERIFICATION_REASONS, "AI Verification Reasons"),
    (_K.STATUS, "Status"),
    (_K.CREATED_AT, "Created At"),
    (_K.UPDATED_AT, "Updated At"),
    (_K.USER_AGENT, "User Agent"),
    (_K.IP_ADDRESS, "IP Address"),
    (_K.LOCATION_COUNTRY, "Location Country"),
    (_K.LOCATION_CITY, "Location City"),
    (_K.MESSAGE_COUNT, "Message Count"),
    (_K.SESSION_DURATION, "Session Duration (seconds)"),
    (_K.FIRST_INTEREST_DETECTED, "First Interest Detected"),
    (_K.LAST_INTEREST_DETECTED, "Last Interest Detected"),
    (_K.CONVERSATION_SUMMARY, "Conversation Summary"),
    (_K.TAGS, "Tags"),
    (_K.NOTES_COUNT, "Notes Count"),
    (_K.CONVERTED_AT, "Converted At"),
    (_K.CONVERSION_VALUE, "Conversion Value"),
    (_K.CONVERSION_SOURCE, "Conversion Source"),
)

_OUTBOUND_STATUS: Final = (
    (_K.STATUS_ID, "status_id"),
    (_K.STATUS_NAME, "status_name"),
    (_K.LEAD_ID, "lead_id"),
    (_K.NAME, "full_name"),
    (_K.PHONE, "phone"),
    (_K.EMAIL, "email"),
    (_K.CREATED_AT, "created_at"),
    (_K.LAST_CALL_AT, "last_call_at"),
    (_K.LAST_CALL_STATUS, "last_call_status"),
    (_K.SOURCE, "source"),
    (_K.NOTES, "notes"),
)

_LEADS: Final = (
    (_K.LEAD_ID, "id"),
    (_K.NAME, "name"),
    (_K.PHONE, "phone"),
    (_K.EMAIL, "email"),
    (_K.SOURCE, "source"),
    (_K.LEAD_SOURCE, "lead_source"),
    (_K.STATUS, "status"),
    (_K.SCORE, "score"),
    (_K.NOTES, "notes"),
    (_K.CREATED_AT, "created_at"),
    (_K.UPDATED_AT, "updated_at"),
)

_FULL: Final = (
    (_K.NAME, "Full Name"),
    (_K.PHONE, "Phone Number"),
    (_K.EMAIL, "Email"),
    (_K.NATIONAL_ID, "National ID (masked)"),
    (_K.ADDRESS, "Address"),
    (_K.POLICY_OF_INTEREST, "Policy of Interest"),
    (_K.PREFERRED_CONTACT_TIME, "Preferred Contact Time"),
    (_K.NOTES, "Notes"),
    (_K.STATUS, "Status"),
    (_K.CREATED_AT, "Created Date"),
    (_K.UPDATED_AT, "Updated Date"),
    (_K.CONVERSATION_URL, "Conversation ID (link)"),
)

TEMPLATES: Final[Mapping[BuiltinTemplate, Template]] = {
    BuiltinTemplate.BASIC: Template(
        "Basic", (*_labels(_K.NAME, _K.PHONE, _K.EMAIL, _K.STATUS), (_K.CREATED_AT, "Created Date")), DEFAULT_FILE_NAME
    ),
    BuiltinTemplate.FULL: Template("Full", _FULL, DEFAULT_FILE_NAME),
    BuiltinTemplate.CRM: Template(
        "CRM", (*_labels(_K.NAME, _K.PHONE, _K.EMAIL), (_K.POLICY_OF_INTEREST, "Policy")), DEFAULT_FILE_NAME
    ),
    BuiltinTemplate.LEADS: Template("Leads", _LEADS, "leads_export_{compact}"),
    BuiltinTemplate.OUTBOUND_STATUS: Template(
        "Outbound status", _OUTBOUND_STATUS, "outbound_leads_status_{status}_{date}"
    ),
    BuiltinTemplate.CHATBOT: Template("Chatbot", _CHATBOT, "leads-export-{date}", {_K.TAGS: ","}),
}
