from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.bulk import LeadPatch, LeadTarget
from domain.documents import LeadDocument
from domain.errors import BadInput, Rejected
from domain.exports import ColumnSpec, Delivery, ExportRequest, ExportSpec, FileOptions, LeadOrder
from domain.imports import (
    ColumnMapping,
    DialectSpec,
    FieldValue,
    ImportOptions,
    ImportRequest,
    ValueMapping,
)
from domain.requests import SaveUser, UpdateImport
from domain.settings import MaskingRule
from domain.vocabulary import (
    DateOrder,
    ExportFormat,
    ExportProfile,
    LeadFieldKey,
    LeadSortField,
    LeadSource,
    MaskingMode,
    MatchKey,
    MergeStrategy,
    Role,
    SortDirection,
)
from schema.activity import ExportActivityInput
from schema.bulk_inputs import BulkAssignLeadsInput, BulkDeleteLeadsInput, BulkUpdateLeadsInput
from schema.export_inputs import ExportLeadsInput
from schema.import_inputs import ImportLeadsInput, UpdateImportInput
from schema.jobs import JobFilter
from schema.lead_inputs import LeadInput, UpsertLeadsInput
from schema.organization_inputs import SaveUserInput, UpdateSettingsInput
from tests.schema.reading import Given


def problems(refused: pytest.ExceptionInfo[Rejected]) -> list[tuple[str, ...]]:
    return [problem.path for problem in refused.value.problems]


def test_an_export_is_read_with_every_part_of_its_spec(given: Given):
    request = given(
        ExportLeadsInput,
        """{
            spec: {
                filter: {score: {gte: 70}, createdAt: {gte: "2024-01-15T01:00:00+01:00"}},
                orderBy: {field: SCORE, direction: ASC}, ids: ["lead_1"], limit: 10, format: XLSX, unmask: true,
                columns: [{field: LEAD_ID}, {custom: "budget", header: "Budget"}], file: {profile: PLAIN, bom: false}
            },
            deliver: [{email: ["a@example.com"], linkTtlHours: 24}, {webhookEndpointId: "webhook_1"}], waitSeconds: 10
        }""",
    ).to_domain()
    assert request == ExportRequest(
        spec=ExportSpec(
            filter={"score": {"gte": 70}, "createdAt": {"gte": "2024-01-15T00:00:00+00:00"}},
            order_by=LeadOrder(LeadSortField.SCORE, SortDirection.ASC),
            ids=("lead_1",),
            limit=10,
            format=ExportFormat.XLSX,
            unmask=True,
            columns=(ColumnSpec(field=LeadFieldKey.LEAD_ID), ColumnSpec(custom="budget", header="Budget")),
            file=FileOptions(profile=ExportProfile.PLAIN, bom=False),
        ),
        deliver=(Delivery(email=("a@example.com",), link_ttl_hours=24), Delivery(webhook_endpoint_id="webhook_1")),
        wait_seconds=10,
    )


def test_a_null_deep_inside_is_refused_with_its_path(given: Given):
    read = given(ExportLeadsInput, "{spec: {columns: [{field: NAME}, {field: null}]}}")
    with pytest.raises(BadInput) as refused:
        read.to_domain()
    assert refused.value.path == ("input", "spec", "columns", "1", "field")


def test_a_null_from_a_variable_is_refused_like_a_literal_one(given: Given):
    read = given(ExportLeadsInput, "{spec: {}, name: $name}", name=("String", None))
    with pytest.raises(BadInput) as refused:
        read.to_domain()
    assert refused.value.path == ("input", "name")


def test_every_problem_beside_the_spec_is_told_at_once(given: Given):
    read = given(
        ExportLeadsInput,
        '{spec: {}, name: " ", deliver: [{email: ["a@b.c"]}, {}, {email: ["a@b.c"], webhookEndpointId: "w"}], '
        "waitSeconds: 31}",
    )
    with pytest.raises(Rejected) as refused:
        read.to_domain()
    assert problems(refused) == [
        ("input", "name"),
        ("input", "deliver", "1"),
        ("input", "deliver", "2"),
        ("input", "waitSeconds"),
    ]


def test_an_import_is_read_with_mapping_dialect_and_options(given: Given):
    request = given(
        ImportLeadsInput,
        """{
            source: {uploadId: "upload_1"}, mode: REVIEW, dialect: {delimiter: ";", dateOrder: DMY, headerRow: 0},
            mapping: [
                {column: "Status", field: STATUS, values: [{from: "Neu", to: "new"}, {from: "-"}], default: "lost"},
                {index: 3, ignore: true}
            ],
            options: {mergeStrategy: OVERWRITE, required: [], defaults: [{field: SOURCE, value: "web"}]}
        }""",
    ).to_domain()
    assert request == ImportRequest(
        upload_id="upload_1",
        mode="REVIEW",
        dialect=DialectSpec(delimiter=";", date_order=DateOrder.DMY, header_row=0),
        mapping=(
            ColumnMapping(
                column="Status",
                field=LeadFieldKey.STATUS,
                values=(ValueMapping("Neu", "new"), ValueMapping("-")),
                default="lost",
            ),
            ColumnMapping(index=3, ignore=True),
        ),
        options=ImportOptions(
            merge_strategy=MergeStrategy.OVERWRITE,
            required=(),
            defaults=(FieldValue(field=LeadFieldKey.SOURCE, value="web"),),
        ),
    )


def test_options_left_out_are_the_contracts_defaults(given: Given):
    options = given(ImportLeadsInput, '{source: {uploadId: "u"}, options: {}}').to_domain().options
    assert options == ImportOptions()
    assert options.match_on == (MatchKey.LEAD_ID, MatchKey.EXTERNAL_ID, MatchKey.PHONE)


def test_every_problem_of_an_imports_rules_is_told_at_once(given: Given):
    read = given(
        ImportLeadsInput,
        """{
            source: {uploadId: "u"}, dialect: {delimiter: "ab", timeZone: "Mars/Olympus", headerRow: -1},
            mapping: [{field: NAME}, {column: "a", field: NAME, custom: "b"}, {column: "a"}],
            options: {defaultCountry: "france", defaults: [{value: "x"}]}
        }""",
    )
    with pytest.raises(Rejected) as refused:
        read.to_domain()
    assert problems(refused) == [
        ("input", "dialect", "delimiter"),
        ("input", "dialect", "timeZone"),
        ("input", "dialect", "headerRow"),
        ("input", "mapping", "0"),
        ("input", "mapping", "1"),
        ("input", "mapping", "2"),
        ("input", "options", "defaultCountry"),
        ("input", "options", "defaults", "0"),
    ]


def test_what_an_answer_to_a_question_leaves_out_is_none(given: Given):
    request = given(UpdateImportInput, '{id: "job_1", dialect: {dateOrder: MDY}}').to_domain()
    assert request == UpdateImport(id="job_1", dialect=DialectSpec(date_order=DateOrder.MDY))
    assert request.mapping is None


def test_a_source_names_exactly_one_file(given: Given):
    with pytest.raises(Exception, match="OneOf"):
        given(ImportLeadsInput, '{source: {uploadId: "u", file: $file}}', file=("Upload", None))


def test_a_lead_is_read_by_registry_keys(given: Given):
    document = given(
        LeadInput,
        """{
            name: "Dana Levi", status: "new", source: WHATSAPP, score: 85, tags: ["vip"], companyName: "Acme",
            address: {city: "Lyon"}, ai: {legitimate: true, reasons: ["real name"]}, sessionId: "s1",
            session: {country: "FR"}
        }""",
    ).to_domain()
    assert document == LeadDocument(
        values={
            LeadFieldKey.NAME: "Dana Levi",
            LeadFieldKey.STATUS: "new",
            LeadFieldKey.SOURCE: LeadSource.WHATSAPP,
            LeadFieldKey.SCORE: 85,
            LeadFieldKey.TAGS: ("vip",),
            LeadFieldKey.COMPANY_NAME: "Acme",
            LeadFieldKey.ADDRESS_CITY: "Lyon",
            LeadFieldKey.AI_LEGITIMATE: True,
            LeadFieldKey.AI_VERIFICATION_REASONS: ("real name",),
            LeadFieldKey.SESSION_ID: "s1",
            LeadFieldKey.LOCATION_COUNTRY: "FR",
        }
    )


def test_a_leads_decimals_and_instants_arrive_as_values(given: Given):
    document = given(
        LeadInput, '{conversion: {value: "12.50", at: "2024-01-15T00:00:00Z"}, customFields: {budget: null, a: "b"}}'
    ).to_domain()
    assert document.values == {
        LeadFieldKey.CONVERSION_VALUE: Decimal("12.50"),
        LeadFieldKey.CONVERTED_AT: datetime(2024, 1, 15, tzinfo=UTC),
    }
    assert document.custom == {"budget": None, "a": "b"}


def test_every_field_of_the_lead_input_has_a_registry_key(given: Given):
    everything = given(
        LeadInput,
        """{
            id: "l", externalId: "e", name: "n", phone: "p", email: "m", nationalId: "i", policyOfInterest: "p",
            address: {street: "s", city: "c", region: "r", postalCode: "p", country: "c"}, preferredContactTime: "t",
            status: "s", statusCode: "c", source: WEB, leadSource: "l", score: 1, interestLevel: HOT, confidence: LOW,
            category: DEMO_REQUEST, primaryLanguage: "he", detectedLanguages: ["he"], companyId: "c", chatbotId: "b",
            sessionId: "s", conversationId: "c", tags: [], assigneeId: "a", propertyId: "p", caseType: "c",
            wonReason: "w", lossReason: "l", companyName: "n", ai: {legitimate: true, confidenceScore: 1, reasons: []},
            session: {userAgent: "u", ipAddress: "i", country: "c", city: "c"},
            engagement: {
                messageCount: 1, sessionDurationSeconds: 1, firstInterestAt: "2024-01-15T00:00:00Z",
                lastInterestAt: "2024-01-15T00:00:00Z", conversationSummary: "s"
            },
            conversion: {at: "2024-01-15T00:00:00Z", value: 1, currency: "EUR", source: "s"},
            createdAt: "2024-01-15T00:00:00Z", notes: "n"
        }""",
    ).to_domain()
    left_out = set(LeadFieldKey) - set(everything.values)
    assert {key.name for key in left_out} == {
        *("VERSION", "PHONE_DISPLAY", "ADDRESS", "NOTES_COUNT", "STATUS_ID", "STATUS_NAME", "STAGE"),
        *("CONVERSATION_URL", "CHATBOT_NAME", "LAST_CALL_AT", "LAST_CALL_STATUS"),
        *("UPDATED_AT", "CREATED_BY", "UPDATED_BY", "DELETED_AT"),
    }


def test_a_push_tells_which_row_holds_the_null(given: Given):
    read = given(UpsertLeadsInput, '{rows: [{name: "a"}, {address: {city: null}}]}')
    with pytest.raises(BadInput) as refused:
        read.to_domain()
    assert refused.value.path == ("input", "rows", "1", "address", "city")


def test_a_bulk_target_is_ids_or_a_filter_with_its_count(given: Given):
    by_filter = given(BulkDeleteLeadsInput, "{target: {filter: {}, expectedCount: 5}}").to_domain().spec.target
    assert by_filter == LeadTarget(filter={}, expected_count=5)
    for target, place in (
        ("{}", ()),
        ('{ids: ["lead_1"], filter: {}}', ()),
        ("{ids: []}", ("ids",)),
        ("{filter: {}}", ("expectedCount",)),
    ):
        with pytest.raises(Rejected) as refused:
            given(BulkDeleteLeadsInput, f"{{target: {target}}}").to_domain()
        assert problems(refused) == [("input", "target", *place)]


def test_a_bulk_target_with_a_wrong_filter_tells_where(given: Given):
    read = given(BulkDeleteLeadsInput, "{target: {filter: {score: {}}, expectedCount: 5}}")
    with pytest.raises(BadInput) as refused:
        read.to_domain()
    assert refused.value.path == ("input", "target", "filter", "score")


def test_a_bulk_update_must_change_something(given: Given):
    with pytest.raises(Rejected) as refused:
        given(BulkUpdateLeadsInput, '{target: {ids: ["lead_1"]}, set: {}}').to_domain()
    assert problems(refused) == [("input", "set")]
    patch = given(
        BulkUpdateLeadsInput, '{target: {ids: ["lead_1"]}, set: {addTags: ["a"], clear: [SCORE]}}'
    ).to_domain()
    assert patch.spec.patch == LeadPatch(add_tags=("a",), clear=(LeadFieldKey.SCORE,))


def test_a_bulk_assignment_names_somebody(given: Given):
    with pytest.raises(Rejected) as refused:
        given(BulkAssignLeadsInput, '{target: {ids: ["lead_1"]}, assigneeIds: []}').to_domain()
    assert problems(refused) == [("input", "assigneeIds")]


def test_settings_are_changed_one_by_one(given: Given):
    request = given(
        UpdateSettingsInput, '{masking: [{field: EMAIL, mode: REDACT, exceptRoles: [OWNER]}], clear: ["timeZone"]}'
    ).to_domain()
    assert request.masking == (MaskingRule(LeadFieldKey.EMAIL, MaskingMode.REDACT, (Role.OWNER,)),)
    assert request.clear == ("timeZone",)
    assert request.export_roles is None


def test_a_user_is_read_by_names(given: Given):
    assert given(SaveUserInput, '{name: "Dana", role: AGENT, externalId: "u1"}').to_domain() == SaveUser(
        name="Dana", role=Role.AGENT, external_id="u1"
    )


@pytest.mark.parametrize(
    ("literal", "place"),
    [
        ("{kind: []}", ("kind",)),
        ("{createdAt: {}}", ("createdAt",)),
        ("{createdAt: {gte: null}}", ("createdAt", "gte")),
        ("{createdAt: {within: {last: 0, unit: DAY}}}", ("createdAt", "within", "last")),
    ],
)
def test_a_job_filter_without_a_constraint_is_never_match_all(given: Given, literal: str, place: tuple[str, ...]):
    with pytest.raises(BadInput) as refused:
        given(JobFilter, literal).to_domain()
    assert refused.value.path == ("filter", *place)


def test_an_export_of_the_log_tells_where_its_filter_is_wrong(given: Given):
    with pytest.raises(BadInput) as refused:
        given(ExportActivityInput, "{filter: {at: {within: {last: 0, unit: DAY}}}}").to_domain()
    assert refused.value.path == ("input", "filter", "at", "within", "last")
