"""What the lead wants and where it stands."""

from typing import Final

from domain.fields.definition import LeadField, enumeration, integer, shown, status, text
from domain.vocabulary import Confidence, FieldType, InterestLevel, LeadCategory, LeadFieldKey, LeadSource

_K = LeadFieldKey

PIPELINE: Final = (
    text(
        _K.POLICY_OF_INTEREST,
        "Policy of Interest",
        "policyOfInterest",
        300,
        "policy",
        "product of interest",
        example="health",
    ),
    text(
        _K.PREFERRED_CONTACT_TIME,
        "Preferred Contact Time",
        "preferredContactTime",
        200,
        "contact time",
        "best time to call",
    ),
    LeadField(
        key=_K.NOTES,
        label="Notes",
        type=FieldType.LONG_TEXT,
        path=("notes",),
        column=None,
        max_length=100_000,
        aliases=("note", "comment", "comments", "remarks", "notas", "bemerkungen", "הערות"),
        example="Asked for a call back",
    ),
    shown(_K.NOTES_COUNT, "Notes Count", FieldType.INTEGER, "notesCount"),
    status(_K.STATUS, "Status", "status.key", "lead status", "statut", "estado", "סטטוס"),
    status(_K.STATUS_ID, "Status ID", "status.key"),
    status(_K.STATUS_NAME, "Status Name", "status.label", "status label", example="New"),
    text(_K.STATUS_CODE, "Status Code", "statusCode", 100),
    shown(_K.STAGE, "Stage", FieldType.ENUM, "status.stage"),
    enumeration(_K.SOURCE, "Source", "source", LeadSource, "channel", "origin", "מקור"),
    text(
        _K.LEAD_SOURCE,
        "Lead Source",
        "leadSource",
        255,
        "campaign",
        "utm source",
        "source detail",
        example="Google Ads",
    ),
    integer(_K.SCORE, "Score", "score", 100, "lead score", example="85"),
    enumeration(
        _K.INTEREST_LEVEL, "Interest Level", "interestLevel", InterestLevel, "interest", "temperature", "rating"
    ),
    enumeration(_K.CONFIDENCE, "Confidence", "confidence", Confidence),
    enumeration(_K.CATEGORY, "Category", "category", LeadCategory, "intent"),
)
