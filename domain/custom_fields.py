"""Custom fields as callers write them: an object of texts by key, in which a null removes a key."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from domain.errors import InputProblem, Path, Problem
from domain.fields import MAX_CUSTOM_FIELDS, MAX_CUSTOM_LENGTH
from domain.json import JsonObject, JsonValue
from domain.vocabulary import UserErrorCode

__all__ = ["MAX_CUSTOM_KEY", "CustomChange", "custom_change", "custom_problems"]

MAX_CUSTOM_KEY: Final = 100


@dataclass(frozen=True, slots=True)
class CustomChange:
    """Texts to set by key, and keys to remove."""

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    removed: tuple[str, ...] = ()


def custom_change(given: JsonObject) -> CustomChange:
    """What a checked object asks for; numbers and truth values become their JSON text."""
    values = {key.strip(): _text(value) for key, value in given.items() if value is not None}
    return CustomChange(values, tuple(key.strip() for key, value in given.items() if value is None))


def custom_problems(given: JsonObject, path: Path) -> Iterator[Problem]:
    """What is wrong with an object of custom fields; how many keys the organization has is seen elsewhere."""
    if len(given) > MAX_CUSTOM_FIELDS:
        message = f"An organization has at most {MAX_CUSTOM_FIELDS} custom fields."
        yield InputProblem(UserErrorCode.LIMIT_EXCEEDED, message, path)
        return
    for key, value in given.items():
        place = (*path, key)
        if not 0 < len(key.strip()) <= MAX_CUSTOM_KEY or not key.isprintable():
            yield InputProblem(UserErrorCode.INVALID, f"A key has 1 to {MAX_CUSTOM_KEY} printable characters.", path)
        elif isinstance(value, Mapping | list | tuple):
            yield InputProblem(UserErrorCode.INVALID, "A custom field is a text.", place)
        elif len(_text(value)) > MAX_CUSTOM_LENGTH:
            yield InputProblem(UserErrorCode.TOO_LONG, f"At most {MAX_CUSTOM_LENGTH:,} characters.", place)
        elif "\0" in _text(value):
            yield InputProblem(UserErrorCode.INVALID, "A text must not contain the NUL character.", place)


def _text(value: JsonValue) -> str:
    return value.strip() if isinstance(value, str) else msgspec.json.encode(value).decode()
