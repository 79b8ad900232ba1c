"""A mail server and a webhook receiver that can be told what to answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from ssl import SSLContext

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailPeer:
    """`answer` is what it says to DATA; `port` where it listens."""

    port: int = 0
    answer: str = "250 OK"
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


@asynccontextmanager
async def mail_peer(tls: SSLContext | None = None) -> AsyncIterator[MailPeer]:
    """With `tls` it offers STARTTLS."""
    peer = MailPeer()
    loop = asyncio.get_running_loop()
    conversations: list[SMTP] = []

    def converse() -> SMTP:
        conversations.append(SMTP(peer, enable_SMTPUTF8=True, tls_context=tls, loop=loop))
        return conversations[-1]

    server = await loop.create_server(converse, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await server.wait_closed()
        for conversation in conversations:
            if conversation.transport is not None:
                conversation.transport.close()
        await asyncio.sleep(0)


@dataclass
class WebhookPeer:
    """`status` is its next answers; `requests` are (head, body) as they came."""

    port: int = 0
    status: int = 200
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook?x=1"


@asynccontextmanager
async def webhook_peer() -> AsyncIterator[WebhookPeer]:
    peer = WebhookPeer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        peer.requests.append((headers, body))
        location = "location: http://127.0.0.1:1/\r\n" if 300 <= peer.status < 400 else ""
        writer.write(f"HTTP/1.1 {peer.status} X\r\n{location}content-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    async with server:
        yield peer


@asynccontextmanager
async def silent_peer() -> AsyncIterator[str]:
    """The address of an endpoint that takes messages and never answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side has had enough
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}/"
