"""From GraphQL's selection to picks of plain names, once for each document."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from graphql import (
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)
from graphql.execution.collect_fields import FieldDetails
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from db.lead_fields import TYPES
from db.lead_plans import Plan
from domain.selection import TYPENAME, Pick

__all__ = ["Selected", "Selections", "Use"]

Executor = StrawberryGraphQLCoreExecutionContext
Details = list[FieldDetails]


class Use(NamedTuple):
    """One use of a field in a document, with the keys that lead to it from the object that was selected from."""

    parent: GraphQLObjectType
    field: GraphQLField | None
    details: Details
    keys: tuple[str, ...]


@dataclass(slots=True)
class Selected:
    """What one field of one document selects: picks, the uses behind their places, and the plans made of it.

    `questions` are the places whose fields have arguments.
    """

    picks: tuple[Pick, ...]
    uses: list[Use]
    questions: tuple[int, ...]
    plans: dict[Hashable, Plan] = field(default_factory=dict[Hashable, Plan])


@dataclass(slots=True)
class _Document:
    operation: OperationDefinitionNode
    variables: tuple[str, ...]
    selections: dict[Hashable, Selected] = field(default_factory=dict[Hashable, Selected])


class Selections:
    """A bounded cache: by operation, by the nodes of a field, and by the variables that include or skip fields."""

    def __init__(self, *, documents: int = 512, each: int = 256) -> None:
        self._documents: OrderedDict[int, _Document] = OrderedDict()
        self._limit = documents
        self._each = each

    def find(self, executor: Executor, selected_from: GraphQLObjectType, details: Details) -> Selected:
        """The selection of a field, read at its first execution."""
        document = self._document(executor)
        values = executor.variable_values.coerced
        nodes = tuple([id(detail.node) for detail in details])
        key = (selected_from.name, nodes, tuple([values.get(name) for name in document.variables]))
        found = document.selections.get(key)
        if found is None:
            if len(document.selections) >= self._each:
                document.selections.clear()
            found = document.selections[key] = _read(executor, selected_from, details)
        return found

    def keep(self, selected: Selected, key: Hashable, plan: Plan) -> None:
        """Remember a plan of the selection."""
        if len(selected.plans) >= self._each:
            selected.plans.clear()
        selected.plans[key] = plan

    def _document(self, executor: Executor) -> _Document:
        # an entry keeps its operation alive, so that no other can have the same identity
        operation = executor.operation
        known = self._documents.get(id(operation))
        if known is None:
            known = _Document(operation, _directive_variables(operation, executor.fragment_definitions))
            self._documents[id(operation)] = known
            if len(self._documents) > self._limit:
                self._documents.popitem(last=False)
        return known


class _Variables(Visitor):
    """Collects the variables in arguments of directives."""

    def __init__(self) -> None:
        super().__init__()
        self.names = dict[str, None]()

    def enter_directive(self, node: object, *_: object) -> None:
        """Called by graphql-core for each directive."""
        for argument in getattr(node, "arguments", None) or ():
            if isinstance(argument.value, VariableNode):
                self.names[argument.value.name.value] = None


def _directive_variables(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    found = _Variables()
    for node in (operation, *fragments.values()):
        visit(node, found)
    return tuple(found.names)


def _read(executor: Executor, selected_from: GraphQLObjectType, details: Details) -> Selected:
    reader = _Reader(executor)
    picks = reader.picks(selected_from, details, ())
    questions = tuple(place for place, use in enumerate(reader.uses) if use.field and use.field.args)
    return Selected(picks, reader.uses, questions)


_ROOT: Final = "the selecting field itself"


class _Reader:
    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.uses: list[Use] = [Use(cast("GraphQLObjectType", None), None, [], (_ROOT,))]

    def picks(self, parent: GraphQLObjectType, details: Details, keys: tuple[str, ...]) -> tuple[Pick, ...]:
        """Place 0 is the query itself, so that the first pick has place 1."""
        collected = self._executor.collect_subfields(parent, details).grouped_field_set
        return tuple(self._pick(parent, key, inner, (*keys, key)) for key, inner in collected.items())

    def _pick(self, parent: GraphQLObjectType, key: str, details: Details, keys: tuple[str, ...]) -> Pick:
        name = details[0].node.name.value
        definition = None if name == TYPENAME else parent.fields[name]
        place = len(self.uses)
        self.uses.append(Use(parent, definition, details, keys))
        leads_to = cast("object", get_named_type(definition.type)) if definition else None
        if not isinstance(leads_to, GraphQLObjectType) or leads_to.name not in SERVED:
            return Pick(key, name, place)
        return Pick(key, name, place, self.picks(leads_to, details, keys))


SERVED: Final = frozenset(TYPES) | {
    *("LeadConnection", "LeadEdge", "NoteConnection", "NoteEdge", "Note", "PageInfo", "Count"),
    *("LeadGroup", "LeadGroupKey"),
}
"""The types whose objects are made of rows; fields that lead to any other are completed by GraphQL's own execution."""
