"""Random documents over a schema: fragments, aliases, merged fields, directives with variables, type names."""

from dataclasses import dataclass, field
from random import Random

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

ARGUMENTS = {
    "notes": ["", "(first: 1)", "(first: 2)", "(first: 2, after: $noteCursor)", "(first: $size)"],
    "leadCount": ["", "(filter: {score: {gte: 50}})", "(filter: $filter)"],
}
WRONG_ARGUMENTS = {
    "notes": ["(first: 0)", "(first: 1000)", '(after: "nonsense")', "(first: null)"],
    "leadCount": ["(filter: {score: {in: []}})", "(filter: {score: {}})"],
}
ROOTS = [
    ("leads", "LeadConnection", "({page}{filter}{order})"),
    ("lead", "Lead", '(id: "{id}")'),
    ("node", "Lead", '(id: "{id}")'),
    ("leadStatuses", "LeadStatus", ""),
    ("leadGroups", "LeadGroup", "(by: [{by}]{filter})"),
    ("payloads", "Payload", '(ids: ["{id}", "{id}"])'),
]
FILTERS = [
    "",
    "filter: {}",
    "filter: $filter",
    'filter: {search: "lead"}',
    "filter: {or: [{score: {lt: 30}}, {name: {isNull: true}}]}",
    'filter: {not: {status: {eq: "new"}}, createdAt: {within: {last: 2, unit: YEAR}}}',
    'filter: {email: {contains: "example"}}',
]
ORDERS = ["", "orderBy: {field: SCORE}", "orderBy: {field: NAME, direction: ASC}", "orderBy: {field: UPDATED_AT}"]
PAGES = ["first: 3 ", "first: $size ", "last: 2 ", ""]
WRONG_PAGES = ["first: 0 ", "first: 1 last: 1 ", 'after: "nonsense" ', "first: null "]
DIMENSIONS = ["STATUS", "SOURCE", "COMPANY", "CREATED_DAY", "CREATED_MONTH", "STAGE, ASSIGNEE", "LANGUAGE"]
DIRECTIVES = ["@include(if: $yes)", "@skip(if: $yes)", "@include(if: $no)", "@skip(if: $no)", "@include(if: true)"]
IMPORT_JOB = "{ __typename id state name createdBy { __typename ... on SystemActor { name } ... on User { id } } }"
VARIABLES = "$yes: Boolean!, $no: Boolean!, $size: Int!, $filter: LeadFilter, $noteCursor: String!"


@dataclass
class Generator:
    """Documents of one seed. `ids` are shown ids of leads, some of which exist."""

    types: dict[str, object]
    random: Random
    ids: list[str]
    wrong: float = 0.03
    fragments: list[str] = field(default_factory=list)
    aliases: int = 0

    def document(self) -> str:
        self.fragments = []
        roots = " ".join(self.root() for _ in range(self.random.randint(1, 3)))
        # every variable is used, whatever was chosen
        used = (
            "used: leads(filter: $filter, first: $size) { pageInfo { hasNextPage @include(if: $yes) "
            "hasPreviousPage @skip(if: $no) __typename } nodes { notes(after: $noteCursor) { __typename } } }"
        )
        return f"query({VARIABLES}) {{ {used} {roots} }} {' '.join(self.fragments)}"

    def root(self) -> str:
        name, leads_to, arguments = self.random.choice(ROOTS)
        choose = self.random.choice
        page, order = choose(WRONG_PAGES if self.random.random() < self.wrong else PAGES), choose(ORDERS)
        arguments = arguments.format(page=page, filter=f" {choose(FILTERS)}", order=f" {order}", id="{id}", by="{by}")
        arguments = arguments.replace("{by}", choose(DIMENSIONS))
        while "{id}" in arguments:
            arguments = arguments.replace("{id}", choose(self.ids), 1)
        if not arguments.strip("() "):
            arguments = ""
        if leads_to == "Payload":
            return f"{self.alias()}: {name}{arguments} {{ lead {self.selection('Lead', 1)} }}"
        body = self.selection(leads_to, 0)
        if name == "node":
            body = f"{{ __typename id ... on Lead {body} }}"
        return f"{self.alias()}: {name}{arguments} {body}"

    def alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}"

    def selection(self, name: str, depth: int) -> str:
        served: GraphQLObjectType = self.types[name]
        names = [
            found for found in served.fields if depth < 4 or is_leaf_type(get_named_type(served.fields[found].type))
        ]
        chosen = self.random.sample(names, min(len(names), self.random.randint(1, 8)))
        parts = [self.part(served, found, depth) for found in chosen]
        if self.random.random() < 0.3:
            parts.append("__typename")
        if self.random.random() < 0.3:
            directive = self.random.choice(["", *DIRECTIVES])
            parts.append(f"... on {name} {directive} {self.selection(name, depth + 1)}")
        if self.random.random() < 0.25:
            fragment = f"F{len(self.fragments)}"
            self.fragments.append("")
            body = self.selection(name, depth + 1)
            self.fragments[int(fragment[1:])] = f"fragment {fragment} on {name} {body}"
            parts.append(f"...{fragment} {self.random.choice(['', *DIRECTIVES])}")
        self.random.shuffle(parts)
        return f"{{ {' '.join(parts)} }}"

    def part(self, served: GraphQLObjectType, name: str, depth: int) -> str:
        leads_to = get_named_type(served.fields[name].type)
        body = IMPORT_JOB if leads_to.name == "ImportJob" else ""
        if not body and not is_leaf_type(leads_to):
            body = self.selection(leads_to.name, depth + 1)
        if name in ARGUMENTS:
            source = WRONG_ARGUMENTS if self.random.random() < self.wrong else ARGUMENTS
            return f"{self.alias()}: {name}{self.random.choice(source[name])} {body}"
        prefix = f"{self.alias()}: " if self.random.random() < 0.2 else ""
        directive = self.random.choice(DIRECTIVES) if self.random.random() < 0.1 else ""
        return f"{prefix}{name} {directive} {body}"
