"""The stages of closed leads as SQL says them, and where a COPY line says them."""

from typing import Final

from db.copy_text import cells
from domain.vocabulary import CLOSED_STAGES

__all__ = ["CLOSED", "line_is_active"]

CLOSED: Final = "(" + ", ".join(f"'{stage}'" for stage in sorted(CLOSED_STAGES)) + ")"
"""The right side of `stage in`."""
_CLOSED_CELLS: Final = frozenset(stage.encode() for stage in CLOSED_STAGES)


def line_is_active(line: bytes, stage: int | None) -> bool:
    """Whether the lead of a COPY line is active; `stage` is the place of its stage, None where it is not given."""
    return stage is None or cells(line)[stage] not in _CLOSED_CELLS
