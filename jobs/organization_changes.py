"""Changes to an organization itself, each one transaction with its activity entry."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from db.activity import Act, doer_of, record
from db.catalog import load_company
from db.connections import Connection
from db.organization_writes import (
    Taken,
    lock_settings,
    lock_user,
    save_chatbot,
    save_company,
    save_settings,
    save_user,
)
from domain.actors import Actor
from domain.checks import require
from domain.emails import MAX_EMAIL_LENGTH, is_email
from domain.errors import InputProblem, Path, Problem, Rejected, known_id, not_found
from domain.ids import IdKind, format_id, new_id
from domain.json import JsonObject
from domain.permissions import may_grant
from domain.records import ChatbotRecord, CompanyRecord, UserRecord
from domain.requests import SaveChatbot, SaveCompany, SaveUser, UpdateSettings
from domain.settings import OrganizationSettings
from domain.settings_rules import updated_settings
from domain.stored import encode
from domain.texts import text_problems
from domain.vocabulary import ActivityAction, Permission, Role, UserErrorCode
from jobs.runtime import Runtime

__all__ = ["change_chatbot", "change_company", "change_settings", "change_user", "note_settings", "taken"]

_LONGEST_EXTERNAL_ID = 255


async def change_settings(runtime: Runtime, actor: Actor, request: UpdateSettings) -> OrganizationSettings:
    """The settings as they are then. Raises Rejected; Forbidden where a program would unmask fields for itself."""
    if request.masking is not None or "masking" in request.clear:
        actor.require(Permission.LEADS_UNMASK)
    async with runtime.database.unit(actor.organization_id) as connection:
        before = await lock_settings(connection)
        after = updated_settings(before, request)
        if after != before:
            await save_settings(connection, after)
            old, new = encode(before), encode(after)
            changed = {name: new.get(name) for name in sorted({*old, *new}) if old.get(name) != new.get(name)}
            await note_settings(connection, actor, f"Settings changed: {', '.join(changed)}", changed)
    return after


async def change_company(runtime: Runtime, actor: Actor, request: SaveCompany) -> CompanyRecord:
    """The company as it is then. Raises Rejected (DUPLICATE for a name in use, NOT_FOUND)."""
    require(_external_id_problems(request.external_id))
    company_id = _known(IdKind.COMPANY, "company", request.id, "input", "id")
    async with runtime.database.unit(actor.organization_id) as connection:
        try:
            company = await save_company(connection, company_id, request.name, request.external_id)
        except Taken as error:
            raise taken("company", "name") from error
        if company is None:
            raise not_found("company", request.id or "", "input", "id")
        await note_settings(connection, actor, f"Company {company.name} saved", _named(IdKind.COMPANY, company.id))
    return company


async def change_chatbot(runtime: Runtime, actor: Actor, request: SaveChatbot) -> ChatbotRecord:
    """The chatbot as it is then. Raises Rejected (DUPLICATE for a name in use, NOT_FOUND)."""
    chatbot_id = _known(IdKind.CHATBOT, "chatbot", request.id, "input", "id")
    company_id = _known(IdKind.COMPANY, "company", request.company_id, "input", "companyId")
    async with runtime.database.unit(actor.organization_id) as connection:
        if company_id is not None and await load_company(connection, company_id) is None:
            raise not_found("company", request.company_id or "", "input", "companyId")
        try:
            chatbot = await save_chatbot(connection, chatbot_id, request.name, company_id)
        except Taken as error:
            raise taken("chatbot", "name") from error
        if chatbot is None:
            raise not_found("chatbot", request.id or "", "input", "id")
        await note_settings(connection, actor, f"Chatbot {chatbot.name} saved", _named(IdKind.CHATBOT, chatbot.id))
    return chatbot


async def change_user(runtime: Runtime, actor: Actor, request: SaveUser) -> UserRecord:
    """The user as they are then.

    Raises Rejected: FORBIDDEN for a role that the caller may not give, take, or act for; DUPLICATE, NOT_FOUND, and
    INVALID where no active OWNER would be left.
    """
    require((*_external_id_problems(request.external_id), *_email_problems(request.email)))
    user_id = _known(IdKind.USER, "user", request.id, "input", "id")
    async with runtime.database.unit(actor.organization_id) as connection:
        before, owners = await lock_user(connection, user_id) if user_id else (None, 0)
        if user_id is not None and before is None:
            raise not_found("user", request.id or "", "input", "id")
        user = _user(request, before)
        _require_rights(actor, before, user)
        _require_owner(before, user, owners)
        try:
            await save_user(connection, user, new=before is None)
        except Taken as error:
            raise taken("user", "externalId") from error
        details = {**_named(IdKind.USER, user.id), "role": user.role.name, "active": user.active}
        await note_settings(connection, actor, f"User {user.name} saved", details)
    return user


async def note_settings(
    connection: Connection, actor: Actor, summary: str, details: JsonObject, *, leads: int | None = None
) -> None:
    """Keep a change of the organization in the activity; `leads`: how many leads it changed."""
    act = Act(action=ActivityAction.SETTINGS_CHANGED, summary=summary, details=details, lead_count=leads)
    await record(connection, doer_of(actor), act)


def taken(what: str, name: str) -> Rejected:
    """A Rejected for a unique value that another row has."""
    shown = "id" if name == "externalId" else name
    message = f"There is another {what} with this {shown}."
    return Rejected(InputProblem(UserErrorCode.DUPLICATE, message, ("input", name)))


def _user(request: SaveUser, before: UserRecord | None) -> UserRecord:
    asked = UserRecord(
        id=new_id(),
        external_id=request.external_id,
        name=request.name.strip(),
        email=request.email,
        role=request.role,
        active=True if request.active is None else request.active,
    )
    if before is None:
        return asked
    return replace(
        asked,
        id=before.id,
        external_id=asked.external_id or before.external_id,
        email=asked.email or before.email,
        active=before.active if request.active is None else request.active,
    )


def _require_rights(actor: Actor, before: UserRecord | None, after: UserRecord) -> None:
    """A role, and whose token stands for it, are given by who may give that role; so is taking an owner's access."""
    problems: list[Problem] = []
    if (before is None or before.role is not after.role) and not _may_grant(actor, before, after.role):
        problems.append(Problem(UserErrorCode.FORBIDDEN, "You may not give or take this role.", ("input", "role")))
    elif before is not None and not may_grant(actor.role, before.role):
        if before.external_id != after.external_id:
            message = "You may not change whose token this is."
            problems.append(Problem(UserErrorCode.FORBIDDEN, message, ("input", "externalId")))
        if before.role in (Role.OWNER, Role.SYSTEM_ADMIN) and before != after:
            message = "Only an owner changes an owner."
            problems.append(Problem(UserErrorCode.FORBIDDEN, message, ("input", "id")))
    require(problems)


def _may_grant(actor: Actor, before: UserRecord | None, role: Role) -> bool:
    return may_grant(actor.role, role) and (before is None or may_grant(actor.role, before.role))


def _require_owner(before: UserRecord | None, after: UserRecord, others: int) -> None:
    was = before is not None and before.role is Role.OWNER and before.active
    if was and not (after.role is Role.OWNER and after.active) and not others:
        path: Path = ("input", "active" if after.role is Role.OWNER else "role")
        message = "This is the last active owner: make somebody else one first."
        raise Rejected(InputProblem(UserErrorCode.INVALID, message, path))


def _external_id_problems(external_id: str | None) -> Iterator[Problem]:
    if external_id is not None:
        yield from text_problems(external_id, _LONGEST_EXTERNAL_ID, ("input", "externalId"))


def _email_problems(email: str | None) -> Iterator[Problem]:
    if email is not None and (len(email) > MAX_EMAIL_LENGTH or not is_email(email)):
        yield InputProblem(UserErrorCode.INVALID, "This is no e-mail address.", ("input", "email"))


def _known(kind: IdKind, what: str, given: str | None, *path: str) -> UUID | None:
    return None if given is None else known_id(kind, what, given, *path)


def _named(kind: IdKind, record_id: UUID) -> dict[str, str]:
    return {"id": format_id(kind, record_id)}
