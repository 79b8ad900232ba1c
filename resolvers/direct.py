"""Root fields as graphql-core calls them, for inputs that are large or asked for often.

Strawberry turns a nested input into instances field by field, and `to_domain` turns these back into the document that
they came from: 0.35 ms for a filter of two conditions, more than the rest of a page. graphql-core has that document
already. tests/resolvers/test_differential.py and test_exports.py compare both ways.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from strawberry import Schema

__all__ = ["Given", "Roots", "resolve_directly"]

Given = Mapping[str, Any]
Roots: TypeAlias = Mapping[str, Callable[..., object]]
"""What resolves each field of Query from graphql-core's own arguments."""


def resolve_directly(schema: Schema, roots: Roots) -> None:
    """Have these fields of the schema's queries resolved so."""
    query = schema._schema.query_type  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public name
    if query is None:
        raise TypeError("the schema has no queries")
    for name, resolve in roots.items():
        query.fields[name].resolve = resolve
