"""Public files with results that were counted independently; they are read from where LEADPORT_ACCEPTANCE points."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.imports import ColumnMapping, FieldValue, ImportOptions, ValueMapping
from domain.vocabulary import ImportIssueCode, LeadFieldKey, MergeStrategy, UserErrorCode
from tests.transfer.child_run import ROOT, Answer, facts, run, run_process
from transfer.messages import ChildMode

FOLDER = Path(os.environ.get("LEADPORT_ACCEPTANCE", ROOT.parent / "shared" / "acceptance"))
EXPECTED = json.loads((FOLDER / "expected.json").read_text()) if (FOLDER / "expected.json").exists() else {}
pytestmark = pytest.mark.skipif(not EXPECTED, reason=f"no acceptance files in {FOLDER.name} (LEADPORT_ACCEPTANCE)")

K = LeadFieldKey
FIELDS = {"city": K.ADDRESS_CITY, "country": K.ADDRESS_COUNTRY, "company": K.COMPANY_NAME}
UNKNOWN = FieldValue(value="unknown", field=K.SOURCE)
STRICT = (K.NAME, K.PHONE, K.SOURCE)
LENIENT = (K.NAME, K.SOURCE)
VARIANTS = {
    "S0_strict_seed003": (STRICT, ()),
    "S1_default_source": (STRICT, ()),
    "S2_lenient_phone_optional": (LENIENT, ()),
    "S4_S1_plus_phone_must_be_valid": (STRICT, (K.PHONE,)),
    "S5_S1_plus_email_valid_if_present": (STRICT, (K.EMAIL,)),
    "S6_S2_plus_email_valid_if_present": (LENIENT, (K.EMAIL,)),
}
ERRORS = {
    "phone_missing": (ImportIssueCode.REQUIRED, "phone"),
    "source_missing": (ImportIssueCode.REQUIRED, "source"),
    "source_invalid": (ImportIssueCode.UNKNOWN_VALUE, "source"),
    "phone_invalid": (ImportIssueCode.INVALID_PHONE, "phone"),
    "email_invalid": (ImportIssueCode.INVALID_EMAIL, "email"),
}


def columns_of(case: dict, variant: str) -> Iterator[ColumnMapping]:
    for target, column in case["mapping"].items():
        if not column or target == "country" or not set(column.split(" + ")) <= set(case["header"]):
            continue
        field = K.SOURCE if target == "lead_source" and variant.startswith("S0") else None
        for part in column.split(" + "):
            if target.startswith("custom."):
                yield ColumnMapping(column=part, custom=target.removeprefix("custom."))
            else:
                yield ColumnMapping(column=part, field=field or FIELDS.get(target) or K(target))


def read(case: dict, variant: str, mode: ChildMode = ChildMode.ROWS) -> Answer:
    required, valid = VARIANTS[variant]
    defaults = () if variant.startswith("S0") else (UNKNOWN,)
    options = ImportOptions(required=required, must_be_valid=valid, defaults=defaults)
    mapping = tuple(columns_of(case, variant))
    country = case["default_region"] or "US"
    return run(FOLDER / case["file"], mode=mode, mapping=mapping, options=options, facts=facts(country))


def merged(answer: Answer, strategy: MergeStrategy) -> Counter:
    """What merging into an empty organization would count: phone by phone, as the contract says."""
    counts, known = Counter(failed=len(answer.failed_rows)), set()
    keys = [key for block in answer.blocks for key in block.ready.phone_keys or [None] * len(block.ready.ids)]
    for key in keys:
        if key is None or key not in known or strategy is MergeStrategy.CREATE_NEW:
            counts["created"] += 1
            known.add(key)
        else:
            counts["updated" if strategy is MergeStrategy.OVERWRITE else "skipped"] += 1
    return counts


def cases() -> Iterator[tuple[str, str]]:
    for name, case in EXPECTED.items():
        yield from ((name, variant) for variant in case["expected"] if variant in VARIANTS)


@pytest.mark.parametrize(("name", "variant"), list(cases()))
def test_a_public_file_gives_exactly_its_counts(name: str, variant: str):
    case = EXPECTED[name]
    expected = case["expected"][variant]
    answer = read(case, variant)
    missing = [problem for problem in answer.opened.problems if problem.code is UserErrorCode.REQUIRED]
    if missing:
        assert expected["failed"] == case["data_rows"]
        return
    assert answer.opened.problems == ()
    assert answer.done.total_rows == case["data_rows"]
    skip = merged(answer, MergeStrategy.SKIP)
    assert (skip["created"], skip["skipped"], skip["failed"]) == (
        expected["created"],
        expected["skipped_SKIP"],
        expected["failed"],
    )
    overwrite = merged(answer, MergeStrategy.OVERWRITE)
    assert {key: overwrite[key] for key in ("created", "updated")} == expected["overwrite"]
    assert merged(answer, MergeStrategy.CREATE_NEW)["created"] == expected["create_new_created"]
    assert counted_errors(answer) == expected["errors_by_field"]
    assert first_failed(answer, header=case["has_header"]) == expected["first_failed_record_and_line"]


def counted_errors(answer: Answer) -> dict[str, int]:
    names = {place: name for name, place in ERRORS.items()}
    counts = Counter()
    for group in answer.groups:
        if group.severity.value == "ERROR":
            counts[names[group.code, group.field]] += group.rows
    return dict(counts)


def first_failed(answer: Answer, *, header: bool) -> list[list[int]]:
    failed = [
        [row - header, line]
        for block in answer.blocks
        for row, line in zip(block.failed_rows, block.failed_lines, strict=True)
    ]
    return failed[:5]


@pytest.mark.parametrize("name", list(EXPECTED))
def test_the_dialect_of_a_public_file_is_recognised(name: str):
    case = EXPECTED[name]
    dialect = read(case, "S1_default_source", ChildMode.OPEN).opened.dialect
    encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(case["encoding"], case["encoding"])
    assert dialect.encoding.value == encoding
    assert dialect.bom is (case["bom"] is not None)
    assert dialect.delimiter.value == case["delimiter"]
    assert dialect.header_row == int(case["has_header"])


def test_a_value_map_with_a_default_serves_every_source():
    case = EXPECTED["p2"]
    values = tuple(ValueMapping(source, to) for source, to in case["value_map"].items())
    mapping = [column for column in columns_of(case, "S1") if column.column != "Lead Source"]
    mapping.append(ColumnMapping(column="Lead Source", field=K.SOURCE, values=values, default="unknown"))
    answer = run_process(FOLDER / case["file"], mapping=tuple(mapping), options=ImportOptions())
    counts = Counter(source.lower() for source in answer.column("source"))
    assert counts == case["expected"]["S3_value_map_default_unknown_source_distribution"]


POLLOCK = FOLDER / "data" / "pollock"
SAME_AS_CLEAN = [
    "file_double_trailing_newline.csv",
    "file_no_trailing_newline.csv",
    "file_record_delimiter_0xA.csv",
    "file_record_delimiter_0xD.csv",
    "file_field_delimiter_0x3B.csv",
    "file_field_delimiter_0x9.csv",
    "file_field_delimiter_0x2C_0x20.csv",
    "file_no_header.csv",
]
PRODUCT = ["Qty", "PRODUCTID", "Price", "ProductType", "ProductDescription", "URL", "Comments"]


def products(name: str) -> Answer:
    """All cells of a file: the product's type is the name, everything else custom."""
    headers = (
        ["column_6", "column_4", "column_7"]
        if name == "file_no_header.csv"
        else ["ProductType", "PRODUCTID", "ProductDescription"]
    )
    mapping = (
        ColumnMapping(column=headers[0], field=K.NAME),
        ColumnMapping(column=headers[1], custom="product"),
        ColumnMapping(column=headers[2], custom="description"),
    )
    return run(POLLOCK / name, mapping=mapping, options=ImportOptions(required=()))


@pytest.mark.parametrize("name", SAME_AS_CLEAN)
def test_a_polluted_file_reads_like_the_clean_one(name: str):
    clean = products("file_record_delimiter_0xA.csv")
    answer = products(name)
    assert len(answer.rows) == 83
    assert [(lead["name"], lead["custom"]) for lead in answer.leads] == [
        (lead["name"], lead["custom"]) for lead in clean.leads
    ]


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("file_field_delimiter_0x20.csv", 83),
        ("file_quotation_char_0x27.csv", 83),
        ("file_escape_char_0x5C.csv", 83),
        ("file_escape_char_0x00.csv", 83),
        ("file_header_only.csv", 0),
        ("file_one_data_row.csv", 1),
        ("file_header_multirow_2.csv", 84),
        ("file_header_multirow_3.csv", 85),
    ],
)
def test_every_record_of_a_polluted_file_is_accounted_for(name: str, records: int):
    answer = run(POLLOCK / name, options=ImportOptions(required=()))
    assert answer.failed is None
    assert len(answer.rows) + len(answer.failed_rows) == answer.done.total_rows == records


@pytest.mark.parametrize(
    "name", ["file_preamble.csv", "file_multitable_less.csv", "file_multitable_more.csv", "file_multitable_same.csv"]
)
def test_tables_with_preamble_or_several_in_one_file_lose_no_record(name: str):
    answer = run(POLLOCK / name, options=ImportOptions(required=()))
    lines = (POLLOCK / name).read_text().splitlines()
    assert len(answer.rows) + len(answer.failed_rows) == answer.done.total_rows
    assert answer.blocks[-1].next.line == len(lines) + 1


def test_an_empty_file_is_a_file_error():
    answer = run(POLLOCK / "file_no_payload.csv")
    assert answer.failed.message == "The file is empty (0 bytes)."
