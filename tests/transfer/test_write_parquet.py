"""Parquet from COPY's output, read back by pyarrow and DuckDB."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
from pyarrow import parquet

from domain.vocabulary import FieldType
from transfer.write_parquet import ParquetWriter

NAMES = ("name", "score", "value", "legitimate", "created_at", "tags")
TYPES = (
    *(FieldType.TEXT, FieldType.INTEGER, FieldType.DECIMAL),
    *(FieldType.BOOLEAN, FieldType.DATETIME, FieldType.LIST),
)
COPIED = b'"a ""b""\nc",85,1200.5,t,2024-01-15 14:30:22.123456,x\x1fy\n"",,,,,\n,,,f,2024-01-15 14:30:22,z\n'
ROWS = [
    {
        "name": 'a "b"\nc',
        "score": 85,
        "value": Decimal("1200.5000"),
        "legitimate": True,
        "created_at": datetime(2024, 1, 15, 14, 30, 22, 123456, tzinfo=UTC),
        "tags": ["x", "y"],
    },
    {"name": "", "score": None, "value": None, "legitimate": None, "created_at": None, "tags": None},
    {
        "name": None,
        "score": None,
        "value": None,
        "legitimate": False,
        "created_at": datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC),
        "tags": ["z"],
    },
]


def _file() -> bytes:
    writer = ParquetWriter(NAMES, TYPES)
    data = writer.start() + writer.feed(COPIED) + writer.finish()
    assert writer.rows == 3
    return data


def test_every_value_reads_back_typed() -> None:
    assert parquet.read_table(io.BytesIO(_file())).to_pylist() == ROWS


def test_duckdb_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "leads.parquet"
    path.write_bytes(_file())
    found = duckdb.sql(f"select name, score, tags from '{path}'").fetchall()
    assert found == [('a "b"\nc', 85, ["x", "y"]), ("", None, None), (None, None, ["z"])]


def test_a_file_without_leads_has_its_columns() -> None:
    writer = ParquetWriter(NAMES, TYPES)
    table = parquet.read_table(io.BytesIO(writer.start() + writer.finish()))
    assert (table.num_rows, table.column_names) == (0, list(NAMES))
