"""Where the lead belongs, what came of it, when it was touched."""

from typing import Final

from domain.fields.definition import LeadField, instant, listing, reference, shown, text
from domain.vocabulary import FieldType, LeadFieldKey

_K = LeadFieldKey

RELATIONS: Final = (
    reference(_K.COMPANY_ID, "Company ID", "company.id", "company_id", kind=FieldType.ID),
    reference(
        _K.COMPANY_NAME,
        "Company Name",
        "company.name",
        "company_id",
        "company",
        "organization",
        "organisation",
        "entreprise",
        "empresa",
        "firma",
    ),
    reference(_K.CHATBOT_ID, "Chatbot ID", "chatbot.id", "chatbot_id", kind=FieldType.ID),
    reference(_K.CHATBOT_NAME, "Chatbot Name", "chatbot.name", "chatbot_id", "chatbot", "bot"),
    listing(_K.TAGS, "Tags", "tags", "vip;renewal", "labels", "étiquettes", "etiquetas"),
    instant(_K.CONVERTED_AT, "Converted At", "conversion.at", "conversion date"),
    LeadField(
        key=_K.CONVERSION_VALUE,
        label="Conversion Value",
        type=FieldType.DECIMAL,
        path=("conversion", "value"),
        column="conversion_value",
        aliases=("deal value",),
        example="1200.50",
    ),
    text(_K.CONVERSION_CURRENCY, "Conversion Currency", "conversion.currency", 3, "currency", example="EUR"),
    text(_K.CONVERSION_SOURCE, "Conversion Source", "conversion.source", 255),
    instant(_K.LAST_CALL_AT, "Last Call At", "lastCall.at", "last call"),
    text(_K.LAST_CALL_STATUS, "Last Call Status", "lastCall.status", 100, "call status"),
    reference(_K.ASSIGNEE, "Assignee", "assignee.name", "assignee_id", "assigned to", "owner", "lead owner", "agent"),
    LeadField(
        key=_K.ANNONCE_ID,
        label="Property ID",
        type=FieldType.TEXT,
        path=("propertyId",),
        column="property_id",
        max_length=255,
        aliases=("annonce id", "listing id", "annonce"),
        example="A-20418",
    ),
    text(_K.CASE_TYPE, "Case Type", "caseType", 100),
    text(_K.LOSS_REASON, "Loss Reason", "lossReason", 500, "lost reason"),
    text(_K.WON_REASON, "Won Reason", "wonReason", 500),
    instant(
        _K.CREATED_AT,
        "Created At",
        "createdAt",
        "created",
        "created date",
        "created time",
        "date created",
        "creation date",
        "créé le",
    ),
    instant(
        _K.UPDATED_AT,
        "Updated At",
        "updatedAt",
        "updated",
        "updated date",
        "modified",
        "last modified",
        importable=False,
    ),
    shown(_K.CREATED_BY, "Created By", FieldType.TEXT, "createdBy"),
    shown(_K.UPDATED_BY, "Updated By", FieldType.TEXT, "updatedBy"),
    shown(_K.DELETED_AT, "Deleted At", FieldType.DATETIME, ""),
)
