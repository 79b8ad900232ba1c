"""Bulk operations and what became of each lead."""

from typing import Annotated

import strawberry

from domain import job_details
from domain.jobs import JobRecord
from domain.vocabulary import BulkOutcome, UserErrorCode
from schema.arguments import After, First, first_page, given
from schema.context import Context, Info
from schema.jobs import Job, detail, shared_fields
from schema.nodes import CountedConnection, Mirror, counted


@strawberry.type(description="What became of one lead.")
class BulkResult(Mirror[job_details.BulkLeadResult]):
    lead_id: strawberry.ID = strawberry.field(description="The lead's id; as given where it names nothing.")
    outcome: BulkOutcome = strawberry.field(description="What became of it.")
    code: UserErrorCode | None = strawberry.field(description="Why it failed, for programs.")
    message: str | None = strawberry.field(description="Why it failed, for people.")


BulkResultConnection = CountedConnection[BulkResult]


def _details(context: Context, job: JobRecord) -> job_details.BulkDetails:
    return context.bulk.details(job)


@strawberry.type(description="One change to many leads.")
class BulkJob(Job):
    dry_run: bool = detail("dry_run", "True: it only counts.", of=_details)
    matched: int = detail("matched", "Leads that the target names.", of=_details)
    changed: int = detail("changed", "Leads that changed, or would.", of=_details)
    unchanged: int = detail("unchanged", "Leads that were so already.", of=_details)
    failed: int = detail("failed", "Leads that could not be changed.", of=_details)

    @classmethod
    def of(cls, record: JobRecord) -> "BulkJob":
        """The job as the API shows it."""
        return cls(**shared_fields(record))

    @strawberry.field(description="What became of each lead, in the order of the target.")
    async def results(
        self,
        info: Info,
        outcome: Annotated[
            list[BulkOutcome] | None, strawberry.argument(description="Only these outcomes.")
        ] = strawberry.UNSET,
        first: First = 50,
        after: After = strawberry.UNSET,
    ) -> BulkResultConnection:
        page = first_page(info.context, first, after)
        found = await info.context.bulk.results(self.record, given(outcome, "outcome"), page)
        return counted(found, BulkResult.of)


@strawberry.type(description="Lead ids, sorted into those that exist and those that do not.")
class LeadIdsValidation(Mirror[job_details.LeadIdsValidation]):
    total: int = strawberry.field(description="How many were given.")
    valid: list[strawberry.ID] = strawberry.field(description="Leads that exist, each once, in the order given.")
    duplicates: list[strawberry.ID] = strawberry.field(description="Given more than once.")
    malformed: list[str] = strawberry.field(description="No ids of leads.")
    not_found: list[strawberry.ID] = strawberry.field(description="Ids that name no lead.")
