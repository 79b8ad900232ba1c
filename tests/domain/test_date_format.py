"""Date formats of files."""

from datetime import UTC, datetime

import pytest

from domain.date_format import render, to_postgresql


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("YYYY-MM-DD HH:MM:SS", "YYYY-MM-DD HH24:MI:SS"),
        ("DD/MM/YYYY", "DD/MM/YYYY"),
        ("DD.MM.YY HH:MI", "DD.MM.YY HH24:MI"),
        ("YYYY-MM-DDTHH:MM", 'YYYY-MM-DD"T"HH24:MI'),
    ],
)
def test_a_format_becomes_a_pattern_of_postgresql(given: str, pattern: str) -> None:
    assert to_postgresql(given) == pattern


@pytest.mark.parametrize("given", ["", "YYYY", "HH:MM", "YYYY-MM-DD foo", "%Y-%m-%d", "YYYY-MM-DD\n", "YYYY YY MM DD"])
def test_anything_else_is_no_format(given: str) -> None:
    assert to_postgresql(given) is None


def test_a_moment_is_rendered_as_the_format_says() -> None:
    assert render("DD/MM/YYYY HH:MM", datetime(2024, 1, 5, 14, 3, tzinfo=UTC)) == "05/01/2024 14:03"
