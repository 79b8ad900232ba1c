"""The schema: its roots, composed of what each module resolves."""

import strawberry

from resolvers.activity import ActivityMutations, ActivityQueries
from resolvers.bulk import BulkMutations
from resolvers.direct import resolve_directly
from resolvers.execution import CompiledExecutor
from resolvers.export_roots import EXPORT_ROOTS
from resolvers.exports import ExportMutations, ExportQueries
from resolvers.imports import ImportMutations, ImportQueries
from resolvers.jobs import JobMutations, JobQueries, JobSubscriptions
from resolvers.lead_roots import LEAD_ROOTS
from resolvers.lead_writes import LeadMutations
from resolvers.leads import LeadQueries
from resolvers.metrics import MetricQueries
from resolvers.nodes import NodeQueries
from resolvers.partners import PartnerMutations, PartnerQueries
from resolvers.settings import SettingsMutations
from resolvers.viewer import ViewerQueries
from schema.config import schema_config
from schema.errors import ERRORS
from schema.job_types import JOBS

__all__ = ["build_schema"]


@strawberry.type(description="What can be read.")
class Query(
    ViewerQueries,
    NodeQueries,
    LeadQueries,
    JobQueries,
    ExportQueries,
    ImportQueries,
    PartnerQueries,
    ActivityQueries,
    MetricQueries,
):
    pass


@strawberry.type(description="What can be done.")
class Mutation(
    LeadMutations,
    JobMutations,
    ExportMutations,
    BulkMutations,
    ImportMutations,
    SettingsMutations,
    PartnerMutations,
    ActivityMutations,
):
    pass


@strawberry.type(
    description="The same documents over graphql-transport-ws, SSE (Accept: text/event-stream) and multipart/mixed."
)
class Subscription(JobSubscriptions):
    pass


def build_schema() -> strawberry.Schema:
    """The schema of the API with its executor."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*ERRORS, *JOBS],
        config=schema_config(),
        execution_context_class=CompiledExecutor,
    )
    resolve_directly(schema, {**LEAD_ROOTS, **EXPORT_ROOTS})
    return schema
