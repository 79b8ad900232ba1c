from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from domain.exports import ColumnSpec, Delivery, ExportSpec, LeadOrder
from domain.imports import ColumnMapping, Detected, Dialect, ImportOptions, ValueMapping
from domain.json import JsonObject
from domain.stored import KEY, decode, encode, to_json
from domain.vocabulary import (
    DetectionConfidence,
    ExportFormat,
    ImportFormat,
    LeadFieldKey,
    LeadSortField,
    MatchKey,
    SortDirection,
)


@dataclass(frozen=True)
class Everything:
    plain_text: str
    at: datetime
    amount: Decimal
    id: UUID
    maybe: int | None
    document: JsonObject
    renamed: str = field(metadata={KEY: "from"})
    order: LeadOrder | None = None
    keys: tuple[LeadFieldKey, ...] = ()
    given: tuple[str, ...] | None = None


EVERYTHING = Everything(
    plain_text="שלום",
    at=datetime(2024, 1, 15, tzinfo=UTC),
    amount=Decimal("12.50"),
    id=UUID(int=7),
    maybe=None,
    document={"a": [1, None]},
    renamed="x",
    order=LeadOrder(LeadSortField.SCORE, SortDirection.ASC),
    keys=(LeadFieldKey.LEAD_ID,),
    given=(),
)


def test_a_record_is_stored_in_the_shape_of_the_api():
    assert encode(EVERYTHING) == {
        "plainText": "שלום",
        "at": "2024-01-15T00:00:00+00:00",
        "amount": "12.50",
        "id": "00000000-0000-0000-0000-000000000007",
        "document": {"a": [1, None]},
        "from": "x",
        "order": {"field": "SCORE", "direction": "ASC"},
        "keys": ["LEAD_ID"],
        "given": [],
    }


@pytest.mark.parametrize(
    "record",
    [
        EVERYTHING,
        ExportSpec(
            filter={"score": {"gte": 70}},
            columns=(ColumnSpec(field=LeadFieldKey.NAME), ColumnSpec(custom="budget")),
            format=ExportFormat.XLSX,
        ),
        ColumnMapping(column="Status", values=(ValueMapping("Neu", "new"), ValueMapping("-"))),
        ImportOptions(required=(), match_on=(MatchKey.EMAIL,)),
        ImportOptions(match_on=()),
        Delivery(webhook_endpoint_id="webhook_1"),
        Dialect(
            format=ImportFormat.CSV,
            encoding=Detected("utf-8", DetectionConfidence.CERTAIN),
            delimiter=Detected(";", DetectionConfidence.LIKELY, "12 a line", (",",)),
            quote=None,
            escape=None,
            header_row=1,
            date_order=Detected("DMY", DetectionConfidence.GIVEN),
            decimal_mark=Detected(",", DetectionConfidence.LIKELY),
            time_zone="UTC",
            bom=True,
        ),
    ],
    ids=lambda record: type(record).__name__,
)
def test_what_is_stored_reads_back_equal(record: object):
    assert decode(type(record), encode(record)) == record


def test_what_is_none_or_empty_by_default_is_left_out():
    assert encode(ExportSpec()) == {"unmask": False}
    assert encode(Delivery(email=("a@example.com",))) == {"email": ["a@example.com"]}


def test_keys_that_a_record_does_not_have_are_passed_over():
    assert decode(LeadOrder, {"field": "NAME", "later": 1}) == LeadOrder(LeadSortField.NAME)


def test_an_unknown_member_is_an_error():
    with pytest.raises(KeyError):
        decode(LeadOrder, {"field": "SHOE_SIZE"})


def test_what_has_no_json_form_is_an_error():
    with pytest.raises(TypeError):
        to_json({"a": object()})
