"""Rows as COPY sends them to the writers."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from db.export_columns import Formatting
from db.export_copy import copy_of_deleted, copy_of_leads
from db.export_query import Part, Selection, count_deleted, count_rows, parts_of
from db.export_values import Values
from db.pool import Database
from domain.exports import LeadOrder
from domain.filter_input import read_filter
from domain.formulas import guard, strip_guard
from domain.ids import new_id
from domain.masking import MASKABLE
from domain.records import OrganizationRecord
from domain.vocabulary import (
    ExportFormat,
    LeadFieldKey,
    LeadSortField,
    MaskingMode,
    PhoneFormat,
    SortDirection,
    SplitBy,
)
from tests.conftest import MakeOrganization
from tests.db.export_rows import CONTEXT, EVERY_LEAD, add_lead, add_leads, copied, form, lines
from transfer.validate_lists import split_list
from transfer.write_csv import CsvWriter
from transfer.write_json import JsonLinesWriter

CSV = Formatting(format=ExportFormat.CSV, escape_formulas=True, separators={"tags": ","})
JSONL = Formatting(format=ExportFormat.JSONL)
RICH: Mapping[str, object] = {
    "name": "דנה לוי 😀",
    "phone": "+33612345678",
    "phone_display": "+33 6 12 34 56 78",
    "email": "dana@example.com",
    "national_id_cipher": "k1.x",
    "national_id_last4": "6782",
    "address_street": "12 Rue Longue",
    "address_postal_code": "69001",
    "address_city": "Lyon",
    "source": "WALK_IN",
    "score": 85,
    "interest_level": "HOT",
    "detected_languages": ["he", "hi_transliterated"],
    "tags": ["vip", "renewal"],
    "ai_legitimate": False,
    "conversation_id": "c-7",
    "converted_at": datetime(2024, 1, 15, 14, 30, 22, 999_999, tzinfo=UTC),
    "conversion_value": Decimal("1200.50"),
    "custom": {"policy_no": "=1+1"},
    "notes": ("first", "second\nline"),
}


@pytest.fixture
async def acme(shared_organization: MakeOrganization) -> OrganizationRecord:
    return await shared_organization()


async def _csv(
    database: Database,
    organization: OrganizationRecord,
    *keys: str,
    formatting: Formatting = CSV,
    selection: Selection = EVERY_LEAD,
) -> list[list[str]]:
    data, rows = await copied(database, organization, copy_of_leads(selection, form(formatting, *keys)))
    writer = CsvWriter(",", crlf=True)
    text = writer.feed(data).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert len(read) == rows == writer.rows
    return read


async def test_values_are_written_as_files_name_them(shared_database: Database, acme: OrganizationRecord) -> None:
    lead_id, *_ = await add_leads(shared_database, acme, RICH)
    keys = (
        *("lead_id", "name", "phone", "national_id", "address", "source", "interest_level", "detected_languages"),
        *("tags", "ai_legitimate", "conversation_url", "converted_at", "conversion_value", "custom.policy_no"),
        *("custom.absent", "notes", "notes_count", "status", "status_id", "status_name", "stage", "score"),
    )
    formatting = replace(CSV, values=Values(conversation_url="https://crm.example/{id}/x"))
    [row] = await _csv(shared_database, acme, *keys, formatting=formatting)
    assert row == [
        *(f"lead_{lead_id}", "דנה לוי 😀", "+33612345678", "***6782", "12 Rue Longue, 69001 Lyon", "walk_in", "hot"),
        *("he;hi_transliterated", "vip,renewal", "No", "https://crm.example/c-7/x", "2024-01-15 14:30:22", "1200.5"),
        *("'=1+1", "", "first\nsecond\nline", "2", "new", "new", "New", "new", "85"),
    ]


IDS_IN_LINKS = {
    "c-7._~Az09": "c-7._~Az09",
    "a b/é": "a%20b%2F%C3%A9",
    "50%?x=1&y#z": "50%25%3Fx%3D1%26y%23z",
    "שם😀\\1": "%D7%A9%D7%9D%F0%9F%98%80%5C1",
    "../*'": "..%2F%2A%27",
}


async def test_a_conversations_id_is_percent_encoded_in_its_link(
    shared_database: Database, acme: OrganizationRecord
) -> None:
    await add_leads(shared_database, acme, *({"conversation_id": text} for text in IDS_IN_LINKS))
    formatting = replace(CSV, values=Values(conversation_url="https://crm.example/{id}/x"))
    for formulas in (True, False):
        form_of = replace(formatting, escape_formulas=formulas)
        rows = await _csv(shared_database, acme, "conversation_id", "conversation_url", formatting=form_of)
        shown = {row[0].lstrip("'"): row[1] for row in rows}
        assert shown == {text: f"https://crm.example/{encoded}/x" for text, encoded in IDS_IN_LINKS.items()}


async def test_every_field_can_be_exported_in_every_format(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH, {})
    keys = [*LeadFieldKey, "custom.policy_no"]
    for file_format in ExportFormat:
        for masks in ({}, dict.fromkeys(MASKABLE, MaskingMode.PARTIAL)):
            formatting = replace(CSV, format=file_format, values=Values(masks=masks))
            _, rows = await copied(shared_database, acme, copy_of_leads(EVERY_LEAD, form(formatting, *keys)))
            assert rows == 2


async def test_instants_stand_in_the_zone_and_format_of_the_file(
    shared_database: Database, acme: OrganizationRecord
) -> None:
    await add_leads(shared_database, acme, RICH)
    formatting = replace(CSV, zone="Asia/Tokyo", date_pattern="DD/MM/YYYY HH24:MI")
    assert await _csv(shared_database, acme, "converted_at", "score", formatting=formatting) == [
        ["15/01/2024 23:30", "85"]
    ]


async def test_phones_can_take_their_reading_form(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH, {"phone": "call me"})
    formatting = replace(CSV, values=Values(phone_format=PhoneFormat.INTERNATIONAL))
    rows = await _csv(shared_database, acme, "phone", "score", formatting=formatting)
    assert [row[0] for row in rows] == ["+33 6 12 34 56 78", "call me"]


SUSPICIOUS = (
    *("=1", "+a", "-a", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠1", '"=1', "' =1", " \n=1", "\u00a0@x", "\u200b=x"),
    *("+33612345678", "-12.5", "+1 201-555-0123", "+1-2", "O'Neil", "'x", "", "a=1", "-", "+", "1-2", "'+5", "-3,7"),
)


@pytest.mark.parametrize(
    "key", ["name", "conversation_summary", "custom.x", "notes", "tags", "address", "last_call_status"]
)
async def test_s25_the_database_guards_as_the_domain_does(
    shared_database: Database, acme: OrganizationRecord, key: str
) -> None:
    def row(text: str) -> Mapping[str, object]:
        match key:
            case "custom.x":
                return {"custom": {"x": text}}
            case "notes":
                return {"notes": (text,)}
            case "tags":
                return {"tags": [text, "b"]}
            case "address":
                return {"address_street": text}
            case _:
                return {key: text}

    texts = [text for text in SUSPICIOUS if text or key not in ("tags", "address")]
    await add_leads(shared_database, acme, *(row(text) for text in texts))
    written = [cells[0] for cells in await _csv(shared_database, acme, key, "score")]
    assert written == [guard(_listed(text, "b") if key == "tags" else text) for text in texts]


def _listed(*items: str) -> str:
    quoted = ('"' + item.replace('"', '""') + '"' if set(item) & set(';,"\n\r') else item for item in items)
    return ",".join(quoted)


LISTS = (
    (["vip", "renewal"], "vip;renewal"),
    (["vip"], "vip"),
    ([], ""),
    (["a;b"], '"a;b"'),
    (["a,b", "c"], '"a,b";c'),
    (["plain", 'say "hi"'], 'plain;"say ""hi"""'),
    (["a;b", "two\nlines", "c"], '"a;b";"two\nlines";c'),
    (["=1,2", "b"], '\'"=1,2";b'),
    (["50%", "a_b", "c\\d"], "50%;a_b;c\\d"),
)


@pytest.mark.parametrize("separator", [";", ","])
async def test_an_item_that_a_reader_would_split_is_quoted_and_no_other(
    shared_database: Database, acme: OrganizationRecord, separator: str
) -> None:
    await add_leads(shared_database, acme, *({"tags": items} for items, _ in LISTS))
    for escape in (True, False):
        formatting = replace(CSV, escape_formulas=escape, separators={"tags": separator})
        cells = [cells[0] for cells in await _csv(shared_database, acme, "tags", "score", formatting=formatting)]
        texts = cells if escape else [guard(text) for text in cells]
        assert [split_list(strip_guard(text)) for text in texts] == [items for items, _ in LISTS]
        if separator == ";":
            assert texts == [cell for _, cell in LISTS]


async def test_s25_phone_columns_keep_phones_as_they_are(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, *({"phone": text, "phone_display": text} for text in SUSPICIOUS))
    written = await _csv(shared_database, acme, "phone", "phone_display")
    assert written == [[guard(text, phone=True)] * 2 for text in SUSPICIOUS]


async def test_s25_without_escape_values_stay_untouched(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, *({"name": text} for text in SUSPICIOUS))
    plain = replace(CSV, escape_formulas=False)
    assert [row[0] for row in await _csv(shared_database, acme, "name", "score", formatting=plain)] == list(SUSPICIOUS)


async def test_s27_masks_hide_values_in_every_format(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH)
    masks = {LeadFieldKey.EMAIL: MaskingMode.PARTIAL, LeadFieldKey.NAME: MaskingMode.REDACT}
    for file_format in ExportFormat:
        formatting = replace(CSV, format=file_format, values=Values(masks=masks))
        data, _ = await copied(shared_database, acme, copy_of_leads(EVERY_LEAD, form(formatting, "name", "email")))
        assert b"d***@example.com" in data
        assert b"***" in data
        assert b"dana@" not in data
        assert "דנה".encode() not in data


async def test_a_row_of_one_empty_cell_is_no_blank_line(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, {"name": "a"}, {})
    data, _ = await copied(shared_database, acme, copy_of_leads(EVERY_LEAD, form(CSV, "name")))
    assert CsvWriter(",", crlf=False).feed(data) == b'a\n""\n'


async def test_json_keeps_types(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH, {})
    keys = ("score", "tags", "ai_legitimate", "conversion_value", "converted_at", "source", "name")
    data, _ = await copied(shared_database, acme, copy_of_leads(EVERY_LEAD, form(JSONL, *keys)))
    first, second = lines(JsonLinesWriter(keys).feed(data))
    assert first == {
        "score": 85,
        "tags": ["vip", "renewal"],
        "ai_legitimate": False,
        "conversion_value": 1200.5,
        "converted_at": "2024-01-15T14:30:22+00:00",
        "source": "walk_in",
        "name": "דנה לוי 😀",
    }
    assert second == {**dict.fromkeys(keys), "tags": [], "source": "unknown"}


async def test_text_blocks_leave_out_what_is_empty(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH, {"name": "x"})
    formatting = replace(CSV, format=ExportFormat.TXT)
    data, _ = await copied(shared_database, acme, copy_of_leads(EVERY_LEAD, form(formatting, "name", "notes", "score")))
    assert data.replace(b"\x01", b"").decode() == (
        "name: דנה לוי 😀\nnotes: first\n    second\n    line\nscore: 85\n\nname: x\n\n"
    )


async def test_the_order_is_total_and_puts_nulls_last(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, {"score": 1}, {}, {"score": 3}, {"score": 2})
    for direction, expected in ((SortDirection.ASC, ["1", "2", "3", ""]), (SortDirection.DESC, ["3", "2", "1", ""])):
        order = LeadOrder(LeadSortField.SCORE, direction)
        rows = await _csv(shared_database, acme, "score", "name", selection=replace(EVERY_LEAD, order=order))
        assert [row[0] for row in rows] == expected


async def test_every_order_runs(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH, {})
    for field in LeadSortField:
        selection = replace(EVERY_LEAD, order=LeadOrder(field))
        assert len(await _csv(shared_database, acme, "name", "score", selection=selection)) == 2


async def test_filter_ids_and_limit_narrow_together(shared_database: Database, acme: OrganizationRecord) -> None:
    ids = await add_leads(shared_database, acme, {"score": 90}, {"score": 10}, {"score": 95}, {"score": 99})
    leads = read_filter({"score": {"gte": 80}})
    selection = Selection(context=CONTEXT, leads=leads, ids=tuple(ids[:3]), limit=1)
    assert [row[0] for row in await _csv(shared_database, acme, "score", "name", selection=selection)] == ["90"]
    for limit, count in ((None, 2), (1, 1), (5, 2)):
        statement = count_rows(replace(selection, limit=limit))
        async with shared_database.unit(acme.id) as connection:
            assert await connection.fetchval(statement.sql, *statement.arguments) == count


async def test_parts_are_counted_with_their_names(shared_database: Database, acme: OrganizationRecord) -> None:
    company = new_id()
    async with shared_database.unit(acme.id) as connection:
        await connection.execute("insert into companies (id, name, name_key) values ($1, 'Acme', 'acme')", company)
        for _ in range(2):
            await add_lead(connection, company_id=company)
        await add_lead(connection, name="alone")
        statement = parts_of(EVERY_LEAD, SplitBy.COMPANY, 10)
        parts = [Part(SplitBy.COMPANY, *row) for row in await connection.fetch(statement.sql, *statement.arguments)]
    assert parts == [Part(SplitBy.COMPANY, company, "Acme", 2), Part(SplitBy.COMPANY, None, None, 1)]
    rows = await _csv(shared_database, acme, "name", "score", selection=replace(EVERY_LEAD, part=parts[1]))
    assert rows == [["alone", ""]]


async def test_a_delta_tells_what_happened(shared_database: Database, acme: OrganizationRecord) -> None:
    old, gone = await add_leads(shared_database, acme, {"name": "old"}, {"name": "gone"})
    async with shared_database.unit(acme.id) as connection:
        since = await connection.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text")
    async with shared_database.unit(acme.id) as connection:
        assert old
        await connection.execute("delete from leads where id = $1", gone)
        await connection.execute("insert into lead_deletions (lead_id, external_id) values ($1, 'x')", gone)
        await add_lead(connection, name="fresh", score=90)
        await add_lead(connection, name="left", score=1)
        await add_lead(connection, name="edited", score=95, version=2)
    selection = Selection(context=CONTEXT, leads=read_filter({"score": {"gte": 80}}), since=since)
    rows = await _csv(shared_database, acme, "name", "_change", selection=selection)
    assert sorted(rows) == [["edited", "updated"], ["fresh", "created"], ["left", "removed"]]
    columns = form(CSV, "lead_id", "name", "custom.x", "deleted_at", "_change")
    data, count = await copied(shared_database, acme, copy_of_deleted(selection, columns))
    assert count == 1
    assert data.decode().startswith(f"lead_{gone},,,20")
    assert ",deleted," in data.decode()
    statement = count_deleted(selection)
    async with shared_database.unit(acme.id) as connection:
        assert await connection.fetchval(statement.sql, *statement.arguments) == 1


async def test_deleted_leads_fit_every_format(shared_database: Database, acme: OrganizationRecord) -> None:
    async with shared_database.unit(acme.id) as connection:
        await connection.execute("insert into lead_deletions (lead_id) values ($1)", new_id())
    for file_format in ExportFormat:
        columns = form(replace(CSV, format=file_format), *LeadFieldKey, "custom.x", "_change")
        assert (await copied(shared_database, acme, copy_of_deleted(replace(EVERY_LEAD, since="0"), columns)))[1] == 1


async def test_another_organization_contributes_nothing(
    shared_database: Database, acme: OrganizationRecord, shared_organization: MakeOrganization
) -> None:
    await add_leads(shared_database, acme, RICH)
    other = await shared_organization()
    assert await _csv(shared_database, other, "name", "score") == []


async def test_the_xlsx_writer_takes_what_copy_sends(shared_database: Database, acme: OrganizationRecord) -> None:
    await add_leads(shared_database, acme, RICH, {}, {"name": "\x01\x02\x03x"})
    formatting = replace(CSV, format=ExportFormat.XLSX)
    data, _ = await copied(
        shared_database, acme, copy_of_leads(EVERY_LEAD, form(formatting, "name", "score", "converted_at"))
    )
    assert data.startswith("\x01דנה לוי 😀\x01\x0285\x02d45306.604421296".encode())
