"""What a request's own values can get wrong, before anything is looked up: each problem with its path."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from domain.bulk import LeadPatch, LeadTarget
from domain.countries import is_country
from domain.errors import InputProblem, Path, Problem, Rejected
from domain.exports import MAX_WAIT_SECONDS, Delivery
from domain.imports import ColumnMapping, DialectSpec, FieldValue, ImportOptions
from domain.texts import nul_problems
from domain.vocabulary import LeadFieldKey, UserErrorCode
from domain.zones import is_zone

MAX_NAME: Final = 200
MAX_IDEMPOTENCY_KEY: Final = 200
MAX_RECIPIENTS: Final = 50
MAX_DELIVERIES: Final = 20
MAX_LINK_HOURS: Final = 24 * 365
DECIMAL_MARKS: Final = (".", ",")
_CALLED: Final = {"saveMappingAs": "name"}
_MARK: Final = re.compile(r"\t|[^\w\s\0]|_")


def require(problems: Iterable[Problem]) -> None:
    """Raises Rejected with every problem there is."""
    found = tuple(problems)
    if found:
        raise Rejected(*found)


def delivery_problems(deliveries: Sequence[Delivery], path: Path) -> Iterator[Problem]:
    """What is wrong with who is to be told of a file; addresses are judged where they are used."""
    if len(deliveries) > MAX_DELIVERIES:
        yield _out_of_range(f"At most {MAX_DELIVERIES} deliveries.", *path)
    for index, delivery in enumerate(deliveries):
        place = (*path, str(index))
        if bool(delivery.email) == (delivery.webhook_endpoint_id is not None):
            yield _invalid("Give e-mail addresses or a webhookEndpointId: exactly one of the two.", *place)
        if len(delivery.email) > MAX_RECIPIENTS:
            yield _out_of_range(f"At most {MAX_RECIPIENTS} addresses.", *place, "email")
        if delivery.link_ttl_hours is not None and not 1 <= delivery.link_ttl_hours <= MAX_LINK_HOURS:
            yield _out_of_range(f"`linkTtlHours` must be from 1 to {MAX_LINK_HOURS}.", *place, "linkTtlHours")


def dialect_problems(dialect: DialectSpec, path: Path) -> Iterator[Problem]:
    """What is wrong with what a caller says of a file; the encoding's name is judged where it is used."""
    for name, mark in (("delimiter", dialect.delimiter), ("quote", dialect.quote), ("escape", dialect.escape)):
        if mark is not None and not _MARK.fullmatch(mark):
            yield _invalid("This must be one character, no letter, digit, blank or line break.", *path, name)
    yield from _one_of(dialect.decimal_mark, DECIMAL_MARKS, *path, "decimalMark")
    yield from time_zone_problems(dialect.time_zone, *path, "timeZone")
    if dialect.header_row is not None and dialect.header_row < 0:
        yield _out_of_range("`headerRow` counts from 1; 0 means there is none.", *path, "headerRow")


def mapping_problems(mapping: Sequence[ColumnMapping], path: Path) -> Iterator[Problem]:
    """What is wrong with how columns become fields; whether the file has the columns is seen when it is read."""
    for index, column in enumerate(mapping):
        place = (*path, str(index))
        if (column.column is None) == (column.index is None):
            yield _invalid("Name the column by its header or its index: exactly one of the two.", *place)
        if column.index is not None and column.index < 0:
            yield _out_of_range("`index` counts from 0.", *place, "index")
        chosen = [column.field is not None, column.custom is not None, column.ignore].count(True)
        if chosen > 1 or (not chosen and not column.values and column.default is None):
            yield _invalid("Give a field, a custom key or `ignore: true`: exactly one of them.", *place)


def options_problems(options: ImportOptions, path: Path) -> Iterator[Problem]:
    """What is wrong with an import's options; assignees are judged where they are used."""
    if options.default_country is not None and not is_country(options.default_country):
        yield _invalid("A country is two capital letters of ISO 3166, e.g. FR.", *path, "defaultCountry")
    for index, default in enumerate(options.defaults):
        yield from _default(default, (*path, "defaults", str(index)))


def target_problems(target: LeadTarget, path: Path) -> Iterator[Problem]:
    """What is wrong with which leads are meant; a filter is judged by read_filter."""
    if (target.ids is None) == (target.filter is None):
        yield _invalid("Give ids or a filter: exactly one of the two.", *path)
    elif target.ids is not None:
        yield from filled_problems(target.ids, *path, "ids")
        yield from nul_problems(list(target.ids), (*path, "ids"))
    elif target.expected_count is None:
        yield InputProblem(
            UserErrorCode.REQUIRED, "With a filter say how many leads you expect.", (*path, "expectedCount")
        )


def patch_problems(patch: LeadPatch, path: Path) -> Iterator[Problem]:
    """What is wrong with the changes of a bulk update."""
    if patch == LeadPatch():
        yield InputProblem(UserErrorCode.REQUIRED, "Say what to change.", path)


def wait_problems(seconds: float, path: Path) -> Iterator[Problem]:
    """What is wrong with a `waitSeconds`."""
    if not 0 <= seconds <= MAX_WAIT_SECONDS:
        yield _out_of_range(f"`waitSeconds` must be from 0 to {MAX_WAIT_SECONDS:g}.", *path, "waitSeconds")


def filled_problems(items: Sequence[object], *path: str) -> Iterator[Problem]:
    """What is wrong with a list that must not be empty."""
    if not items:
        yield _invalid("The list is empty; leave it out instead.", *path)


def name_problems(name: str | None, *path: str, required: bool = False) -> Iterator[Problem]:
    """What is wrong with a name for people; None: not given, which only a `required` one may not be.

    The last step of the path says what it is called: a label is one too.
    """
    called = _CALLED.get(path[-1], path[-1])
    if name is None and not required:
        return
    if not name or not name.strip():
        yield InputProblem(UserErrorCode.REQUIRED, f"A {called} is not blank.", path)
    elif len(name) > MAX_NAME:
        yield InputProblem(UserErrorCode.TOO_LONG, f"A {called} has at most {MAX_NAME} characters.", path)
    elif "\0" in name:
        yield _invalid(f"A {called} must not contain the NUL character.", *path)


def idempotency_key_problems(key: str | None) -> Iterator[Problem]:
    """What is wrong with an idempotency key; None: not given."""
    path = ("input", "idempotencyKey")
    if key is not None and not 0 < len(key) <= MAX_IDEMPOTENCY_KEY:
        yield Problem(UserErrorCode.TOO_LONG, f"An idempotency key has 1 to {MAX_IDEMPOTENCY_KEY} characters.", path)
    elif key is not None and "\0" in key:
        yield _invalid("An idempotency key must not contain the NUL character.", *path)


def time_zone_problems(zone: str | None, *path: str) -> Iterator[Problem]:
    """What is wrong with the name of a time zone; None: not given."""
    if zone is not None and not is_zone(zone):
        yield InputProblem(UserErrorCode.UNKNOWN_VALUE, "A time zone is named as IANA does, e.g. Europe/Paris.", path)


def _default(default: FieldValue, path: Path) -> Iterator[Problem]:
    if (default.field is None) == (default.custom is None):
        yield _invalid("Give a field or a custom key: exactly one of the two.", *path)
    if default.field is LeadFieldKey.LEAD_ID:
        yield _invalid("An id has no default.", *path, "field")


def _one_of(value: str | None, allowed: tuple[str, ...], *path: str) -> Iterator[Problem]:
    if value is not None and value not in allowed:
        yield InputProblem(UserErrorCode.UNKNOWN_VALUE, "This is none of the values allowed here.", path, allowed)


def _invalid(message: str, *path: str) -> Problem:
    return InputProblem(UserErrorCode.INVALID, message, path)


def _out_of_range(message: str, *path: str) -> Problem:
    return InputProblem(UserErrorCode.OUT_OF_RANGE, message, path)
