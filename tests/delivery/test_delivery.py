"""Mail and webhooks against real peers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook

from delivery.email import Mail, MailServer, send_mail
from delivery.webhooks import WebhookMessage, post_webhook
from domain.outgoing import DeliveryFailed, pause_after
from domain.webhooks import new_signing_secret
from tests.delivery.peers import mail_peer, webhook_peer

MAIL = Mail(id="7", to="dana@example.com", subject="leads.csv is ready", text="שלום https://leads.example/x\n")


def _server(port: int) -> MailServer:
    return MailServer(host="127.0.0.1", port=port, sender="Leadport <leadport@example.com>", starttls=False)


async def test_a_mail_arrives_as_written() -> None:
    async with mail_peer() as peer:
        await send_mail(_server(peer.port), MAIL)
    [mail] = peer.mails
    assert (mail["to"], mail["subject"]) == ("dana@example.com", "leads.csv is ready")
    assert mail.get_content().replace("\r\n", "\n") == MAIL.text
    assert mail["message-id"].endswith("@example.com>")


@pytest.mark.parametrize(("answer", "final"), [("451 later", False), ("550 no", True)])
async def test_what_the_mail_server_refuses_for_good_is_final(answer: str, final: bool) -> None:  # noqa: FBT001 - a case of the table
    async with mail_peer() as peer:
        peer.answer = answer
        with pytest.raises(DeliveryFailed) as caught:
            await send_mail(_server(peer.port), MAIL)
    assert (caught.value.final, caught.value.status) == (final, int(answer[:3]))


async def test_a_mail_server_that_is_away_is_tried_again() -> None:
    async with mail_peer() as peer:
        port = peer.port
    with pytest.raises(DeliveryFailed) as caught:
        await send_mail(_server(port), MAIL)
    assert not caught.value.final


async def test_a_mail_server_whose_certificate_is_not_trusted_is_tried_again(tmp_path: Path) -> None:
    async with mail_peer(_distrusted(tmp_path)) as peer:
        with pytest.raises(DeliveryFailed) as caught:
            await send_mail(replace(_server(peer.port), starttls=None), MAIL)
    assert not caught.value.final
    assert "certificate" in caught.value.message
    assert peer.mails == []


def _distrusted(folder: Path) -> SSLContext:
    """What serves TLS with a certificate that nobody vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), Name([NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    file = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_name_cannot_add_headers() -> None:
    async with mail_peer() as peer:
        with pytest.raises(DeliveryFailed):
            await send_mail(_server(peer.port), replace(MAIL, subject="x\r\nBcc: eve@example.com"))
    assert peer.mails == []


def _message(url: str) -> WebhookMessage:
    return WebhookMessage(id="delivery_1", url=url, secret=new_signing_secret(), body='{"a":1}', at=datetime.now(UTC))


async def test_a_webhook_is_signed_so_that_the_receiver_can_verify_it() -> None:
    async with webhook_peer() as peer:
        message = _message(peer.url)
        assert await post_webhook(message, allow_private=True) == 200
    [(headers, body)] = peer.requests
    assert Webhook(message.secret).verify(body, headers) == {"a": 1}
    assert headers["host"] == f"localhost:{peer.port}"


async def test_s30_private_addresses_are_refused_after_the_name_is_resolved() -> None:
    async with webhook_peer() as peer:
        for url in (peer.url, f"http://127.0.0.1:{peer.port}/", f"http://[::1]:{peer.port}/"):
            with pytest.raises(DeliveryFailed) as caught:
                await post_webhook(_message(url), allow_private=False)
            assert caught.value.final
    assert peer.requests == []


@pytest.mark.parametrize(("status", "final"), [(302, False), (410, True), (500, False), (429, False)])
async def test_s30_only_an_accepting_answer_counts_and_no_redirect_is_followed(status: int, final: bool) -> None:  # noqa: FBT001 - a case of the table
    async with webhook_peer() as peer:
        peer.status = status
        with pytest.raises(DeliveryFailed) as caught:
            await post_webhook(_message(peer.url), allow_private=True)
    assert (caught.value.status, caught.value.final, len(peer.requests)) == (status, final, 1)


async def test_a_name_that_cannot_be_decoded_is_one_that_leads_nowhere() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await post_webhook(_message("https://xn--a.invalid/"), allow_private=False)
    assert caught.value.message == "The endpoint's name cannot be resolved."


def test_pauses_grow_and_end() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, 9)]
    assert pauses[-1] is None
    assert all(pauses[:-1])
