from collections.abc import Callable
from pathlib import Path

import pytest

from domain.fields import FIELDS
from domain.imports import ColumnMapping, FieldValue, ImportOptions, ValueMapping
from domain.templates import TEMPLATES
from domain.vocabulary import LeadFieldKey, MergeStrategy, UnmappedColumns, UserErrorCode
from tests.transfer.child_run import Answer, facts, run, to
from transfer.headers import match_header
from transfer.mapping import FileHeader, map_columns, missing_required

Writer = Callable[..., Path]
K = LeadFieldKey
LENIENT = ImportOptions(required=())


def fields(*headers: str, custom: tuple[str, ...] = (), options: ImportOptions = LENIENT) -> list[str | None]:
    plan = map_columns(FileHeader(names=headers), (), options, custom)
    return [column.field for column in plan.columns]


def read(path: Path, *mapping: ColumnMapping, **options: object) -> Answer:
    return run(path, mapping=mapping, options=ImportOptions(**({"required": ()} | options)))


def problems(answer: Answer) -> list[tuple[str, int | None]]:
    return [(problem.code.value, problem.index) for problem in answer.opened.problems]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("name", "name"),
        ("Full Name", "name"),
        ("FULL_NAME", "name"),
        ("E-Mail", "email"),
        ("Téléphone", "phone"),
        ("telephone", "phone"),
        ("טלפון", "phone"),
        ("फ़ोन", "phone"),
        ("Phone 1 - Value", "phone"),
        ("Código postal", None),
        ("Home City", "address_city"),
        ("annonce_id", "annonce_id"),
        ("CompanyName", "company_name"),
    ],
)
def test_a_header_is_matched_in_any_case_accents_and_separators(header: str, field: str | None):
    assert fields(header) == [field]


def test_every_importable_field_is_recognised_by_key_label_and_aliases():
    for key, field in FIELDS.items():
        if field.importable:
            assert fields(key.value) == [key.value] or key is K.VERSION
            for name in (field.label, *field.aliases):
                (column,) = map_columns(FileHeader(names=(name,)), (), LENIENT, ()).columns
                assert column.suggested_field is not None, name


def test_a_key_or_label_goes_before_an_alias_and_one_column_serves_a_field():
    assert fields("Mobile", "Phone", "Tel") == [None, "phone", None]


def test_what_comes_near_is_suggested_and_not_mapped():
    (column,) = map_columns(FileHeader(names=("Email Adress",)), (), LENIENT, ()).columns
    assert (column.field, column.suggested_field) == (None, "email")
    assert 0.8 < column.suggestion_score < 0.95


def test_columns_that_cannot_be_imported_are_passed_over():
    plan = map_columns(
        FileHeader(names=("Updated At", "Notes Count")),
        (),
        ImportOptions(required=(), unmapped=UnmappedColumns.CUSTOM),
        (),
    )
    assert [(column.field, column.ignored) for column in plan.columns] == [(None, True), (None, True)]


def test_first_and_last_name_become_the_name_where_there_is_none(file: Writer):
    path = file("Family Name,Given Name,Phone\nLevi,Dana,\n,Noa,\n")
    assert read(path).column("name") == ["Dana Levi", "Noa"]
    assert fields("First Name", "Last Name", "Display Name") == [None, None, "name"]


def test_several_columns_are_joined_in_mapping_order(file: Writer):
    path = file("job,marital,city\nAgent,single,Lyon\n,married,\n")
    answer = read(path, to("marital", K.NAME), to("job", K.NAME), to("city", "place"))
    assert answer.column("name") == ["single Agent", "married"]
    assert answer.fields == {"job": "name", "marital": "name", "city": "custom.place"}


def test_only_texts_can_be_joined(file: Writer):
    answer = read(file("a,b\n1,2\n"), to("a", K.SCORE), to("b", K.SCORE))
    assert problems(answer) == [("INVALID", 1)]


def test_one_column_may_serve_several_fields(file: Writer):
    answer = read(file("Company\nAcme\n"), to("Company", K.NAME), to("Company", K.COMPANY_NAME))
    assert answer.column("name") == ["Acme"]
    assert answer.column("company_id") == [facts().companies["acme"]]


def test_columns_are_named_by_index_too(file: Writer):
    path = file("x,x\n1,2\n")
    answer = read(path, ColumnMapping(index=1, field=K.NAME), ColumnMapping(index=0, custom="first"))
    assert (answer.column("name"), answer.column("custom")) == (["2"], ['{"first":"1"}'])


def test_without_a_header_columns_are_named_by_number(file: Writer):
    answer = read(file("Dana,dana@example.com\n"), to("column_1", K.NAME), ColumnMapping(index=1, field=K.EMAIL))
    assert answer.leads[0]["name"] == "Dana"


def test_an_ignored_column_is_not_matched(file: Writer):
    answer = read(file("Name,Phone\nDana,123\n"), ColumnMapping(column="Phone", ignore=True))
    assert answer.fields == {"Name": "name", "Phone": None}
    assert answer.opened.columns[1].ignored


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        (ColumnMapping(column="Nome", field=K.NAME), "NOT_FOUND"),
        (ColumnMapping(index=9, field=K.NAME), "NOT_FOUND"),
        (ColumnMapping(column="x"), "INVALID"),
        (ColumnMapping(column="x", field=K.NAME, custom="name"), "INVALID"),
        (ColumnMapping(column="x", field=K.UPDATED_AT), "INVALID"),
        (ColumnMapping(column="x", custom="k" * 101), "INVALID"),
    ],
)
def test_a_mapping_that_cannot_be_is_a_problem_at_its_place(file: Writer, mapping: ColumnMapping, code: str):
    answer = read(file("Name,x\nDana,1\n"), to("Name", K.NAME), mapping)
    assert problems(answer) == [(code, 1)]
    assert answer.blocks == []


def test_exact_values_are_replaced_and_the_default_serves_all_others(file: Writer):
    values = (ValueMapping("Cold Call", "phone"), ValueMapping("Junk", None))
    path = file("Name,From\nA,Cold Call\nB, Cold Call \nC,Facebook\nD,\nE,Junk\nF,web\n")
    listed = read(path, ColumnMapping(column="From", field=K.SOURCE, values=values, default="api"))
    assert listed.column("source") == ["PHONE", "PHONE", "API", "API", "API", "API"]
    unlisted = read(path, ColumnMapping(column="From", field=K.SOURCE, values=values))
    assert unlisted.column("source") == ["PHONE", "PHONE", "UNKNOWN", "UNKNOWN", "WEB"]
    assert unlisted.failed_rows == [4]


def test_a_default_without_values_serves_blanks_alone(file: Writer):
    answer = read(file("Name,Source\nA,web\nB,\n"), ColumnMapping(column="Source", default="phone"))
    assert answer.column("source") == ["WEB", "PHONE"]


def test_an_option_s_default_fills_a_field_without_a_column(file: Writer):
    answer = read(
        file("Name\nDana\n"),
        defaults=(FieldValue(value="FR", field=K.ADDRESS_COUNTRY), FieldValue(value="x", custom="k")),
    )
    assert (answer.column("address_country"), answer.column("custom")) == (["FR"], ['{"k":"x"}'])


def test_a_default_that_is_no_value_of_its_field_is_a_problem(file: Writer):
    answer = read(file("Name\nDana\n"), defaults=(FieldValue(value="Facebook", field=K.SOURCE),))
    assert [(problem.code, problem.field) for problem in answer.opened.problems] == [(UserErrorCode.INVALID, K.SOURCE)]


def test_a_required_field_without_column_and_default_is_a_problem(file: Writer):
    answer = run(file("Name\nDana\n"), options=ImportOptions())
    assert [(problem.code, problem.field) for problem in answer.opened.problems] == [
        (UserErrorCode.REQUIRED, K.PHONE),
        (UserErrorCode.REQUIRED, K.SOURCE),
    ]


def test_a_required_status_is_given_by_any_of_its_columns():
    plan = map_columns(FileHeader(names=("Status Name",)), (), LENIENT, ())
    assert missing_required(plan.targets, (K.STATUS, K.STATUS_ID)) == ()


def test_unmapped_columns_become_custom_fields_named_after_their_headers(file: Writer):
    path = file("Name,emp.var.rate,,Policy No\nDana,-1.8,x,7\n")
    answer = read(path, unmapped=UnmappedColumns.CUSTOM)
    assert answer.column("custom") == ['{"emp.var.rate":"-1.8","Policy No":"7"}']
    assert answer.opened.custom_keys == ("emp.var.rate", "Policy No")


def test_an_own_custom_field_is_found_again_by_its_name():
    assert fields("policy NO", custom=("policy_no",)) == ["custom.policy_no"]
    assert fields("Owner", custom=("Owner",)) == ["custom.Owner"]
    assert fields("custom.policy_no", custom=("policy_no",)) == ["custom.policy_no"]


def test_more_custom_fields_than_an_organization_may_have_are_a_problem():
    headers = tuple(f"field {number}" for number in range(201))
    plan = map_columns(FileHeader(names=headers), (), ImportOptions(required=(), unmapped=UnmappedColumns.CUSTOM), ())
    assert [problem.code for problem in plan.problems] == [UserErrorCode.LIMIT_EXCEEDED]


def test_ids_are_matched_by_themselves_only_where_they_are_ours(file: Writer):
    ours = "lead_0190d3c2-0000-7000-8000-00000000000a"
    assert read(file(f"ID,Name\n{ours},Dana\n")).fields["ID"] == "lead_id"
    assert read(file("ID,Version,Name\n17,3,Dana\n")).fields == {"ID": None, "Version": None, "Name": "name"}


def test_columns_of_one_meaning_do_not_contradict_each_other(file: Writer):
    path = file("status_id,status_name,Name\nnew,Deal won,Dana\n")
    assert read(path).column("stage") == ["NEW"]
    assert read(path, to("status_name", K.STATUS_NAME)).column("stage") == ["WON"]


def test_the_columns_of_the_lines_say_where_they_come_from(file: Writer):
    answer = read(
        file("Name,Phone\nDana,1\n"),
        defaults=(FieldValue(value="web", field=K.SOURCE),),
        merge_strategy=MergeStrategy.SKIP,
    )
    origins = {column.name: column.origin.value for column in answer.opened.copy_columns}
    assert origins == {
        "id": "DERIVED",
        "name": "FILE",
        "phone": "FILE",
        "phone_display": "DERIVED",
        "phone_key": "DERIVED",
        "source": "DEFAULT",
        "search_text": "DERIVED",
        "status_id": "CONSTANT",
        "stage": "CONSTANT",
    }


def test_every_header_of_the_builtin_export_templates_comes_home():
    for template in TEMPLATES.values():
        plan = map_columns(FileHeader(names=tuple(header for _, header in template.columns)), (), LENIENT, ())
        for (key, header), column in zip(template.columns, plan.columns, strict=True):
            expected = match_header(header)
            assert (expected and expected.field) == key
            assert column.field in {key.value, None}
