"""The other way to execute: a query object read with all columns, completed field by field by graphql-core.

Nested arguments are answered here by other means than in the product: notes by slicing, counts by counting.
"""

from collections.abc import Callable, Coroutine, Generator
from decimal import Decimal
from zoneinfo import ZoneInfo

from graphql import GraphQLObjectType, get_named_type
from graphql.execution.values import get_argument_values
from sqlalchemy import func, select
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.cursors import read_cursor
from db.filter_shapes import FilterContext
from db.filters import compile_filter
from db.lead_plans import Wanted
from db.nested import FIRST
from db.shapes import Lowered
from db.statements import render
from db.views import leads
from domain.errors import BadInput
from domain.filter_input import read_filter
from domain.filters import EVERYTHING, LeadFilter
from domain.paging import PageArguments
from domain.selection import Pick
from domain.vocabulary import LeadFieldKey, LeadSortField
from resolvers.execution import Query
from resolvers.selections import SERVED, Selected, Use

ALL_NOTES = 1_000


class Later:
    """An awaitable that begins only where somebody awaits it."""

    def __init__(self, begin: Callable[[], Coroutine[object, object, object]]) -> None:
        self.begin = begin

    def __await__(self) -> Generator[object, object, object]:
        return self.begin().__await__()


class ReferenceExecutor(StrawberryGraphQLCoreExecutionContext):
    def complete_value(  # noqa: PLR0917 - graphql-core's signature
        self, return_type: object, details: object, info: object, path: object, result: object, context: object
    ):
        if isinstance(result, Query):
            return self._complete(return_type, details, info, path, result, context)
        return super().complete_value(return_type, details, info, path, result, context)

    async def _complete(  # noqa: PLR0917 - likewise
        self, return_type: object, details: object, info: object, path: object, query: object, context: object
    ):
        named = get_named_type(return_type)
        served = named if isinstance(named, GraphQLObjectType) else self.schema.type_map[query.type_name]
        everything = Everything()
        selected = Selected(everything.picks(served, ()), everything.uses, ())
        plan = query.plan(Wanted(selected.picks, query.masks, dict.fromkeys(everything.notes, FIRST)))
        answer = await query.answer(plan, selected, dict.fromkeys(everything.notes, Lowered(FIRST, (ALL_NOTES + 1,))))
        for lead in answer.leads:
            for deferred in plan.deferred[lead.place]:
                raw = lead.value[deferred.key]
                lead.value[deferred.key] = raw and Later(
                    lambda query=query, one=deferred, raw=raw: reveal(query, one, raw)
                )
        restore(served, answer.value, query)
        completed = super().complete_value(return_type, details, info, path, answer.value, context)
        return await completed if self.is_awaitable(completed) else completed

    def execute_field(self, parent: object, source: object, details: object, path: object, context: object):
        name = details[0].node.name.value
        if isinstance(source, dict) and name in {"notes", "leadCount"} and parent.name in {"Lead", "LeadStatus"}:
            source = {**source, **self._with_arguments(parent, source, details[0], name)}
        return super().execute_field(parent, source, details, path, context)

    def _with_arguments(self, parent: object, source: object, detail: object, name: str):
        try:
            arguments = get_argument_values(parent.fields[name], detail.node, self.variable_values)
            query = source["_query"]
            if name == "notes":
                return {"notes": sliced(source["notes"], arguments, query.sight.organization.limits.max_page_size)}
            tree = read_filter(arguments["filter"], ("filter",)) if "filter" in arguments else EVERYTHING
            return {"lead_count": Later(lambda: counted(query.sight, source["id"], tree))}
        except Exception as error:  # noqa: BLE001 - raised where the field is completed
            return {"notes": error, "lead_count": error}


async def reveal(query: object, deferred: object, raw: object):
    (source,) = await query.sources([(deferred, raw)])
    (value,) = source.values()
    return await value if hasattr(value, "__await__") else value


class Everything:
    """Picks of every field of a type, under the names of its Python attributes."""

    def __init__(self) -> None:
        self.uses = [None]
        self.notes = list[int]()

    def picks(self, served: GraphQLObjectType, keys: tuple[str, ...]) -> tuple[Pick, ...]:
        return tuple(pick for name in served.fields if (pick := self.pick(served, name, keys)))

    def pick(self, served: GraphQLObjectType, name: str, keys: tuple[str, ...]) -> Pick | None:
        if name == "leadCount":
            return None
        definition = served.fields[name]
        key = definition.extensions["strawberry-definition"].python_name
        place = len(self.uses)
        self.uses.append(Use(served, definition, [], (*keys, key)))
        if name == "notes":
            self.notes.append(place)
        leads_to = get_named_type(definition.type)
        inner = self.picks(leads_to, (*keys, key)) if leads_to.name in SERVED else ()
        return Pick(key, name, place, inner)


def restore(served: GraphQLObjectType, value: object, query: Query) -> None:
    """Python's values instead of their text, so that graphql-core writes them itself."""
    if isinstance(value, list):
        for item in value:
            restore(served, item, query)
        return
    if not isinstance(value, dict):
        return
    value["_query"] = query
    for definition in served.fields.values():
        key = definition.extensions["strawberry-definition"].python_name
        leads_to = get_named_type(definition.type)
        found = value.get(key)
        if found is None:
            continue
        if leads_to.name == "Decimal":
            value[key] = Decimal(found)
        elif leads_to.name == "LeadFieldKey":
            value[key] = [LeadFieldKey[name] for name in found]
        elif leads_to.name in SERVED:
            restore(leads_to, found, query)


def sliced(every: dict, arguments: dict, maximum: int) -> dict:
    if any(value is None for value in arguments.values()):
        raise BadInput("null is not a value here; leave it out instead.", ("first",))
    page = PageArguments(**arguments).request(maximum)
    edges = every["edges"]
    if page.cursor is not None:
        place = read_cursor(b"notes.", LeadSortField.CREATED_AT, page.cursor, "after")
        edges = [edge for edge in edges if key(edge) < (place.value, f"note_{place.id}")]
    shown = edges[: page.size]
    info = {
        "has_next_page": len(edges) > page.size,
        "has_previous_page": page.cursor is not None,
        "start_cursor": shown[0]["cursor"] if shown else None,
        "end_cursor": shown[-1]["cursor"] if shown else None,
    }
    return {"edges": shown, "nodes": [edge["node"] for edge in shown], "page_info": info}


def key(edge: dict) -> tuple:
    return edge["node"]["created_at"], edge["node"]["id"]


async def counted(sight: object, status_id: str, tree: LeadFilter) -> dict:
    settings = sight.organization.settings
    context = FilterContext(
        now=sight.now, zone=ZoneInfo(settings.time_zone), country=settings.default_country, masks=sight.masks
    )
    found = select(func.count().label("n")).where(compile_filter(tree, context), leads.c.status_id == status_id[7:])
    statement = found.compile(dialect=render.__globals__["_DIALECT"])
    async with sight.database.unit(sight.organization.id) as connection:
        values = (statement.params[name] for name in statement.positiontup)
        return {"value": await connection.fetchval(str(statement), *values), "exact": True}
