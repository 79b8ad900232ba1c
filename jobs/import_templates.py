"""Template files: made anew each time a signed link is opened, kept nowhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from db.import_facts import load_facts
from domain.actors import Actor
from domain.errors import BadInput
from domain.export_names import CONTENT_TYPES, EXTENSIONS
from domain.fields import FIELDS
from domain.records import SignedUrl
from domain.signed_tokens import InvalidToken, sign_token, verified
from domain.vocabulary import ExportFormat, ImportFormat, LeadFieldKey, Permission
from jobs.runtime import Runtime
from transfer.template_file import TemplateFacts, template_fields, template_file

__all__ = ["TemplateFile", "TemplateRefused", "open_template", "template_link"]

LINK_SECONDS: Final = 900
_PURPOSE: Final = "template"


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
    actor.require(Permission.LEADS_IMPORT)
    if fields == ():
        raise BadInput("This is empty; leave it out instead.", ("fields",))
    for index, key in enumerate(fields or ()):
        if not FIELDS[key].importable:
            raise BadInput(f"{key.name} cannot be imported.", ("fields", str(index)))
    until = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
    ticket = _Ticket(actor.organization_id, kind, fields, int(until.timestamp()))
    token = sign_token(runtime.keyring, _PURPOSE, ticket)
    return SignedUrl(f"{runtime.settings.public_url}/templates/{token}", until)


async def open_template(runtime: Runtime, token: str) -> TemplateFile:
    """The file that a link asks for. Raises TemplateRefused."""
    ticket = _verified(runtime, token)
    async with runtime.database.unit(ticket.organization) as connection:
        facts = await load_facts(connection, runtime.limits)
    labels = [status.label for status in facts.statuses]
    kind = ExportFormat[ticket.format.name]
    made = TemplateFacts(statuses=labels, moment=datetime.now(UTC))
    data = template_file(ticket.format, template_fields(ticket.fields), made)
    return TemplateFile(f"leads-import-template{EXTENSIONS[kind]}", CONTENT_TYPES[kind], data)


def _verified(runtime: Runtime, token: str) -> _Ticket:
    try:
        ticket = verified(runtime.keyring, _PURPOSE, token, _Ticket)
    except InvalidToken as error:
        raise TemplateRefused("This link is not valid.") from error
    if ticket.until <= datetime.now(UTC).timestamp():
        raise TemplateRefused("This link has expired: ask for a fresh one.")
    return ticket
