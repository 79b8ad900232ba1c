"""The settings that the embedded server is started with; each is an argument, so that no stale file overrides it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - asked about, never written to
ENOUGH_SHARED_MEMORY = 256 * 1024 * 1024  # bytes; containers have 64 MB unless told otherwise
WRITABLE_BY_OTHERS = 0o002


def server_arguments(run: Path, settings: Mapping[str, str]) -> list[str]:
    """Arguments of the postmaster: the defaults, overridden by `settings`, for a socket in the folder `run` alone."""
    defaults = {
        "shared_buffers": "256MB",
        "max_connections": "200",
        # bulk loads: fewer checkpoints, and room for building an index in memory
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "maintenance_work_mem": "256MB",
        "random_page_cost": "1.1",
        "jit": "off",  # costs more than it saves on short statements
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
        "timezone": "UTC",
        "log_timezone": "UTC",
        # the text of an error and of its statement may hold a lead's values, and whoever caused it was told
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
    }
    fixed = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(run),
        "unix_socket_permissions": "0700",
        "logging_collector": "off",
    }
    return [part for name, value in {**defaults, **settings, **fixed}.items() for part in ("-c", f"{name}={value}")]


def _dynamic_shared_memory() -> str:
    """Files where /dev/shm is absent, as in a bare chroot, or so small that a parallel query would fail in it."""
    if sys.platform == "darwin":  # which has it without a folder
        return "posix"
    try:
        size = os.statvfs(SHARED_MEMORY)
        usable = bool(SHARED_MEMORY.stat().st_mode & WRITABLE_BY_OTHERS)
    except OSError:
        return "mmap"
    return "posix" if usable and size.f_frsize * size.f_blocks >= ENOUGH_SHARED_MEMORY else "mmap"
