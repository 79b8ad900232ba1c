"""Compression of a stream: gzip (RFC 1952, by ISA-L), Zstandard (RFC 8878), a ZIP archive of one file, or none."""

from datetime import datetime
from typing import Final, Protocol, assert_never

import zstandard
from isal import isal_zlib

from domain.vocabulary import Compression
from transfer.write_zip import ZipWriter

_GZIP: Final = 31
_GZIP_LEVEL: Final = 1
_ZSTD_LEVEL: Final = 3


class Packer(Protocol):
    """Takes a stream in pieces; what both methods return, in order, is the packed stream."""

    def feed(self, data: bytes) -> bytes:
        """Pack more; what is ready so far."""
        ...

    def finish(self) -> bytes:
        """What is left."""
        ...


def packer(compression: Compression, member: str, moment: datetime) -> Packer:
    """The packer of a compression; a ZIP archive calls its one file `member`, dated `moment`."""
    match compression:
        case Compression.NONE:
            return _Plain()
        case Compression.GZIP:
            return _Gzip()
        case Compression.ZSTD:
            return _Zstd()
        case Compression.ZIP:
            return _Zip(member, moment)
        case _:
            assert_never(compression)


class _Plain:
    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _Gzip:
    def __init__(self) -> None:
        self._stream = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def feed(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()


class _Zstd:
    def __init__(self) -> None:
        self._stream = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()

    def feed(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def finish(self) -> bytes:
        return self._stream.flush()


class _Zip:
    def __init__(self, member: str, moment: datetime) -> None:
        self._archive = ZipWriter(moment)
        self._head = self._archive.open(member, large=True)

    def feed(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + self._archive.feed(data)

    def finish(self) -> bytes:
        head, self._head = self._head, b""
        return head + self._archive.close() + self._archive.finish()
