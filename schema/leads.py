"""The lead and what belongs to it.

These types are completed from rows: the compiled path turns a selection into SQL and dicts, so that no field here has
logic. A field's path from Lead is its `path` in domain/fields.
"""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, cast

import strawberry
from strawberry.scalars import JSON

from domain.fields import LeadField as FieldDefinition
from domain.ids import IdKind, format_id
from domain.records import NoteRecord, StatusRecord
from domain.vocabulary import (
    Confidence,
    FieldType,
    InterestLevel,
    LeadCategory,
    LeadFieldKey,
    LeadGroupBy,
    LeadSource,
    LeadStage,
)
from schema.arguments import After, First
from schema.config import attribute_or_key
from schema.filters import LeadFilter
from schema.nodes import Connection, Count, CountedConnection, FromRow, Node
from schema.organizations import Chatbot, Company
from schema.people import User

if TYPE_CHECKING:
    from schema.imports import ImportJob


@strawberry.type(description="A status as the organization names it, over a fixed stage.")
class LeadStatus(FromRow, Node):
    key: str = strawberry.field(
        description="[a-zA-Z0-9_-]{1,64}, compared whole and ignoring case, unique in the organization."
    )
    label: str = strawberry.field(description="Any script, e.g. Hebrew.")
    stage: LeadStage = strawberry.field(description="What the status means, whatever it is called.")
    position: int = strawberry.field(description="Its place among the statuses, smallest first.")
    color: str | None = strawberry.field(description="As #rrggbb.")
    active: bool = strawberry.field(description="False: no lead is given this status any more.")

    @classmethod
    def of(cls, record: StatusRecord) -> "LeadStatus":
        """The status as the API shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.STATUS, record.id)),
            key=record.key,
            label=record.label,
            stage=record.stage,
            position=record.position,
            color=record.color,
            active=record.active,
        )

    @strawberry.field(description="How many leads have this status, of those that the filter finds.")
    def lead_count(
        self,
        filter: Annotated[  # noqa: ARG002 - read by the compiled path
            LeadFilter | None, strawberry.argument(description="Only these leads.")
        ] = strawberry.UNSET,
    ) -> Count:
        return cast("Count", attribute_or_key(self, "lead_count"))


@strawberry.type(description="A postal address.")
class Address:
    street: str | None = strawberry.field(description="Street and number.")
    city: str | None = strawberry.field(description="City or town.")
    region: str | None = strawberry.field(description="State, province or county.")
    postal_code: str | None = strawberry.field(description="As written in the country.")
    country: str | None = strawberry.field(description="As written; ISO 3166 where the source has it so.")


@strawberry.type(description="What the chatbot made of the lead's truthfulness.")
class AiVerification:
    legitimate: bool | None = strawberry.field(description="Whether it takes the lead for a real one.")
    confidence_score: int | None = strawberry.field(description="How sure it is, 0 to 100.")
    reasons: list[str] = strawberry.field(description="What speaks for its judgement.")


@strawberry.type(description="Where the conversation took place.")
class LeadSession:
    session_id: str | None = strawberry.field(description="The chatbot's session.")
    user_agent: str | None = strawberry.field(description="The browser as it names itself.")
    ip_address: str | None = strawberry.field(description="IPv4 or IPv6.")
    country: str | None = strawberry.field(description="Where the address seems to be.")
    city: str | None = strawberry.field(description="Where the address seems to be.")
    conversation_id: str | None = strawberry.field(description="The conversation in the system that held it.")
    conversation_url: str | None = strawberry.field(description="Made by Settings.conversationUrlTemplate.")


@strawberry.type(description="How the lead took part in the conversation.")
class Engagement:
    message_count: int | None = strawberry.field(description="Messages of both sides.")
    session_duration_seconds: int | None = strawberry.field(description="How long the conversation lasted.")
    first_interest_at: datetime | None = strawberry.field(description="When interest first showed.")
    last_interest_at: datetime | None = strawberry.field(description="When interest last showed.")
    conversation_summary: str | None = strawberry.field(description="The conversation in short.")


@strawberry.type(description="What became of the lead.")
class Conversion:
    at: datetime | None = strawberry.field(description="When it was converted.")
    value: Decimal | None = strawberry.field(description="What it brought, in `currency`.")
    currency: str | None = strawberry.field(description="ISO 4217, e.g. EUR.")
    source: str | None = strawberry.field(description="What brought it about.")


@strawberry.type(description="The last call.")
class CallSummary:
    at: datetime | None = strawberry.field(description="When it took place.")
    status: str | None = strawberry.field(description="How it ended, e.g. no_answer.")
    duration_seconds: int | None = strawberry.field(description="How long it lasted.")


@strawberry.type(description="A note on a lead.")
class Note:
    id: strawberry.ID = strawberry.field(description="Unique in all the API.")
    text: str = strawberry.field(description="The note as written.")
    created_at: datetime = strawberry.field(description="When it was written.")
    created_by: str | None = strawberry.field(description="Who wrote it.")

    @classmethod
    def of(cls, record: NoteRecord) -> "Note":
        """The note as the API shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.NOTE, record.id)),
            text=record.text,
            created_at=record.created_at,
            created_by=record.created_by,
        )


NoteConnection = Connection[Note]


@strawberry.type(description="Somebody who may become a customer.")
class Lead(FromRow, Node):
    external_id: str | None = strawberry.field(description="Its id in a system of yours.")
    version: int = strawberry.field(description="Grows by one with every change; send it back as expectedVersion.")
    name: str | None = strawberry.field(description="The whole name.")
    phone: str | None = strawberry.field(description="E.164; as written where it is no valid number.")
    phone_display: str | None = strawberry.field(description="International format, for reading.")
    email: str | None = strawberry.field(description="As written.")
    national_id: str | None = strawberry.field(description="Encrypted at rest; masked unless the caller may unmask.")
    address: Address | None = strawberry.field(description="Null where no part of it is known.")
    policy_of_interest: str | None = strawberry.field(description="The product asked for.")
    preferred_contact_time: str | None = strawberry.field(description="When to call, as the lead said it.")
    status: LeadStatus = strawberry.field(description="Where the lead stands.")
    status_code: str | None = strawberry.field(description="Free text beside the status.")
    source: LeadSource = strawberry.field(description="Where the lead came from.")
    lead_source: str | None = strawberry.field(description="Free text behind the source, e.g. Google Ads.")
    score: int | None = strawberry.field(description="0 to 100.")
    interest_level: InterestLevel | None = strawberry.field(description="How much the lead wants it.")
    confidence: Confidence | None = strawberry.field(description="How sure the chatbot is.")
    category: LeadCategory | None = strawberry.field(description="What the conversation was about.")
    primary_language: str | None = strawberry.field(description="e.g. he, hi_transliterated.")
    detected_languages: list[str] = strawberry.field(description="Every language of the conversation.")
    ai: AiVerification | None = strawberry.field(description="What the chatbot made of the lead's truthfulness.")
    session: LeadSession | None = strawberry.field(description="Where the conversation took place.")
    engagement: Engagement | None = strawberry.field(description="How the lead took part in the conversation.")
    conversion: Conversion | None = strawberry.field(description="What became of the lead.")
    last_call: CallSummary | None = strawberry.field(description="The last call.")
    company: Company | None = strawberry.field(description="The company that the lead belongs to.")
    chatbot: Chatbot | None = strawberry.field(description="The chatbot that the lead came from.")
    assignee: User | None = strawberry.field(description="Who looks after the lead.")
    tags: list[str] = strawberry.field(description="Free words, in the order they were given.")
    notes_count: int = strawberry.field(description="How many notes there are.")
    property_id: str | None = strawberry.field(description="The property the lead is about (annonce_id in files).")
    case_type: str | None = strawberry.field(description="What kind of case it is.")
    won_reason: str | None = strawberry.field(description="Why the lead was won.")
    loss_reason: str | None = strawberry.field(description="Why the lead was lost.")
    custom_fields: JSON = strawberry.field(description="The organization's own fields: an object of texts by key.")
    created_at: datetime = strawberry.field(description="When the lead came in.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    created_by: str | None = strawberry.field(description="Who brought it in.")
    updated_by: str | None = strawberry.field(description="Who changed it last.")
    import_job: Annotated["ImportJob", strawberry.lazy("schema.imports")] | None = strawberry.field(
        description="The import that created it."
    )
    masked_fields: list[LeadFieldKey] = strawberry.field(description="Fields masked for this caller.")

    @strawberry.field(description="The notes, newest first.")
    def notes(self, first: First = 20, after: After = strawberry.UNSET) -> NoteConnection:  # noqa: ARG002 - as above
        return cast("NoteConnection", attribute_or_key(self, "notes"))


LeadConnection = CountedConnection[Lead]


@strawberry.type(description="One value of what leads are grouped by.")
class LeadGroupKey:
    by: LeadGroupBy = strawberry.field(description="What is grouped by.")
    value: str | None = strawberry.field(description="The value: a key, id, name of an enum or day; null: none.")
    label: str | None = strawberry.field(description="The value for people.")


@strawberry.type(
    description="conversionValue is null where currencies differ; days, weeks and months are in Settings.timeZone."
)
class LeadGroup:
    keys: list[LeadGroupKey] = strawberry.field(description="One for each of `by`, in its order.")
    count: int = strawberry.field(description="How many leads.")
    average_score: float | None = strawberry.field(description="Mean of the scores there are.")
    conversion_value: Decimal | None = strawberry.field(description="Sum of the conversions.")


@strawberry.type(
    description="Self-description: drives import wizards, export column pickers, templates and partner code."
)
class LeadField:
    key: str = strawberry.field(description="A LeadFieldKey in lower case, or custom.<key>.")
    label: str = strawberry.field(description="The header of the column.")
    type: FieldType = strawberry.field(description="What values it holds.")
    importable: bool = strawberry.field(description="Whether an import may write it.")
    exportable: bool = strawberry.field(description="Whether an export may show it.")
    required_for_import: bool = strawberry.field(description="Whether a row must have it unless options say otherwise.")
    enum_values: list[str] | None = strawberry.field(description="Every value of an ENUM; of a status, those in use.")
    aliases: list[str] = strawberry.field(description="Further headers that it is recognised by.")
    example: str | None = strawberry.field(description="A value as a file may have it.")
    max_length: int | None = strawberry.field(description="In characters; of one item for a list.")
    minimum: int | None = strawberry.field(description="The smallest number.")
    maximum: int | None = strawberry.field(description="The largest number.")
    masked: bool = strawberry.field(description="Whether it is masked for the caller.")

    @classmethod
    def of(cls, field: FieldDefinition, *, required: bool, masked: bool) -> "LeadField":
        """A registry entry as the API shows it to one caller."""
        return cls(
            key=field.key.value,
            label=field.label,
            type=field.type,
            importable=field.importable,
            exportable=field.exportable,
            required_for_import=required,
            enum_values=[member.name for member in field.enum] if field.enum else None,
            aliases=list(field.aliases),
            example=field.example,
            max_length=field.max_length,
            minimum=field.minimum,
            maximum=field.maximum,
            masked=masked,
        )
