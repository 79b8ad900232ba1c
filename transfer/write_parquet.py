"""Apache Parquet by Arrow batches: COPY's CSV is parsed by Arrow block by block, and each block is a row group.

Instants come as UTC without offset, lists with LIST_SEPARATOR between their items, NULL as a bare empty field.
"""

import io
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
from pyarrow import compute, csv, parquet
from typing_extensions import Buffer

from domain.copy_forms import LIST_SEPARATOR
from domain.vocabulary import FieldType

_BLOCK_BYTES: Final = 4 << 20
_INSTANT: Final = pa.timestamp("us")
_TYPES: Final[dict[FieldType, pa.DataType]] = {
    FieldType.INTEGER: pa.int32(),
    FieldType.DECIMAL: pa.decimal128(18, 4),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATETIME: _INSTANT,
}


class _Sink(io.RawIOBase):
    """Forgets what was drained, while its position goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Buffer) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def drain(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class ParquetWriter:
    """Turns COPY's output, in pieces of whole rows, into the file. `rows` counts the rows so far."""

    def __init__(self, names: Sequence[str], types: Sequence[FieldType]) -> None:
        self._names = list(names)
        self._types = list(types)
        fields = [pa.field(name, _shown_type(kind)) for name, kind in zip(names, types, strict=True)]
        self._schema = pa.schema(fields)
        self._sink = _Sink()
        self._file = parquet.ParquetWriter(pa.PythonFile(self._sink), self._schema, compression="zstd")
        self._pieces: list[bytes] = []
        self._waiting = 0
        self.rows = 0

    def start(self) -> bytes:
        """The file's beginning."""
        return self._sink.drain()

    def feed(self, data: bytes) -> bytes:
        """More rows; they are written a block at a time."""
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= _BLOCK_BYTES:
            self._write_block()
        return self._sink.drain()

    def finish(self) -> bytes:
        """The last block and the file's footer."""
        if self._waiting:
            self._write_block()
        self._file.close()
        return self._sink.drain()

    def _write_block(self) -> None:
        block, self._pieces, self._waiting = b"".join(self._pieces), [], 0
        places = [str(place) for place in range(len(self._names))]
        table = csv.read_csv(
            io.BytesIO(block),
            read_options=csv.ReadOptions(column_names=places, block_size=len(block) + 1, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types={
                    place: _TYPES.get(kind, pa.string()) for place, kind in zip(places, self._types, strict=True)
                },
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        for place in (place for place, kind in enumerate(self._types) if kind is FieldType.LIST):
            items = compute.split_pattern(table.column(place).combine_chunks(), LIST_SEPARATOR)
            table = table.set_column(place, str(place), items)
        self._file.write_table(table.rename_columns(self._names).cast(self._schema))
        self.rows += table.num_rows


def _shown_type(kind: FieldType) -> pa.DataType:
    match kind:
        case FieldType.LIST:
            return pa.list_(pa.string())
        case FieldType.DATETIME:
            return pa.timestamp("us", tz="UTC")
        case _:
            return _TYPES.get(kind, pa.string())
