"""Variables, coerced as graphql-core coerces them, at the cost of what is given instead of all that could be.

graphql-core visits every field of an input type, given or not: a filter of two conditions costs it fifty visits. What
is not plainly right, and every error, is left to it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias, cast

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value

__all__ = ["Signatures", "plain_values", "signatures_of"]

Signatures = Sequence[GraphQLVariableSignature]
Untyped: TypeAlias = Any
"""An input type, which graphql-core's own annotations leave partly unknown."""
_DEPTH: Final = 32
_REFUSED: Final = (GraphQLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _NotPlain(Exception):
    """graphql-core is to say what this value is, or what is wrong with it."""


def signatures_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Signatures:
    """The variables of an operation that is valid."""
    found = [get_variable_signature(schema, node) for node in operation.variable_definitions or ()]
    return [signature for signature in found if not isinstance(signature, GraphQLError)]


def plain_values(signatures: Signatures, given: Mapping[str, object]) -> VariableValues | None:
    """The values of the variables; None where graphql-core must look at them."""
    sources, coerced = dict[str, VariableValueSource](), dict[str, object]()
    try:
        for signature in signatures:
            name = signature.name
            if name in given:
                sources[name] = VariableValueSource(signature, given[name])
                coerced[name] = _coerced(given[name], signature.type, 0)
            elif signature.default is not None or isinstance(signature.type, GraphQLNonNull):
                return None
            else:
                sources[name] = VariableValueSource(signature)
    except _NotPlain:
        return None
    return VariableValues(sources, coerced)


def _coerced(value: object, kind: Untyped, depth: int) -> object:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            raise _NotPlain
        kind = cast("Untyped", kind.of_type)
    if value is None:
        return None
    if isinstance(kind, GraphQLInputObjectType):
        return _object(value, kind, depth + 1)
    if isinstance(kind, GraphQLList):
        if not isinstance(value, list) or depth > _DEPTH:
            raise _NotPlain
        inner = cast("Untyped", kind.of_type)
        return [_coerced(item, inner, depth + 1) for item in cast("list[object]", value)]
    return _leaf(value, kind)


def _leaf(value: object, kind: Untyped) -> object:
    try:
        found = cast("object", kind.coerce_input_value(value))
    except _REFUSED:
        raise _NotPlain from None
    if found is Undefined:
        raise _NotPlain
    return found


def _object(value: object, kind: GraphQLInputObjectType, depth: int) -> object:
    if not isinstance(value, dict) or depth > _DEPTH:
        raise _NotPlain
    given, fields, (places, always) = cast("dict[str, object]", value), kind.fields, _facts(kind)
    if kind.is_one_of or not always <= given.keys() <= places.keys():
        raise _NotPlain
    names = sorted(given, key=places.__getitem__)
    return kind.out_type(
        {fields[name].out_name or name: _coerced(given[name], fields[name].type, depth) for name in names}
    )


@cache
def _facts(kind: GraphQLInputObjectType) -> tuple[Mapping[str, int], frozenset[str]]:
    """The places of the fields, and those that must be given or have a value also where none is given."""
    places = {name: place for place, name in enumerate(kind.fields)}
    always = frozenset(
        name
        for name, field in kind.fields.items()
        if isinstance(field.type, GraphQLNonNull) or coerce_default_value(field) is not Undefined
    )
    return places, always
