"""The one JSON form of answers."""

from collections.abc import Mapping
from typing import Final

import orjson

__all__ = ["encode"]

_OPTIONS: Final = orjson.OPT_UTC_Z


def encode(answer: Mapping[str, object]) -> bytes:
    """An answer as UTF-8 JSON; instants of rows are datetimes in UTC, written as the DateTime scalar does."""
    return orjson.dumps(answer, option=_OPTIONS)
