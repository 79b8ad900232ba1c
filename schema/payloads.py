"""What mutations answer: the result, null where nothing was done, and the errors that say why."""

from datetime import datetime
from typing import Final

import strawberry

from domain.vocabulary import RowOutcome
from schema.bulk import BulkJob
from schema.errors import UserError
from schema.exports import ExportJob, ExportSchedule, ExportTemplate
from schema.files import SignedUrl
from schema.imports import ImportJob, RevertJob
from schema.jobs import Job
from schema.leads import Lead, LeadStatus, Note
from schema.organizations import Chatbot, Company, Settings
from schema.partners import WebhookDelivery, WebhookEndpoint
from schema.people import ApiKey, User
from schema.reports import ImportCounts, ImportIssue, UploadSession

RESULT: Final = "The result, or the errors that say why there is none."


@strawberry.type
class Payload:
    user_errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Empty where it was done."
    )


@strawberry.type(description=RESULT)
class LeadPayload(Payload):
    lead: Lead | None = strawberry.field(default=None, description="The lead as it is now.")
    duplicate_of: Lead | None = strawberry.field(default=None, description="The lead that was there already.")


@strawberry.type(description=RESULT)
class NotePayload(Payload):
    note: Note | None = strawberry.field(default=None, description="The note.")


@strawberry.type(description=RESULT)
class UploadPayload(Payload):
    upload: UploadSession | None = strawberry.field(default=None, description="Where to send the file.")


@strawberry.type(description=RESULT)
class ImportJobPayload(Payload):
    job: ImportJob | None = strawberry.field(default=None, description="The import.")


@strawberry.type(description=RESULT)
class RevertImportPayload(Payload):
    job: RevertJob | None = strawberry.field(default=None, description="The undo.")


@strawberry.type(description=RESULT)
class ExportLeadsPayload(Payload):
    job: ExportJob | None = strawberry.field(default=None, description="The export.")
    download: SignedUrl | None = strawberry.field(
        default=None, description="A link to the file, where it was finished in time."
    )


@strawberry.type(description=RESULT)
class ExportTemplatePayload(Payload):
    template: ExportTemplate | None = strawberry.field(default=None, description="The template.")


@strawberry.type(description=RESULT)
class BulkJobPayload(Payload):
    job: BulkJob | None = strawberry.field(default=None, description="The bulk operation.")


@strawberry.type(description=RESULT)
class JobPayload(Payload):
    job: Job | None = strawberry.field(default=None, description="The job.")


@strawberry.type(description=RESULT)
class CompanyPayload(Payload):
    company: Company | None = strawberry.field(default=None, description="The company.")


@strawberry.type(description=RESULT)
class ChatbotPayload(Payload):
    chatbot: Chatbot | None = strawberry.field(default=None, description="The chatbot.")


@strawberry.type(description=RESULT)
class UserPayload(Payload):
    user: User | None = strawberry.field(default=None, description="The user.")


@strawberry.type(description=RESULT)
class LeadStatusPayload(Payload):
    status: LeadStatus | None = strawberry.field(default=None, description="The status.")


@strawberry.type(description=RESULT)
class SettingsPayload(Payload):
    settings: Settings | None = strawberry.field(default=None, description="The settings as they are now.")


@strawberry.type(description=RESULT)
class WebhookDeliveryPayload(Payload):
    delivery: WebhookDelivery | None = strawberry.field(default=None, description="The delivery.")


@strawberry.type(description=RESULT)
class WebhookEndpointPayload(Payload):
    endpoint: WebhookEndpoint | None = strawberry.field(default=None, description="The endpoint.")
    signing_secret: str | None = strawberry.field(default=None, description="Shown once.")


@strawberry.type(description=RESULT)
class ApiKeyPayload(Payload):
    api_key: ApiKey | None = strawberry.field(default=None, description="The key.")
    secret: str | None = strawberry.field(default=None, description="Shown once.")


@strawberry.type(description=RESULT)
class DeletePayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="What is gone.")


@strawberry.type(description=RESULT)
class ExportSchedulePayload(Payload):
    schedule: ExportSchedule | None = strawberry.field(default=None, description="The schedule.")
    next_runs: list[datetime] = strawberry.field(default_factory=list[datetime], description="When it runs next.")


@strawberry.type(description="What became of one lead of a push.")
class UpsertResult:
    index: int = strawberry.field(description="Its place among the rows, from 0.")
    outcome: RowOutcome = strawberry.field(description="What became of it.")
    lead: Lead | None = strawberry.field(default=None, description="The lead it became or matched.")
    issues: list[ImportIssue] = strawberry.field(
        default_factory=list[ImportIssue], description="What is wrong with it."
    )


@strawberry.type(description="The results in the order of the rows.")
class UpsertLeadsPayload(Payload):
    results: list[UpsertResult] = strawberry.field(default_factory=list[UpsertResult], description="One for each row.")
    counts: ImportCounts | None = strawberry.field(default=None, description="The same in numbers.")
