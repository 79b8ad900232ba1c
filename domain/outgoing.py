"""How a message to the outside can fail, and when it is tried again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
"""After the first, second, ... attempt, as the Standard Webhooks specification suggests."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail without a file: plain text, never a lead's values."""

    subject: str
    text: str


class DeliveryFailed(Exception):
    """A message did not arrive. `final`: trying again would fail again. `status` is an HTTP or SMTP code.

    The message is safe to show: it quotes nothing that the other side said.
    """

    def __init__(self, message: str, *, final: bool = False, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.final = final
        self.status = status


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts, None: give up."""
    return _PAUSES[attempts - 1] if attempts <= len(_PAUSES) else None
