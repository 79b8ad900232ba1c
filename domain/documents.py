"""Leads as callers write them one at a time (createLead, updateLead, upsertLeads): field values by registry key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.json import JsonObject, JsonValue
from domain.vocabulary import LeadFieldKey

FieldInput = str | int | bool | Decimal | datetime | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadDocument:
    """A lead's values as given. `custom` is merged into the custom fields; a None inside removes a key."""

    values: Mapping[LeadFieldKey, FieldInput] = field(default_factory=dict[LeadFieldKey, FieldInput])
    custom: JsonObject = field(default_factory=dict[str, JsonValue])
