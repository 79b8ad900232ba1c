"""What a caller is told of an unforeseen error leads to one line of the log, which holds no value of a lead."""

import json
from pathlib import Path

import httpx

from tests.acceptance.calling import EXPORT, Caller
from tests.acceptance.conftest import token_of
from tests.conftest import administer
from tests.serving import SECRET_KEYS, Server, clean_environment, run_command

FIND = '{ leads(filter: {name: {contains: "Quellwasser"}}) { nodes { name } } }'
FAILED = "query ($id: ID!) { job(id: $id, waitSeconds: 20) { state failure { code message correlationId } } }"


async def test_s11_the_correlation_ids_of_a_request_and_of_a_job_are_found_in_the_log(
    database_url: str, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": database_url, "LEADPORT_SECRET_KEYS": SECRET_KEYS}
    assert run_command(tmp_path, {**clean_environment(), **environment}, "organization", "acme").returncode == 0
    server = Server(tmp_path, environment)
    try:
        async with httpx.AsyncClient() as http:
            caller = Caller(server.url, token_of("acme", "ADMIN"), http)
            await caller.import_file(b"name,phone,source\nDana Quellwasser,+12122004822,web\n")
            given = {"template": "LEADS", "filter": {"name": {"contains": "Quellwasser"}}}
            (error,) = await broken(database_url, caller)
            job = await failed_export(database_url, caller, given)
    finally:
        server.stop()
    assert error["extensions"]["code"] == "INTERNAL"
    assert (job["state"], job["failure"]["code"]) == ("FAILED", "INTERNAL")
    lines = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    for wanted in (error["extensions"]["correlationId"], job["failure"]["correlationId"]):
        (line,) = [line for line in lines if line.get("correlation_id") == wanted]
        assert {"time", "level", "logger", "message", "error", "stack"} <= set(line)
    assert "Quellwasser" not in server.output
    assert "2004822" not in server.output


async def broken(database_url: str, caller: Caller) -> list[dict]:
    """The errors of a query while its rows may not be read."""
    administer(database_url, "revoke select on app.leads from leadport_app")
    errors = await caller.refused(FIND)
    administer(database_url, "grant select on app.leads to leadport_app")
    return errors


async def failed_export(database_url: str, caller: Caller, spec: dict) -> dict:
    """An export whose file may not be written down."""
    administer(database_url, "revoke insert on app.job_files from leadport_app")
    made = (await caller.ask(EXPORT, spec=spec))["exportLeads"]["job"]
    return (await caller.ask(FAILED, id=made["id"]))["job"]
