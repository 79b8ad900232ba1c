"""Compressed streams read back by other implementations."""

import gzip
import io
import zipfile
from datetime import UTC, datetime

import zstandard

from domain.vocabulary import Compression
from transfer.write_packed import packer

PIECES = [b"name,phone\r\n", b"", b"Dana,+33612345678\r\n" * 5000]
WHOLE = b"".join(PIECES)


def _packed(compression: Compression) -> bytes:
    stream = packer(compression, "leads.csv", datetime(2024, 1, 15, tzinfo=UTC))
    return b"".join([stream.feed(piece) for piece in PIECES] + [stream.finish()])


def test_no_compression_changes_nothing() -> None:
    assert _packed(Compression.NONE) == WHOLE


def test_gzip_reads_back() -> None:
    assert gzip.decompress(_packed(Compression.GZIP)) == WHOLE


def test_zstandard_reads_back() -> None:
    assert zstandard.ZstdDecompressor().stream_reader(io.BytesIO(_packed(Compression.ZSTD))).read() == WHOLE


def test_a_zip_archive_holds_the_one_file() -> None:
    with zipfile.ZipFile(io.BytesIO(_packed(Compression.ZIP))) as archive:
        assert archive.namelist() == ["leads.csv"]
        assert archive.read("leads.csv") == WHOLE


def test_an_empty_stream_is_a_whole_archive() -> None:
    stream = packer(Compression.ZIP, "leads.csv", datetime(2024, 1, 15, tzinfo=UTC))
    with zipfile.ZipFile(io.BytesIO(stream.finish())) as archive:
        assert archive.read("leads.csv") == b""
