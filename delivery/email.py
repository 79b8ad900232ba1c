"""E-mail by SMTP: a short text with a link, never the data."""

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Final

import aiosmtplib

from domain.outgoing import DeliveryFailed

_SECONDS: Final = 20.0
"""For each answer of the mail server."""
_SECONDS_IN_ALL: Final = 60.0
_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in; `starttls` None: where the server offers it."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    starttls: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message of plain text. `id` is the same for each attempt, so that a receiver can tell a repeated one."""

    id: str
    to: str
    subject: str
    text: str


async def send_mail(server: MailServer, mail: Mail) -> None:
    """Hand the mail in. Raises DeliveryFailed, final where the server says so (5xx)."""
    try:
        async with asyncio.timeout(_SECONDS_IN_ALL):
            await aiosmtplib.send(
                _message(server, mail),
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                start_tls=server.starttls,
                timeout=_SECONDS,
            )
    except ssl.SSLError as error:  # of a certificate it is a ValueError too
        raise DeliveryFailed("The mail server's certificate is not to be trusted.") from error
    except ValueError as error:
        raise DeliveryFailed("The mail cannot be written to this address.", final=True) from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _refused(max(refused.code for refused in error.recipients)) from error
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error.code) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise DeliveryFailed("The mail server cannot be reached.") from error


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Message-ID"] = make_msgid(mail.id, domain=server.sender.rpartition("@")[2].rstrip(">") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def _refused(code: int) -> DeliveryFailed:
    return DeliveryFailed(f"The mail server answered {code}.", final=code >= _PERMANENT, status=code)
