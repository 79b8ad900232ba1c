"""Leads in queries: lists, single leads, groups, statuses, and what fields there are."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from db.catalog import list_statuses
from db.lead_reads import custom_fields, existing_leads
from domain.errors import BadInput
from domain.exports import LeadOrder as OrderSpec
from domain.fields import CUSTOM_PREFIX, DEFAULT_REQUIRED, FIELDS, MAX_CUSTOM_LENGTH
from domain.filters import EVERYTHING
from domain.filters import LeadFilter as FilterTree
from domain.ids import IdKind, format_id, parse_id
from domain.job_details import LeadIdsValidation as ValidationRecord
from domain.paging import PageArguments
from domain.records import StatusRecord
from domain.vocabulary import FieldType, LeadFieldKey, LeadGroupBy, LeadStage, Permission
from resolvers.access import authorize
from resolvers.group_queries import lead_groups
from resolvers.lead_port import LeadSight
from resolvers.lead_queries import LeadById, LeadPort, lead_page
from resolvers.status_queries import Statuses
from schema.arguments import After, Before, First, Last, given
from schema.bulk import LeadIdsValidation
from schema.context import Context, Info
from schema.filters import LeadFilter, LeadOrder
from schema.leads import Lead, LeadConnection, LeadField, LeadGroup, LeadStatus

__all__ = ["LeadQueries", "lead_node", "sight_of"]

Filter = Annotated[LeadFilter | None, strawberry.argument(description="Only these leads; all of them without it.")]
Order = Annotated[LeadOrder | None, strawberry.argument(description="Newest first without it.")]
GroupBy = Annotated[list[LeadGroupBy], strawberry.argument(description="What leads of one group have in common.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Ids as somebody pasted them.")]


def sight_of(context: Context) -> LeadSight:
    """What the caller may see of leads. Raises Unauthenticated or Forbidden."""
    authorize(context, Permission.LEADS_READ)
    return cast("LeadPort", context.leads).sight


def lead_node(context: Context, lead_id: str) -> Lead | None:
    """The query object of a lead by its shown id; None for an id that names no lead."""
    sight = sight_of(context)
    found = parse_id(IdKind.LEAD, lead_id)
    return cast("Lead", LeadById(sight, found)) if found else None


@strawberry.type
class LeadQueries:
    """The root fields of leads."""

    @strawberry.field(description="One lead; null where there is none with this id.")
    def lead(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="`lead_…`.")]
    ) -> Lead | None:
        return lead_node(info.context, id)

    @strawberry.field(description="Leads in pages, newest first unless ordered; NULLs are last in either direction.")
    async def leads(  # noqa: PLR0913, PLR0917 - the contract's arguments
        self,
        info: Info,
        filter: Filter = strawberry.UNSET,
        order_by: Order = strawberry.UNSET,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
    ) -> LeadConnection:
        sight = sight_of(info.context)
        order = given(order_by, "orderBy")
        arguments = PageArguments(
            first=given(first, "first"),
            after=given(after, "after"),
            last=given(last, "last"),
            before=given(before, "before"),
        )
        page = await lead_page(sight, _tree(filter), order.to_domain() if order else OrderSpec(), arguments)
        return cast("LeadConnection", page)

    @strawberry.field(description="Leads counted by what they have in common, the largest group first.")
    async def lead_groups(self, info: Info, by: GroupBy, filter: Filter = strawberry.UNSET) -> list[LeadGroup]:
        return cast("list[LeadGroup]", await lead_groups(sight_of(info.context), _tree(filter), by))

    @strawberry.field(description="Every column of a lead, with the organization's own fields.")
    async def lead_fields(self, info: Info) -> list[LeadField]:
        sight = sight_of(info.context)
        fields = [
            LeadField.of(field, required=key in DEFAULT_REQUIRED, masked=key in sight.masks)
            for key, field in FIELDS.items()
        ]
        statuses = [one for one in await list_statuses(sight.database, sight.organization.id) if one.active]
        for field in fields:
            field.enum_values = _values_of_status(field.key, statuses) or field.enum_values
        custom = await custom_fields(sight.database, sight.organization.id)
        return [*fields, *(_custom_field(key, label) for key, label in custom.items())]

    @strawberry.field(description="The organization's statuses, in their order.")
    def lead_statuses(self, info: Info) -> list[LeadStatus]:
        return cast("list[LeadStatus]", Statuses(sight_of(info.context)))

    @strawberry.field(description="Which of these ids name leads.")
    async def validate_lead_ids(self, info: Info, ids: Ids) -> LeadIdsValidation:
        sight = sight_of(info.context)
        limit = sight.organization.limits.max_bulk_ids
        if not 1 <= len(ids) <= limit:
            raise BadInput(f"Give from 1 to {limit} ids.", ("ids",))
        return LeadIdsValidation.of(await _validated(sight, ids))


def _tree(filter: LeadFilter | None) -> FilterTree:
    document = given(filter, "filter")
    return document.to_domain() if document else EVERYTHING


async def _validated(sight: LeadSight, ids: list[strawberry.ID]) -> ValidationRecord:
    times = Counter(ids)
    parsed = {text: parse_id(IdKind.LEAD, text) for text in times}
    known = [found for found in parsed.values() if found]
    existing = await existing_leads(sight.database, sight.organization.id, known)
    shown = {format_id(IdKind.LEAD, found) for found in existing}
    return ValidationRecord(
        total=len(ids),
        valid=tuple(text for text in times if text in shown),
        duplicates=tuple(text for text, count in times.items() if count > 1),
        malformed=tuple(text for text, found in parsed.items() if not found),
        not_found=tuple(text for text, found in parsed.items() if found and text not in shown),
    )


def _values_of_status(key: str, statuses: Sequence[StatusRecord]) -> list[str] | None:
    """What the organization's statuses make of a field's vocabulary; None for any field beside theirs."""
    match key:
        case LeadFieldKey.STATUS | LeadFieldKey.STATUS_ID:
            return [status.key for status in statuses]
        case LeadFieldKey.STATUS_NAME:
            return [status.label for status in statuses]
        case LeadFieldKey.STAGE:
            return [stage.name for stage in LeadStage]
        case _:
            return None


def _custom_field(key: str, label: str) -> LeadField:
    return LeadField(
        key=f"{CUSTOM_PREFIX}{key}",
        label=label,
        type=FieldType.TEXT,
        importable=True,
        exportable=True,
        required_for_import=False,
        enum_values=None,
        aliases=[],
        example=None,
        max_length=MAX_CUSTOM_LENGTH,
        minimum=None,
        maximum=None,
        masked=False,
    )
