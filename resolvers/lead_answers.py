"""What all queries of leads and statuses have in common: nested arguments and lists, and what rows cannot give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from db.connections import Row
from db.cursors import Place, read_cursor, write_cursor
from db.lead_fields import Computed
from db.lead_plans import Plan
from db.nested import AFTER, FIRST, prefix
from db.row_code import Deferred
from db.shapes import Lowered
from domain.errors import BadInput
from domain.filter_input import read_filter
from domain.filters import EVERYTHING, Document
from domain.ids import IdKind
from domain.masking import Masks
from domain.paging import MAX_EXACT_COUNT, Count, PageArguments
from domain.selection import TYPENAME, Pick
from domain.vocabulary import LeadSortField
from resolvers.connections import Served, connection, count
from resolvers.execution import Query
from resolvers.lead_port import LeadSight
from schema.imports import ImportJob

__all__ = ["Asked", "LeadAnswers", "RowQuery", "nested_values"]

Json = dict[str, object]
Asked = Mapping[int, Lowered]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOTES: Final = b"notes."
"""The fingerprint of lists of notes, as long as any other."""


@dataclass(slots=True)
class LeadAnswers:
    """What rows ask of their request while they are shaped."""

    sight: LeadSight
    asked: Asked
    estimates: dict[int, Mapping[UUID, int]] = field(default_factory=dict[int, Mapping[UUID, int]])

    def url(self, conversation_id: str | None) -> str | None:
        template = self.sight.organization.settings.conversation_url_template
        return template.replace("{id}", conversation_id) if template and conversation_id else None

    def notes(self, place: int, found: list[list[object]] | None, picks: Sequence[Pick]) -> Json:
        asked, rows = self.asked[place], found or []
        size = cast("int", asked.values[0]) - 1
        shown = rows[:size]
        served = Served(
            name="Note",
            nodes=lambda pick: [_note(row, pick.fields) for row in shown],
            size=len(shown),
            cursor=lambda index: _note_cursor(shown[index]),
            has_next=len(rows) > size,
            has_previous=asked.shape == AFTER,
        )
        return connection(picks, served)

    def count(self, place: int, found: int, status_id: object, picks: Sequence[Pick]) -> Json:
        if found <= MAX_EXACT_COUNT:
            return count(picks, Count(found))
        estimate = self.estimates[place][cast("UUID", status_id)]
        return count(picks, Count(max(found, estimate), exact=False))

    async def estimate(self, plan: Plan, rows: Sequence[Row]) -> None:
        """Have the planner estimate what the rows did not count to the end."""
        for column in plan.counts:
            large = {cast("UUID", row[column.status]) for row in rows if row[column.count] > MAX_EXACT_COUNT}
            if large:
                asked = self.asked[column.place]
                self.estimates[column.place] = await self.sight.reader.estimate_by_status(asked, list(large))


class RowQuery(Query):
    """What all queries of leads and statuses have in common."""

    sight: LeadSight

    @property
    def masks(self) -> Masks:
        return self.sight.masks

    async def ask(self, name: str, arguments: Mapping[str, object]) -> Lowered:
        if name == "notes":
            return self._ask_notes(arguments)
        tree = EVERYTHING
        if "filter" in arguments:
            tree = read_filter(_given(arguments, "filter"), ("filter",))
        return await self.sight.lower(tree)

    def _ask_notes(self, arguments: Mapping[str, object]) -> Lowered:
        first = cast("int", _not_null(arguments["first"], "first"))
        after = cast("str", _not_null(arguments["after"], "after")) if "after" in arguments else None
        request = PageArguments(first=first, after=after).request(self.sight.organization.limits.max_page_size)
        if request.cursor is None:
            return Lowered(FIRST, (request.size + 1,))
        place = read_cursor(_NOTES, LeadSortField.CREATED_AT, request.cursor, "after")
        return Lowered(AFTER, (request.size + 1, place.value, place.id))

    async def sources(self, deferred: Sequence[tuple[Deferred, object]]) -> Sequence[Json]:
        sealed = [cast("tuple[str | None, UUID]", raw) for one, raw in deferred if one.field is Computed.NATIONAL_ID]
        read = list(dict.fromkeys(lead_id for cipher, lead_id in sealed if cipher))
        if read:
            await self.sight.record_unmasked(read)
        return [self._source(one, raw) for one, raw in deferred]

    def _source(self, deferred: Deferred, raw: object) -> Json:
        if deferred.field is Computed.IMPORT_JOB:
            return {"import_job": self._import_job(cast("UUID", raw))}
        cipher, lead_id = cast("tuple[str | None, UUID]", raw)
        return {"national_id": cipher and self.sight.national_ids.open(cipher, str(lead_id))}

    async def _import_job(self, job_id: UUID) -> ImportJob | None:
        job = await self.sight.jobs.job(job_id)
        return ImportJob.of(job) if job else None


def nested_values(asked: Asked) -> Json:
    """The values of nested arguments by the names of their binds."""
    return {
        f"{prefix(place)}{index}": value
        for place, lowered in asked.items()
        for index, value in enumerate(lowered.values)
    }


def _note(row: list[object], picks: Sequence[Pick]) -> Json:
    identity, text, microseconds, author = row
    values = {
        TYPENAME: "Note",
        "id": f"{IdKind.NOTE}_{identity}",
        "text": text,
        "createdAt": _instant(microseconds),
        "createdBy": author,
    }
    return {pick.key: values[pick.name] for pick in picks}


def _note_cursor(row: list[object]) -> str:
    return write_cursor(_NOTES, Place(_instant(row[2]), UUID(cast("str", row[0]))))


def _instant(microseconds: object) -> datetime:
    return _EPOCH + timedelta(microseconds=cast("int", microseconds))


def _given(arguments: Mapping[str, object], name: str) -> Document:
    return cast("Document", _not_null(arguments[name], name))


def _not_null(value: object, name: str) -> object:
    if value is None:
        raise BadInput("null is not a value here; leave it out instead.", (name,))
    return value
