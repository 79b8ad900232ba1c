import json
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.fields import FIELDS, MAX_CUSTOM_LENGTH
from domain.imports import FieldValue, ImportOptions
from domain.vocabulary import BlankCells, LeadFieldKey, MergeStrategy, UnmappedColumns
from tests.transfer.child_run import ACME, DANA, NEW, WON, Answer, run, to
from transfer.messages import ChildLimits

Writer = Callable[..., Path]
K = LeadFieldKey
LENIENT = ImportOptions(required=())
LEAD = "0190d3c2-0000-7000-8000-00000000000a"


def read(path: Path, **options: object) -> Answer:
    answer = run(path, options=ImportOptions(**({"required": ()} | options)))
    assert answer.failed is None, answer.failed
    return answer


def cell(file: Writer, header: str, text: str, **options: object) -> Answer:
    quoted = text.replace('"', '""')
    return read(file(f'Name,{header}\nDana,"{quoted}"\n'), **options)


def value(file: Writer, header: str, text: str, **options: object) -> str | None:
    """What a cell becomes, or its issue's code."""
    answer = cell(file, header, text, **options)
    if answer.issues:
        return answer.issues[0].code.value
    return answer.leads[0][FIELDS[K(header)].column]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("85", "85"),
        ("85.0", "85"),
        ("1e2", "100"),
        (" 70 ", "70"),
        ("٨٥", "85"),
        ("85%", "85"),
        ("'85", "INVALID_NUMBER"),
        ("85.5", "INVALID_NUMBER"),
        ("NaN", "INVALID_NUMBER"),
        ("inf", "INVALID_NUMBER"),
        ("0x10", "INVALID_NUMBER"),
        ("1_0", "INVALID_NUMBER"),
        ("eighty", "INVALID_NUMBER"),
        ("9" * 5_000, "INVALID_NUMBER"),
        ("101", "OUT_OF_RANGE"),
        ("-1", "OUT_OF_RANGE"),
        ("1e30", "OUT_OF_RANGE"),
        ("", None),
        ("   ", None),
    ],
)
def test_s24_a_score_gets_its_documented_answer(file: Writer, text: str, expected: str | None):
    assert value(file, "score", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1200.50", "1200.5"),
        ("€ 1200", "1200"),
        ("1200 EUR", "1200"),
        ("-3.14159", "-3.1416"),
        ("0.00001", "0"),
        ("1" + "0" * 14, "OUT_OF_RANGE"),
        ("NaN", "INVALID_NUMBER"),
    ],
)
def test_an_amount_is_exact(file: Writer, text: str, expected: str):
    assert value(file, "conversion_value", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "t"),
        ("TRUE", "t"),
        ("1", "t"),
        ("Oui", "t"),
        ("כן", "t"),
        ("no", "f"),
        ("0", "f"),
        ("nein", "f"),
        ("maybe", "INVALID_BOOLEAN"),
    ],
)
def test_yes_and_no_are_understood(file: Writer, text: str, expected: str):
    assert value(file, "ai_legitimate", text) == expected


@pytest.mark.parametrize("text", ["walk_in", "WALK_IN", "Walk-in", "walk in", " Walk In "])
def test_an_enum_is_known_in_any_case_and_with_any_separator(file: Writer, text: str):
    assert value(file, "source", text) == "WALK_IN"


def test_an_unknown_value_names_the_nearest_known_one(file: Writer):
    answer = read(file("Name,Source\nA,refferal\nB,refferal\nC,Zzz\n"))
    assert answer.failed_rows == [2, 3, 4]
    assert [(issue.value, issue.suggestion) for issue in answer.issues] == [
        ("refferal", "referral"),
        ("refferal", "referral"),
        ("Zzz", None),
    ]
    assert [(group.value, group.rows, group.first_row) for group in answer.groups] == [
        ("refferal", 2, 2),
        ("Zzz", 1, 4),
    ]


@pytest.mark.parametrize("text", ["deal_won", "DEAL_WON", "Deal won", f"status_{WON}"])
def test_a_status_is_known_by_key_label_and_id(file: Writer, text: str):
    answer = cell(file, "status", text)
    assert (answer.column("status_id"), answer.column("stage")) == ([WON], ["WON"])


def test_a_status_with_a_line_break_behind_it_is_read_and_another_is_unknown(file: Writer):
    assert value(file, "status", "new\n") == NEW
    answer = cell(file, "status", "newer")
    assert (answer.issues[0].code, answer.issues[0].suggestion) == ("UNKNOWN_VALUE", "new")


def test_a_blank_status_and_source_are_those_of_a_new_lead(file: Writer):
    answer = read(file("Name,Status,Source,Tags,Created At\nDana,,,,\n"), add_tags=("q4",))
    (lead,) = answer.leads
    assert (lead["status_id"], lead["stage"], lead["source"], lead["tags"]) == (NEW, "NEW", "UNKNOWN", '{"q4"}')
    assert lead["created_at"] is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vip; renewal", '{"vip","renewal"}'),
        ("vip, renewal", '{"vip","renewal"}'),
        ("a,b;c", '{"a,b","c"}'),
        ('"a;b"; c', '{"a;b","c"}'),
        ('"a,b"', '{"a,b"}'),
        ("vip;;VIP; vip ;", '{"vip","VIP"}'),
        ('5" nail; b\\c', '{"5\\" nail","b\\\\c"}'),
        (";".join(map(str, range(201))), "TOO_LONG"),
        ("x" * 1_001, "TOO_LONG"),
    ],
)
def test_a_list_is_split_at_semicolons_or_commas(file: Writer, text: str, expected: str):
    assert value(file, "tags", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2021-04-15 00:03:00",
        "2021-04-15T00:03",
        "15 Apr, 2021 00:03:00",
        "15/04/2021 00:03",
        "04/15/2021 12:03 AM",
        "Apr 15, 2021 0:03",
        "15 avril 2021 00:03",
        "15. April 2021 00:03",
        "15 de abril de 2021 00:03",
        "2021-04-15T02:03:00+02:00",
        "Thu, 15 Apr 2021 00:03:00 GMT",
        "15.4.21 00:03",
        "٢٠٢١-٠٤-١٥ ٠٠:٠٣",
    ],
)
def test_one_moment_is_read_however_it_is_written(file: Writer, text: str):
    assert value(file, "created_at", text) == "2021-04-15 00:03:00+00:00"


@pytest.mark.parametrize(
    "text", ["31/02/2021", "15/15/2021", "soon", "2021-04-15 25:00", "0000-00-00", "45306", "1" * 70]
)
def test_what_is_no_date_fails_the_row(file: Writer, text: str):
    assert value(file, "created_at", text) == "INVALID_DATE"


def test_a_phone_that_does_not_validate_is_kept_with_a_warning(file: Writer):
    answer = cell(file, "phone", "25-989-741-2988")
    assert (answer.column("phone"), answer.column("phone_key")) == (["25-989-741-2988"], ["259897412988"])
    assert (answer.issues[0].code, answer.issues[0].severity) == ("INVALID_PHONE", "WARNING")
    assert answer.blocks[0].ready.warned == [0]


def test_a_phone_or_email_that_must_be_valid_fails_the_row(file: Writer):
    answer = read(file("Name,Phone,Email\nDana,123,nope\n"), must_be_valid=(K.PHONE, K.EMAIL))
    assert answer.failed_rows == [2]
    assert [issue.code for issue in answer.issues] == ["INVALID_PHONE", "INVALID_EMAIL"]


@pytest.mark.parametrize(
    ("text", "key"),
    [("33612345678.0", "33612345678"), ("3.3612345678E+10", "33612345678"), ("+33612345678.0", "+33612345678")],
)
def test_s24_a_number_that_a_spreadsheet_kept_whole_is_a_phone(file: Writer, text: str, key: str):
    assert cell(file, "phone", text).blocks[0].ready.phone_keys == [key]


def test_a_phone_that_lost_its_digits_fails_the_row(file: Writer):
    answer = cell(file, "phone", "3.36E+10")
    assert (answer.failed_rows, answer.issues[0].code) == ([2], "SCIENTIFIC_NOTATION")


@pytest.mark.parametrize("header", ["external_id", "national_id"])
def test_an_identifier_that_lost_its_digits_fails_the_row(file: Writer, header: str):
    assert cell(file, header, "1.23457E+12").issues[0].code == "SCIENTIFIC_NOTATION"
    assert cell(file, header, "1E5A").issues == []


def test_an_email_s_suggestion_leaves_out_what_people_add(file: Writer):
    assert cell(file, "email", "Dana <dana@example.com>").issues[0].suggestion == "dana@example.com"


def test_every_issue_of_a_row_is_reported_with_its_place(file: Writer):
    path = file('Name,Phone,Score,Source\n"Dana\nLevi",,x,Facebook\nNoa,+33612345678,5,web\n')
    answer = run(path, options=ImportOptions())
    assert [(issue.row, issue.line, issue.column, issue.field, issue.code.value) for issue in answer.issues] == [
        (2, 2, "Score", "score", "INVALID_NUMBER"),
        (2, 2, "Source", "source", "UNKNOWN_VALUE"),
        (2, 2, "Phone", "phone", "REQUIRED"),
    ]
    assert (answer.rows, answer.blocks[0].ready.lines) == ([3], [4])
    assert answer.issues[2].message == "phone is required"


def test_s22_short_rows_are_padded_with_a_warning_and_longer_ones_fail(file: Writer):
    answer = read(file("Name,City\nDana\nNoa,Lyon,extra\nTal,Paris,, \n"))
    assert answer.column("name") == ["Dana", "Tal"]
    assert [(issue.row, issue.code, issue.severity) for issue in answer.issues] == [
        (2, "COLUMN_COUNT", "WARNING"),
        (3, "COLUMN_COUNT", "ERROR"),
    ]


def test_control_characters_are_removed_with_a_warning(file: Writer):
    answer = read(file(b"Name,City\nDa\0na\x07,Lyon\nNoa,Par\tis\n"))
    assert answer.column("name") == ["Dana", "Noa"]
    assert answer.column("address_city") == ["Lyon", "Par\tis"]
    assert [(issue.row, issue.code, issue.severity) for issue in answer.issues] == [(2, "CONTROL_CHARACTER", "WARNING")]


@pytest.mark.parametrize("key", [K.NAME, K.ADDRESS_COUNTRY, K.EXTERNAL_ID, K.PHONE, K.EMAIL, K.COMPANY_NAME])
def test_a_text_longer_than_its_column_fails_the_row(file: Writer, key: LeadFieldKey):
    longest = FIELDS[key].max_length
    answer = run(
        file(f"x\n{'9' * longest}\n{'9' * (longest + 1)}\n"),
        mapping=(to("x", key),),
        options=LENIENT,
    )
    assert answer.failed_rows == [3]
    assert answer.issues[-1].code == "TOO_LONG"


def test_a_custom_value_has_its_limit(file: Writer):
    answer = run(file(f"x\n{'a' * (MAX_CUSTOM_LENGTH + 1)}\n"), mapping=(to("x", "k"),), options=LENIENT)
    assert answer.issues[0].code == "TOO_LONG"


def test_texts_with_everything_that_copy_escapes_come_through(file: Writer):
    text = 'tab\there, back\\slash, \\N, "quote", line\r\nbreak\rend'
    answer = cell(file, "case_type", text)
    assert answer.column("case_type") == [text]
    custom = read(
        file(f'Name,k\nDana,"{text.replace(chr(34), chr(34) * 2)}"\n'), unmapped=UnmappedColumns.CUSTOM
    ).column("custom")[0]
    assert json.loads(custom) == {"k": text}


@pytest.mark.parametrize("text", ["'=1+1", "'+cmd", "'  @x", "''=x", "'＝x"])
def test_s25_our_formula_guard_is_taken_off(file: Writer, text: str):
    assert value(file, "case_type", text) == text[1:].strip()


def test_s25_an_apostrophe_that_guards_nothing_stays(file: Writer):
    assert value(file, "case_type", "'s-Hertogenbosch") == "'s-Hertogenbosch"


def test_s27_a_masked_cell_says_nothing(file: Writer):
    path = file(f"Lead ID,Phone,Email,National ID,Score\nlead_{LEAD},***5678,d***@example.com,***,***\n")
    answer = run(
        path,
        options=ImportOptions(
            required=(K.PHONE,), merge_strategy=MergeStrategy.OVERWRITE, blank_cells=BlankCells.CLEAR
        ),
    )
    (block,) = answer.blocks
    assert answer.issues == []
    assert (answer.column("phone"), answer.column("email"), answer.column("score")) == ([None], [None], [None])
    assert block.ready.national_ids == [None]
    assert block.ready.lead_ids == [LEAD]
    assert set(block.ready.untouched[0].strip("{}").split(",")) == {
        *("phone", "phone_display", "phone_key", "email", "email_key", "score"),
    }


def test_a_custom_field_is_never_masked(file: Writer):
    assert read(file("Name,k\nDana,***\n"), unmapped=UnmappedColumns.CUSTOM).column("custom") == ['{"k":"***"}']


def test_s27_a_masked_phone_of_a_new_lead_does_not_count_as_one(file: Writer):
    answer = run(file("Name,Phone\nDana,***5678\n"), options=ImportOptions(required=(K.PHONE,)))
    assert [issue.code for issue in answer.issues] == ["REQUIRED"]


@pytest.mark.parametrize("strategy", [MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS])
def test_an_update_is_told_what_must_stay(file: Writer, strategy: MergeStrategy):
    path = file("Name,Source,Tags,k\nDana,web,vip,\n,,,1\n")
    defaults = (FieldValue(value="phone", field=K.SOURCE),)
    options = {"merge_strategy": strategy, "defaults": defaults, "unmapped": UnmappedColumns.CUSTOM}
    kept = read(path, **options).blocks[0].ready
    assert kept.untouched == ["{}", "{name,source,tags}"]
    cleared = (
        read(
            path,
            merge_strategy=strategy,
            defaults=defaults,
            unmapped=UnmappedColumns.CUSTOM,
            blank_cells=BlankCells.CLEAR,
        )
        .blocks[0]
        .ready
    )
    assert cleared.untouched == ["{}", "{source}"]
    assert cleared.cleared_custom == {0: ("k",)}


def test_a_skip_is_told_nothing_of_updates(file: Writer):
    assert read(file("Name\nDana\n")).blocks[0].ready.untouched == []


@pytest.mark.parametrize("text", ["Dana Levi", "DANA@example.com", f"user_{DANA}", "dana  levi"])
def test_a_user_is_known_by_name_address_and_id(file: Writer, text: str):
    assert value(file, "assignee", text) == DANA


def test_an_unknown_user_is_a_warning_unless_it_must_be_valid(file: Writer):
    answer = cell(file, "assignee", "Nobody")
    assert (answer.column("assignee_id"), answer.issues[0].code) == ([None], "UNKNOWN_REFERENCE")
    assert cell(file, "assignee", "Nobody", must_be_valid=(K.ASSIGNEE,)).failed_rows == [2]


@pytest.mark.parametrize(
    ("header", "text", "suggestion"),
    [("chatbot", "Greter", "Greeter"), ("assignee", "dana levy", "Dana Levi"), ("chatbot", "Quite another", None)],
)
def test_an_unknown_name_suggests_the_nearest_as_people_write_it(
    file: Writer, header: str, text: str, suggestion: str | None
):
    answer = cell(file, header, text)
    (issue,) = answer.issues
    assert (issue.code, issue.severity, issue.value) == ("UNKNOWN_REFERENCE", "WARNING", text)
    assert issue.suggestion == suggestion
    assert cell(file, header, suggestion or "greeter").issues == []


def test_an_unknown_company_is_made_with_the_first_row_that_names_it(file: Writer):
    answer = read(file("Name,Company\nA,Acme\nB,New Corp\nC, new  CORP \nD,\n"))
    (company,) = answer.blocks[0].companies
    assert (company.name, company.name_key, company.rows) == ("New Corp", "new corp", (1, 2))
    assert answer.column("company_id") == [ACME, company.id, company.id, None]


def test_a_company_is_announced_again_in_every_block_that_names_it(file: Writer):
    answer = run(
        file("Name,Company\n" + "A,New Corp\n" * 3),
        options=LENIENT,
        limits=ChildLimits(block_rows=1),
    )
    assert len({block.companies[0].id for block in answer.blocks}) == 1
    assert [block.companies[0].rows for block in answer.blocks] == [(0,)] * 3


@pytest.mark.parametrize("header", ["company_id", "chatbot_id"])
def test_an_id_must_name_what_exists(file: Writer, header: str):
    kind = header.removesuffix("_id")
    assert value(file, header, f"{kind}_{ACME}") == ACME
    path = file(f"x\n{kind}_{LEAD}\n17\n")
    answer = run(path, mapping=(to("x", K(header)),), options=LENIENT)
    assert [issue.code for issue in answer.issues] == ["UNKNOWN_REFERENCE"] * 2


def test_the_search_text_is_that_of_the_lead(file: Writer):
    answer = read(file('Name,Phone,Email,External ID,Notes\nDana  LEVI,+33612345678,D@Example.com,X-1,"Call\nback"\n'))
    assert answer.column("search_text") == ["dana levi d@example.com 33612345678 x-1 call back"]
    assert (answer.column("notes_count"), answer.blocks[0].ready.notes) == (["1"], ["Call\nback"])


def test_s23_issues_are_sent_up_to_a_limit_and_counted_without(file: Writer):
    path = file("Name,Score\n" + "Dana,x\n" * 50)
    answer = run(path, options=LENIENT, limits=ChildLimits(max_issues=7, block_rows=10))
    assert (len(answer.issues), len(answer.failed_rows), answer.groups[0].rows) == (7, 50, 50)


def test_an_issue_s_value_can_be_stored_and_is_not_endless(file: Writer):
    answer = cell(file, "score", "x" * 9_000)
    assert answer.issues[0].value == "x" * 500
