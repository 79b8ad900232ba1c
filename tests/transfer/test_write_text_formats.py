"""CSV, JSON and text around COPY's output, in whatever pieces it comes."""

import csv
import io
import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from domain.copy_forms import RECORD_MARK
from transfer.write_csv import CsvDialect, CsvWriter, csv_head
from transfer.write_json import JsonLinesWriter, JsonWriter
from transfer.write_txt import TextWriter

_CELL = st.text(alphabet=st.sampled_from('ab",;\r\n\x01 é'), max_size=6)


def _copied(rows: list[list[str]], delimiter: str) -> bytes:
    """What COPY writes: quotes where needed, LF, an empty text as \"\"."""
    needs = {'"', "\r", "\n", delimiter}

    def cell(text: str) -> str:
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if not text or needs & set(text) else text

    return "".join(delimiter.join(map(cell, [*row, RECORD_MARK])) + "\n" for row in rows).encode()


def _in_pieces(feed: Callable[[bytes], bytes], data: bytes, size: int) -> bytes:
    return b"".join(feed(data[start : start + size]) for start in range(0, len(data), size))


@given(
    st.lists(st.lists(_CELL, min_size=2, max_size=2), max_size=8),
    st.sampled_from([",", ";"]),
    st.integers(1, 40),
    st.booleans(),
)
def test_csv_keeps_every_value_and_ends_every_record(
    rows: list[list[str]],
    delimiter: str,
    size: int,
    crlf: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    writer = CsvWriter(delimiter, crlf=crlf)
    written = _in_pieces(writer.feed, _copied(rows, delimiter), size) + writer.finish()
    assert list(csv.reader(io.StringIO(written.decode(), newline=""), delimiter=delimiter)) == rows
    assert writer.rows == len(rows)
    assert written.count(b"\r\n") >= (len(rows) if crlf else 0)
    assert not rows or written.endswith(b"\r\n" if crlf else b"\n")


def test_the_header_has_a_bom_and_no_formulas() -> None:
    excel = CsvDialect(delimiter=";", bom=True)
    assert csv_head(["שם", "=1+1", 'a;"b"'], excel) == b'\xef\xbb\xbf\xd7\xa9\xd7\x9d;\'=1+1;"a;""b"""\r\n'
    assert csv_head(["=a"], CsvDialect(crlf=False, escape=False)) == b"=a\n"


_VALUE = st.one_of(st.none(), st.text(alphabet=st.sampled_from('a"\\\\,\n\r\t\x01\x02\x03\x1f é😀'), max_size=6))


def _cells(rows: list[tuple[str | None, int | None, str | None]]) -> bytes:
    """What COPY writes: texts in quotes of their own, numbers bare, nothing for NULL."""

    def text(value: str | None) -> str:
        return "" if value is None else "\x01" + value.replace("\x01", "\x01\x01") + "\x01"

    def row(first: str | None, number: int | None, last: str | None) -> str:
        return "\x02".join((text(first), "" if number is None else str(number), text(last))) + "\n"

    return "".join(row(*one) for one in rows).encode()


@given(st.lists(st.tuples(_VALUE, st.none() | st.integers(), _VALUE), min_size=1, max_size=6))
def test_json_keeps_every_value(rows: list[tuple[str | None, int | None, str | None]]) -> None:
    keys = ["a", 'ש"\n', "c"]
    expected = [dict(zip(keys, row, strict=True)) for row in rows]
    lines, array = JsonLinesWriter(keys), JsonWriter(keys)
    text = lines.start() + lines.feed(_cells(rows)) + lines.feed(_cells(rows)) + lines.finish()
    assert [json.loads(line) for line in text.decode().split("\n")[:-1]] == expected * 2
    text = array.start() + array.feed(_cells(rows)) + array.feed(_cells(rows)) + array.finish()
    assert json.loads(text) == expected * 2
    assert (lines.rows, array.rows) == (2 * len(rows), 2 * len(rows))


def test_json_without_leads_is_an_empty_array() -> None:
    writer = JsonWriter(["a"])
    assert json.loads(writer.start() + writer.finish()) == []


def test_a_single_empty_cell_is_null() -> None:
    assert JsonLinesWriter(["a"]).feed(b"\n\n1\n\n") == b'{"a":null}\n{"a":null}\n{"a":1}\n{"a":null}\n'


@given(st.integers(1, 30))
def test_text_blocks_are_separated_by_blank_lines(size: int) -> None:
    writer = TextWriter()
    data = b"\x01Name: A\nNote: x\n    y\n\x01\n\x01Name: B\x01\x01\n\x01\n"
    assert _in_pieces(writer.feed, data, size) == b"Name: A\nNote: x\n    y\n\nName: B\n\n"
    assert writer.rows == 2
