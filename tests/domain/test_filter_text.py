"""A filter in words."""

import pytest

from domain.filter_input import read_filter
from domain.filter_text import describe, file_name_part
from domain.filters import Document


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "All leads"),
        ({"status": {"eq": "new"}}, "Status is new"),
        ({"score": {"gte": 80}, "search": "demo"}, "Score from 80 and search “demo”"),
        ({"or": [{"score": {"gte": 80}}, {"tags": {"hasAny": ["vip"]}}]}, "Score from 80 or Tags has any of vip"),
        ({"not": {"stage": {"in": ["WON", "LOST"]}}}, "not (Stage is one of WON, LOST)"),
        ({"createdAt": {"within": {"last": 30, "unit": "DAY"}}}, "Created At in the last 30 days"),
        ({"email": {"isNull": False}}, "Email is not empty"),
        ({"custom": [{"key": "plan", "eq": "gold"}]}, "plan is gold"),
        (
            {"and": [{"or": [{"search": "a"}, {"search": "b"}]}, {"search": "c"}]},
            "(search “a” or search “b”) and search “c”",
        ),
        ({"tags": {"hasAny": list("abcdefg")}}, "Tags has any of a, b, c, d, e and 2 more"),
    ],
)
def test_a_filter_reads_as_a_sentence(document: Document, text: str) -> None:
    assert describe(read_filter(document)) == text


def test_a_file_name_holds_only_plain_characters() -> None:
    assert file_name_part(read_filter({"name": {"contains": "../שלום/a"}})) == "name_contains_a"
