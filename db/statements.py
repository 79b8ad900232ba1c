"""From an expression tree to SQL text and the names of its binds in order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from db.expressions import Compound, Query

__all__ = ["Statement", "render"]

_DIALECT: Final = PGDialect_asyncpg()
_BIND: Final = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for `Database.read`: its binds are numbered from $2. `bare` is the same numbered from $1.

    `literals` are the values of those binds that the tree had a value for.
    """

    sql: str
    bare: str
    binds: tuple[str, ...]
    literals: Mapping[str, object] = field(default_factory=dict[str, object])

    def arguments(self, values: Mapping[str, object]) -> Sequence[object]:
        """The values in the order of the binds."""
        return [values[name] for name in self.binds]


def render(tree: Query | Compound) -> Statement:
    """The text of a SELECT whose values are all binds; no literal of ours holds a dollar sign."""
    compiled = tree.compile(dialect=_DIALECT)
    bare = str(compiled)
    literals = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(_BIND.sub(_next_number, bare), bare, tuple(compiled.positiontup or ()), literals)


def _next_number(bind: re.Match[str]) -> str:
    return f"${int(bind[1]) + 1}"
