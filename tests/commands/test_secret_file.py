import stat
import subprocess
import sys
from pathlib import Path

from commands.secret_file import demo_secret_keys
from domain.keyring import parse_secrets

REPOSITORY = Path(__file__).parents[2]


def test_the_secret_is_made_once_and_is_good(tmp_path: Path):
    first = demo_secret_keys(tmp_path / "data")
    assert demo_secret_keys(tmp_path / "data") == first
    assert list(parse_secrets(first)) == ["demo"]


def test_every_data_folder_has_another_secret(tmp_path: Path):
    assert demo_secret_keys(tmp_path / "a") != demo_secret_keys(tmp_path / "b")


def test_nobody_else_may_read_the_secret(tmp_path: Path):
    demo_secret_keys(tmp_path)
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_at_once_have_one_secret(tmp_path: Path):
    call = "print(demo_secret_keys(Path(sys.argv[1])))"
    code = f"import sys; from pathlib import Path; from commands.secret_file import demo_secret_keys; {call}"
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert len({process.communicate()[0] for process in processes}) == 1
