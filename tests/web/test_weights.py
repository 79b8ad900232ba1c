import pytest

from web.cost import TooExpensive
from web.weights import weigh

CONDITION = {"score": {"gt": 1}}


@pytest.mark.parametrize(
    "variables",
    [
        {"f": {"or": [CONDITION] * 1_000}},
        {"f": {"or": [{}] * 2_000}},
        {"f": {"score": {"in": list(range(20_001))}}},
        {"f": [[[{}] * 1_001] * 2]},
    ],
)
def test_s02_a_query_whose_variables_hold_too_much_is_refused_before_they_are_read(variables: dict):
    with pytest.raises(TooExpensive):
        weigh(variables, rows=False)


@pytest.mark.parametrize(
    "variables", [{}, {"f": None}, {"f": {"or": [CONDITION] * 200}}, {"ids": ["lead_x"] * 10_000}, {"n": 5, "t": "x"}]
)
def test_a_query_may_hold_what_a_filter_can(variables: dict):
    weigh(variables, rows=False)


def test_a_push_may_hold_ten_thousand_leads_and_not_a_hundred_thousand():
    lead = {"name": "A", "phone": "x", "address": {"city": "x"}, "custom": {"a": 1}}
    weigh({"input": {"rows": [lead] * 10_000}}, rows=True)
    with pytest.raises(TooExpensive):
        weigh({"input": {"rows": [lead] * 100_000}}, rows=True)


def test_s05_nesting_without_end_is_counted_without_recursion():
    deep: object = {}
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TooExpensive):
        weigh({"f": deep}, rows=False)
