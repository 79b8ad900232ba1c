"""Changes of a job's state that callers make; the rows were locked by `lock_job` before."""

from typing import Final
from uuid import UUID

from db.connections import Connection
from domain.json import JsonObject

__all__ = ["mark_cancelled", "mark_cancelling", "mark_queued"]

_QUEUED: Final = """
update jobs set state = 'QUEUED', spec = coalesce($2, spec), failure = null, attempts = 0,
  finished_at = null, admitted_at = null, engine_id = null, cancel_requested = false
where id = $1
"""

_CANCELLED: Final = """
update jobs set state = 'CANCELLED', finished_at = clock_timestamp(), admitted_at = null, engine_id = null,
  cancel_requested = false
where id = $1
"""

_CANCELLING: Final = "update jobs set state = 'CANCELLING', cancel_requested = true where id = $1"

_TELL: Final = """
update job_progress set revision = revision + 1, updated_at = clock_timestamp(), eta_seconds = null where job_id = $1
"""


async def mark_queued(connection: Connection, job_id: UUID, *, spec: JsonObject | None = None) -> None:
    """The job waits for admission again, as if it were new; None leaves the spec as it is."""
    await connection.execute(_QUEUED, job_id, spec)
    await connection.execute(_TELL, job_id)


async def mark_cancelled(connection: Connection, job_id: UUID) -> None:
    """The job has ended without a (further) run."""
    await connection.execute(_CANCELLED, job_id)
    await connection.execute(_TELL, job_id)


async def mark_cancelling(connection: Connection, job_id: UUID) -> None:
    """Whoever runs the job shall stop at its next block."""
    await connection.execute(_CANCELLING, job_id)
    await connection.execute(_TELL, job_id)
