"""An export with nothing left open."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.errors import NotFoundProblem, Rejected
from domain.export_plan import ExportFacts, resolve
from domain.exports import ColumnSpec, ExportSpec, FileOptions, ResolvedExport
from domain.settings import OrganizationSettings
from domain.stored import decode, encode
from domain.vocabulary import (
    BuiltinTemplate,
    Compression,
    ExportFormat,
    ExportProfile,
    HeaderStyle,
    LeadFieldKey,
    SplitBy,
    UserErrorCode,
)

NOW = datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)
FACTS = ExportFacts(settings=OrganizationSettings(), slug="acme", now=NOW, custom={"policy_no": "Policy no."})
STATUS = {"status": {"eq": "new"}}


def _rejected(spec: ExportSpec, facts: ExportFacts = FACTS) -> list[tuple[UserErrorCode, tuple[str, ...] | None]]:
    with pytest.raises(Rejected) as caught:
        resolve(spec, facts)
    return [(problem.code, problem.path) for problem in caught.value.problems]


def test_without_template_and_columns_an_export_has_the_columns_of_leads() -> None:
    resolved = resolve(ExportSpec(), FACTS)
    assert [column.header for column in resolved.columns] == [
        *("id", "name", "phone", "email", "source", "lead_source", "status", "score", "notes"),
        *("created_at", "updated_at"),
    ]
    assert resolved.file_name == "leads_export_20240115_143022.csv"
    assert (resolved.bom, resolved.escape_formulas, resolved.delimiter) == (True, True, ",")


@pytest.mark.parametrize(
    ("template", "filter_", "name"),
    [
        (BuiltinTemplate.CHATBOT, STATUS, "leads-export-2024-01-15.csv"),
        (BuiltinTemplate.OUTBOUND_STATUS, STATUS, "outbound_leads_status_new_2024-01-15.csv"),
        (BuiltinTemplate.OUTBOUND_STATUS, None, "outbound_leads_status_all_2024-01-15.csv"),
        (BuiltinTemplate.FULL, None, "leads_export_2024-01-15_143022.csv"),
        (BuiltinTemplate.FULL, STATUS, "leads_export_status_is_new_2024-01-15_143022.csv"),
    ],
)
def test_a_template_names_its_file(template: BuiltinTemplate, filter_: dict[str, object] | None, name: str) -> None:
    assert resolve(ExportSpec(template=template, filter=filter_), FACTS).file_name == name


def test_the_tokens_of_a_name_are_filled_in_and_cleaned() -> None:
    name = "../{organization} {format}:{status}\r\nתל.csv"
    spec = ExportSpec(filter=STATUS, file=FileOptions(name=name), compression=Compression.GZIP)
    assert resolve(spec, FACTS).file_name == "acme_csv_new_.csv.gz"


@pytest.mark.parametrize(
    ("name", "compression", "file_name"),
    [
        ("leads.zip", Compression.ZIP, "leads.zip"),
        ("leads.csv.zip", Compression.ZIP, "leads.zip"),
        ("leads.csv.gz", Compression.GZIP, "leads.csv.gz"),
        ("leads.zst", Compression.ZSTD, "leads.csv.zst"),
    ],
)
def test_an_extension_that_is_there_already_stays_single(name: str, compression: Compression, file_name: str) -> None:
    spec = ExportSpec(file=FileOptions(name=name), compression=compression)
    assert resolve(spec, FACTS).file_name == file_name


def test_the_zone_of_the_file_decides_the_date_in_its_name() -> None:
    options = FileOptions(time_zone="Asia/Tokyo", name="x_{date}_{time}")
    assert resolve(ExportSpec(file=options), FACTS).file_name == "x_2024-01-15_233022.csv"


def test_mock_data_says_so_in_its_name() -> None:
    spec = ExportSpec(template=BuiltinTemplate.CHATBOT, sample_rows=25)
    assert resolve(spec, FACTS).file_name == "mock-leads-export-2024-01-15.csv"
    assert resolve(replace(spec, file=FileOptions(name="demo")), FACTS).file_name == "mock-demo.csv"


def test_headers_are_ones_own_or_the_templates_or_by_style() -> None:
    columns = (
        ColumnSpec(field=LeadFieldKey.PHONE, header="Tel"),
        ColumnSpec(field=LeadFieldKey.NAME),
        ColumnSpec(custom="policy_no"),
    )
    spec = ExportSpec(columns=columns)
    assert [column.header for column in resolve(spec, FACTS).columns] == ["Tel", "Name", "Policy no."]
    keyed = replace(spec, file=FileOptions(header_style=HeaderStyle.KEY))
    assert [column.header for column in resolve(keyed, FACTS).columns] == ["Tel", "name", "custom.policy_no"]
    outbound = replace(spec, template=BuiltinTemplate.OUTBOUND_STATUS)
    assert [column.header for column in resolve(outbound, FACTS).columns][1] == "full_name"


def test_programs_read_keys() -> None:
    spec = ExportSpec(format=ExportFormat.JSONL, columns=(ColumnSpec(field=LeadFieldKey.LEAD_ID),))
    assert resolve(spec, FACTS).columns[0].header == "lead_id"


def test_the_chatbot_template_joins_tags_by_commas_and_languages_by_semicolons() -> None:
    separators = resolve(ExportSpec(template=BuiltinTemplate.CHATBOT), FACTS).list_separators
    assert separators == {"tags": ",", "detected_languages": ";", "ai_verification_reasons": ";"}


def test_the_plain_profile_leaves_values_untouched() -> None:
    resolved = resolve(ExportSpec(file=FileOptions(profile=ExportProfile.PLAIN)), FACTS)
    assert (resolved.bom, resolved.escape_formulas) == (False, False)


def test_only_masked_fields_among_the_columns_are_named() -> None:
    facts = replace(FACTS, masked=frozenset({LeadFieldKey.NATIONAL_ID, LeadFieldKey.USER_AGENT}))
    assert resolve(ExportSpec(template=BuiltinTemplate.FULL), facts).masked == (LeadFieldKey.NATIONAL_ID,)


def test_a_saved_template_fills_what_is_left_open_and_goes_into_the_stored_spec() -> None:
    saved = ExportSpec(format=ExportFormat.XLSX, file=FileOptions(delimiter=";", name="weekly"), limit=5)
    spec = ExportSpec(template_id="template_x", limit=7, file=FileOptions(time_zone="Europe/Paris"))
    resolved = resolve(spec, replace(FACTS, saved=saved))
    assert (resolved.format, resolved.delimiter, resolved.time_zone) == (ExportFormat.XLSX, ";", "Europe/Paris")
    assert (resolved.spec.limit, resolved.spec.template_id, resolved.file_name) == (7, None, "weekly.xlsx")
    again = resolve(resolved.spec, FACTS)
    assert replace(again, spec=resolved.spec) == resolved


def test_a_split_export_is_an_archive() -> None:
    resolved = resolve(ExportSpec(split_by=SplitBy.COMPANY), FACTS)
    assert (resolved.compression, resolved.file_name) == (Compression.ZIP, "leads_export_20240115_143022.zip")
    assert _rejected(ExportSpec(split_by=SplitBy.STATUS, compression=Compression.GZIP)) == [
        (UserErrorCode.INVALID, ("input", "spec", "compression"))
    ]


def test_a_delta_has_the_columns_that_tell_what_happened() -> None:
    spec = ExportSpec(since="token", columns=(ColumnSpec(field=LeadFieldKey.NAME),))
    assert [column.key for column in resolve(spec, FACTS).columns] == ["lead_id", "name", "deleted_at", "_change"]


@pytest.mark.parametrize(
    ("spec", "code", "path"),
    [
        (ExportSpec(columns=(ColumnSpec(custom="nope"),)), UserErrorCode.UNKNOWN_VALUE, ("columns", "0", "custom")),
        (ExportSpec(columns=(ColumnSpec(),)), UserErrorCode.REQUIRED, ("columns", "0")),
        (ExportSpec(columns=()), UserErrorCode.OUT_OF_RANGE, ("columns",)),
        (
            ExportSpec(columns=(ColumnSpec(field=LeadFieldKey.NAME, header="a\nb"),)),
            UserErrorCode.INVALID,
            ("columns", "0", "header"),
        ),
        (
            ExportSpec(columns=(ColumnSpec(field=LeadFieldKey.NAME), ColumnSpec(field=LeadFieldKey.NAME))),
            UserErrorCode.DUPLICATE,
            ("columns", "1", "header"),
        ),
        (ExportSpec(template_id="template_x"), UserErrorCode.NOT_FOUND, ("templateId",)),
        (ExportSpec(limit=0), UserErrorCode.OUT_OF_RANGE, ("limit",)),
        (ExportSpec(sample_rows=10_001), UserErrorCode.OUT_OF_RANGE, ("sampleRows",)),
        (ExportSpec(ids=()), UserErrorCode.REQUIRED, ("ids",)),
        (ExportSpec(ids=("lead_x",)), UserErrorCode.NOT_FOUND, ("ids",)),
        (ExportSpec(file=FileOptions(delimiter="ab")), UserErrorCode.INVALID, ("file", "delimiter")),
        (ExportSpec(file=FileOptions(time_zone="Mars/Base")), UserErrorCode.UNKNOWN_VALUE, ("file", "timeZone")),
        (ExportSpec(file=FileOptions(time_zone="../etc")), UserErrorCode.UNKNOWN_VALUE, ("file", "timeZone")),
        (ExportSpec(file=FileOptions(date_format="%Y")), UserErrorCode.INVALID, ("file", "dateFormat")),
        (ExportSpec(file=FileOptions(name="{what}")), UserErrorCode.UNKNOWN_VALUE, ("file", "name")),
        (ExportSpec(file=FileOptions(name="a\0b")), UserErrorCode.INVALID, ("file", "name")),
        (ExportSpec(filter={"nope": {"eq": 1}}), UserErrorCode.INVALID, ("filter", "nope")),
        (ExportSpec(sample_rows=1, since="x"), UserErrorCode.INVALID, ("since",)),
    ],
)
def test_what_is_wrong_is_told_with_its_path(spec: ExportSpec, code: UserErrorCode, path: tuple[str, ...]) -> None:
    assert _rejected(spec) == [(code, ("input", "spec", *path))]


def test_everything_wrong_is_told_at_once() -> None:
    wrong = ExportSpec(limit=0, file=FileOptions(delimiter="x", time_zone="x"))
    assert len(_rejected(wrong)) == 3


def test_unknown_ids_are_named() -> None:
    with pytest.raises(Rejected) as caught:
        resolve(ExportSpec(ids=("job_1", "x")), FACTS)
    problem = caught.value.problems[0]
    assert isinstance(problem, NotFoundProblem)
    assert problem.ids == ("job_1", "x")


def test_a_resolved_export_is_stored_and_read_back_equal() -> None:
    spec = ExportSpec(template=BuiltinTemplate.CHATBOT, filter=STATUS, file=FileOptions(delimiter=";"))
    resolved = resolve(spec, replace(FACTS, masked=frozenset({LeadFieldKey.EMAIL})))
    assert decode(ResolvedExport, encode(resolved)) == resolved
