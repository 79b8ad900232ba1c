"""Whether what a filter names exists: an unknown status, field or id is an error, never a filter that finds nothing."""

from collections.abc import Iterable
from time import monotonic
from typing import Final
from uuid import UUID

from db.pool import Database
from domain.errors import BadInput
from domain.filters import ID_KINDS, AllOf, AnyOf, Condition, CustomCondition, LeadFilter, Not, Search
from domain.ids import IdKind, format_id, parse_id
from domain.vocabulary import UserErrorCode

__all__ = ["check_references"]

REMEMBERED_SECONDS: Final = 60.0
MAX_REMEMBERED: Final = 100_000

_UNKNOWN: Final = """
select kind, name from (
  select 'status' as kind, given as name from unnest($2::text[]) given
  where not exists (select from app.statuses where key_folded = given)
  union all select 'company', given::text from unnest($3::uuid[]) given
  where not exists (select from app.companies where id = given)
  union all select 'chatbot', given::text from unnest($4::uuid[]) given
  where not exists (select from app.chatbots where id = given)
  union all select 'user', given::text from unnest($5::uuid[]) given
  where not exists (select from app.users where id = given)
  union all select 'lead', given::text from unnest($6::uuid[]) given
  where not exists (select from app.leads where id = given)
  union all select 'job', given::text from unnest($7::uuid[]) given
  where not exists (select from app.jobs where id = given)
  union all select 'custom', given from unnest($8::text[]) given
  where not exists (select from app.custom_fields where key = given)
) unknown order by kind, name limit 1
"""
_KINDS: Final = ("status", "company", "chatbot", "user", "lead", "job", "custom")
_remembered: Final = dict[tuple[UUID, str, object], float]()
"""When a reference was last found. A stale entry hides no lead and shows none: it only spares a message."""


async def check_references(database: Database, organization_id: UUID, tree: LeadFilter) -> None:
    """Raises BadInput where the filter names a status, custom field or id that the organization does not have."""
    since = monotonic() - REMEMBERED_SECONDS
    named = [key for key in _named(tree) if _remembered.get((organization_id, *key), 0.0) < since]
    if not named:
        return
    lists = ([value for kind, value in named if kind == wanted] for wanted in _KINDS)
    unknown = await database.read(organization_id, _UNKNOWN, *lists)
    if unknown:
        raise _refusal(unknown[0]["kind"], unknown[0]["name"])
    if len(_remembered) > MAX_REMEMBERED:
        _remembered.clear()
    _remembered.update({(organization_id, *key): monotonic() for key in named})


def _refusal(kind: str, name: str) -> BadInput:
    code = UserErrorCode.UNKNOWN_VALUE
    if kind == "status":
        return BadInput(f"There is no status with the key {name!r}.", ("filter", "status"), code=code)
    if kind == "custom":
        return BadInput(f"There is no custom field with the key {name!r}.", ("filter", "custom"), code=code)
    field = next(field for field, named in ID_KINDS.items() if named == kind)
    message = f"There is no {kind} with the id {format_id(IdKind(kind), UUID(name))!r}."
    return BadInput(message, ("filter", field), code=code)


def _named(tree: LeadFilter) -> Iterable[tuple[str, object]]:
    match tree:
        case AllOf(items) | AnyOf(items):
            for item in items:
                yield from _named(item)
        case Not(item):
            yield from _named(item)
        case CustomCondition(key):
            yield "custom", key
        case Condition():
            yield from _named_by(tree)
        case Search():
            pass


def _named_by(condition: Condition) -> Iterable[tuple[str, object]]:
    texts = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    strings = [text for text in texts if isinstance(text, str)]
    if condition.field.name == "status":
        yield from (("status", text.casefold()) for text in strings)
    elif kind := ID_KINDS.get(condition.field.name):
        yield from ((kind, found) for text in strings if (found := parse_id(kind, text)))
