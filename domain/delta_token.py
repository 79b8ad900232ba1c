"""Delta tokens: which cluster of which transaction a later export begins with."""

import re
from typing import Final

_FORM: Final = re.compile(r"d1-([0-9a-f]{1,16})-([0-9]{1,20})")


def delta_token(cluster: int, xmin: str) -> str:
    """The token of a snapshot: the cluster's identity and the oldest transaction that it may not have seen."""
    return f"d1-{cluster:x}-{xmin}"


def read_delta_token(token: str) -> tuple[int, str] | None:
    """The cluster's identity and the transaction id, None where this is no token."""
    match = _FORM.fullmatch(token)
    return (int(match[1], 16), match[2]) if match else None
