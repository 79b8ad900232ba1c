"""How many jobs there are, over all organizations."""

from dataclasses import dataclass

from db.system import SystemDatabase

__all__ = ["JobTotal", "job_totals"]


@dataclass(frozen=True, slots=True)
class JobTotal:
    """Jobs of one kind in one state, with the rows and bytes that they have moved."""

    kind: str
    state: str
    jobs: int
    rows: int
    bytes: int


async def job_totals(system: SystemDatabase) -> list[JobTotal]:
    """Every kind and state that there is."""
    rows = await system.fetch(
        "select kind, state, count(*) as jobs, sum(row_count)::bigint as rows, sum(byte_count)::bigint as bytes"
        " from store.jobs group by kind, state"
    )
    return [JobTotal(row["kind"], row["state"], row["jobs"], row["rows"], row["bytes"]) for row in rows]
