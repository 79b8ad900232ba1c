"""The lead filter and its operators, as inputs; domain/filter_input.py says what each means and what is refused."""

from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

import strawberry

from domain import filters
from domain.errors import Path
from domain.exports import LeadOrder as OrderSpec
from domain.filter_input import read_filter
from domain.json import JsonObject
from domain.vocabulary import (
    Confidence,
    InterestLevel,
    LeadCategory,
    LeadSortField,
    LeadSource,
    LeadStage,
    PeriodUnit,
    SortDirection,
)
from schema.arguments import document, json_document, optional

Value = TypeVar("Value")


@strawberry.input
class _Choice(Generic[Value]):
    eq: Value | None = optional("Equal to this.")
    in_: list[Value] | None = optional("Equal to one of these.", "in")
    not_in: list[Value] | None = optional("Equal to none of these.")


@strawberry.input
class _Nullable:
    is_null: bool | None = optional("true: without a value; false: with one.")


@strawberry.input
class _Range(_Nullable, Generic[Value]):
    gt: Value | None = optional("Greater than.")
    gte: Value | None = optional("Greater than or equal to.")
    lt: Value | None = optional("Less than.")
    lte: Value | None = optional("Less than or equal to.")


@strawberry.input(description="Compares exactly, case included.")
class KeyFilter(_Choice[str], _Nullable):
    ne: str | None = optional("Not equal to this.")


@strawberry.input(description="Case-insensitive.")
class StringFilter(_Choice[str], _Nullable):
    ne: str | None = optional("Not equal to this.")
    contains: str | None = optional("Found anywhere in the value.")
    starts_with: str | None = optional("The value begins with this.")


@strawberry.input(description="Compares ids; an unknown one is an error.")
class IdFilter(_Choice[strawberry.ID], _Nullable):
    pass


@strawberry.input(description="Compares whole numbers.")
class IntFilter(_Range[int]):
    eq: int | None = optional("Equal to this.")
    in_: list[int] | None = optional("Equal to one of these.", "in")


@strawberry.input(description="Compares exact decimals.")
class DecimalFilter(_Range[Decimal]):
    eq: Decimal | None = optional("Equal to this.")


@strawberry.input(description="Compares yes and no.")
class BooleanFilter(_Nullable):
    eq: bool | None = optional("Equal to this.")


@strawberry.input(description="A period that ends now.")
class RelativePeriod:
    last: int = strawberry.field(description="How many units, from 1.")
    unit: PeriodUnit = strawberry.field(description="The unit.")


@strawberry.input(
    description="`within` makes saved filters and schedules meaningful: {last: 7, unit: DAY}, rolling back from now. "
    "An instant without offset is in Settings.timeZone."
)
class DateTimeFilter(_Range[datetime]):
    within: RelativePeriod | None = optional("In this period, which ends now.")


@strawberry.input(description="Compares lists of texts, item by item, case included.")
class ListFilter:
    has_any: list[str] | None = optional("Has at least one of these.")
    has_all: list[str] | None = optional("Has all of these.")
    has_none: list[str] | None = optional("Has none of these.")
    is_empty: bool | None = optional("true: without items; false: with some.")


@strawberry.input(description="Compares the stage behind the status.")
class StageFilter(_Choice[LeadStage]):
    pass


@strawberry.input(description="Compares the source.")
class SourceFilter(_Choice[LeadSource]):
    pass


@strawberry.input(description="Compares the level of interest.")
class InterestLevelFilter(_Choice[InterestLevel], _Nullable):
    pass


@strawberry.input(description="Compares the chatbot's confidence.")
class ConfidenceFilter(_Choice[Confidence], _Nullable):
    pass


@strawberry.input(description="Compares the category.")
class CategoryFilter(_Choice[LeadCategory], _Nullable):
    pass


@strawberry.input(description="Compares one of the organization's own fields, as text.")
class CustomFieldFilter:
    key: str = strawberry.field(description="The field's key, without `custom.`.")
    eq: str | None = optional("Equal to this.")
    contains: str | None = optional("Found anywhere in the value.")
    in_: list[str] | None = optional("Equal to one of these.", "in")
    is_null: bool | None = optional("true: without a value; false: with one.")


@strawberry.input(
    description="One filter type for lists, counts, exports, bulk operations and schedules. Omitted = no constraint. "
    "An operator object without an operator (what an omitted variable leaves behind), `{}` inside and/or/not, an empty "
    "list, null, an unknown id or status key are errors, never `match all`. A field masked for the caller takes only "
    "eq and isNull, cannot be ordered by, and `search` skips it."
)
class LeadFilter:
    and_: list["LeadFilter"] | None = optional("All of these.", "and")
    or_: list["LeadFilter"] | None = optional("At least one of these.", "or")
    not_: "LeadFilter | None" = optional("Not this.", "not")
    search: str | None = optional(
        "Found anywhere in name, e-mail, phone, external id, notes and conversation summary; fewer than three "
        "characters match only the beginning of the name."
    )
    id: IdFilter | None = optional("The lead's id.")
    external_id: KeyFilter | None = optional("Its id in a system of yours.")
    name: StringFilter | None = optional("The whole name.")
    phone: StringFilter | None = optional("eq and in are normalised to E.164 first.")
    email: StringFilter | None = optional("The e-mail address.")
    status: KeyFilter | None = optional("The status's key.")
    status_code: KeyFilter | None = optional("The free text beside the status.")
    stage: StageFilter | None = optional("The stage behind the status.")
    source: SourceFilter | None = optional("Where the lead came from.")
    lead_source: StringFilter | None = optional("The free text behind the source.")
    score: IntFilter | None = optional("0 to 100.")
    interest_level: InterestLevelFilter | None = optional("How much the lead wants it.")
    confidence: ConfidenceFilter | None = optional("How sure the chatbot is.")
    category: CategoryFilter | None = optional("What the conversation was about.")
    primary_language: KeyFilter | None = optional("e.g. he, hi_transliterated.")
    detected_languages: ListFilter | None = optional("Every language of the conversation.")
    ai_legitimate: BooleanFilter | None = optional("Whether the chatbot takes the lead for a real one.")
    ai_confidence_score: IntFilter | None = optional("How sure it is, 0 to 100.")
    company_id: IdFilter | None = optional("The company that the lead belongs to.")
    chatbot_id: IdFilter | None = optional("The chatbot that the lead came from.")
    session_id: KeyFilter | None = optional("The chatbot's session.")
    location_country: StringFilter | None = optional("Where the visitor's address seems to be.")
    location_city: StringFilter | None = optional("Where the visitor's address seems to be.")
    address_city: StringFilter | None = optional("The city of the postal address.")
    policy_of_interest: StringFilter | None = optional("The product asked for.")
    message_count: IntFilter | None = optional("Messages of both sides.")
    tags: ListFilter | None = optional("Free words.")
    assignee_id: IdFilter | None = optional("Who looks after the lead.")
    created_at: DateTimeFilter | None = optional("When the lead came in.")
    updated_at: DateTimeFilter | None = optional("When it last changed.")
    converted_at: DateTimeFilter | None = optional("When it was converted.")
    conversion_value: DecimalFilter | None = optional("What it brought, whatever the currency.")
    last_call_at: DateTimeFilter | None = optional("When the last call took place.")
    last_call_status: StringFilter | None = optional("How the last call ended.")
    property_id: KeyFilter | None = optional("The property the lead is about.")
    case_type: StringFilter | None = optional("What kind of case it is.")
    won_reason: StringFilter | None = optional("Why the lead was won.")
    loss_reason: StringFilter | None = optional("Why the lead was lost.")
    created_by: StringFilter | None = optional("Who brought it in.")
    import_job_id: IdFilter | None = optional("The import that created it.")
    custom: list[CustomFieldFilter] | None = optional("The organization's own fields, all of these.")

    def to_domain(self, path: Path = ("filter",)) -> filters.LeadFilter:
        """The neutral filter. Raises BadInput with the path of the first thing wrong."""
        return read_filter(document(self, path), path)

    def to_json(self, path: Path) -> JsonObject:
        """The document to store, checked the same way; `read_filter` reads it back."""
        self.to_domain(path)
        return json_document(self, path)


@strawberry.input(description="The order of a list of leads.")
class LeadOrder:
    field: LeadSortField = strawberry.field(description="What to order by.")
    direction: SortDirection = strawberry.field(default=SortDirection.DESC, description="Smallest or largest first.")

    def to_domain(self) -> OrderSpec:
        """The order."""
        return OrderSpec(self.field, self.direction)
