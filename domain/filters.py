"""The one lead filter: a neutral tree, read from the API's input or from stored JSON (the same shape in camelCase)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.ids import IdKind
from domain.vocabulary import (
    Confidence,
    InterestLevel,
    LeadCategory,
    LeadFieldKey,
    LeadSource,
    LeadStage,
    PeriodUnit,
)


class Kind(StrEnum):
    """The operator set and value type of a filter field."""

    KEY = "KEY"
    STRING = "STRING"
    ID = "ID"
    INT = "INT"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"
    INSTANT = "INSTANT"
    LIST = "LIST"
    ENUM = "ENUM"


class Operator(StrEnum):
    """The contract's operators; the value is the GraphQL name."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "notIn"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    IS_NULL = "isNull"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    WITHIN = "within"
    HAS_ANY = "hasAny"
    HAS_ALL = "hasAll"
    HAS_NONE = "hasNone"
    IS_EMPTY = "isEmpty"


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that a filter may name. `key` is the column whose mask guards it; `enum` its closed vocabulary."""

    name: str
    kind: Kind
    key: LeadFieldKey
    enum: type[StrEnum] | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A relative period, rolling back from now."""

    last: int
    unit: PeriodUnit


Scalar = str | int | bool | Decimal | datetime | Period
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator value`; a naive datetime is in the organization's time zone."""

    field: FilterField
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class CustomCondition:
    """A condition on a custom field, compared as text."""

    key: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Search:
    """Found anywhere in the searched texts."""

    text: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of them; of none: every lead."""

    items: tuple["LeadFilter", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of them."""

    items: tuple["LeadFilter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """None of it. A null field is not equal to anything, so `not` includes it."""

    item: "LeadFilter"


LeadFilter = Condition | CustomCondition | Search | AllOf | AnyOf | Not
EVERYTHING: Final = AllOf(())

_K = LeadFieldKey
_FILTER_FIELDS: Final = (
    FilterField("id", Kind.ID, _K.LEAD_ID),
    FilterField("externalId", Kind.KEY, _K.EXTERNAL_ID),
    FilterField("name", Kind.STRING, _K.NAME),
    FilterField("phone", Kind.STRING, _K.PHONE),
    FilterField("email", Kind.STRING, _K.EMAIL),
    FilterField("status", Kind.KEY, _K.STATUS),
    FilterField("statusCode", Kind.KEY, _K.STATUS_CODE),
    FilterField("stage", Kind.ENUM, _K.STAGE, LeadStage),
    FilterField("source", Kind.ENUM, _K.SOURCE, LeadSource),
    FilterField("leadSource", Kind.STRING, _K.LEAD_SOURCE),
    FilterField("score", Kind.INT, _K.SCORE),
    FilterField("interestLevel", Kind.ENUM, _K.INTEREST_LEVEL, InterestLevel),
    FilterField("confidence", Kind.ENUM, _K.CONFIDENCE, Confidence),
    FilterField("category", Kind.ENUM, _K.CATEGORY, LeadCategory),
    FilterField("primaryLanguage", Kind.KEY, _K.PRIMARY_LANGUAGE),
    FilterField("detectedLanguages", Kind.LIST, _K.DETECTED_LANGUAGES),
    FilterField("aiLegitimate", Kind.BOOLEAN, _K.AI_LEGITIMATE),
    FilterField("aiConfidenceScore", Kind.INT, _K.AI_CONFIDENCE_SCORE),
    FilterField("companyId", Kind.ID, _K.COMPANY_ID),
    FilterField("chatbotId", Kind.ID, _K.CHATBOT_ID),
    FilterField("sessionId", Kind.KEY, _K.SESSION_ID),
    FilterField("locationCountry", Kind.STRING, _K.LOCATION_COUNTRY),
    FilterField("locationCity", Kind.STRING, _K.LOCATION_CITY),
    FilterField("addressCity", Kind.STRING, _K.ADDRESS_CITY),
    FilterField("policyOfInterest", Kind.STRING, _K.POLICY_OF_INTEREST),
    FilterField("messageCount", Kind.INT, _K.MESSAGE_COUNT),
    FilterField("tags", Kind.LIST, _K.TAGS),
    FilterField("assigneeId", Kind.ID, _K.ASSIGNEE),
    FilterField("createdAt", Kind.INSTANT, _K.CREATED_AT),
    FilterField("updatedAt", Kind.INSTANT, _K.UPDATED_AT),
    FilterField("convertedAt", Kind.INSTANT, _K.CONVERTED_AT),
    FilterField("conversionValue", Kind.DECIMAL, _K.CONVERSION_VALUE),
    FilterField("lastCallAt", Kind.INSTANT, _K.LAST_CALL_AT),
    FilterField("lastCallStatus", Kind.STRING, _K.LAST_CALL_STATUS),
    FilterField("propertyId", Kind.KEY, _K.ANNONCE_ID),
    FilterField("caseType", Kind.STRING, _K.CASE_TYPE),
    FilterField("wonReason", Kind.STRING, _K.WON_REASON),
    FilterField("lossReason", Kind.STRING, _K.LOSS_REASON),
    FilterField("createdBy", Kind.STRING, _K.CREATED_BY),
    FilterField("importJobId", Kind.ID, _K.LEAD_ID),
)
FILTER_FIELDS: Final[Mapping[str, FilterField]] = {field.name: field for field in _FILTER_FIELDS}
ID_KINDS: Final[Mapping[str, IdKind]] = {
    "id": IdKind.LEAD,
    "companyId": IdKind.COMPANY,
    "chatbotId": IdKind.CHATBOT,
    "assigneeId": IdKind.USER,
    "importJobId": IdKind.JOB,
}
"""What the ids of a field of kind ID name."""

_O = Operator
_EQUALITY: Final = frozenset({_O.EQ, _O.IN, _O.NOT_IN, _O.IS_NULL})
_RANGE: Final = frozenset({_O.GT, _O.GTE, _O.LT, _O.LTE, _O.IS_NULL})
OPERATORS: Final[Mapping[Kind, frozenset[Operator]]] = {
    Kind.KEY: _EQUALITY | {_O.NE},
    Kind.STRING: _EQUALITY | {_O.NE, _O.CONTAINS, _O.STARTS_WITH},
    Kind.ID: _EQUALITY,
    Kind.INT: _RANGE | {_O.EQ, _O.IN},
    Kind.DECIMAL: _RANGE | {_O.EQ},
    Kind.BOOLEAN: frozenset({_O.EQ, _O.IS_NULL}),
    Kind.INSTANT: _RANGE | {_O.WITHIN},
    Kind.LIST: frozenset({_O.HAS_ANY, _O.HAS_ALL, _O.HAS_NONE, _O.IS_EMPTY}),
    Kind.ENUM: _EQUALITY,
}
CUSTOM_OPERATORS: Final = frozenset({_O.EQ, _O.CONTAINS, _O.IN, _O.IS_NULL})
MANY: Final = frozenset({_O.IN, _O.NOT_IN, _O.HAS_ANY, _O.HAS_ALL, _O.HAS_NONE})
FLAGS: Final = frozenset({_O.IS_NULL, _O.IS_EMPTY})
MAX_DEPTH: Final = 8
MAX_CONDITIONS: Final = 200
MAX_LIST: Final = 10_000
MAX_TEXT: Final = 1_000

Document = Mapping[str, object]
