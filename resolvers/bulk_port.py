"""What bulk operations have, inside other objects."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from db.bulk_targets import ResultList
from db.pool import Database
from domain.bulk import BulkResult, BulkSpec
from domain.errors import BadInput
from domain.fields import INT_MAX
from domain.job_details import BulkDetails, BulkLeadResult
from domain.jobs import JobRecord
from domain.paging import Page, PageRequest
from domain.stored import decode
from domain.vocabulary import BulkOutcome

__all__ = ["BulkPort"]

_MARK: Final = "result "


@dataclass(frozen=True, slots=True)
class BulkPort:
    """Implements the BulkReads of schema/context.py."""

    database: Database

    def details(self, job: JobRecord) -> BulkDetails:
        """Read from the row's spec and result."""
        result = decode(BulkResult, job.result)
        return BulkDetails(
            dry_run=decode(BulkSpec, job.spec).dry_run,
            matched=result.matched,
            changed=result.changed,
            unchanged=result.unchanged,
            failed=result.failed,
        )

    async def results(
        self, job: JobRecord, outcomes: Sequence[BulkOutcome] | None, page: PageRequest
    ) -> Page[BulkLeadResult]:
        """What became of each lead, in the order of the target. Raises BadInput for a cursor of another list."""
        wanted = tuple(BulkOutcome) if outcomes is None else outcomes
        found = ResultList(self.database, job.organization_id, job.id, wanted)
        after = _position(page.cursor) if page.cursor else 0
        rows = await found.after(after, page.size + 1)
        shown = rows[: page.size]
        return Page(
            items=[result for _, result in shown],
            cursors=[_cursor(position) for position, _ in shown],
            has_next=len(rows) > page.size,
            has_previous=page.cursor is not None,
            count=found.count,
        )


def _cursor(position: int) -> str:
    return urlsafe_b64encode(f"{_MARK}{position}".encode()).decode().rstrip("=")


def _position(cursor: str) -> int:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    number = text.removeprefix(_MARK)
    if not text.startswith(_MARK) or not (number.isascii() and number.isdigit()) or int(number) > INT_MAX:
        raise BadInput("This is no cursor of this list.", ("after",))
    return int(number)
