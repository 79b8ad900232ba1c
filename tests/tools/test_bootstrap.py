"""The bootstrap, as far as it can be tried without downloading: make run and make test are its real test."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import tree
from tools import bootstrap


def test_an_older_python_can_read_it_to_its_version_check():
    ast.parse(tree.text("tools/bootstrap.py"), feature_version=(3, 7))


def test_an_older_python_gets_one_plain_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit) as exited:
        bootstrap.check_python()
    assert exited.value.code == "Leadport needs Python 3.11 or newer; this is 3.9. Try: make PYTHON=python3.11"


def test_an_unknown_target_gets_the_usage_and_makes_nothing():
    ran = subprocess.run(
        [sys.executable, tree.ROOT / "tools" / "bootstrap.py", "everything"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (1, "usage: python3 tools/bootstrap.py run|dev|lock\n")


def test_an_environment_is_made_again_when_its_lock_changes(tmp_path: Path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("a==1\n")
    before = bootstrap.fingerprint(lock)
    lock.write_text("a==2\n")
    assert bootstrap.fingerprint(lock) != before


def test_an_environment_of_another_python_is_not_usable(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / "pyvenv.cfg").write_text("version = 3.10.1\n")
    assert not bootstrap.usable(tmp_path)
