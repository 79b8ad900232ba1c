"""The folder with operations, public files and counts that were made elsewhere, and how a file's case is asked for."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse, print_ast

FOLDER = Path(os.environ.get("LEADPORT_ACCEPTANCE", Path(__file__).parents[3] / "shared" / "acceptance"))
PRESENT = (FOLDER / "operations.graphql").is_file()
needs_folder = pytest.mark.skipif(not PRESENT, reason="the acceptance files are not here (LEADPORT_ACCEPTANCE)")

_DOCUMENT = (FOLDER / "operations.graphql").read_text(encoding="utf-8") if PRESENT else ""
_DOCUMENT = _DOCUMENT.replace("waitSeconds: 10", "waitSeconds: 30")  # a machine that tests has other work to do
OPERATIONS: Mapping[str, str] = {
    node.name.value: print_ast(node)
    for node in (parse(_DOCUMENT).definitions if PRESENT else ())
    if isinstance(node, OperationDefinitionNode) and node.name is not None
}
EXPECTED: Mapping[str, dict] = json.loads((FOLDER / "expected.json").read_text()) if PRESENT else {}

STRATEGIES = ("SKIP", "OVERWRITE", "CREATE_NEW")
_FIELDS = {"company": "COMPANY_NAME", "city": "ADDRESS_CITY", "country": "ADDRESS_COUNTRY"}
_UNKNOWN_SOURCE = [{"field": "SOURCE", "value": "unknown"}]


def content(name: str) -> bytes:
    """The bytes of the file of a case such as `p2`."""
    return (FOLDER / EXPECTED[name]["file"]).read_bytes()


def variants(name: str) -> Iterator[str]:
    """The short names, S0 to S6, of the variants that are options of importLeads."""
    for variant in EXPECTED.get(name, {}).get("expected", {}):
        if variant[2] == "_" and "distribution" not in variant:
            yield variant[:2]


def import_input(name: str, variant: str, strategy: str = "SKIP") -> dict[str, object]:
    """`mapping` and `options` of a case's variant, as the input of importLeads takes them."""
    options: dict[str, object] = {"mergeStrategy": strategy}
    if variant != "S0":
        options["defaults"] = _UNKNOWN_SOURCE
    if variant in {"S2", "S6"}:
        options["required"] = ["NAME", "SOURCE"]
    if variant in {"S4", "S5", "S6"}:
        options["mustBeValid"] = ["PHONE" if variant == "S4" else "EMAIL"]
    return {"mapping": list(_mapping(EXPECTED[name], variant)), "options": options}


def expected_counts(name: str, variant: str, strategy: str) -> dict[str, int]:
    """The counts of a variant in an empty organization."""
    (facts,) = (facts for key, facts in EXPECTED[name]["expected"].items() if key.startswith(f"{variant}_"))
    changed = {
        "SKIP": {"created": facts["created"], "skipped": facts["skipped_SKIP"]},
        "OVERWRITE": facts["overwrite"],
        "CREATE_NEW": {"created": facts["create_new_created"]},
    }[strategy]
    nothing = dict.fromkeys(("created", "updated", "unchanged", "skipped", "failed", "unprocessed"), 0)
    return {**nothing, **changed, "failed": facts["failed"]}


def _mapping(case: Mapping[str, dict], variant: str) -> Iterator[dict[str, object]]:
    header = [name for name in case["header"] if name and not name.startswith("... ")]
    used = set[str]()
    for target, columns in case["mapping"].items():
        for column in (columns or "").split(" + "):  # a name from its parts
            if column in header:
                used.add(column)
                yield {"column": column, **_target(target, variant)}
    yield from ({"column": column, "ignore": True} for column in header if column not in used)


def _target(target: str, variant: str) -> dict[str, str]:
    if target.startswith("custom."):
        return {"custom": target.removeprefix("custom.")}
    if target == "lead_source":
        return {"field": "SOURCE" if variant == "S0" else "LEAD_SOURCE"}
    return {"field": _FIELDS.get(target, target.upper())}
