"""Opens sealed values on their way from COPY to the writer, as the format's cells need them."""

import re
from collections.abc import Callable
from typing import Final

from domain.formulas import guard
from domain.vocabulary import ExportFormat

Open = Callable[[str, str], str | None]
"""The plain text of a sealed one, given its lead's id; None where it cannot be opened any more."""

_SEALED: Final = re.compile(rb"\x02sealed ([0-9a-f-]{36}) ([A-Za-z0-9._=-]+)\x03")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


def revealer(file_format: ExportFormat, unseal: Open, *, escape: bool) -> Callable[[bytes], bytes]:
    """Replaces each sealed value in whole rows of COPY; `escape` guards what looks like a formula.

    A value is replaced only where it opens for its lead's id, so that a text that looks like one stays a text.
    """
    written = _written(file_format, escape=escape)

    def replace(match: re.Match[bytes]) -> bytes:
        lead_id, sealed = match.group(1).decode(), match.group(2).decode()
        plain = unseal(sealed, lead_id)
        return match.group() if plain is None else written(_CONTROLS.sub(" ", plain)).encode()

    return lambda data: _SEALED.sub(replace, data)


def _written(file_format: ExportFormat, *, escape: bool) -> Callable[[str], str]:
    match file_format:
        case ExportFormat.CSV:
            return lambda plain: _quoted(guard(plain) if escape else plain)
        case ExportFormat.PARQUET:
            return _quoted
        case _:
            return lambda plain: plain


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
