"""How often a document's fields would be compared with each other, reckoned before it is validated.

Validation compares every two fields of one selection that answer under one name (GraphQL specification, section
5.3.2), and then what is selected below both: that grows with the square of the repetitions, which no limit of tokens
bounds well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from web.cost import TooExpensive

__all__ = ["check_overlaps"]

_WHAT: Final = "number of comparisons of repeated fields"
_STEPS_PER_COMPARISON: Final = 4
_DEPTH: Final = 100
"""No deeper: fragments that spread themselves are refused by validation."""


def check_overlaps(document: DocumentNode, limit: int) -> None:
    """Raises TooExpensive where validation would compare more than `limit` pairs of fields."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    counter = _Counter(fragments, limit)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode):
            counter.scope([node.selection_set], 0)


@dataclass(slots=True)
class _Counter:
    fragments: Mapping[str, FragmentDefinitionNode]
    limit: int
    comparisons: int = 0
    steps: int = 0

    def scope(self, sets: Iterable[SelectionSetNode], depth: int) -> None:
        """Count the fields of these selections, which are merged into one, and of what they select in turn."""
        if depth > _DEPTH:
            return
        times: dict[str, int] = {}
        below: dict[str, list[SelectionSetNode]] = {}
        for node in self._fields(sets):
            name = (node.alias or node.name).value
            self._count(times.get(name, 0))
            times[name] = times.get(name, 0) + 1
            if node.selection_set is not None:
                below.setdefault(name, []).append(node.selection_set)
        for inner in below.values():
            self.scope(inner, depth + 1)

    def _fields(self, sets: Iterable[SelectionSetNode]) -> Iterable[FieldNode]:
        waiting, spread = list(sets), set[str]()
        while waiting:
            for node in waiting.pop().selections:
                match node:
                    case FieldNode():
                        yield node
                    case InlineFragmentNode():
                        waiting.append(node.selection_set)
                    case FragmentSpreadNode() if node.name.value in self.fragments and node.name.value not in spread:
                        spread.add(node.name.value)
                        waiting.append(self.fragments[node.name.value].selection_set)
                    case _:
                        continue

    def _count(self, repetitions: int) -> None:
        self.comparisons += repetitions
        self.steps += 1
        actual = max(self.comparisons, self.steps // _STEPS_PER_COMPARISON)
        if actual > self.limit:
            raise TooExpensive(_WHAT, actual, self.limit)
