"""JSON arrays of objects and JSON Lines as CSV text: keys are columns, nested objects `outer.inner`."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from domain.fields import LIST_SEPARATORS
from domain.json import JsonObject, JsonValue
from domain.vocabulary import ImportFormat
from transfer.failures import FileFault, TooLarge, UnsafeFile
from transfer.messages import ChildLimits

_ARRAY: Final = re.compile(r"\s*\[\s*(?:[{\]\[\"]|$)")
_OBJECT: Final = re.compile(r"\s*\{\s*(?:\"|\}|$)")
_BETWEEN: Final = re.compile(r"[\s,]*")
_CHUNK_CHARACTERS: Final = 1 << 18
_DEPTH: Final = 3
_decoder: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def json_format(head: str) -> ImportFormat | None:
    """JSON for text that begins like an array of objects, JSONL for an object, None for neither."""
    if _ARRAY.match(head):
        return ImportFormat.JSON
    return ImportFormat.JSONL if _OBJECT.match(head) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonText:
    """UTF-8 text of JSON. `partial`: it may break off, and counts up to there."""

    path: Path
    kind: ImportFormat
    partial: bool = False


def write_json_as_csv(source: JsonText, target: Path, limits: ChildLimits) -> None:
    """Writes the objects as CSV with a header; the columns are all keys, in order of appearance.

    A blank line of JSON Lines stays one, so that an object's line is its row less the header.

    Raises:
        FileFault: It is no array of objects, or a line is no object; the message says where.
    """
    columns = dict[str, None]()
    try:
        for item in _objects(source, limits):
            if item is not None:
                columns.update(dict.fromkeys(flat(item)))
            if len(columns) > limits.max_columns:
                raise TooLarge(f"The objects have more than {limits.max_columns:,} different keys.")
        if not columns:
            raise FileFault("The JSON holds no object with a value.")
        with target.open("w", encoding="utf-8", newline="", errors="replace") as out:
            _write(out, list(columns), _objects(source, limits))
    except RecursionError as error:
        raise UnsafeFile("The JSON is nested too deeply.") from error


def _write(out: IO[str], columns: Sequence[str], items: Iterator[JsonObject | None]) -> None:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for item in items:
        if item is None:
            out.write("\r\n")
        else:
            values = flat(item)
            writer.writerow([values.get(column, "") for column in columns])


def flat(item: JsonObject) -> dict[str, str]:
    """An object's values as texts; lists of plain values become `a; b`."""
    return dict(_flat(item, "", 0))


def _flat(item: JsonObject, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in item.items():
        name = prefix + key
        if isinstance(value, Mapping) and depth < _DEPTH:
            yield from _flat(cast("JsonObject", value), f"{name}.", depth + 1)
        else:
            yield name, _text(value)


def _text(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case list() if not any(isinstance(item, list | dict) for item in value):
            return f"{LIST_SEPARATORS[0]} ".join(_item(_text(item)) for item in value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _item(text: str) -> str:
    if any(character in text for character in (*LIST_SEPARATORS, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


def _objects(source: JsonText, limits: ChildLimits) -> Iterator[JsonObject | None]:
    found = 0
    with source.path.open(encoding="utf-8-sig", errors="replace") as stream:
        reading = _of_lines(stream, limits) if source.kind is ImportFormat.JSONL else _of_array(stream, limits)
        try:
            for item in reading:
                found += 1
                yield item
        except FileFault:
            if not (source.partial and found):
                raise


def _of_lines(stream: IO[str], limits: ChildLimits) -> Iterator[JsonObject | None]:
    number = 0
    while text := stream.readline(limits.max_line_bytes):
        number += 1
        if len(text) == limits.max_line_bytes:
            raise FileFault(f"Line {number} is longer than {limits.max_line_bytes >> 20} MB.")
        if not text.strip():
            yield None
            continue
        try:
            value = cast("JsonValue", _decoder.decode(text.strip()))
        except ValueError as error:
            whole = "" if number > 1 else "; a file holds an array of objects, or one object a line"
            raise FileFault(f"Line {number} is no JSON{whole}.") from error
        if not isinstance(value, dict):
            raise FileFault(f"Line {number} is no JSON object.")
        yield value


def _of_array(stream: IO[str], limits: ChildLimits) -> Iterator[JsonObject]:
    reading = _Buffer(stream, limits.max_line_bytes)
    reading.expect_start()
    number = 0
    while (value := reading.next(number + 1)) is not None:
        number += 1
        yield value


class _Buffer:
    """An array's objects one after the other, with only the current one in memory."""

    def __init__(self, stream: IO[str], longest: int) -> None:
        self._stream = stream
        self._longest = longest
        self._text = ""
        self._at = 0

    def _more(self) -> bool:
        data = self._stream.read(max(_CHUNK_CHARACTERS, len(self._text) - self._at))
        self._text = self._text[self._at :] + data
        self._at = 0
        return bool(data)

    def _skip_blanks(self) -> bool:
        """Moves to the next value; False at the end of the text."""
        while True:
            match = _BETWEEN.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return True
            if not self._more():
                return False

    def expect_start(self) -> None:
        if not self._skip_blanks() or self._text[self._at] != "[":
            raise FileFault("The JSON is no array of objects.")
        self._at += 1

    def _expect_end(self, objects: int) -> None:
        self._at += 1
        if self._skip_blanks():
            raise FileFault(f"The file goes on behind the end of its JSON array, after object {objects:,}.")

    def next(self, number: int) -> JsonObject | None:
        if not self._skip_blanks():
            raise FileFault(f"The JSON ends before its array does, after object {number - 1}.")
        if self._text[self._at] == "]":
            self._expect_end(number - 1)
            return None
        while True:
            try:
                value, self._at = cast("tuple[JsonValue, int]", _decoder.raw_decode(self._text, self._at))
            except ValueError as error:
                if len(self._text) - self._at > self._longest:
                    raise FileFault(f"Object {number} is longer than {self._longest >> 20} MB or no JSON.") from error
                if not self._more():
                    raise FileFault(f"Object {number} is no JSON.") from error
                continue
            if not isinstance(value, dict):
                raise FileFault(f"Entry {number} of the array is no object.")
            return value
