"""The check that the committed schema is the code's."""

from pathlib import Path

import pytest
import strawberry

from tools import print_schema


@strawberry.type
class Query:
    answer: int = 42


def build_schema() -> strawberry.Schema:
    return strawberry.Schema(Query)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(print_schema, "SCHEMA", f"{__name__}:build_schema")
    monkeypatch.setattr(print_schema, "FILE", tmp_path / "schema.graphql")
    return tmp_path / "schema.graphql"


def test_a_schema_that_was_just_printed_passes_the_check(file: Path):
    print_schema.main([])
    assert file.read_text() == "type Query {\n  answer: Int!\n}\n"
    print_schema.main(["--check"])


def test_a_schema_that_lags_behind_the_code_fails_the_check_with_the_difference(file: Path):
    file.write_text("type Query {\n  question: Int!\n}\n")
    with pytest.raises(SystemExit, match=r"(?s)-  question: Int!\n\+  answer: Int!.*run make schema"):
        print_schema.main(["--check"])


def test_a_missing_schema_fails_the_check(file: Path):
    with pytest.raises(SystemExit, match="run make schema"):
        print_schema.main(["--check"])
