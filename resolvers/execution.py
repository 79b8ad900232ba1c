"""Executes GraphQL with the fields that the database's rows answer as a whole.

A resolver may return a Query instead of a value. What is selected below it then becomes one statement with the asked
columns alone, and its rows become the response, without a visit to each field. Everything else runs as graphql-core
runs it. `complete_value`, `collect_subfields` and `execute_field` are no public API of graphql-core: its version is
pinned, and tests/resolvers/test_differential.py compares both ways of execution byte for byte.
"""

import asyncio
from collections.abc import Awaitable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, ClassVar, Final, TypeAlias, cast

from graphql import (
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    located_error,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.lead_plans import Plan, Wanted
from db.nested import FIRST
from db.row_code import Deferred
from db.shapes import EVERY, Lowered
from domain.errors import BadInput
from domain.job_details import Columns, Table
from domain.masking import Masks
from domain.selection import TYPENAME
from resolvers.selections import Details, Selected, Selections, Use

__all__ = ["Answer", "CompiledExecutor", "Object", "Query"]

Json = dict[str, object]
Untyped: TypeAlias = Any
"""What graphql-core's own annotations leave partly unknown."""


@dataclass(frozen=True, slots=True)
class Object:
    """A lead of the answer, the keys that lead to it, and the place of the field that selected it."""

    place: int
    keys: tuple[str | int, ...]
    value: Json


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of a query; `leads` where the plan left any of their fields to GraphQL's own execution."""

    value: object
    leads: Sequence[Object] = ()


class Query:
    """What a resolver returns to have its selection compiled."""

    type_name: ClassVar[str]
    """The GraphQL type that is selected from."""

    @property
    def key(self) -> Hashable:
        """All but the selection that decides the plan: the shape of the query and the caller's masks."""
        raise NotImplementedError

    @property
    def masks(self) -> Masks:
        """The caller's masks."""
        raise NotImplementedError

    async def ask(self, name: str, arguments: Mapping[str, object]) -> Lowered:
        """The shape and the values of a nested field's arguments. Raises BadInput."""
        raise NotImplementedError

    def plan(self, wanted: Wanted) -> Plan:
        """The plan for a selection."""
        raise NotImplementedError

    async def answer(self, plan: Plan, selected: Selected, asked: Mapping[int, Lowered]) -> Answer:
        """Run the plan; `asked` has the nested arguments by place."""
        raise NotImplementedError

    async def sources(self, deferred: Sequence[tuple[Deferred, object]]) -> Sequence[Json]:
        """For each deferred field and what its row had, an object that the field's own resolver reads."""
        raise NotImplementedError


_HARMLESS: Final = {"notes": Lowered(FIRST, (0,)), "leadCount": Lowered(EVERY)}
"""Stands in for refused arguments: whether there is a row to refuse them at is known only afterwards."""


@dataclass(frozen=True, slots=True)
class _Refused:
    use: Use
    error: Exception


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """The execution context of the schema."""

    selections: ClassVar[Selections] = Selections()

    def complete_value(  # noqa: PLR0913, PLR0917 - graphql-core's signature
        self,
        return_type: Untyped,
        field_details_list: Details,
        info: Untyped,
        path: Path,
        result: object,
        position_context: Untyped,
    ) -> Untyped:
        """Answer a Query by its statement, a Table and Columns by themselves, and complete anything else as ever."""
        if isinstance(result, Query):
            return self._complete(return_type, field_details_list, info, path, result)
        if isinstance(result, Table):
            return list(result)
        if isinstance(result, Columns):
            return self._columns(cast("GraphQLObjectType", get_named_type(return_type)), field_details_list, result)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    async def _complete(
        self, return_type: Untyped, details: Details, info: Untyped, path: Path, query: Query
    ) -> object:
        selected = self.selections.find(self, self._selected_from(return_type, query), details)
        asked, refused = await self._ask(selected, query) if selected.questions else ({}, None)
        key = (query.key, tuple([lowered.shape for lowered in asked.values()]))
        plan = selected.plans.get(key)
        if plan is None:
            shapes = {place: lowered.shape for place, lowered in asked.items()}
            plan = query.plan(Wanted(selected.picks, query.masks, shapes))
            self.selections.keep(selected, key, plan)
        answer = await query.answer(plan, selected, asked)
        if refused:
            _refuse(refused, answer.value, path)
        if answer.leads:
            await self._complete_deferred(query, plan, selected, answer.leads, path)
        if answer.value is None and isinstance(return_type, GraphQLNonNull):
            raise TypeError(f"Cannot return null for non-nullable field {info.parent_type}.{info.field_name}.")
        return answer.value

    def _columns(self, column: GraphQLObjectType, details: Details, columns: Columns) -> object:
        picks = self.selections.find(self, column, details).picks
        names = [(pick.key, None if pick.name == TYPENAME else pick.name) for pick in picks]
        return [{key: getattr(one, name) if name else column.name for key, name in names} for one in columns]

    def _selected_from(self, return_type: Untyped, query: Query) -> GraphQLObjectType:
        """The object type; for an interface the query's own."""
        named = cast("object", get_named_type(return_type))
        if isinstance(named, GraphQLObjectType):
            return named
        return cast("GraphQLObjectType", self.schema.type_map[query.type_name])

    async def _ask(self, selected: Selected, query: Query) -> tuple[dict[int, Lowered], _Refused | None]:
        asked, refused = dict[int, Lowered](), None
        for place in selected.questions:
            use = selected.uses[place]
            name = use.details[0].node.name.value
            try:
                asked[place] = await query.ask(name, self._arguments(use))
            except (BadInput, GraphQLError) as error:
                asked[place] = _HARMLESS[name]
                refused = refused or _Refused(use, error)
        return asked, refused

    def _arguments(self, use: Use) -> dict[str, object]:
        detail = use.details[0]
        definition = use.parent.fields[detail.node.name.value]
        return get_argument_values(definition, detail.node, self.variable_values, detail.fragment_variable_values)

    async def _complete_deferred(
        self, query: Query, plan: Plan, selected: Selected, leads: Sequence[Object], path: Path
    ) -> None:
        """Let GraphQL complete what rows cannot: located errors and nulls are then its own."""
        found = [
            (lead, deferred)
            for lead in leads
            for deferred in plan.deferred[lead.place]
            if lead.value[deferred.key] is not None
        ]
        sources = await query.sources([(deferred, lead.value[deferred.key]) for lead, deferred in found])
        pending = list[Any]()
        for (lead, deferred), source in zip(found, sources, strict=True):
            use = selected.uses[deferred.place]
            place = _at(path, (*lead.keys, deferred.key))
            completed = self.execute_field(use.parent, source, use.details, place, None)
            if isawaitable(completed):
                pending.append(_put(lead.value, deferred.key, completed))
            else:
                lead.value[deferred.key] = completed
        await asyncio.gather(*pending)


async def _put(target: Json, key: str, completed: Awaitable[object]) -> None:
    target[key] = await completed


def _refuse(refused: _Refused, value: object, path: Path) -> None:
    """Raise the error where graphql-core would have met it first, if there is such a place."""
    for keys in _places(value, refused.use.keys):
        nodes = [detail.node for detail in refused.use.details]
        raise located_error(refused.error, nodes, _at(path, keys).as_list())


def _places(value: object, keys: Sequence[str]) -> Iterator[tuple[str | int, ...]]:
    """Every place in a response that the keys lead to, lists entered."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from ((index, *rest) for rest in _places(item, keys))
    elif not keys:
        yield ()
    elif isinstance(value, dict):
        inner = cast("Json", value)[keys[0]]
        if len(keys) == 1:
            yield (keys[0],)
        else:
            yield from ((keys[0], *rest) for rest in _places(inner, keys[1:]))


def _at(path: Path, keys: Sequence[str | int]) -> Path:
    for key in keys:
        path = path.add_key(key)
    return path
