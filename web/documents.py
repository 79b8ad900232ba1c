"""GraphQL documents, parsed, reckoned and validated once per query string."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails

from web.cost import CostLimits, OperationCost, TooExpensive, operation_cost
from web.overlaps import check_overlaps
from web.variables import Signatures, signatures_of

_MAX_ERRORS: Final = 20
_SHORT: Final = 1_000
"""Characters of a document that is prepared within 10 ms; a longer one must not keep the event loop from others."""
_ASIDE: Final = ThreadPoolExecutor(1, thread_name_prefix="documents")
"""One thread: two would only take turns, and leave the event loop a third."""
_CHARACTERS_A_FIELD: Final = 10
_KEPT_LENGTH: Final = 32_768
"""Longer query strings are prepared each time, so that the cache stays within a known size."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The most that a document may hold, and how many prepared ones are kept."""

    tokens: int = 2_000
    characters: int = 200_000
    comparisons: int = 5_000
    kept: int = 512


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to run, or its errors. `costs` are by operation name, None for the anonymous one.

    `effort` is what preparing it cost, in the unit of operations.
    """

    document: DocumentNode | None
    errors: Sequence[GraphQLError]
    operations: Mapping[str | None, OperationDefinitionNode]
    costs: Mapping[str | None, OperationCost]
    effort: int = 0
    signatures: Mapping[str | None, Signatures] = field(default_factory=dict[str | None, Signatures])
    fragments: Mapping[str, FragmentDetails] = field(default_factory=dict[str, FragmentDetails])

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation to run: the named one, or the only one."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name)


class Documents:
    """Prepares documents and keeps the latest. Holds no values and no verdict on who may run them."""

    def __init__(
        self, schema: GraphQLSchema, limits: DocumentLimits, costs: CostLimits, *, introspection: bool = True
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._costs = costs
        self._rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self.introspection = introspection
        """Whether documents may ask for the schema, and errors may name what else it has."""
        self._kept: OrderedDict[str, Prepared] = OrderedDict()

    async def prepare(self, query: str) -> Prepared:
        """Parse, reckon with no variables, validate; in this order, so that nothing costly runs on a bomb."""
        known = self._kept.get(query)
        if known is not None:
            self._kept.move_to_end(query)
            return known
        if len(query) <= _SHORT:
            prepared = self._prepare(query)
        else:
            prepared = await asyncio.get_running_loop().run_in_executor(_ASIDE, self._prepare, query)
        if len(query) <= _KEPT_LENGTH:
            self._kept[query] = prepared
            if len(self._kept) > self._limits.kept:
                self._kept.popitem(last=False)
        return replace(prepared, effort=len(query) // _CHARACTERS_A_FIELD)

    def check_cost(self, prepared: Prepared, name: str | None, variables: Mapping[str, object]) -> int:
        """The cost of the operation with these variables. Raises TooExpensive."""
        costs = prepared.costs
        cost = next(iter(costs.values())) if name is None and len(costs) == 1 else costs.get(name)
        return cost.check(self._costs, variables) if cost else 0

    def _prepare(self, query: str) -> Prepared:
        if len(query) > self._limits.characters:
            return _refused(f"The document is longer than {self._limits.characters} characters.", "LIMIT_EXCEEDED")
        try:
            return self._checked(parse(query, max_tokens=self._limits.tokens))
        except GraphQLError as error:
            error.extensions = {"code": "GRAPHQL_PARSE_FAILED"}
            return Prepared(None, [error], {}, {})
        except TooExpensive as error:
            return _refused(str(error), "LIMIT_EXCEEDED")
        except RecursionError:
            return _refused("The document is nested too deeply.", "LIMIT_EXCEEDED")

    def _checked(self, document: DocumentNode) -> Prepared:
        operations = {
            node.name.value if node.name else None: node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        costs = {name: operation_cost(self._schema, document, node) for name, node in operations.items()}
        for cost in costs.values():
            cost.check(self._costs, {})
        check_overlaps(document, self._limits.comparisons)
        errors = validate(
            self._schema, document, self._rules, max_errors=_MAX_ERRORS, hide_suggestions=not self.introspection
        )
        for error in errors:
            error.extensions = {"code": "GRAPHQL_VALIDATION_FAILED"}
        if errors:
            return Prepared(document, errors, operations, costs)
        signatures = {name: signatures_of(self._schema, node) for name, node in operations.items()}
        fragments = {
            node.name.value: FragmentDetails(node)
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        return Prepared(document, errors, operations, costs, signatures=signatures, fragments=fragments)


def _refused(message: str, code: str) -> Prepared:
    return Prepared(None, [GraphQLError(message, extensions={"code": code})], {}, {})
