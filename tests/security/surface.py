"""What the built schema lets a caller send: its root fields, every place of an id in their arguments, and a selection
that shows as much of the answer as can be shown."""

from collections.abc import Iterator
from itertools import chain

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)

from tests.resolvers.office import SCHEMA

GRAPHQL: GraphQLSchema = SCHEMA._schema
DEPTH = 3
CHANGING = {"revision", "progress", "downloadCount"}
"""What differs between two equal requests that run jobs."""
Path = tuple[str, ...]


def roots() -> dict[str, GraphQLField]:
    """`Query.leads` and the like."""
    kinds = (GRAPHQL.query_type, GRAPHQL.mutation_type, GRAPHQL.subscription_type)
    return {f"{kind.name}.{name}": field for kind in kinds if kind for name, field in kind.fields.items()}


def id_places(field: GraphQLField) -> list[Path]:
    """The paths of the ids in the arguments of a root field, an input type once on each path."""
    return list(chain.from_iterable(_ids(arg.type, (name,), frozenset()) for name, arg in field.args.items()))


def takes_list(field: GraphQLField, path: Path) -> bool:
    """Whether the value at a path is a list."""
    kind = field.args[path[0]].type
    for name in path[1:]:
        kind = get_named_type(kind).fields[name].type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def document(root: str, depth: int = DEPTH) -> str:
    """An operation that takes every argument as a variable and shows what there is."""
    operation, _, name = root.partition(".")
    field = roots()[root]
    declared = ", ".join(f"${arg}: {of.type}" for arg, of in field.args.items())
    passed = ", ".join(f"{arg}: ${arg}" for arg in field.args)
    head = f"{operation.lower()}{f'({declared})' if declared else ''}"
    return f"{head} {{ {name}{f'({passed})' if passed else ''} {selection(field.type, depth)} }}"


def selection(kind: GraphQLOutputType, depth: int) -> str:
    """The fields of a type that need no argument, down to a depth; a nested list of edges shows its nodes alone."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    return f"{{ __typename {' '.join(_shown(named, depth, ''))} }}"


def _shown(named: GraphQLObjectType | GraphQLAbstractType, depth: int, prefix: str) -> Iterator[str]:
    for name, field in getattr(named, "fields", {}).items():
        if name in CHANGING or name == "edges" or any(map(is_required_argument, field.args.values())):
            continue
        label = f"{prefix}{name}: {name}" if prefix else name
        if is_leaf_type(get_named_type(field.type)):
            yield label
        elif depth > 1:
            yield f"{label} {selection(field.type, depth - 1)}"
    if is_abstract_type(named):
        for possible in GRAPHQL.get_possible_types(named):
            inner = " ".join(_shown(possible, depth - 1, f"{possible.name}_"))
            yield f"... on {possible.name} {{ __typename {inner} }}"


def _ids(kind: GraphQLInputType, path: Path, seen: frozenset[str]) -> Iterator[Path]:
    named = get_named_type(kind)
    if named.name == "ID":
        yield path
    elif is_input_object_type(named) and named.name not in seen:
        for name, field in named.fields.items():
            yield from _ids(field.type, (*path, name), seen | {named.name})
