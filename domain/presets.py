"""The statuses that a new organization starts with; it renames and adds its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.vocabulary import LeadStage


class Preset(StrEnum):
    """Which business the statuses are worded for; STANDARD suits most."""

    STANDARD = "STANDARD"
    CHATBOT = "CHATBOT"
    OUTBOUND = "OUTBOUND"
    REAL_ESTATE = "REAL_ESTATE"


@dataclass(frozen=True, slots=True)
class PresetStatus:
    """`color` is a CSS hex colour."""

    key: str
    label: str
    stage: LeadStage
    color: str


_DRAFT: Final = PresetStatus("draft", "Draft", LeadStage.DRAFT, "#9ca3af")
_NEW: Final = PresetStatus("new", "New", LeadStage.NEW, "#3b82f6")
_CONTACTED: Final = PresetStatus("contacted", "Contacted", LeadStage.CONTACTED, "#06b6d4")
_NO_ANSWER: Final = PresetStatus("no_answer", "No answer", LeadStage.CONTACTED, "#f59e0b")
_CALL_BACK: Final = PresetStatus("call_back", "Call back", LeadStage.CONTACTED, "#8b5cf6")
_QUALIFYING: Final = PresetStatus("qualifying", "Qualifying", LeadStage.QUALIFYING, "#6366f1")
_QUALIFIED: Final = PresetStatus("qualified", "Qualified", LeadStage.QUALIFIED, "#14b8a6")
_APPOINTMENT: Final = PresetStatus("appointment", "Appointment", LeadStage.APPOINTMENT, "#eab308")
_CONVERTED: Final = PresetStatus("converted", "Converted", LeadStage.WON, "#22c55e")
_WON: Final = PresetStatus("won", "Won", LeadStage.WON, "#16a34a")
_LOST: Final = PresetStatus("lost", "Lost", LeadStage.LOST, "#ef4444")
_NOT_INTERESTED: Final = PresetStatus("not_interested", "Not interested", LeadStage.LOST, "#dc2626")
_WRONG_NUMBER: Final = PresetStatus("wrong_number", "Wrong number", LeadStage.LOST, "#78716c")

STATUSES: Final[Mapping[Preset, tuple[PresetStatus, ...]]] = {
    Preset.STANDARD: (
        _NEW,
        _CONTACTED,
        _QUALIFYING,
        _QUALIFIED,
        _APPOINTMENT,
        _CONVERTED,
        _WON,
        _DRAFT,
        _LOST,
    ),
    Preset.CHATBOT: (_NEW, _CONTACTED, _QUALIFIED, _CONVERTED, _LOST),
    Preset.OUTBOUND: (
        _NEW,
        _NO_ANSWER,
        _CALL_BACK,
        _QUALIFYING,
        _APPOINTMENT,
        _WON,
        _NOT_INTERESTED,
        _WRONG_NUMBER,
    ),
    Preset.REAL_ESTATE: (_NEW, _QUALIFYING, _QUALIFIED, _APPOINTMENT, _WON, _DRAFT, _LOST),
}
"""In the order of the board."""
