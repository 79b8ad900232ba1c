"""What a caller selected, in names of the contract and without GraphQL."""

from dataclasses import dataclass

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Pick:
    """One field of an object: `name` in the contract, `key` in the response, `fields` of what it leads to.

    `place` tells one use of a field from another: arguments and the GraphQL side of it are kept under this number.
    """

    key: str
    name: str
    place: int
    fields: tuple["Pick", ...] = ()
