"""The activity log: read in pages, and exported."""

from typing import Annotated
from zoneinfo import ZoneInfo

import strawberry

from db.activity_reads import ActivityList, list_activity
from domain.activity import ActivityFilter as ActivityFilterSpec
from domain.paging import PageArguments
from domain.vocabulary import Permission
from jobs.activity_exports import submit_activity_export
from resolvers.access import authorize, home
from resolvers.context import Info
from resolvers.errors import answers
from resolvers.exports import finished
from schema.activity import Activity, ActivityConnection, ActivityFilter, ExportActivityInput
from schema.arguments import After, Before, First, Last, given, max_page_size
from schema.nodes import counted
from schema.payloads import ExportLeadsPayload

__all__ = ["ActivityMutations", "ActivityQueries"]

Filter = Annotated[ActivityFilter | None, strawberry.argument(description="Only these acts; all of them without it.")]


@strawberry.type
class ActivityQueries:
    """The root field of the activity log."""

    @strawberry.field(description="What was done in the organization, newest first.")
    async def activity(  # noqa: PLR0913, PLR0917 - the contract's arguments
        self,
        info: Info,
        filter: Filter = strawberry.UNSET,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> ActivityConnection:
        actor = authorize(info.context, Permission.ACTIVITY_READ)
        arguments = PageArguments(
            first=given(first, "first"),
            after=given(after, "after"),
            last=given(last, "last"),
            before=given(before, "before"),
        )
        document = given(filter, "filter")
        wanted = ActivityList(
            organization_id=actor.organization_id,
            now=info.context.now,
            zone=ZoneInfo(home(info.context).settings.time_zone),
            filter=document.to_domain() if document else ActivityFilterSpec(),
        )
        request = arguments.request(max_page_size(info.context))
        return counted(await list_activity(info.context.runtime.database, wanted, request), Activity.of)


@strawberry.type
class ActivityMutations:
    """What callers do with the activity log: nobody changes it."""

    @strawberry.mutation(
        description="Exports the activity log to a file. A small one comes back finished where `waitSeconds` allows, "
        "its link signed."
    )
    @answers(ExportLeadsPayload)
    async def export_activity(
        self, info: Info, input: Annotated[ExportActivityInput, strawberry.argument(description="What and how.")]
    ) -> ExportLeadsPayload:
        actor = authorize(info.context, Permission.ACTIVITY_READ)
        request = input.to_domain()
        job = await submit_activity_export(info.context.runtime, actor, request)
        return await finished(info.context, actor, job, request.wait_seconds)
