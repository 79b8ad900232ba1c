"""The vocabulary as GraphQL enums: registered here, on the classes of the domain, under the members' names."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import strawberry

from domain import vocabulary as v

ENUMS: Final[Mapping[type[StrEnum], str]] = {
    v.ActivityAction: "What the activity log records.",
    v.BlankCells: "What a blank cell does to a lead that has a value: nothing, or empty the field.",
    v.BuiltinTemplate: "Without template and columns: LEADS. BASIC, FULL and CRM as US-018 names them; LEADS is the "
    "default column set of the real-estate system; OUTBOUND_STATUS and CHATBOT are the exact column sets, headers and "
    "order of those systems.",
    v.BulkOutcome: "What a bulk operation did to one lead.",
    v.Compression: "How the file is packed.",
    v.Confidence: "How sure the chatbot is of its judgement.",
    v.DateOrder: "The order of day, month and year in written dates.",
    v.DeliveryChannel: "How a recipient is told.",
    v.DeliveryState: "FAILED: no further attempt is made by itself.",
    v.DetectionConfidence: "GIVEN: the caller said so. AMBIGUOUS: the caller must say.",
    v.DuplicateScope: "ACTIVE: only leads whose stage is neither WON nor LOST count as duplicates.",
    v.ErrorPolicy: "What a row with an error does: it is left out, or the whole import is given up and undone.",
    v.ExportFormat: "The format of an exported file.",
    v.ExportProfile: "EXCEL: BOM, CRLF, formula escape. PLAIN: no BOM, LF, values untouched, for programs.",
    v.FieldType: "What values a field holds.",
    v.HeaderStyle: "Headers as people read them, or as the keys of the fields.",
    v.ImportFormat: "The format of an imported file; tab-separated text is CSV.",
    v.ImportIssueCode: "What is wrong with a row.",
    v.ImportMode: "VALIDATE: report only. REVIEW: validate, then wait for commitImport. COMMIT: straight through.",
    v.InterestLevel: "How much the lead wants it.",
    v.JobAction: "What a caller may do with a job.",
    v.JobEventType: "SNAPSHOT: the first event, the state as it is. STATE: the state or an action changed.",
    v.JobFailureCode: "Why a job failed.",
    v.JobFileRole: "What a file is for its job. ERRORS: the failed rows, to be corrected and imported again.",
    v.JobKind: "What a job does.",
    v.JobState: "EXPIRED: waited for mapping or review until its file was deleted.",
    v.JobTrigger: "What started a job: a person, a program with a key, or a schedule.",
    v.LeadCategory: "What the conversation was about.",
    v.LeadFieldKey: "Every column of the five systems; the same keys name import targets, export columns, masks and "
    "error fields. STATUS is the status key (a label is accepted on import), STATUS_ID the same key under the outbound "
    "system's header, STATUS_NAME the label, STATUS_CODE free text. Custom fields are text, addressed by `custom`; "
    "they are never masked and never required.",
    v.LeadGroupBy: "What leads are counted by; the parts of dates are in Settings.timeZone.",
    v.LeadSortField: "What leads are ordered by; leads without a value come last both ways.",
    v.LeadSource: "Where a lead came from.",
    v.LeadStage: "Fixed meaning behind the statuses that each organization names itself.",
    v.MaskingMode: "PARTIAL: enough is left to recognise the value. REDACT: nothing is.",
    v.MatchKey: "What makes a row and a lead the same.",
    v.MergeStrategy: "What a row does to the lead that it matches.",
    v.PeriodUnit: "A unit of time.",
    v.Permission: "What a credential may do.",
    v.PhoneFormat: "`+33612345678`, or `+33 6 12 34 56 78`.",
    v.Role: "What a person is in the organization.",
    v.RowOutcome: "What became of a row. PENDING: not yet decided.",
    v.Severity: "An error keeps the row out; a warning does not.",
    v.SortDirection: "Smallest or largest first.",
    v.SplitBy: "Whether the export is one file, or an archive with one for each company or status.",
    v.UnmappedColumns: "CUSTOM: each becomes the custom field named after its header.",
    v.UploadState: "OPEN: the file may be sent. COMPLETE: it is there.",
    v.UserErrorCode: "What is wrong with the input of a mutation.",
    v.WebhookEvent: "Payloads carry ids, states and counts, never lead values or links.",
}

for _vocabulary, _description in ENUMS.items():
    strawberry.enum(_vocabulary, description=_description)
