"""Template files: made anew each time a signed link is opened, kept nowhere."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from db.import_facts import load_facts
from domain.actors import Actor
from domain.errors import BadInput, Forbidden
from domain.fields import FIELDS
from domain.records import SignedUrl
from domain.vocabulary import ImportFormat, LeadFieldKey, Permission
from jobs.runtime import Runtime
from transfer.template_file import TemplateFacts, template_fields, template_file

__all__ = ["TemplateFile", "TemplateRefused", "open_template", "template_link"]

LINK_SECONDS: Final = 900
_PURPOSE: Final = "template"
_TYPES: Final = {
    ImportFormat.CSV: ("csv", "text/csv; charset=utf-8"),
    ImportFormat.XLSX: ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ImportFormat.JSON: ("json", "application/json"),
    ImportFormat.JSONL: ("jsonl", "application/x-ndjson"),
}


class TemplateRefused(Exception):
    """A link opens no template (any more)."""


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A file to send."""

    name: str
    content_type: str
    data: bytes


class _Ticket(msgspec.Struct, frozen=True):
    organization: UUID
    format: ImportFormat
    fields: tuple[LeadFieldKey, ...] | None
    until: int


def template_link(
    runtime: Runtime, actor: Actor, kind: ImportFormat, fields: tuple[LeadFieldKey, ...] | None
) -> SignedUrl:
    """A link to a template. Raises Forbidden, BadInput for no field at all or one that no template has."""
    if not actor.may(Permission.LEADS_IMPORT):
        raise Forbidden(Permission.LEADS_IMPORT)
    if fields == ():
        raise BadInput("This is empty; leave it out instead.", ("fields",))
    for index, key in enumerate(fields or ()):
        if not FIELDS[key].importable:
            raise BadInput(f"{key.name} cannot be imported.", ("fields", str(index)))
    until = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
    ticket = _Ticket(actor.organization_id, kind, fields, int(until.timestamp()))
    signed = f"{runtime.keyring.current}.{_text(msgspec.json.encode(ticket))}"
    token = f"{signed}.{_text(runtime.keyring.sign(_PURPOSE, signed.encode()))}"
    return SignedUrl(f"{runtime.settings.public_url}/templates/{token}", until)


async def open_template(runtime: Runtime, token: str) -> TemplateFile:
    """The file that a link asks for. Raises TemplateRefused."""
    ticket = _verified(runtime, token)
    async with runtime.database.unit(ticket.organization) as connection:
        facts = await load_facts(connection, runtime.limits)
    labels = [status.label for status in facts.statuses]
    ending, content_type = _TYPES[ticket.format]
    made = TemplateFacts(statuses=labels, moment=datetime.now(UTC))
    data = template_file(ticket.format, template_fields(ticket.fields), made)
    return TemplateFile(f"leads-import-template.{ending}", content_type, data)


def _verified(runtime: Runtime, token: str) -> _Ticket:
    signed, _, signature = token.rpartition(".")
    key_id, _, payload = signed.partition(".")
    try:
        given = _bytes(signature)
        if not runtime.keyring.verify(_PURPOSE, key_id, signed.encode(), given):
            raise TemplateRefused("This link is not valid.")
        ticket = msgspec.json.decode(_bytes(payload), type=_Ticket)
    except (ValueError, msgspec.DecodeError) as error:
        raise TemplateRefused("This link is not valid.") from error
    if ticket.until <= datetime.now(UTC).timestamp():
        raise TemplateRefused("This link has expired: ask for a fresh one.")
    return ticket


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """The bytes; ValueError for any other spelling of them than ours."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(data) != text:
        raise ValueError(text)
    return data
