"""The store over S3, with SeaweedFS as the peer."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from storage.store import StorageUnavailable, Store, open_store
from tests.object_store import ObjectStore, seaweed


@pytest.fixture(scope="module")
def peer() -> Iterator[ObjectStore]:
    with seaweed() as store:
        yield store


@pytest.fixture(scope="module")
async def store(peer: ObjectStore) -> Store:
    opened = open_store(peer.url, peer.options)
    for attempt in range(40):  # its volumes come up a moment after its port
        try:
            await opened.check()
            break
        except StorageUnavailable:
            assert attempt < 39
            await asyncio.sleep(0.5)
    return opened


async def _write(store: Store, key: str, data: bytes) -> None:
    async with store.writer(key, content_type="text/csv", download_name="leads.csv") as writer:
        await writer.write(data)


async def test_an_object_of_several_parts_reads_back_whole_and_in_part(store: Store) -> None:
    data = os.urandom(20 << 20)
    await _write(store, "big", data)
    assert b"".join([piece async for piece in store.read("big")]) == data
    assert b"".join([piece async for piece in store.read("big", 9_000_000, 9_000_010)]) == data[9_000_000:9_000_010]


async def test_an_empty_object_reads_back_empty(store: Store) -> None:
    await _write(store, "empty", b"")
    assert [piece async for piece in store.read("empty")] == []


async def test_a_write_that_fails_leaves_no_object(store: Store) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * (9 << 20)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.put("broken", chunks(), content_type="text/csv", download_name="x.csv")
    assert await store.size("broken") is None


async def test_a_presigned_link_serves_the_file_as_an_attachment_and_no_other(store: Store) -> None:
    await _write(store, "mine", b"1,2\n")
    url = await store.presign("mine", 60)
    assert url is not None
    async with httpx.AsyncClient() as http:
        answer = await http.get(url)
        other = await http.get(url.replace("/mine?", "/big?"))
    assert answer.text == "1,2\n"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert answer.headers["content-type"] == "text/csv"
    assert other.status_code == 403


async def test_a_presigned_link_ends(store: Store) -> None:
    await _write(store, "short", b"x")
    url = await store.presign("short", 1)
    assert url is not None
    await asyncio.sleep(2.5)
    async with httpx.AsyncClient() as http:
        assert (await http.get(url)).status_code == 403


async def test_a_store_that_is_away_is_unavailable() -> None:
    options = {"endpoint": "http://127.0.0.1:9", "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    away = open_store("s3://leads/files", {**options, "virtual_hosted_style_request": "false"})
    with pytest.raises(StorageUnavailable):
        await asyncio.wait_for(away.size("x"), 60)
