"""Why a file cannot be imported at all."""

import errno
from typing import Final

from domain.vocabulary import JobFailureCode

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FileFault(Exception):
    """The file cannot be read (on). `code` and `message` end the job; the message is safe to show."""

    code = JobFailureCode.UNREADABLE_FILE

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnsafeFile(FileFault):
    """The file would use far more memory or disk than its size says."""

    code = JobFailureCode.UNSAFE_FILE


class TooLarge(FileFault):
    """The file passes a limit of the organization."""

    code = JobFailureCode.LIMIT_EXCEEDED


class NoRoom(FileFault):
    """This machine's disk is full; the same file may be read another time."""

    code = JobFailureCode.STORAGE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The server has no room left on its disk to read the file.")


def is_disk_full(error: BaseException) -> bool:
    """Whether writing failed for want of room."""
    return isinstance(error, OSError) and error.errno in _FULL


def damaged(error: Exception, message: str) -> FileFault:
    """What an error while unpacking means: the message, unless it is the disk that is full."""
    return NoRoom() if is_disk_full(error) else FileFault(message)
