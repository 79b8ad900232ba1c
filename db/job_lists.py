"""Lists of jobs."""

from typing import Final

from db.connections import Connection
from db.jobs import JOB_COLUMNS, JOB_TABLES, job_of
from domain.jobs import JobRecord

__all__ = ["jobs_underway"]

_UNDERWAY: Final = f"""
select {JOB_COLUMNS} from {JOB_TABLES}
where j.state in ('QUEUED', 'RUNNING', 'CANCELLING', 'AWAITING_MAPPING', 'AWAITING_REVIEW')
   or j.created_at > now() - interval '2 minutes'
order by j.created_at desc limit 5000
"""


async def jobs_underway(connection: Connection) -> list[JobRecord]:
    """The organization's jobs that may still change, and those so young that a poll may still come upon them."""
    return [job_of(row) for row in await connection.fetch(_UNDERWAY)]
