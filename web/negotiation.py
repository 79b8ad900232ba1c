"""Which media type an answer has: RFC 9110 section 12.5.1 and the GraphQL over HTTP specification."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Media(StrEnum):
    """What the GraphQL route can answer with; the value is the media type."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"
    EVENTS = "text/event-stream"
    MULTIPART = "multipart/mixed"


_MAX_LENGTH: Final = 2_000
_STREAMS: Final = (Media.EVENTS, Media.MULTIPART)


@dataclass(frozen=True, slots=True)
class _Range:
    kind: str
    quality: float
    position: int

    def covers(self, media: Media) -> bool:
        main, _, sub = self.kind.partition("/")
        return self.kind in ("*/*", media) or (sub == "*" and media.startswith(f"{main}/"))

    @property
    def specific(self) -> int:
        return 2 - self.kind.count("*")


@lru_cache(maxsize=256)
def accepted(header: str | None) -> tuple[Media, ...]:
    """The media types that a caller takes, the preferred first; JSON where the header is absent.

    A wildcard stands for JSON: streams are for those who name them.
    """
    if not header:
        return (Media.JSON,)
    ranges = [_range(part, place) for place, part in enumerate(header[:_MAX_LENGTH].split(","))]
    found: dict[Media, _Range] = {}
    for media in Media:
        covering = [entry for entry in ranges if entry.covers(media) and (media not in _STREAMS or entry.kind == media)]
        if covering:
            found[media] = max(covering, key=lambda entry: entry.specific)
    usable = [media for media, entry in found.items() if entry.quality > 0]
    return tuple(sorted(usable, key=lambda media: _rank(media, found[media])))


def _rank(media: Media, entry: _Range) -> tuple[float, int, bool]:
    return (-entry.quality, entry.position, media is not Media.JSON)


def _range(part: str, place: int) -> _Range:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            quality = _quality(value)
    return _Range(kind, quality, place)


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
