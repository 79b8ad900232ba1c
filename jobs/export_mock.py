"""Sample exports: invented leads in the place of real ones."""

import random
from dataclasses import replace
from typing import Final, cast
from uuid import UUID

from db.connections import Connection
from db.export_mock import fitting, load_references, stand_ins
from db.export_query import Selection
from jobs.mock_data import References, Row, complete, invent
from jobs.mock_filter import Bender

_ROUNDS: Final = 10
_FEWEST: Final = 20
"""Leads of a round: the last ones that are missing would else depend on ten throws of a die."""


async def with_mock_leads(connection: Connection, selection: Selection, count: int) -> Selection:
    """The selection over at most `count` invented leads that satisfy its filter; no real lead is read.

    Fewer where the filter is so narrow that invention does not meet it.
    """
    found = await load_references(connection)
    references = References(
        statuses=cast("list[tuple[UUID, str, str]]", found["statuses"]),
        companies=[ids[0] for ids in found["companies"]],
        chatbots=cast("list[tuple[UUID, UUID | None]]", found["chatbots"]),
        users=[ids[0] for ids in found["users"]],
    )
    rng = random.Random()  # noqa: S311 - nothing secret is drawn
    bender = Bender(rng, selection.context, references)
    kept: list[Row] = []
    for _ in range(_ROUNDS):
        rows = [_invented(rng, selection, references, bender) for _ in range(max(count - len(kept), _FEWEST))]
        good = await fitting(connection, selection, rows)
        kept += [row for row in rows if UUID(str(row["id"])) in good]
        if len(kept) >= count:
            break
    return replace(selection, source=stand_ins(kept[:count]))


def _invented(rng: random.Random, selection: Selection, references: References, bender: Bender) -> Row:
    row = invent(rng, selection.context.now, references)
    bender.bend(row, selection.leads)
    return complete(row)
