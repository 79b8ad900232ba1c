"""Every root field of the API: the permission that it needs, and arguments with which it does something.

A value `$kind` stands for an object of the caller's own organization, made when it is asked for; `#` for a number
that is used once.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.vocabulary import Permission
from tests.security.world import World

_NUMBERS = itertools.count(1)
_P = Permission


@dataclass(frozen=True)
class Operation:
    """`needs` None: nothing but a credential."""

    needs: Permission | None
    arguments: Mapping[str, object] = field(default_factory=dict)


def _by_id(needs: Permission | None, kind: str, name: str = "id") -> Operation:
    return Operation(needs, {name: f"${kind}"})


def _of(needs: Permission, **given: object) -> Operation:
    return Operation(needs, {"input": given})


_NOBODY = {"filter": {"name": {"contains": "nobody at all"}}, "expectedCount": 0}
_BY_ID = {"matchOn": ["LEAD_ID", "EXTERNAL_ID"]}
_PUSHED = {"name": "Pushed #", "externalId": "pushed-#", "source": "WEB", "phone": "+12125550100"}
_DRY = {"dryRun": True, "waitSeconds": 20}

OPERATIONS: Mapping[str, Operation] = {
    "Query.viewer": Operation(None),
    "Query.node": _by_id(None, "lead"),
    "Query.lead": _by_id(_P.LEADS_READ, "lead"),
    "Query.leads": Operation(_P.LEADS_READ),
    "Query.leadGroups": Operation(_P.LEADS_READ, {"by": ["STATUS"]}),
    "Query.leadFields": Operation(_P.LEADS_READ),
    "Query.leadStatuses": Operation(_P.LEADS_READ),
    "Query.validateLeadIds": Operation(_P.LEADS_READ, {"ids": ["$lead"]}),
    "Query.job": Operation(None, {"id": "$export", "waitSeconds": 0}),
    "Query.jobs": Operation(None),
    "Query.exportPreview": Operation(_P.LEADS_EXPORT, {"spec": {}}),
    "Query.exportTemplates": Operation(_P.LEADS_READ),
    "Query.exportSchedules": Operation(_P.SCHEDULES_MANAGE),
    "Query.importMappings": Operation(_P.LEADS_IMPORT),
    "Query.importTemplate": Operation(_P.LEADS_IMPORT, {"format": "CSV"}),
    "Query.upload": _by_id(_P.LEADS_IMPORT, "upload"),
    "Query.organizations": Operation(None),
    "Query.apiKeys": Operation(_P.API_KEYS_MANAGE),
    "Query.webhookEndpoints": Operation(_P.WEBHOOKS_MANAGE),
    "Query.activity": Operation(_P.ACTIVITY_READ),
    "Query.metrics": Operation(_P.LEADS_READ, {"from": "2020-01-01T00:00:00Z", "to": "2050-01-01T00:00:00Z"}),
    "Mutation.createLead": _of(_P.LEADS_WRITE, lead={"name": "New #", "externalId": "new-#"}, onDuplicate="SKIP"),
    "Mutation.updateLead": _of(_P.LEADS_WRITE, id="$lead", set={"score": 7}),
    "Mutation.addNote": _of(_P.LEADS_WRITE, leadId="$lead", text="Note"),
    "Mutation.recordCall": _of(_P.LEADS_WRITE, leadId="$lead", at="2026-01-01T00:00:00Z", status="answered"),
    "Mutation.cancelJob": _by_id(None, "review"),
    "Mutation.retryJob": _by_id(None, "review"),
    "Mutation.deleteJobFiles": _by_id(None, "export"),
    "Mutation.exportLeads": _of(_P.LEADS_EXPORT, spec={}, waitSeconds=20),
    "Mutation.exportActivity": _of(_P.ACTIVITY_READ, format="CSV", waitSeconds=20),
    "Mutation.saveExportTemplate": _of(_P.TEMPLATES_MANAGE, name="Template #", spec={}),
    "Mutation.deleteExportTemplate": _by_id(_P.TEMPLATES_MANAGE, "template"),
    "Mutation.saveExportSchedule": _of(
        _P.SCHEDULES_MANAGE, name="Schedule #", cron="0 5 1 1 *", timeZone="UTC", spec={}, deliver=[]
    ),
    "Mutation.deleteExportSchedule": _by_id(_P.SCHEDULES_MANAGE, "schedule"),
    "Mutation.runExportSchedule": _by_id(_P.SCHEDULES_MANAGE, "schedule"),
    "Mutation.bulkUpdateLeads": _of(_P.BULK_OPERATE, target=_NOBODY, set={"addTags": ["x"]}, **_DRY),
    "Mutation.bulkAssignLeads": _of(_P.LEADS_ASSIGN, target=_NOBODY, assigneeIds=["$user"], **_DRY),
    "Mutation.bulkDeleteLeads": _of(_P.LEADS_DELETE, target=_NOBODY, **_DRY),
    "Mutation.createUpload": _of(_P.LEADS_IMPORT, fileName="a.csv"),
    "Mutation.importLeads": _of(_P.LEADS_IMPORT, source={"uploadId": "$upload"}, mode="VALIDATE", waitSeconds=20),
    "Mutation.updateImport": _of(_P.LEADS_IMPORT, id="$review"),
    "Mutation.commitImport": _of(_P.LEADS_IMPORT, id="$review", planRevision=1),
    "Mutation.revertImport": _of(_P.LEADS_IMPORT, id="$import", **_DRY),
    "Mutation.deleteImportMapping": _by_id(_P.LEADS_IMPORT, "mapping"),
    "Mutation.upsertLeads": _of(_P.LEADS_IMPORT, rows=[_PUSHED], dryRun=True, options=_BY_ID),
    "Mutation.updateSettings": _of(_P.SETTINGS_MANAGE, importRetentionDays=30),
    "Mutation.saveCompany": _of(_P.SETTINGS_MANAGE, name="Company #"),
    "Mutation.saveChatbot": _of(_P.SETTINGS_MANAGE, name="Chatbot #"),
    "Mutation.saveUser": _of(_P.SETTINGS_MANAGE, name="User #", role="AGENT"),
    "Mutation.saveLeadStatus": _of(_P.SETTINGS_MANAGE, key="status#", label="Status #", stage="NEW"),
    "Mutation.deleteLeadStatus": Operation(_P.SETTINGS_MANAGE, {"id": "$status", "moveLeadsTo": "$status"}),
    "Mutation.createApiKey": _of(_P.API_KEYS_MANAGE, name="Key #", permissions=["LEADS_READ"]),
    "Mutation.revokeApiKey": _by_id(_P.API_KEYS_MANAGE, "key"),
    "Mutation.saveWebhookEndpoint": _of(_P.WEBHOOKS_MANAGE, url="http://127.0.0.1:9/#", events=["EXPORT_READY"]),
    "Mutation.deleteWebhookEndpoint": _by_id(_P.WEBHOOKS_MANAGE, "webhook"),
    "Mutation.redeliverWebhook": _by_id(_P.WEBHOOKS_MANAGE, "delivery", "deliveryId"),
    "Subscription.job": _by_id(None, "export"),
    "Subscription.jobs": Operation(None),
}


async def filled(value: object, world: World) -> object:
    """Arguments whose placeholders are replaced by objects of this organization."""
    match value:
        case Mapping():
            return {name: await filled(item, world) for name, item in value.items()}
        case list():
            return [await filled(item, world) for item in value]
        case str() if value.startswith("$"):
            return await world.make(value[1:])
        case str():
            return re.sub("#", lambda _: str(next(_NUMBERS)), value)
        case _:
            return value
