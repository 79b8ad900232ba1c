from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from graphql import GraphQLError, Undefined

from schema.scalars import (
    MAX_JSON_DEPTH,
    read_big_int,
    read_decimal,
    read_instant,
    read_json,
    read_upload,
    write_big_int,
    write_decimal,
    write_instant,
)


def test_an_instant_goes_out_in_utc_with_z():
    paris = datetime(2024, 1, 15, 15, 30, 22, tzinfo=timezone(timedelta(hours=1)))
    assert write_instant(paris) == "2024-01-15T14:30:22Z"
    assert write_instant(datetime(2024, 1, 15, 14, 30, 22, 500, UTC)) == "2024-01-15T14:30:22.000500Z"


def test_an_instant_without_offset_never_goes_out():
    with pytest.raises(TypeError):
        write_instant(datetime(2024, 1, 15))  # noqa: DTZ001 - what must not happen


def test_an_instant_with_offset_comes_in_as_utc():
    assert read_instant("2024-01-15T15:30:22+01:00") == datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)
    assert read_instant("2024-01-15t14:30:22.5z").tzinfo is UTC


def test_an_instant_without_offset_stays_naive():
    assert read_instant("2024-01-15T14:30:22") == datetime(2024, 1, 15, 14, 30, 22)  # noqa: DTZ001 - what is meant


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-15",
        "20240115T143022Z",
        "2024-01-15T14:30:22Z\n",
        "2024-02-30T00:00:00Z",
        "2024-01-15T24:00:01Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٤-01-15T14:30:22 Z",
        "",
        1705329022,
        None,
        True,
    ],
)
def test_what_is_no_instant_is_refused(value: object):
    with pytest.raises(GraphQLError):
        read_instant(value)


def test_a_decimal_keeps_every_digit_and_its_scale():
    assert read_decimal("1200.50") == Decimal("1200.50")
    assert write_decimal(Decimal("1200.50")) == "1200.50"
    assert write_decimal(Decimal("1E+3")) == "1000"
    assert read_decimal(12) == Decimal(12)


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "1e5",
        "",
        " 1",
        "1\n",
        "1" * 39,
        1.5,
        True,
        None,
        "0x10",
        10**39,
        pytest.param(10**5_000, id="5000 digits"),
    ],
)
def test_what_is_no_exact_decimal_is_refused(value: object):
    with pytest.raises(GraphQLError):
        read_decimal(value)


def test_a_big_int_travels_as_text_and_is_read_from_both():
    assert write_big_int(1 << 40) == "1099511627776"
    assert read_big_int("1099511627776") == read_big_int(1 << 40) == 1 << 40
    assert read_big_int(str(-(1 << 63))) == -(1 << 63)


@pytest.mark.parametrize("value", [1 << 63, str(1 << 63), "1.0", "", "1_000", True, 1.0, None, "9" * 100_000])
def test_what_is_no_64_bit_integer_is_refused(value: object):
    with pytest.raises(GraphQLError):
        read_big_int(value)


def test_json_comes_in_as_it_is():
    value = {"a": [1, None, {"b": "שלום"}], "c": True}
    assert read_json(value) is value


def test_json_too_deep_too_large_or_with_nul_is_refused():
    deep: object = 1
    for _ in range(MAX_JSON_DEPTH):
        deep = [deep]
    for value in (deep, [0] * 10_001, {"a": "x" * 100_001}, {"a\0": 1}, ["\0"]):
        with pytest.raises(GraphQLError):
            read_json(value)


def test_a_text_is_no_upload():
    with pytest.raises(GraphQLError):
        read_upload("leads.csv")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), pytest.param(10**5_000, id="5000 digits"), {"a": [Undefined]}, object()]
)
def test_what_no_json_document_can_hold_is_refused(value: object):
    with pytest.raises(GraphQLError):
        read_json(value)
