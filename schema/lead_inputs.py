"""Leads as callers write them, one at a time or as a small push."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, cast

import strawberry
from strawberry.scalars import JSON

from domain import requests
from domain.checks import options_problems, require
from domain.documents import FieldInput, LeadDocument
from domain.errors import Path
from domain.fields import FIELDS
from domain.imports import ImportOptions
from domain.vocabulary import Confidence, InterestLevel, LeadCategory, LeadFieldKey, LeadSource, MergeStrategy
from schema.arguments import INPUT, document, given, json_object, optional, read
from schema.import_inputs import ImportOptionsInput

_BY_PATH: Final = {field.path: key for key, field in FIELDS.items() if field.path}
_BY_NAME: Final = {
    "status": LeadFieldKey.STATUS,
    "companyId": LeadFieldKey.COMPANY_ID,
    "companyName": LeadFieldKey.COMPANY_NAME,
    "chatbotId": LeadFieldKey.CHATBOT_ID,
    "sessionId": LeadFieldKey.SESSION_ID,
    "conversationId": LeadFieldKey.CONVERSATION_ID,
    "assigneeId": LeadFieldKey.ASSIGNEE,
}
"""Inputs whose name is not the path at which the Lead shows the field."""
_CUSTOM: Final = "customFields"


@strawberry.input(description="A postal address.")
class AddressInput:
    street: str | None = optional("Street and number.")
    city: str | None = optional("City or town.")
    region: str | None = optional("State, province or county.")
    postal_code: str | None = optional("As written in the country.")
    country: str | None = optional("As written; ISO 3166 where known.")


@strawberry.input(description="What the chatbot made of the lead's truthfulness.")
class AiVerificationInput:
    legitimate: bool | None = optional("Whether it takes the lead for a real one.")
    confidence_score: int | None = optional("How sure it is, 0 to 100.")
    reasons: list[str] | None = optional("What speaks for its judgement.")


@strawberry.input(description="Where the conversation took place.")
class LeadSessionInput:
    user_agent: str | None = optional("The browser as it names itself.")
    ip_address: str | None = optional("IPv4 or IPv6.")
    country: str | None = optional("Where the address seems to be.")
    city: str | None = optional("Where the address seems to be.")


@strawberry.input(description="How the lead took part in the conversation.")
class EngagementInput:
    message_count: int | None = optional("Messages of both sides.")
    session_duration_seconds: int | None = optional("How long the conversation lasted.")
    first_interest_at: datetime | None = optional("When interest first showed.")
    last_interest_at: datetime | None = optional("When interest last showed.")
    conversation_summary: str | None = optional("The conversation in short.")


@strawberry.input(description="What became of the lead.")
class ConversionInput:
    at: datetime | None = optional("When it was converted.")
    value: Decimal | None = optional("What it brought, in `currency`.")
    currency: str | None = optional("ISO 4217, e.g. EUR.")
    source: str | None = optional("What brought it about.")


@strawberry.input(description="A lead's values; what is omitted stays as it is.")
class LeadInput:
    id: strawberry.ID | None = optional("Only for upsertLeads with matchOn LEAD_ID.")
    external_id: str | None = optional("Its id in a system of yours.")
    name: str | None = optional("The whole name.")
    phone: str | None = optional("In any form; without country code it is read as Settings.defaultCountry says.")
    email: str | None = optional("The e-mail address.")
    national_id: str | None = optional("Encrypted at rest.")
    address: AddressInput | None = optional("The postal address.")
    policy_of_interest: str | None = optional("The product asked for.")
    preferred_contact_time: str | None = optional("When to call.")
    status: str | None = optional("A status's key or label.")
    status_code: str | None = optional("Free text beside the status.")
    source: LeadSource | None = optional("Where the lead came from.")
    lead_source: str | None = optional("Free text behind the source, e.g. Google Ads.")
    score: int | None = optional("0 to 100.")
    interest_level: InterestLevel | None = optional("How much the lead wants it.")
    confidence: Confidence | None = optional("How sure the chatbot is.")
    category: LeadCategory | None = optional("What the conversation was about.")
    primary_language: str | None = optional("e.g. he, hi_transliterated.")
    detected_languages: list[str] | None = optional("Every language of the conversation.")
    company_id: strawberry.ID | None = optional("The company that the lead belongs to.")
    chatbot_id: strawberry.ID | None = optional("The chatbot that the lead came from.")
    session_id: str | None = optional("The chatbot's session.")
    conversation_id: str | None = optional("The conversation in the system that held it.")
    tags: list[str] | None = optional("Free words; they replace those that are there.")
    assignee_id: strawberry.ID | None = optional("Who looks after the lead.")
    property_id: str | None = optional("The property the lead is about.")
    case_type: str | None = optional("What kind of case it is.")
    won_reason: str | None = optional("Why the lead was won.")
    loss_reason: str | None = optional("Why the lead was lost.")
    company_name: str | None = optional("The company by its name.")
    ai: AiVerificationInput | None = optional("What the chatbot made of the lead's truthfulness.")
    session: LeadSessionInput | None = optional("Where the conversation took place.")
    engagement: EngagementInput | None = optional("How the lead took part in the conversation.")
    conversion: ConversionInput | None = optional("What became of the lead.")
    created_at: datetime | None = optional("When the lead came in; omitted: now.")
    custom_fields: JSON | None = optional("Merged into what is there; a JSON null removes a key.")
    notes: str | None = optional("Becomes a note, unless the same text is there already (imports likewise).")

    def to_domain(self, path: Path = (*INPUT, "lead")) -> LeadDocument:
        """The values by registry key. Raises BadInput for an explicit null."""
        fields = dict(document(self, path))
        custom = fields.pop(_CUSTOM, {})
        return LeadDocument(values=dict(_values(fields, ())), custom=json_object(custom, (*path, _CUSTOM)))


def _values(fields: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[LeadFieldKey, FieldInput]]:
    for name, value in fields.items():
        place = (*above, name)
        if isinstance(value, Mapping):
            yield from _values(cast("Mapping[str, object]", value), place)
        else:
            key = _BY_PATH[place] if above else _BY_NAME.get(name) or _BY_PATH[place]
            yield key, tuple(cast("list[str]", value)) if isinstance(value, list) else cast("FieldInput", value)


@strawberry.input(description="A lead to create.")
class CreateLeadInput:
    lead: LeadInput = strawberry.field(description="Its values.")
    on_duplicate: MergeStrategy = strawberry.field(
        default=MergeStrategy.SKIP, description="What happens where there is such a lead already."
    )
    idempotency_key: str | None = optional("The same key and input again give the same lead.")

    def to_domain(self) -> requests.CreateLead:
        """The request. Raises BadInput for an explicit null."""
        return requests.CreateLead(
            lead=self.lead.to_domain(),
            on_duplicate=self.on_duplicate,
            idempotency_key=given(self.idempotency_key, *INPUT, "idempotencyKey"),
        )


@strawberry.input(description="A lead to change.")
class UpdateLeadInput:
    id: strawberry.ID = strawberry.field(description="The lead.")
    set: LeadInput = strawberry.field(description="What changes.")
    clear: list[LeadFieldKey] | None = optional("Fields to empty.")
    expected_version: int | None = optional("VERSION_CONFLICT where the lead has another one.")

    def to_domain(self) -> requests.UpdateLead:
        """The request. Raises BadInput for an explicit null."""
        return requests.UpdateLead(
            id=self.id,
            set=self.set.to_domain((*INPUT, "set")),
            clear=tuple(given(self.clear, *INPUT, "clear") or ()),
            expected_version=given(self.expected_version, *INPUT, "expectedVersion"),
        )


@strawberry.input(description="A note for a lead.")
class AddNoteInput:
    lead_id: strawberry.ID = strawberry.field(description="The lead.")
    text: str = strawberry.field(description="The note.")

    def to_domain(self) -> requests.AddNote:
        """The request."""
        return read(requests.AddNote, self)


@strawberry.input(description="A call with a lead.")
class RecordCallInput:
    lead_id: strawberry.ID = strawberry.field(description="The lead.")
    at: datetime = strawberry.field(description="When it took place.")
    status: str = strawberry.field(description="How it ended, e.g. no_answer.")
    duration_seconds: int | None = optional("How long it lasted.")

    def to_domain(self) -> requests.RecordCall:
        """The request. Raises BadInput for an explicit null."""
        return read(requests.RecordCall, self)


@strawberry.input(
    description="Small synchronous push for partners, same rules as a file, at most limits.maxBulkIds rows."
)
class UpsertLeadsInput:
    rows: list[LeadInput] = strawberry.field(description="The leads.")
    options: ImportOptionsInput | None = optional("How rows are judged and merged.")
    dry_run: bool = strawberry.field(default=False, description="Judge only.")
    idempotency_key: str | None = optional("The same key and input again give the same answer.")

    def to_domain(self) -> requests.UpsertLeads:
        """The request. Raises BadInput or Rejected."""
        chosen = given(self.options, *INPUT, "options")
        options = read(ImportOptions, chosen, (*INPUT, "options")) if chosen else None
        if options:
            require(options_problems(options, (*INPUT, "options")))
        rows = enumerate(self.rows)
        return requests.UpsertLeads(
            rows=tuple(row.to_domain((*INPUT, "rows", str(index))) for index, row in rows),
            options=options,
            dry_run=self.dry_run,
            idempotency_key=given(self.idempotency_key, *INPUT, "idempotencyKey"),
        )
