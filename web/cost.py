"""What an operation would cost, reckoned before it runs: depth, aliases, root fields and rows asked for.

A fragment is reckoned once, however often it is spread, so that a document of n tokens takes O(n) steps. The
expression is kept with the document; only page sizes that come from variables are put in with each request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)
from graphql.pyutils import Undefined
from graphql.type import get_nullable_type  # pyright: ignore[reportUnknownVariableType] - as above

from domain.paging import DEFAULT_PAGE_SIZE

_PAGE_ARGUMENTS: Final = ("first", "last")
_LIST_ITEMS: Final = 10


@dataclass(frozen=True, slots=True)
class CostLimits:
    """The most that one operation may ask for. `cost` counts fields times the rows that they are read for."""

    depth: int = 20
    aliases: int = 100
    root_fields: int = 20
    cost: int = 100_000


@dataclass(frozen=True, slots=True)
class TooExpensive(Exception):
    """An operation asks for more than a limit allows; names the limit and both numbers."""

    what: str
    actual: int
    limit: int

    def __str__(self) -> str:
        return f"The operation's {self.what} is {min(self.actual, 10**12)}; the limit is {self.limit}."


@dataclass(slots=True)
class _Sum:
    """The fields of a selection: `children` are read once for each row of their multiplier."""

    fields: int = 0
    aliases: int = 0
    depth: int = 1
    children: list[tuple["int | str", int, "_Sum"]] = field(default_factory=list["tuple[int | str, int, _Sum]"])


@dataclass(frozen=True, slots=True)
class OperationCost:
    """The cost of one operation as an expression over its variables; `fixed` where no variable is in it."""

    root: _Sum
    root_fields: int
    fixed: int | None

    def check(self, limits: CostLimits, variables: Mapping[str, object]) -> int:
        """The cost with these variables. Raises TooExpensive."""
        for what, actual, limit in (
            ("depth", self.root.depth, limits.depth),
            ("number of aliases", self.root.aliases, limits.aliases),
            ("number of root fields", self.root_fields, limits.root_fields),
        ):
            if actual > limit:
                raise TooExpensive(what, actual, limit)
        cost = _evaluate(self.root, variables, {}) if self.fixed is None else self.fixed
        if cost > limits.cost:
            raise TooExpensive("cost", cost, limits.cost)
        return cost


def operation_cost(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> OperationCost:
    """Reckon an operation of a document; unknown fields and fragments, which validation refuses, count nothing."""
    root_type = schema.get_root_type(operation.operation)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    reckoner = _Reckoner(schema, fragments)
    total = reckoner.selection(operation.selection_set, root_type)
    return OperationCost(total, total.fields, None if reckoner.varies else _evaluate(total, {}, {}))


@dataclass(slots=True)
class _Reckoner:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    done: dict[str, _Sum] = field(default_factory=dict[str, _Sum])
    varies: bool = False

    def selection(self, selections: SelectionSetNode, parent: GraphQLCompositeType | None) -> _Sum:
        total = _Sum()
        for node in selections.selections:
            self._add(total, node, parent)
        return total

    def _add(self, total: _Sum, node: SelectionNode, parent: GraphQLCompositeType | None) -> None:
        if isinstance(node, FieldNode):
            self._add_field(total, node, parent)
            return
        if isinstance(node, InlineFragmentNode):
            part = self.selection(node.selection_set, self._type(node, parent))
        else:
            part = self._fragment(node.name.value)  # type: ignore[attr-defined] - the third kind is a spread
        _merge(total, part)

    def _type(
        self, node: InlineFragmentNode | FragmentDefinitionNode, parent: GraphQLCompositeType | None
    ) -> GraphQLCompositeType | None:
        if node.type_condition is None:
            return parent
        named = self.schema.get_type(node.type_condition.name.value)
        return named if is_composite_type(named) else None

    def _fragment(self, name: str) -> _Sum:
        if name not in self.done:
            self.done[name] = _Sum()
            node = self.fragments.get(name)
            if node is not None:
                self.done[name] = self.selection(node.selection_set, self._type(node, None))
        return self.done[name]

    def _add_field(self, total: _Sum, node: FieldNode, parent: GraphQLCompositeType | None) -> None:
        total.fields += 1
        total.aliases += node.alias is not None
        definition = _definition(parent, node.name.value)
        if node.selection_set is None or definition is None:
            return
        named = get_named_type(definition.type)  # pyright: ignore[reportUnknownArgumentType] - graphql-core's generics
        inner = self.selection(node.selection_set, named if is_composite_type(named) else None)
        multiplier, default = (1, 1) if _is_page(parent) else _multiplier(node, definition)
        self.varies = self.varies or isinstance(multiplier, str)
        total.aliases += inner.aliases
        total.depth = max(total.depth, inner.depth + 1)
        total.children.append((multiplier, default, inner))


def _merge(total: _Sum, part: _Sum) -> None:
    total.fields += part.fields
    total.aliases += part.aliases
    total.depth = max(total.depth, part.depth)
    total.children.append((1, 1, _Sum(children=part.children)))


def _definition(parent: GraphQLCompositeType | None, name: str) -> GraphQLField | None:
    has_fields = isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
    return parent.fields.get(name) if has_fields else None


def _is_list(definition: GraphQLField) -> bool:
    return isinstance(get_nullable_type(definition.type), GraphQLList)


def _is_page(parent: GraphQLCompositeType | None) -> bool:
    """Whether the lists of this type were counted where the page was asked for."""
    return parent is not None and parent.name.endswith("Connection")


def _multiplier(node: FieldNode, definition: GraphQLField) -> tuple[int | str, int]:
    """How many rows a field is read for: a number, or the variable that holds it with its fallback."""
    paged = next((name for name in _PAGE_ARGUMENTS if name in definition.args), None)
    if paged is None:
        return (_LIST_ITEMS, _LIST_ITEMS) if _is_list(definition) else (1, 1)
    declared = definition.args[paged].default_value
    default = declared if isinstance(declared, int) and declared is not Undefined else DEFAULT_PAGE_SIZE
    for argument in node.arguments or ():
        if argument.name.value in _PAGE_ARGUMENTS:
            if isinstance(argument.value, IntValueNode):
                return max(1, int(argument.value.value[:12])), default
            if isinstance(argument.value, VariableNode):
                return argument.value.name.value, default
    return default, default


def _evaluate(total: _Sum, variables: Mapping[str, object], known: dict[int, int]) -> int:
    if id(total) in known:
        return known[id(total)]
    cost = total.fields
    for multiplier, default, inner in total.children:
        rows = variables.get(multiplier, default) if isinstance(multiplier, str) else multiplier
        cost += (max(1, rows) if isinstance(rows, int) else default) * _evaluate(inner, variables, known)
    known[id(total)] = cost
    return cost


__all__ = ["CostLimits", "OperationCost", "TooExpensive", "operation_cost"]
