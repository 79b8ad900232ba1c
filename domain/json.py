"""The shape of JSON documents in signatures."""

from collections.abc import Mapping, Sequence

JsonValue = str | int | float | bool | None | Mapping[str, "JsonValue"] | Sequence["JsonValue"]
JsonObject = Mapping[str, JsonValue]
