"""Files and those who are told of them."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from db.deliveries import deliveries_of, plan_notices
from delivery.email import MailServer
from domain.errors import Rejected
from domain.exports import Delivery, ExportRequest, ExportSpec
from domain.ids import IdKind, format_id, new_id
from domain.job_details import FileDelivery
from domain.jobs import JobRecord
from domain.outgoing import Notice
from domain.vocabulary import DeliveryState
from domain.webhooks import WebhookSecrets, new_signing_secret
from jobs.deliveries import AT_ONCE, AT_ONCE_TO_AN_ENDPOINT, deliver_due
from jobs.export_requests import submit_export
from jobs.lifecycle import delete_files
from jobs.links import LinkRefused, open_download
from jobs.runtime import Runtime
from tests.conftest import MakeOrganization
from tests.db.export_rows import add_leads
from tests.delivery.peers import mail_peer, silent_peer, webhook_peer
from tests.jobs.exporting import Exporting
from tests.jobs.importing import working


@pytest.fixture
async def exporting(runtime: Runtime, new_organization: MakeOrganization) -> Exporting:
    acme = await new_organization("acme")
    await add_leads(runtime.database, acme, {"name": "Dana Secret"})
    return Exporting(runtime, acme)


def _with(exporting: Exporting, port: int = 0) -> Runtime:
    server = MailServer(host="127.0.0.1", port=port, sender="leadport@example.com", starttls=False)
    settings = replace(exporting.runtime.settings, mail_server=server if port else None, allow_private_webhooks=True)
    return replace(exporting.runtime, settings=settings)


async def _export(exporting: Exporting, *deliver: Delivery) -> JobRecord:
    request = ExportRequest(spec=ExportSpec(), deliver=deliver)
    return await exporting.run(await submit_export(exporting.runtime, exporting.actor, request))


async def _deliveries(exporting: Exporting, job: JobRecord) -> list[FileDelivery]:
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        return await deliveries_of(connection, job.id)


async def _endpoint(exporting: Exporting, url: str) -> tuple[str, str]:
    endpoint, secret = new_id(), new_signing_secret()
    sealed = WebhookSecrets(exporting.runtime.keyring).seal(secret, endpoint)
    async with exporting.runtime.database.unit(exporting.organization.id) as connection:
        await connection.execute(
            "insert into webhook_endpoints (id, url, secret_cipher) values ($1, $2, $3)", endpoint, url, sealed
        )
    return format_id(IdKind.WEBHOOK, endpoint), secret


async def test_a_mailed_link_opens_the_file_without_signing_in(exporting: Exporting) -> None:
    async with mail_peer() as peer:
        job = await _export(exporting, Delivery(email=("a@example.com", "b@example.com"), link_ttl_hours=1))
        assert await deliver_due(_with(exporting, peer.port)) == 2
        assert await deliver_due(_with(exporting, peer.port)) == 0
    assert {mail["to"] for mail in peer.mails} == {"a@example.com", "b@example.com"}
    text = peer.mails[0].get_content()
    assert "Dana" not in text
    token = next(line for line in text.splitlines() if "/files/" in line).rpartition("/")[2]
    assert (await open_download(exporting.runtime, token, None)).job_id == job.id
    assert [(one.state, one.attempts) for one in await _deliveries(exporting, job)] == [(DeliveryState.SENT, 1)] * 2
    await delete_files(exporting.runtime, exporting.actor, job.id)
    with pytest.raises(LinkRefused):
        await open_download(exporting.runtime, token, None)


async def test_s27_a_webhook_tells_ids_and_counts_and_nothing_of_leads(exporting: Exporting) -> None:
    async with webhook_peer() as peer:
        endpoint, _ = await _endpoint(exporting, peer.url)
        job = await _export(exporting, Delivery(webhook_endpoint_id=endpoint))
        await deliver_due(_with(exporting))
    [(headers, body)] = peer.requests
    document = json.loads(body)
    assert (document["type"], document["data"]["jobId"]) == ("EXPORT_READY", format_id(IdKind.JOB, job.id))
    assert document["data"]["rows"] == 1
    assert b"http" not in body
    assert headers["webhook-id"].startswith("delivery_")
    [delivery] = await _deliveries(exporting, job)
    assert (delivery.state, delivery.target) == (DeliveryState.SENT, peer.url)


async def test_a_failure_is_tried_again_later_under_the_same_id(exporting: Exporting) -> None:
    async with webhook_peer() as peer:
        endpoint, _ = await _endpoint(exporting, peer.url)
        job = await _export(exporting, Delivery(webhook_endpoint_id=endpoint))
        peer.status = 500
        await deliver_due(_with(exporting))
        [delivery] = await _deliveries(exporting, job)
        assert (delivery.state, delivery.last_error) == (DeliveryState.PENDING, "The endpoint answered 500.")
        assert await deliver_due(_with(exporting)) == 0
        sql = "update store.deliveries set next_attempt_at = next_attempt_at - $1::interval"
        await exporting.runtime.system.execute(sql, timedelta(seconds=6))
        peer.status = 204
        await deliver_due(_with(exporting))
    [delivery] = await _deliveries(exporting, job)
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.SENT, 2, None)
    assert len({headers["webhook-id"] for headers, _ in peer.requests}) == 1


async def test_a_link_that_has_ended_is_not_mailed_any_more(exporting: Exporting) -> None:
    job = await _export(exporting, Delivery(email=("a@example.com",), link_ttl_hours=1))
    late = "update store.deliveries set link_expires_at = now() - interval '1 minute'"
    await exporting.runtime.system.execute(late)
    async with mail_peer() as peer:
        await deliver_due(_with(exporting, peer.port))
    assert peer.mails == []
    [delivery] = await _deliveries(exporting, job)
    assert (delivery.state, delivery.last_error) == (
        DeliveryState.FAILED,
        "The link had ended before it could be sent.",
    )


async def test_an_endpoint_that_is_disabled_is_told_nothing_and_the_export_says_so(exporting: Exporting) -> None:
    async with webhook_peer() as peer:
        endpoint, _ = await _endpoint(exporting, peer.url)
        async with exporting.runtime.database.unit(exporting.organization.id) as connection:
            await connection.execute("update webhook_endpoints set enabled = false")
        job = await _export(exporting, Delivery(webhook_endpoint_id=endpoint))
        await deliver_due(_with(exporting))
    assert peer.requests == []
    [delivery] = await _deliveries(exporting, job)
    message = "The endpoint has been deleted or disabled."
    assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, message)


async def test_an_address_that_is_named_twice_is_told_once(exporting: Exporting) -> None:
    job = await _export(exporting, Delivery(email=("a@example.com", "a@example.com")))
    assert [one.target for one in await _deliveries(exporting, job)] == ["a@example.com"]


async def test_a_delivery_whose_attempts_never_ended_is_given_up(exporting: Exporting) -> None:
    job = await _export(exporting, Delivery(email=("a@example.com",)))
    await exporting.runtime.system.execute("update store.deliveries set attempts = 8")
    async with mail_peer() as peer:
        await deliver_due(_with(exporting, peer.port))
    assert peer.mails == []
    [delivery] = await _deliveries(exporting, job)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 9)


async def test_without_a_mail_server_the_delivery_says_so(exporting: Exporting) -> None:
    job = await _export(exporting, Delivery(email=("a@example.com",)))
    await deliver_due(_with(exporting))
    [delivery] = await _deliveries(exporting, job)
    assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, "This server has no mail server.")


async def test_what_a_worker_cannot_make_sense_of_does_not_keep_it_from_sending_the_rest(
    exporting: Exporting, database_url: str
) -> None:
    system, organization = exporting.runtime.system, exporting.organization.id
    columns = "organization_id, id, channel, target, next_attempt_at"
    odd = f"insert into store.deliveries ({columns}) values ($1, $2, 'FAX', '1', now())"
    await system.execute(odd, organization, new_id())
    async with mail_peer() as peer, working(_with(exporting, peer.port), database_url), asyncio.timeout(30):
        while not await system.fetch("select from store.deliveries where attempts > 0"):  # noqa: ASYNC110 - the worker's
            await asyncio.sleep(0.05)
        async with exporting.runtime.database.unit(organization) as connection:
            await plan_notices(connection, new_id(), ["a@example.com"], Notice("Done", "It is done."))
        while not peer.mails:  # noqa: ASYNC110 - the worker sends it
            await asyncio.sleep(0.05)


async def test_an_endpoint_that_never_answers_holds_up_nobody_else(exporting: Exporting) -> None:
    async with silent_peer() as url, mail_peer() as peer:
        endpoint, _ = await _endpoint(exporting, url)
        for _ in range(AT_ONCE):
            await _export(exporting, Delivery(webhook_endpoint_id=endpoint))
        await _export(exporting, Delivery(email=("a@example.com",)))
        sending = asyncio.create_task(deliver_due(_with(exporting, peer.port)))
        async with asyncio.timeout(10):
            while not peer.mails:  # noqa: ASYNC110 - it is sent elsewhere
                await asyncio.sleep(0.05)
        sending.cancel()
        await asyncio.wait([sending])
    [row] = await exporting.runtime.system.fetch("select sum(attempts) as n from store.deliveries")
    assert row["n"] == AT_ONCE_TO_AN_ENDPOINT + 1


async def test_who_cannot_be_told_is_told_before_the_export(exporting: Exporting) -> None:
    absent = format_id(IdKind.WEBHOOK, new_id())
    deliver = (Delivery(email=("a@example.com", "nope")), Delivery(webhook_endpoint_id=absent))
    request = ExportRequest(spec=ExportSpec(), deliver=deliver)
    with pytest.raises(Rejected) as caught:
        await submit_export(exporting.runtime, exporting.actor, request)
    assert [problem.path for problem in caught.value.problems] == [
        ("input", "deliver", "0", "email", "1"),
        ("input", "deliver", "1", "webhookEndpointId"),
    ]
