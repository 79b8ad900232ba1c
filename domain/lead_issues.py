"""Issues of a single lead as userErrors: the rules are an import's, the paths lead into the input."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from domain.documents import LeadDocument
from domain.errors import InputProblem, NotFoundProblem, Path, Problem
from domain.fields import CUSTOM_PREFIX, FIELDS
from domain.imports import Issue
from domain.texts import CONTROL
from domain.vocabulary import ImportIssueCode, LeadFieldKey, Severity, UserErrorCode

__all__ = ["control_problems", "problems_of"]

_K = LeadFieldKey
_NAMES: Final[Mapping[LeadFieldKey, Path]] = {
    _K.STATUS: ("status",),
    _K.COMPANY_ID: ("companyId",),
    _K.COMPANY_NAME: ("companyName",),
    _K.CHATBOT_ID: ("chatbotId",),
    _K.SESSION_ID: ("sessionId",),
    _K.CONVERSATION_ID: ("conversationId",),
    _K.ASSIGNEE: ("assigneeId",),
}
"""Inputs whose name is not the path at which the Lead shows the field."""
_REFERENCES: Final[Mapping[str, str]] = {_K.ASSIGNEE: "user", _K.COMPANY_ID: "company", _K.CHATBOT_ID: "chatbot"}
_CODES: Final[Mapping[ImportIssueCode, UserErrorCode]] = {
    ImportIssueCode.REQUIRED: UserErrorCode.REQUIRED,
    ImportIssueCode.OUT_OF_RANGE: UserErrorCode.OUT_OF_RANGE,
    ImportIssueCode.TOO_LONG: UserErrorCode.TOO_LONG,
    ImportIssueCode.UNKNOWN_VALUE: UserErrorCode.UNKNOWN_VALUE,
    ImportIssueCode.UNKNOWN_REFERENCE: UserErrorCode.NOT_FOUND,
    ImportIssueCode.AMBIGUOUS_MATCH: UserErrorCode.DUPLICATE,
    ImportIssueCode.VERSION_CONFLICT: UserErrorCode.VERSION_CONFLICT,
}
"""Whatever is not here is INVALID."""


def problems_of(issues: Sequence[Issue], path: Path, statuses: Sequence[str]) -> tuple[Problem, ...]:
    """The errors among the issues of one lead; `path` leads to the lead in the input, `statuses` are keys in use."""
    return tuple(_problem(issue, path, statuses) for issue in issues if issue.severity is Severity.ERROR)


def control_problems(document: LeadDocument, path: Path) -> Iterator[Problem]:
    """Control characters, which an import takes out with a warning; who writes one lead is told before."""
    custom = {CUSTOM_PREFIX + key: value for key, value in document.custom.items()}
    for field, value in {**document.values, **custom}.items():
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and CONTROL.search(text) for text in texts):
            message = "A text must not contain control characters."
            yield InputProblem(UserErrorCode.INVALID, message, (*path, *_place(field)))


def _problem(issue: Issue, path: Path, statuses: Sequence[str]) -> Problem:
    code, place = _CODES.get(issue.code, UserErrorCode.INVALID), (*path, *_place(issue.field))
    if code is UserErrorCode.NOT_FOUND and issue.field in _REFERENCES:
        message = f"There is no {_REFERENCES[issue.field]} with this id."
        return NotFoundProblem(code, message, place, (issue.value,) if issue.value else ())
    if code is UserErrorCode.UNKNOWN_VALUE and issue.field == _K.STATUS:
        return InputProblem(code, _sentence(issue.message), place, tuple(statuses))
    return InputProblem(code, _sentence(issue.message), place, (issue.suggestion,) if issue.suggestion else None)


def _place(field: str | None) -> Path:
    if field is None:
        return ()
    if field.startswith(CUSTOM_PREFIX):
        return "customFields", field.removeprefix(CUSTOM_PREFIX)
    key = LeadFieldKey(field)
    return _NAMES.get(key) or FIELDS[key].path


def _sentence(message: str) -> str:
    return message if message.endswith(".") else f"{message[:1].upper()}{message[1:]}."
