"""Archives written from front to back."""

import io
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from transfer.write_zip import ZipWriter

MOMENT = datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)


def _archive(*, large: bool) -> bytes:
    writer = ZipWriter(MOMENT)
    pieces = [writer.open("לידים.csv", large=large)]
    pieces += [writer.feed(b"0123456789" * 1000) for _ in range(20)]
    pieces += [writer.close(), writer.write("empty.txt", b""), writer.finish()]
    return b"".join(pieces)


@pytest.mark.parametrize("large", [False, True])
def test_an_archive_reads_back_whole(large: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with zipfile.ZipFile(io.BytesIO(_archive(large=large))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["לידים.csv", "empty.txt"]
        assert archive.read("לידים.csv") == b"0123456789" * 20_000
        assert archive.getinfo("empty.txt").date_time == (2024, 1, 15, 14, 30, 22)


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
@pytest.mark.parametrize("large", [False, True])
def test_unzip_finds_no_fault(tmp_path: Path, large: bool) -> None:  # noqa: FBT001 - a parameter of the test
    path = tmp_path / "a.zip"
    path.write_bytes(_archive(large=large))
    assert subprocess.run(["unzip", "-tq", str(path)], check=False, capture_output=True).returncode == 0
