"""A filter in words."""

import pytest

from domain.filter_input import read_filter
from domain.filter_text import describe, file_name_part, outline
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
    assert file_name_part(read_filter({"caseType": {"contains": "../שלום/a"}})) == "case_type_contains_a"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"phone": {"eq": "+12025550101"}, "score": {"gte": 80}}, "Phone is … and Score from 80"),
        ({"not": {"email": {"in": ["ida@example.com", "bo@example.com"]}}}, "not (Email is one of …)"),
        ({"or": [{"search": "Ida"}, {"name": {"contains": "Ida"}}]}, "search “…” or Name contains …"),
        ({"custom": [{"key": "passport", "eq": "X1"}]}, "passport is …"),
        (
            {"externalId": {"eq": "x1"}, "email": {"isNull": True}},
            "External ID is … and Email is empty",
        ),
        ({}, "All leads"),
    ],
)
def test_27_what_others_read_of_a_filter_names_no_person(document: Document, text: str) -> None:
    tree = read_filter(document)
    assert outline(tree) == text
    assert not {"12025550101", "ida", "x1"} & set(file_name_part(tree).split("_"))
