"""The store over a local folder."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.store import Store, content_disposition, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/files")


async def _write(store: Store, key: str, data: bytes) -> None:
    async with store.writer(key, content_type="text/csv", download_name="leads.csv") as writer:
        await writer.write(data)


async def test_a_written_object_reads_back_whole_and_in_part(store: Store) -> None:
    await _write(store, "a/b", b"0123456789")
    assert b"".join([piece async for piece in store.read("a/b")]) == b"0123456789"
    assert b"".join([piece async for piece in store.read("a/b", 2, 5)]) == b"234"
    assert await store.size("a/b") == 10


async def test_a_writer_that_fails_leaves_nothing_under_its_key(store: Store) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * (9 << 20)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.put("broken", chunks(), content_type="text/csv", download_name="x.csv")
    assert await store.size("broken") is None


async def test_an_empty_object_reads_back_empty(store: Store) -> None:
    await _write(store, "empty", b"")
    assert [piece async for piece in store.read("empty")] == []


async def test_put_gives_size_and_digest(store: Store) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    stored = await store.put("k", chunks(), content_type="text/plain", download_name="k.txt")
    assert (stored.bytes, stored.sha256) == (3, hashlib.sha256(b"abc").hexdigest())


async def test_fetch_copies_also_an_empty_object(store: Store, tmp_path: Path) -> None:
    await _write(store, "empty", b"")
    await store.fetch("empty", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


async def test_deleting_an_absent_object_is_no_error(store: Store) -> None:
    await _write(store, "k", b"x")
    await store.delete("k", "absent")
    assert await store.size("k") is None


async def test_only_older_objects_are_listed(store: Store) -> None:
    await _write(store, "jobs/1", b"x")
    now = datetime.now(UTC)
    assert [key async for key in store.older_than("jobs", now + timedelta(minutes=1))] == ["jobs/1"]
    assert [key async for key in store.older_than("jobs", now - timedelta(minutes=1))] == []


async def test_a_store_that_works_passes_its_check(store: Store) -> None:
    await store.check()


def test_an_unusable_address_is_refused() -> None:
    with pytest.raises(ValueError, match="storage address"):
        open_store("nonsense://x")


def test_a_name_cannot_break_out_of_its_header() -> None:
    header = content_disposition('le"ads\r\nSet-Cookie: x; שלום.csv')
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2
    assert header.isascii()
