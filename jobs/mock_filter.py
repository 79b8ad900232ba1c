"""Bends invented leads towards a filter: what it asks for is written in, the filter itself then has the last word."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, cast

from db.filters import FilterContext
from db.search_shapes import MIN_TRIGRAM
from domain.fields import FIELDS
from domain.filters import (
    FLAGS,
    AllOf,
    AnyOf,
    Condition,
    CustomCondition,
    Kind,
    LeadFilter,
    Not,
    Operator,
    Period,
    Scalar,
    Search,
)
from domain.ids import kind_of, parse_id
from domain.json import JsonObject, JsonValue
from domain.periods import period_start
from domain.vocabulary import LeadFieldKey
from jobs.mock_data import References, Row

_SMALLEST: Final = Decimal("0.0001")
_STEP: Final = {Operator.GT: 1, Operator.GTE: 0, Operator.LT: -1, Operator.LTE: 0}


class Bender:
    """Writes what a filter asks for into rows."""

    def __init__(self, rng: random.Random, context: FilterContext, references: References) -> None:
        self._rng = rng
        self._now = context.now
        self._zone = context.zone
        self._references = references

    def bend(self, row: Row, leads: LeadFilter) -> None:
        """Change the row's columns in place, as far as the filter says what they are."""
        match leads:
            case AllOf(items):
                self._each(row, items)
            case AnyOf(items):
                self.bend(row, self._rng.choice(items))
            case Not(Condition() | CustomCondition() as item) if item.operator in FLAGS:
                self.bend(row, replace(item, value=not item.value))
            case Not():
                pass
            case Search(text):
                row["conversation_summary"] = f"{row['conversation_summary']} {text}"
                row["name"] = row["name"] if len(text) >= MIN_TRIGRAM else f"{text} {row['name']}"
            case CustomCondition(key, operator, value):
                empty = operator is Operator.IS_NULL and value
                made = None if empty else str(self._pick(value))
                row["custom"] = {**cast("JsonObject", row["custom"]), key: made}
            case Condition():
                self._condition(row, leads)

    def _each(self, row: Row, items: Sequence[LeadFilter]) -> None:
        for item in sorted(items, key=_is_exact):  # what names the very values has the last word
            self.bend(row, item)

    def _condition(self, row: Row, condition: Condition) -> None:
        if condition.field.key in (LeadFieldKey.STATUS, LeadFieldKey.STAGE):
            self._status(row, condition)
            return
        column = FIELDS[condition.field.key].column or condition.field.key.value
        if condition.field.name != "importJobId":
            row[column] = self._value(condition, row.get(column))

    def _status(self, row: Row, condition: Condition) -> None:
        given = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        wanted = {str(value).casefold() for value in given}
        place = 1 if condition.field.key is LeadFieldKey.STATUS else 2
        negative = condition.operator in (Operator.NE, Operator.NOT_IN)
        fitting = [
            status for status in self._references.statuses if (str(status[place]).casefold() in wanted) != negative
        ]
        if fitting:
            status_id, _, stage = self._rng.choice(fitting)
            row["status_id"], row["stage"] = str(status_id), stage

    def _value(self, condition: Condition, present: JsonValue) -> JsonValue:
        operator, value = condition.operator, condition.value
        match operator:
            case Operator.IS_NULL:
                return None if value else self._something(condition, present)
            case Operator.IS_EMPTY:
                return [] if value else present or ["sample"]
            case Operator.HAS_ANY | Operator.HAS_ALL:
                return [str(item) for item in cast("Sequence[Scalar]", value)]
            case Operator.HAS_NONE:
                return []
            case Operator.NE | Operator.NOT_IN:
                return present
            case Operator.CONTAINS | Operator.STARTS_WITH:
                return f"{value} {present or ''}".strip()
            case _:
                return self._scalar(operator, self._pick(value))

    def _something(self, condition: Condition, present: JsonValue) -> JsonValue:
        """What is there already, else a value of the field's kind; no id is made up."""
        if present is not None:
            return present
        match condition.field.kind:
            case Kind.INSTANT:
                return (self._now - timedelta(minutes=self._rng.randrange(60 * 24))).isoformat()
            case Kind.INT | Kind.DECIMAL:
                return self._rng.randrange(1, 101)
            case Kind.BOOLEAN:
                return True
            case Kind.ENUM if condition.field.enum is not None:
                return self._rng.choice(list(condition.field.enum)).value
            case Kind.STRING | Kind.KEY:
                return "sample"
            case _:
                return None

    def _scalar(self, operator: Operator, value: Scalar) -> JsonValue:
        match value:
            case Period():
                start = period_start(value, self._now, self._zone)
                return (start + (self._now - start) * self._rng.uniform(0.1, 0.99)).isoformat()
            case datetime():
                return (value + timedelta(seconds=_STEP.get(operator, 0))).isoformat()
            case bool():
                return value
            case int():
                return value + _STEP.get(operator, 0)
            case Decimal():
                return str(value + _STEP.get(operator, 0) * _SMALLEST)
            case str():
                return _plain_id(value)

    def _pick(self, value: object) -> Scalar:
        return self._rng.choice(cast("Sequence[Scalar]", value)) if isinstance(value, tuple) else cast("Scalar", value)


def _is_exact(leads: LeadFilter) -> bool:
    return isinstance(leads, Condition | CustomCondition) and leads.operator in (Operator.EQ, Operator.IN)


def _plain_id(text: str) -> str:
    """A shown id as its UUID, any other text as it is."""
    kind = kind_of(text)
    found = parse_id(kind, text) if kind else None
    return text if found is None else str(found)
