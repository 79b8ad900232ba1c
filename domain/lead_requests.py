"""What a request for a single lead can get wrong by itself: each problem with its path."""

from collections.abc import Iterator
from typing import Final

from domain.custom_fields import custom_problems
from domain.documents import LeadDocument
from domain.errors import InputProblem, Path, Problem
from domain.lead_issues import control_problems
from domain.patches import clear_problems
from domain.requests import RecordCall, UpdateLead
from domain.texts import text_problems
from domain.vocabulary import LeadFieldKey, UserErrorCode

__all__ = ["call_problems", "change_problems", "document_problems", "identity_problems"]

_K = LeadFieldKey
_IDENTIFYING: Final = (_K.NAME, _K.PHONE, _K.EMAIL, _K.EXTERNAL_ID)
_LONGEST_STATUS: Final = 100
_LONGEST_CALL_SECONDS: Final = 86_400 * 7


def document_problems(document: LeadDocument, path: Path) -> Iterator[Problem]:
    """What is wrong with a lead as it was written down; its values are judged as those of a file."""
    if _K.LEAD_ID in document.values:
        yield InputProblem(UserErrorCode.INVALID, "An id is given to upsertLeads alone.", (*path, "id"))
    yield from custom_problems(document.custom, (*path, "customFields"))
    yield from control_problems(document, path)


def identity_problems(document: LeadDocument, path: Path) -> Iterator[Problem]:
    """A new lead has something by which it is found."""
    if not any(str(document.values.get(key, "")).strip() for key in _IDENTIFYING):
        message = "Give a name, a phone, an e-mail address or an external id."
        yield InputProblem(UserErrorCode.REQUIRED, message, (*path, "name"))


def change_problems(request: UpdateLead, path: Path) -> Iterator[Problem]:
    """What is wrong with a change beside its values; `path` leads to them."""
    if not request.set.values and not request.set.custom and not request.clear:
        yield InputProblem(UserErrorCode.REQUIRED, "Say what to change.", path)
    yield from clear_problems(request.clear, tuple(request.set.values), ("input", "clear"))


def call_problems(request: RecordCall) -> Iterator[Problem]:
    """What is wrong with a call."""
    yield from text_problems(request.status, _LONGEST_STATUS, ("input", "status"))
    seconds = request.duration_seconds
    if seconds is not None and not 0 <= seconds <= _LONGEST_CALL_SECONDS:
        message = f"A call lasts from 0 to {_LONGEST_CALL_SECONDS:,} seconds."
        yield InputProblem(UserErrorCode.OUT_OF_RANGE, message, ("input", "durationSeconds"))
