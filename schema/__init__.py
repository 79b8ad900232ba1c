"""What the API looks like: types, inputs, enums, scalars, and the ports that nested fields read through."""

from schema.enums import ENUMS

__all__ = ["ENUMS"]
