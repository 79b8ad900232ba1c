"""Values from a closed list: enums, the organization's statuses, and references to what it has."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from domain.fields import LeadField
from domain.ids import IdKind, parse_id
from domain.lead_values import name_key
from domain.vocabulary import ImportIssueCode, Severity
from transfer.cells import Flaw, Read
from transfer.headers import normal_header
from transfer.messages import StatusFact, UserFact

_NEAR: Final = 0.6
_VOWELS: Final = "aeiou"
_MAX_KNOWN: Final = 500
_MAX_LOOKUPS: Final = 2_000


class Suggestions:
    """The known value that a text comes nearest to. Looking costs more than judging, so it is not done without end."""

    def __init__(self, known: Iterable[str]) -> None:
        names = list(known)
        self._known = {} if len(names) > _MAX_KNOWN else {name.casefold(): name for name in reversed(names)}
        self._left = _MAX_LOOKUPS

    def nearest(self, text: str) -> str | None:
        """None where nothing is near, or too much was looked for."""
        if not self._known or not self._left:
            return None
        self._left -= 1
        found = get_close_matches(text.casefold()[:100], self._known, n=1, cutoff=_NEAR)
        return self._known[found[0]] if found else None


def unknown_value(field: LeadField, text: str, suggestions: Suggestions) -> Flaw:
    """The flaw of a value that is not in the list."""
    label = field.label.lower()
    article = "an" if label[0] in _VOWELS else "a"
    return Flaw(
        code=ImportIssueCode.UNKNOWN_VALUE,
        message=f"not {article} {label} that is known here",
        suggestion=suggestions.nearest(text),
    )


def enum_reader(field: LeadField, vocabulary: type[StrEnum]) -> Callable[[str], Read]:
    """The member's name, for it or its words in any case: `walk_in`, `Walk-in`, `WALK IN`."""
    members = {normal_header(member.name): member.name for member in vocabulary}
    suggestions = Suggestions(member.name.lower() for member in vocabulary)

    def read(text: str) -> Read:
        return members.get(normal_header(text)) or unknown_value(field, text, suggestions)

    return read


def status_reader(
    field: LeadField, statuses: Sequence[StatusFact], retired: Sequence[StatusFact] = ()
) -> Callable[[str], Read]:
    """The status's UUID, for its key, its label or its id in any case; a key goes before a label.

    A status out of use has a flaw, which is none where the lead has that status already.
    """
    known, held = _by_name(statuses), _by_name(retired)
    suggestions = Suggestions(name for status in statuses for name in (status.key, status.label))

    def read(text: str) -> Read:
        name = name_key(text)
        if name in known:
            return known[name]
        flaw = unknown_value(field, text, suggestions)
        return replace(flaw, kept=held[name], retired=True) if name in held else flaw

    return read


def _by_name(statuses: Sequence[StatusFact]) -> Mapping[str, str]:
    known = dict[str, str]()
    for naming in (_key, _shown_id, _label):
        for status in statuses:
            known.setdefault(name_key(naming(status)), status.id)
    return known


def _key(status: StatusFact) -> str:
    return status.key


def _label(status: StatusFact) -> str:
    return status.label


def _shown_id(status: StatusFact) -> str:
    return f"{IdKind.STATUS}_{status.id}"


def id_reader(field: LeadField, kind: IdKind, known: Iterable[str] | None) -> Callable[[str], Read]:
    """The UUID behind a shown id of that kind; `known`: it must be one of these UUIDs."""
    allowed = None if known is None else frozenset(known)
    label = field.label.lower()

    def read(text: str) -> Read:
        value = parse_id(kind, text)
        if value is None or (allowed is not None and str(value) not in allowed):
            return Flaw(code=ImportIssueCode.UNKNOWN_REFERENCE, message=f"{label} is none of an existing one")
        return str(value)

    return read


def name_reader(what: str, known: Mapping[str, str], names: Iterable[str], *, strict: bool) -> Callable[[str], Read]:
    """The UUID of what has this name (`known` by `name_key`); unknown names leave the field empty unless `strict`.

    `names` are those that may be suggested, as people write them.
    """
    severity = Severity.ERROR if strict else Severity.WARNING
    suggestions = Suggestions(names)

    def read(text: str) -> Read:
        found = known.get(name_key(text))
        if found is not None:
            return found
        return Flaw(
            code=ImportIssueCode.UNKNOWN_REFERENCE,
            message=f"no {what} here has this name",
            severity=severity,
            suggestion=suggestions.nearest(text),
        )

    return read


def users_by_name(users: Iterable[UserFact]) -> Mapping[str, str]:
    """Users' UUIDs by e-mail, by shown id, and by name where only one has it."""
    by_name = dict[str, list[str]]()
    for user in users:
        by_name.setdefault(name_key(user.name), []).append(user.id)
    known = {name: ids[0] for name, ids in by_name.items() if len(ids) == 1}
    for user in users:
        known[f"{IdKind.USER}_{user.id}"] = user.id
        if user.email:
            known[name_key(user.email)] = user.id
    return known
