"""The examples of the documentation, run as they stand against a server with demo data."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from domain.webhooks import new_signing_secret
from tests.examples import DOCS, blocks
from tests.serving import Server, demo_folder

ADDRESS = "127.0.0.1:8000"
SHELL = blocks("api.md", "sh")
PYTHON = blocks("api.md", "python")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with demo_folder() as folder:
        started = Server(folder)
        try:
            yield started
        finally:
            started.stop()


def run(server: Server, command: list[str], folder: Path, source: str) -> str:
    """What an example printed; its address is that of the server."""
    text = source.replace(ADDRESS, server.url.removeprefix("http://"))
    environment = {**os.environ, "TOKEN": server.demo_token}
    ended = subprocess.run(
        command, input=text, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the examples need curl and jq")
@pytest.mark.parametrize("number", range(len(SHELL)))
def test_an_example_for_the_shell_runs(server: Server, tmp_path: Path, number: int):
    printed = run(server, ["bash", "-euo", "pipefail"], tmp_path, SHELL[number])
    assert printed.strip()
    for answer in re.findall(r"^\{.*\}$", printed, re.MULTILINE):
        body = json.loads(answer)
        assert "errors" not in body, body
        assert all(not field.get("userErrors") for field in body["data"].values() if isinstance(field, dict)), body


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_an_example_in_python_runs(server: Server, tmp_path: Path, number: int):
    run(server, [sys.executable, "-W", "error", "-"], tmp_path, PYTHON[number])


def test_the_example_for_webhooks_tells_our_messages_from_others():
    example: dict[str, object] = {}
    exec(next(source for source in PYTHON if "def verified" in source), example)
    secret, body, at = new_signing_secret(), b'{"type": "job.finished"}', datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", at, body.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    verified = example["verified"]
    assert verified(secret, headers, body)
    assert not verified(secret, headers, body + b" ")
    assert not verified(secret, {**headers, "webhook-timestamp": str(int(at.timestamp()) - 400)}, body)


def test_every_language_has_examples():
    assert len(SHELL) >= 5
    assert len(PYTHON) >= 5
    assert len(blocks("api.md", "ts")) >= 2


@pytest.mark.parametrize("page", [*DOCS.glob("*.md"), DOCS.parent / "README.md"], ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path):
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    tests = re.findall(r"`(tests/[\w/.]+)`", text)
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    assert [name for name in tests if not (DOCS.parent / name).exists()] == []
