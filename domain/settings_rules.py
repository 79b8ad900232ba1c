"""What an organization may decide for itself: each setting checked, and the settings as they are then."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Final
from urllib.parse import urlsplit

from domain.checks import require
from domain.countries import is_country
from domain.errors import InputProblem, Problem
from domain.masking import MASKABLE
from domain.requests import UpdateSettings
from domain.settings import MaskingRule, OrganizationSettings
from domain.stored import camel_case
from domain.vocabulary import Role, UserErrorCode

__all__ = ["LONGEST_RETENTION_DAYS", "updated_settings"]

LONGEST_RETENTION_DAYS: Final = 3_650
_LONGEST_TEMPLATE: Final = 2_000
_PLACE_OF_ID: Final = "{id}"
_DEFAULTS: Final = OrganizationSettings()
_NAMES: Final = {camel_case(field.name): field.name for field in fields(OrganizationSettings)}
"""The settings by their names in the API."""


def updated_settings(settings: OrganizationSettings, request: UpdateSettings) -> OrganizationSettings:
    """The settings with what is asked for. Raises Rejected with everything that is wrong."""
    given = {name: value for name in _NAMES.values() if (value := getattr(request, name)) is not None}
    require((*_clear_problems(request, given), *_problems(request)))
    cleared = {_NAMES[name]: getattr(_DEFAULTS, _NAMES[name]) for name in request.clear}
    return replace(settings, **cleared, **given)


def _clear_problems(request: UpdateSettings, given: dict[str, object]) -> Iterator[Problem]:
    for index, name in enumerate(request.clear):
        path = ("input", "clear", str(index))
        if name not in _NAMES:
            yield InputProblem(UserErrorCode.UNKNOWN_VALUE, "There is no setting of this name.", path, tuple(_NAMES))
        elif _NAMES[name] in given:
            yield InputProblem(UserErrorCode.INVALID, f"`{name}` is set and cleared at once.", path)


def _problems(request: UpdateSettings) -> Iterator[Problem]:
    if request.default_country is not None and not is_country(request.default_country):
        message = "A country is two capital letters of ISO 3166, e.g. FR."
        yield InputProblem(UserErrorCode.UNKNOWN_VALUE, message, ("input", "defaultCountry"))
    for name in ("export_retention_days", "import_retention_days"):
        days: int | None = getattr(request, name)
        if days is not None and not 1 <= days <= LONGEST_RETENTION_DAYS:
            message = f"Files are kept from 1 to {LONGEST_RETENTION_DAYS} days."
            yield InputProblem(UserErrorCode.OUT_OF_RANGE, message, ("input", camel_case(name)))
    yield from _masking_problems(request.masking or ())
    yield from _role_problems(request.export_roles)
    if request.conversation_url_template is not None and not _is_template(request.conversation_url_template):
        message = "This must be an http or https address that holds {id} once, behind the host."
        yield InputProblem(UserErrorCode.INVALID, message, ("input", "conversationUrlTemplate"))


def _masking_problems(rules: Sequence[MaskingRule]) -> Iterator[Problem]:
    seen = set[str]()
    for index, rule in enumerate(rules):
        path = ("input", "masking", str(index), "field")
        if rule.field not in MASKABLE:
            allowed = tuple(sorted(key.name for key in MASKABLE))
            yield InputProblem(UserErrorCode.INVALID, "This field cannot be masked.", path, allowed)
        if rule.field in seen:
            yield InputProblem(UserErrorCode.DUPLICATE, "There is another rule for this field.", path)
        seen.add(rule.field)


def _role_problems(roles: tuple[Role, ...] | None) -> Iterator[Problem]:
    path = ("input", "exportRoles")
    if roles is not None and not roles:
        yield InputProblem(UserErrorCode.INVALID, "The list is empty; name who may export.", path)
    if roles is not None and len(set(roles)) < len(roles):
        yield InputProblem(UserErrorCode.DUPLICATE, "A role is named twice.", path)


def _is_template(text: str) -> bool:
    if len(text) > _LONGEST_TEMPLATE or not text.isprintable() or any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    behind = text.partition(parts.netloc)[2] if parts.netloc else ""
    rest = text.replace(_PLACE_OF_ID, "", 1)
    once = _PLACE_OF_ID in behind and not {"{", "}"} & set(rest)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and once
