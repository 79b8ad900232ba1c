"""What is asked: the GraphQL of each work, the plain endpoint's path and body, and PostGraphile's own words for it."""

from dataclasses import dataclass

Json = dict[str, object]

TWENTY = """id externalId version name phone phoneDisplay email policyOfInterest statusCode source leadSource score
    interestLevel confidence category primaryLanguage tags notesCount createdAt updatedAt"""
TEN = "id name phone email score source tags notesCount createdAt updatedAt"


@dataclass(frozen=True, slots=True)
class Work:
    """`variables` are GraphQL's, and the body of the plain endpoint `/<name>`; `other` is PostGraphile's document."""

    name: str
    title: str
    document: str
    variables: Json
    other: str
    requests: int = 400


DATED = {"status": {"eq": "new"}, "createdAt": {"gte": "2024-06-01T00:00:00Z"}}
SEARCHED = {
    "search": "durand 12",
    "score": {"gte": 10},
    "source": {"in": ["WEB", "REFERRAL"]},
    "createdAt": {"gte": "2024-03-01T00:00:00Z"},
}
RECENT = {"createdAt": {"gte": "2025-11-01T00:00:00Z"}}
PAGE = "pageInfo { hasNextPage endCursor }"
NESTED = "company { id name } chatbot { id name } lastCall { at status }"
LEADS = "query($filter: LeadFilter!) { leads(first: %d, filter: $filter) { nodes { %s } %s } }"
FOUND = "id name phone email score createdAt status { key label }"

OTHER_LEADS = (
    "{ leads: allLeads(first: %d, orderBy: [CREATED_AT_DESC, ROW_ID_DESC], filter: {%s}) { nodes { id: row%s } %s } }"
)
OTHER_DATED = 'statusId: {equalTo: "%s"}, createdAt: {greaterThanOrEqualTo: "2024-06-01T00:00:00Z"}'
OTHER_NESTED = "company { id: rowId name } chatbot { id: rowId name } lastCallAt lastCallStatus"
OTHER_SEARCHED = """searchText: {includes: "durand 12"}, score: {greaterThanOrEqualTo: 10},
    source: {in: ["WEB", "REFERRAL"]}, createdAt: {greaterThanOrEqualTo: "2024-03-01T00:00:00Z"}"""
OTHER_COUNTS = """{ leadStatuses: allStatuses(orderBy: [POSITION_ASC, KEY_FOLDED_ASC]) { nodes { id: rowId key label
    leadCount: statusLeads(filter: {createdAt: {greaterThanOrEqualTo: "2025-11-01T00:00:00Z"}}) { totalCount } } } }"""


def works(lead: str, status: str) -> list[Work]:
    """The five works; `lead` is the shown id of a lead, `status` the UUID of the status `new`."""
    dated = OTHER_DATED % status
    one = f'{{ lead: leadByRowId(rowId: "{lead.removeprefix("lead_")}") {{ id: row{TEN[0].upper()}{TEN[1:]} }} }}'
    twenty = f"{TWENTY[0].upper()}{TWENTY[1:]}"
    return [
        Work(
            "q1",
            "Q1 one lead by id, 10 fields",
            f"query($id: ID!) {{ lead(id: $id) {{ {TEN} }} }}",
            {"id": lead},
            one,
            1000,
        ),
        Work(
            "q2",
            "Q2 page of 50, 20 fields, status and date",
            LEADS % (50, TWENTY, PAGE),
            {"filter": DATED},
            OTHER_LEADS % (50, dated, twenty, PAGE),
        ),
        Work(
            "q3",
            "Q3 the same with company, chatbot, last call",
            LEADS % (50, f"{TWENTY} {NESTED}", PAGE),
            {"filter": DATED},
            OTHER_LEADS % (50, dated, f"{twenty} {OTHER_NESTED}", PAGE),
        ),
        Work(
            "q4",
            "Q4 search, three filters, total",
            LEADS % (25, FOUND, f"totalCount {{ value exact }} {PAGE}"),
            {"filter": SEARCHED},
            OTHER_LEADS % (25, OTHER_SEARCHED, f"I{FOUND[1:]}", f"totalCount {PAGE}"),
            200,
        ),
        Work(
            "q5",
            "Q5 counts by status",
            "query($filter: LeadFilter!) { leadStatuses { id key label leadCount(filter: $filter) { value exact } } }",
            {"filter": RECENT},
            OTHER_COUNTS,
            200,
        ),
    ]
