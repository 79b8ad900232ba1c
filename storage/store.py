"""Where files live: a local folder, S3, Google Cloud Storage or Azure, all through obstore.

Keys are generated, never taken from a name that somebody gave. A file appears under its key when it is whole.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

if TYPE_CHECKING:
    from obstore import AsyncWritableFile, GetOptions
    from obstore.store import ObjectStore

_PART_BYTES: Final = 8 << 20
_READ_BYTES: Final = 1 << 20
_UPLOADS_AT_ONCE: Final = 4
_UNFINISHED: Final = re.compile(r".+#\d+")
"""What obstore calls a local file until it is whole, and shows nobody."""


class StorageUnavailable(Exception):
    """The object store did not answer or refused; worth another try."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file that is whole: size in bytes and SHA-256 in hexadecimal."""

    key: str
    bytes: int
    sha256: str


class Writer:
    """Writes one object from front to back and keeps its size and digest."""

    def __init__(self, key: str, sink: "AsyncWritableFile") -> None:
        self._key = key
        self._sink = sink
        self._digest = hashlib.sha256()
        self._bytes = 0

    async def write(self, data: bytes) -> None:
        """Append. Raises StorageUnavailable."""
        self._digest.update(data)
        self._bytes += len(data)
        await self._sink.write(data)

    def stored(self) -> StoredObject:
        """What has been written so far."""
        return StoredObject(self._key, self._bytes, self._digest.hexdigest())


class Store:
    """An object store. Every method raises StorageUnavailable where the store fails."""

    def __init__(self, backend: "ObjectStore", folder: Path | None = None) -> None:
        self._backend = backend
        self._folder = folder

    @property
    def local(self) -> bool:
        """Whether the files lie in a folder of this machine."""
        return isinstance(self._backend, LocalStore)

    @asynccontextmanager
    async def writer(self, key: str, *, content_type: str, download_name: str) -> AsyncGenerator[Writer]:
        """A writer whose object appears when the block ends well, and never otherwise."""
        try:
            sink = obstore.open_writer_async(
                self._backend,
                key,
                attributes=None if self.local else _attributes(content_type, download_name),
                buffer_size=_PART_BYTES,
                max_concurrency=_UPLOADS_AT_ONCE,
            )
            async with sink as opened:
                yield Writer(key, opened)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    async def put(
        self, key: str, chunks: AsyncIterable[bytes], *, content_type: str, download_name: str
    ) -> StoredObject:
        """Store a stream whole, or nothing of it where the stream or the store fails."""
        async with self.writer(key, content_type=content_type, download_name=download_name) as writer:
            async for chunk in chunks:
                await writer.write(chunk)
        return writer.stored()

    async def size(self, key: str) -> int | None:
        """The object's size in bytes, None where there is none."""
        try:
            return (await obstore.head_async(self._backend, key))["size"]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from start to end (exclusive), in pieces. Raises FileNotFoundError."""
        try:
            result = await obstore.get_async(self._backend, key, options=_range(start, end))
            async for piece in result.stream(min_chunk_size=_READ_BYTES):
                yield bytes(piece)
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    async def fetch(self, key: str, path: Path) -> None:
        """Copy the object to a file of this machine. Raises FileNotFoundError."""
        with path.open("wb") as target:
            async for piece in self.read(key):
                target.write(piece)

    async def delete(self, *keys: str) -> None:
        """Delete objects; those that are absent already are no error."""
        for key in keys:
            try:
                await obstore.delete_async(self._backend, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise StorageUnavailable(type(error).__name__) from error

    async def presign(self, key: str, seconds: int) -> str | None:
        """A link of the object store's own, None where the files are local."""
        if isinstance(self._backend, LocalStore):
            return None
        try:
            return await obstore.sign_async(self._backend, "GET", key, timedelta(seconds=seconds))  # type: ignore[arg-type] - all but the local one sign
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    async def older_than(self, prefix: str, moment: datetime) -> AsyncIterator[str]:
        """The keys under a prefix that were written before a moment."""
        try:
            async for batch in obstore.list(self._backend, prefix):  # pyright: ignore[reportUnknownMemberType] - optional Arrow
                for entry in batch:
                    if entry["last_modified"] < moment:
                        yield entry["path"]
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    async def drop_unfinished(self, before: datetime) -> int:
        """Delete what killed writers left in a local folder and nobody has written to since; how many files.

        Object stores do this themselves, where the bucket has a rule for incomplete multipart uploads.
        """
        if self._folder is None:
            return 0
        return await asyncio.to_thread(_drop_unfinished, self._folder, before.timestamp())

    async def check(self) -> None:
        """Write, read and delete a small object. Raises StorageUnavailable."""
        key = f"checks/{time.time_ns()}"
        async with self.writer(key, content_type="text/plain", download_name="check.txt") as writer:
            await writer.write(b"ok")
        if b"".join([piece async for piece in self.read(key)]) != b"ok":
            raise StorageUnavailable("the object read back differs")
        await self.delete(key)


def open_store(url: str, options: dict[str, str] | None = None) -> Store:
    """The store behind a URL: `file:///folder`, `s3://bucket/prefix`, `gs://…`, `az://…`.

    `options` are obstore's own (`endpoint`, `access_key_id`, …). Raises ValueError for an address it cannot use.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(parts.path)
        return Store(LocalStore(prefix=folder, automatic_cleanup=False, mkdir=True), folder)
    plain_http = (options or {}).get("endpoint", "").startswith("http://")
    try:
        backend = from_url(url, config=options or None, client_options={"allow_http": plain_http})  # type: ignore[arg-type] - keys depend on the URL
    except (BaseError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"not a usable storage address: {url} ({reason})") from error
    return Store(backend)  # pyright: ignore[reportUnknownArgumentType] - obstore's union of classes


def _drop_unfinished(folder: Path, before: float) -> int:
    dropped = 0
    for path in folder.rglob("*#*"):
        with suppress(FileNotFoundError):  # it has just become whole
            if _UNFINISHED.fullmatch(path.name) and path.stat().st_mtime < before:
                path.unlink()
                dropped += 1
    return dropped


def content_disposition(name: str) -> str:
    """`attachment` with the file's name in both forms of RFC 6266; the name cannot break out of the header."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._- ") else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _range(start: int, end: int | None) -> "GetOptions | None":
    """None for the whole: an empty object has no byte that a range could begin with."""
    if end is not None:
        return {"range": (start, end)}
    return {"range": {"offset": start}} if start else None


def _attributes(content_type: str, download_name: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Content-Disposition": content_disposition(download_name)}
