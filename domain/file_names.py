"""Names that somebody gave a file: text to show, part of no path."""

import unicodedata
from typing import Final

MAX_FILE_NAME: Final = 200
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of control, direction, surrogate and unassigned characters."""


def shown_file_name(given: str, otherwise: str = "upload") -> str:
    """The last part of the name without what cannot be seen; at most MAX_FILE_NAME characters, the end kept."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(char for char in last if unicodedata.category(char) not in _UNSEEN).strip().strip(" .")
    if len(seen) <= MAX_FILE_NAME:
        return seen or otherwise
    stem, dot, ending = seen.rpartition(".")
    if not dot or len(ending) > MAX_FILE_NAME // 4:
        return seen[:MAX_FILE_NAME]
    return stem[: MAX_FILE_NAME - len(ending) - 1] + dot + ending
