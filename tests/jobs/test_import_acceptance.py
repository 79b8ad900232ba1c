"""Public files with results counted elsewhere, through the real job on a real database."""

import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from domain.errors import Rejected
from domain.imports import ColumnMapping, FieldValue, ImportOptions, ValueMapping
from domain.settings import OrganizationSettings
from domain.vocabulary import LeadFieldKey, MergeStrategy
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.jobs.importing import Importing, counts_of, to, working

FOLDER = Path(os.environ.get("LEADPORT_ACCEPTANCE", Path(__file__).parents[3] / "shared" / "acceptance"))
EXPECTED = json.loads((FOLDER / "expected.json").read_text()) if FOLDER.is_dir() else {}
FIELDS = {
    "name": LeadFieldKey.NAME,
    "phone": LeadFieldKey.PHONE,
    "email": LeadFieldKey.EMAIL,
    "company": LeadFieldKey.COMPANY_NAME,
    "created_at": LeadFieldKey.CREATED_AT,
    "tags": LeadFieldKey.TAGS,
    "notes": LeadFieldKey.NOTES,
    "city": LeadFieldKey.ADDRESS_CITY,
    "country": LeadFieldKey.ADDRESS_COUNTRY,
    "score": LeadFieldKey.SCORE,
}
REQUIRED = {"S2": (LeadFieldKey.NAME, LeadFieldKey.SOURCE)}
VALID = {"S4": (LeadFieldKey.PHONE,), "S5": (LeadFieldKey.EMAIL,), "S6": (LeadFieldKey.EMAIL,)}
DEFAULT_SOURCE = (FieldValue(field=LeadFieldKey.SOURCE, value="unknown"),)
COUNTS = {
    MergeStrategy.SKIP: lambda one: {
        "created": one["created"], "skipped": one["skipped_SKIP"], "failed": one["failed"]
    },
    MergeStrategy.OVERWRITE: lambda one: {**one["overwrite"], "failed": one["failed"]},
    MergeStrategy.CREATE_NEW: lambda one: {"created": one["create_new_created"], "failed": one["failed"]},
}  # fmt: skip
LARGE = {"p1", "p3", "p5", "p8"}
"""Files of which one strategy is enough for every run; the others are marked as chaos."""

pytestmark = pytest.mark.skipif(not EXPECTED, reason="the acceptance files are not here (LEADPORT_ACCEPTANCE)")


def cases() -> Iterator[object]:
    for name, facts in EXPECTED.items():
        if not isinstance(facts, dict):
            continue
        for variant in facts.get("expected", {}):
            short = variant[:2]
            if variant[2] == "R" or "distribution" in variant:
                continue
            for strategy in COUNTS:
                slow = name in LARGE and (strategy is not MergeStrategy.SKIP or (name == "p8" and short != "S1"))
                marks = [pytest.mark.chaos] if slow else []
                yield pytest.param(name, variant, strategy, marks=marks, id=f"{name}-{short}-{strategy}")


@pytest.fixture
async def make_importing(
    runtime: Runtime, database_url: str, new_organization: MakeOrganization
) -> AsyncIterator[object]:
    async def make(country: str) -> Importing:
        settings = OrganizationSettings(default_country=country)
        return Importing.of(runtime, await new_organization(settings=settings))

    async with working(runtime, database_url):
        yield make


def mapping_of(facts: Mapping[str, object], short: str) -> list[ColumnMapping]:
    header = facts["header"]
    wanted: list[ColumnMapping] = []
    for target, column in facts["mapping"].items():
        if target in FIELDS and column and not column.startswith("constant "):
            names = column.split(" + ") if column not in header else [column]
            wanted += [column_of(name, FIELDS[target], header) for name in names]
        elif target.startswith("custom.") and column in header:
            wanted.append(ColumnMapping(column=column, custom=target.removeprefix("custom.")))
        elif target == "lead_source":
            wanted.append(to(column, LeadFieldKey.SOURCE if short == "S0" else LeadFieldKey.LEAD_SOURCE))
    used = {column.column for column in wanted} | {header[one.index] for one in wanted if one.index is not None}
    return wanted + [
        ColumnMapping(column=name, ignore=True)
        for name in header
        if name and not name.startswith("... ") and name not in used
    ]


def column_of(name: str, field: LeadFieldKey, header: list[str]) -> ColumnMapping:
    if name.startswith("column_") and name not in header:
        return ColumnMapping(index=int(name.removeprefix("column_")) - 1, field=field)
    return to(name, field)


def options_of(short: str, strategy: MergeStrategy) -> ImportOptions:
    required = REQUIRED["S2"] if short in {"S2", "S6"} else ImportOptions().required
    return ImportOptions(
        merge_strategy=strategy,
        required=required,
        must_be_valid=VALID.get(short, ()),
        defaults=() if short == "S0" else DEFAULT_SOURCE,
    )


@pytest.mark.parametrize(("name", "variant", "strategy"), list(cases()))
async def test_a_public_file_gives_exactly_the_expected_counts(
    make_importing: object, name: str, variant: str, strategy: MergeStrategy
):
    facts, short = EXPECTED[name], variant[:2]
    importing = await make_importing(facts["default_region"] or "US")
    data = (FOLDER / facts["file"]).read_bytes()
    mapping = tuple(mapping_of(facts, short))
    expected = {key: value for key, value in COUNTS[strategy](facts["expected"][variant]).items() if value}
    required = options_of(short, strategy)
    try:
        job = await importing.run(data, Path(facts["file"]).name, mapping=mapping, options=required)
    except Rejected as refused:
        codes, counts = {problem.code for problem in refused.problems}, {"failed": facts["data_rows"]}
    else:
        codes, counts = {"REQUIRED"}, counts_of(job)
    assert codes == {"REQUIRED"}
    assert counts == expected


async def test_a_value_map_gives_the_expected_sources(make_importing: object):
    facts = EXPECTED["p2"]
    importing = await make_importing("US")
    values = tuple(ValueMapping(source, target) for source, target in facts["value_map"].items())
    source = to("Lead Source", LeadFieldKey.SOURCE, values=values, default="unknown")
    mapping = [source if one.column == "Lead Source" else one for one in mapping_of(facts, "S1")]
    await importing.run((FOLDER / facts["file"]).read_bytes(), mapping=tuple(mapping))
    rows = await importing.rows("select lower(source) as source, count(*) as leads from app.leads group by 1")
    found = {row["source"]: row["leads"] for row in rows}
    assert found == facts["expected"]["S3_value_map_default_unknown_source_distribution"]
