"""Leads written at once, without a job: the rules of an import for a lead, or a small lot of them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.activity import Act, doer_of, record
from db.connections import Connection
from db.idempotency import remember_answer
from db.import_facts import ImportFacts, NamedCompany, add_companies, add_custom_fields, drop_companies, load_facts
from db.import_reads import OUTCOMES
from db.locks import Lock, take
from db.merge import merge
from db.merge_rules import BlockOutcome, MergeRows, Outcome, RowProblem
from db.savepoints import roll_back_to_savepoint, set_savepoint
from domain.actors import Actor
from domain.checks import idempotency_key_problems, require
from domain.documents import LeadDocument
from domain.errors import LimitProblem, Rejected, invalid
from domain.imports import ImportCounts, ImportOptions, Issue
from domain.national_ids import NationalIds
from domain.requests import UpsertLeads
from domain.stored import encode
from domain.vocabulary import ActivityAction, ErrorPolicy, LeadFieldKey, Permission, RowOutcome, Severity, UserErrorCode
from jobs.idempotency import earlier_answer, input_hash
from jobs.import_requests import check_options
from jobs.import_rows import Writer, rows_of, rules_of, unused_companies
from jobs.import_source import child_facts, constants_of
from jobs.runtime import Runtime
from transfer.documents import JudgedDocuments, judge_documents
from transfer.headers import custom_key

__all__ = ["PushedLead", "count_pushed", "push", "upsert_leads"]

_OPERATION: Final = "upsertLeads"
_WRITTEN: Final = frozenset({RowOutcome.CREATED, RowOutcome.UPDATED})


@dataclass(frozen=True, slots=True)
class PushedLead:
    """What became of one document. `lead_id` is the lead it became or matched, None where there is none."""

    outcome: RowOutcome
    lead_id: UUID | None
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    leads: tuple[PushedLead, ...] = ()


async def upsert_leads(runtime: Runtime, actor: Actor, request: UpsertLeads) -> Sequence[PushedLead]:
    """Push leads; the same idempotency key and input again give the same answer.

    Raises Forbidden, or Rejected: LIMIT_EXCEEDED, TOO_LONG or INVALID (the key), IDEMPOTENCY_MISMATCH, NOT_FOUND.
    """
    actor.require(Permission.LEADS_IMPORT)
    require(idempotency_key_problems(request.idempotency_key))
    options = request.options or ImportOptions()
    digest = await asyncio.to_thread(_hash, request, options)
    async with runtime.database.unit(actor.organization_id) as connection:
        facts = await load_facts(connection, runtime.limits)
        _refuse_many(len(request.rows), facts.organization.limits.max_bulk_ids)
        await take(connection, Lock.LEADS, actor.organization_id)
        key = request.idempotency_key
        if (answer := await earlier_answer(connection, _OPERATION, key, digest, _Answer)) is not None:
            return answer.leads
        await check_options(connection, options)
        await set_savepoint(connection)
        leads = await push(runtime, connection, actor, Push(request.rows, options, facts))
        aborted = options.on_error is ErrorPolicy.ABORT and any(lead.outcome is RowOutcome.FAILED for lead in leads)
        if aborted:
            leads = tuple(_undone(leads))
        if request.dry_run or aborted:
            await roll_back_to_savepoint(connection)
        if not request.dry_run:
            if key is not None:
                await remember_answer(connection, _OPERATION, key, digest, encode(_Answer(leads)))
            await _note(connection, actor, leads)
    return leads


@dataclass(frozen=True, slots=True)
class Push:
    """Documents with the rules and facts to write them by; `clear` are fields to empty."""

    documents: Sequence[LeadDocument]
    options: ImportOptions
    facts: ImportFacts
    clear: tuple[LeadFieldKey, ...] = ()


async def push(runtime: Runtime, connection: Connection, actor: Actor, asked: Push) -> tuple[PushedLead, ...]:
    """Write the documents in the caller's transaction, which holds Lock.LEADS; one answer for each.

    Raises Rejected where no document could be judged (too many custom fields).
    """
    if not asked.documents:
        return ()
    constants = constants_of(asked.options, actor.name)
    try:
        judged = await asyncio.to_thread(
            judge_documents, asked.documents, asked.options, child_facts(asked.facts), constants, asked.clear
        )
    except ValueError as error:
        raise invalid(str(error), "input") from error
    made, renamed = await _companies(connection, judged)
    rows = rows_of(judged.ready, renamed)
    writer = Writer(organization_id=actor.organization_id, name=actor.name)
    scope = asked.facts.organization.settings.duplicate_scope
    rules = rules_of(judged.copy_columns, asked.options, scope, writer)
    outcome = await merge(connection, rules, rows, NationalIds(runtime.keyring))
    if unused := made & unused_companies(judged.companies, outcome):
        await drop_companies(connection, unused)
    answers = tuple(_answers(len(asked.documents), judged, rows, outcome))
    if keys := _custom_keys(asked.documents, answers, judged):
        await add_custom_fields(connection, keys)
    return answers


def count_pushed(leads: Sequence[PushedLead]) -> ImportCounts:
    """The answers in numbers."""
    outcomes = [lead.outcome for lead in leads]
    warned = sum(1 for lead in leads if lead.issues and lead.outcome is not RowOutcome.FAILED)
    return ImportCounts(
        created=outcomes.count(RowOutcome.CREATED),
        updated=outcomes.count(RowOutcome.UPDATED),
        unchanged=outcomes.count(RowOutcome.UNCHANGED),
        skipped=outcomes.count(RowOutcome.SKIPPED),
        failed=outcomes.count(RowOutcome.FAILED),
        unprocessed=outcomes.count(RowOutcome.PENDING),
        warnings=warned,
    )


async def _companies(connection: Connection, judged: JudgedDocuments) -> tuple[frozenset[str], dict[str, str]]:
    """The companies made for the documents, and those that were there already, by the id that was meant for them."""
    if not judged.companies:
        return frozenset(), {}
    named = [NamedCompany(company.id, company.name, company.name_key) for company in judged.companies]
    return await add_companies(connection, named)


def _answers(count: int, judged: JudgedDocuments, rows: MergeRows, outcome: BlockOutcome) -> list[PushedLead]:
    issues: dict[int, list[Issue]] = {}
    for issue in judged.issues:
        issues.setdefault(issue.row, []).append(issue)
    for problem in outcome.problems:
        row = rows.numbers[problem.index]
        issues.setdefault(row, []).append(_issue(row, problem))
    places = {row: index for index, row in enumerate(rows.numbers)}
    answers: list[PushedLead] = []
    for row in range(count):
        index = places.get(row)
        letter = Outcome.FAILED if index is None else outcome.outcomes[index]
        lead_id = None if index is None else outcome.lead_ids[index]
        answers.append(
            PushedLead(
                OUTCOMES[letter],
                None if lead_id is None else UUID(lead_id),
                tuple(issues.get(row, ())),
            )
        )
    return answers


def _issue(row: int, problem: RowProblem) -> Issue:
    return Issue(
        row=row,
        line=None,
        column=None,
        field=problem.field,
        code=problem.code,
        severity=Severity.ERROR,
        message=problem.message,
        value=problem.value,
        suggestion=problem.suggestion,
    )


def _custom_keys(
    documents: Sequence[LeadDocument], answers: Sequence[PushedLead], judged: JudgedDocuments
) -> list[str]:
    """Keys that the documents which were written give a value: to remove one makes none."""
    written = [document for document, answer in zip(documents, answers, strict=True) if answer.outcome in _WRITTEN]
    given = {key for document in written for key, value in document.custom.items() if value is not None}
    return list({custom_key(key.strip(), judged.custom_keys) for key in given})


def _undone(leads: Sequence[PushedLead]) -> Iterator[PushedLead]:
    """The answers where one failure keeps all the others from being written."""
    for lead in leads:
        failed = lead.outcome is RowOutcome.FAILED
        yield lead if failed else PushedLead(RowOutcome.PENDING, None, lead.issues)


def _hash(request: UpsertLeads, options: ImportOptions) -> str:
    return input_hash([encode(options), [encode(row) for row in request.rows], request.dry_run])


def _refuse_many(count: int, limit: int) -> None:
    if count > limit:
        message = f"At most {limit:,} leads at once; import more as a file."
        path = ("input", "rows")
        raise Rejected(LimitProblem(UserErrorCode.LIMIT_EXCEEDED, message, path, limit=limit, actual=count))


async def _note(connection: Connection, actor: Actor, leads: Sequence[PushedLead]) -> None:
    counts = count_pushed(leads)
    written = counts.created + counts.updated
    if written:
        summary = f"Push of {len(leads)} leads: {counts.created} created, {counts.updated} updated"
        act = Act(action=ActivityAction.LEAD_UPDATED, summary=summary, lead_count=written, details=encode(counts))
        await record(connection, doer_of(actor), act)
