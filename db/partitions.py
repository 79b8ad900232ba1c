"""The monthly partitions of activity and import issues."""

from typing import Final

from db.system import SystemDatabase

__all__ = ["create_partitions"]

MONTHS_AHEAD: Final = 3


async def create_partitions(system: SystemDatabase, months: int = MONTHS_AHEAD) -> int:
    """Make those of this month and of so many after it that are missing; returns how many.

    Rows that came before their partition are moved out of the default one, so that it may be late, but daily is cheap.
    """
    rows = await system.fetch("select store.create_partitions($1) as made", months)
    return rows[0]["made"]
