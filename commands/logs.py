"""The log: one line an event, whatever texts get into it, and of errors their kind and place but not their words.

An error's message may hold a lead's values (PostgreSQL quotes the row that it refuses), so it is left out; whoever has
to know more reads the stack.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final, Literal

__all__ = ["JsonFormatter", "TextFormatter", "configure_logging"]

_QUIET: Final = ("alembic", "asyncio", "procrastinate", "uvicorn")
"""Of these only warnings are of use, unless somebody is debugging."""
_WIRE: Final = ("httpcore", "httpx", "uvicorn.error", "websockets")
"""These log headers, frames and addresses, which hold tokens and values of leads: never more than warnings."""
_STANDARD: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",  # uvicorn's
}


def configure_logging(form: Literal["json", "text"] | None, level: str) -> None:
    """Log to standard error; `form` None: text where that is a terminal, else JSON."""
    handler = logging.StreamHandler(sys.stderr)
    text = form == "text" or (form is None and sys.stderr.isatty())
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else logging.WARNING)
    for name in _WIRE:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """`{"time": …, "level": …, "logger": …, "message": …}` and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        entry: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if (error := _error(record)) is not None:
            entry["error"], entry["stack"] = type(error).__name__, _stack(error)
        return json.dumps(entry, ensure_ascii=True, default=str)


class TextFormatter(logging.Formatter):
    """For people: the same, with control characters made visible."""

    def format(self, record: logging.LogRecord) -> str:
        """A line, and below it the stack of an error."""
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = _visible(f"{_time(record)} {record.levelname:7} {record.name}: {record.getMessage()}{extra}")
        if (error := _error(record)) is None:
            return line
        return "\n".join((line, *(f"    {_visible(frame)}" for frame in (*_stack(error), type(error).__name__))))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _stack(error: BaseException) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
