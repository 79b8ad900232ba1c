"""How Strawberry names, reads and completes the types of this package."""

from functools import cache
from typing import cast

from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

from schema.scalars import SCALARS

_camel_case = cache(to_camel_case)


class CachedNames(NameConverter):
    """camelCase, worked out once a name: Strawberry asks again for every argument of every call."""

    def apply_naming_config(self, name: str) -> str:
        """The GraphQL name of a Python name."""
        return _camel_case(name)


def attribute_or_key(source: object, name: str) -> object:
    """A field of an object, or of a row given as a dict: both complete the same types."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source)[name]
    return getattr(source, name)


def schema_config(*, suggestions: bool = True) -> StrawberryConfig:
    """The configuration that every schema of these types needs; `suggestions`: whether errors name likely fields."""
    return StrawberryConfig(
        name_converter=CachedNames(),
        default_resolver=attribute_or_key,
        scalar_map=SCALARS,
        disable_field_suggestions=not suggestions,
    )
