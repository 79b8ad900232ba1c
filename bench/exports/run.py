"""One export in a process of its own: seconds, rows, bytes and memory over what the idle worker has."""

import json
import resource
import sys
import time
from pathlib import Path
from uuid import UUID

import psutil
import uvloop

from bench.exports.leads import COLUMNS
from bench.jobs.place import runtime_of
from db.jobs import load_job
from domain.actors import system_actor
from domain.exports import ExportRequest, ExportSpec, FileOptions
from domain.vocabulary import Compression, ExportFormat, JobKind, SplitBy
from jobs.export_requests import submit_export
from jobs.exports import run_export
from jobs.queue import DispatchOptions, Token
from jobs.worker import Worker


async def main(app: str, system: str, folder: str, organization: str, asked: str) -> None:
    given = json.loads(asked)
    async with runtime_of(app, system, Path(folder)) as runtime:
        actor = system_actor(UUID(organization))
        spec = ExportSpec(
            columns=COLUMNS,
            format=ExportFormat[given["format"]],
            compression=Compression[given["compression"]] if "compression" in given else None,
            split_by=SplitBy[given.get("split_by", "NONE")],
            limit=given.get("limit"),
            file=FileOptions(name="bench"),
        )
        job = await submit_export(runtime, actor, ExportRequest(spec=spec))
        async with runtime.database.unit(actor.organization_id) as connection:
            stored = await load_job(connection, job.id)
        assert stored is not None
        options = DispatchOptions(dsn="", large=1, small=1, drain_seconds=1)
        worker = Worker(runtime, options, {JobKind.EXPORT: run_export})
        idle = psutil.Process().memory_info().rss
        began, busy = time.perf_counter(), time.process_time()
        await worker.deliver(Token(actor.organization_id, job.id, stored.engine_id or 0))
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        async with runtime.database.unit(actor.organization_id) as connection:
            row = await connection.fetchrow(
                "select state, row_count, byte_count, failure from jobs where id = $1", job.id
            )
            await connection.execute("update job_files set deleted_at = now()")
        assert row is not None
        assert row["state"] == "COMPLETED", row["failure"]
        assert row["row_count"] == given.get("limit", row["row_count"])
    figures = {
        "seconds": seconds,
        "cpu seconds": busy,
        "rows": row["row_count"],
        "MB": row["byte_count"] / 1e6,
        "MiB over idle": (peak - idle) / 2**20,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
