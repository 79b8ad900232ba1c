"""CSV, JSON and text around COPY's output, in whatever pieces it comes."""

import csv
import io
import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from domain.copy_forms import RECORD_MARK, json_name
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


OBJECTS = b'{"a":1}\n{"a":"x\\ny"}\n{"a":null}\n'


@given(st.integers(1, 30))
def test_json_is_one_array_however_it_comes(size: int) -> None:
    writer = JsonWriter(["a"])
    text = writer.start() + _in_pieces(writer.feed, OBJECTS, size) + writer.finish()
    assert json.loads(text) == [{"a": 1}, {"a": "x\ny"}, {"a": None}]
    assert writer.rows == 3


def test_json_without_leads_is_an_empty_array() -> None:
    writer = JsonWriter(["a"])
    assert json.loads(writer.start() + writer.finish()) == []


def test_a_key_longer_than_postgresql_keeps_comes_back_whole() -> None:
    long = 'ש"' * 40
    name = json_name(long, 1)
    content = f'"{name}":'
    line = json.dumps({"a": content, name: 2}).encode() + b"\n"
    assert len(name) < 63
    assert json.loads(JsonLinesWriter(["a", long]).feed(line)) == {"a": content, long: 2}


@given(st.integers(1, 30))
def test_text_blocks_are_separated_by_blank_lines(size: int) -> None:
    writer = TextWriter()
    data = b"\x01Name: A\nNote: x\n    y\n\x01\n\x01Name: B\x01\x01\n\x01\n"
    assert _in_pieces(writer.feed, data, size) == b"Name: A\nNote: x\n    y\n\nName: B\n\n"
    assert writer.rows == 2
