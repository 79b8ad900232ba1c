"""What may be told of a piece of work to whoever traces the server: names, ids, kinds and outcomes, no values."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

__all__ = ["Facts", "Observe", "Said", "observed"]

Facts = Mapping[str, str | int]
Said = Callable[[Facts], None]
"""Adds to what is told of a piece of work, within it; the fact `failed` also marks it as such."""
Observe = Callable[[str, Facts], AbstractContextManager[Said]]
"""Opens a piece of work of this name."""


def observed(observe: Observe | None, name: str, facts: Facts) -> AbstractContextManager[Said]:
    """The piece of work, for nobody where nobody observes."""
    return nullcontext(_unheard) if observe is None else observe(name, facts)


def _unheard(_: Facts) -> None:
    return
