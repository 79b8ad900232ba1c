"""The tenant, its settings and limits, and who is asking."""

from typing import Annotated

import strawberry

from domain.actors import Actor as ActorRecord
from domain.actors import ActorRef
from domain.ids import IdKind, format_id
from domain.records import ChatbotRecord, CompanyRecord, OrganizationRecord
from domain.settings import Limits as LimitsRecord
from domain.settings import MaskingRule as MaskingRuleRecord
from domain.settings import OrganizationSettings
from domain.vocabulary import DuplicateScope, LeadFieldKey, MaskingMode, Permission, Role
from schema.arguments import After, First, first_page, given
from schema.context import Info
from schema.nodes import Connection, FromRow, Mirror, Node, connection
from schema.people import Actor, User, UserConnection, actor_of
from schema.scalars import BigInt


@strawberry.type(
    description="One policy for every surface: query, preview, export, error file, import samples, webhook, activity. "
    "Queries show a value to exceptRoles and to LEADS_UNMASK; a file stays masked unless it was also asked for with "
    "`unmask: true`."
)
class MaskingRule(Mirror[MaskingRuleRecord]):
    field: LeadFieldKey = strawberry.field(description="What is hidden.")
    mode: MaskingMode = strawberry.field(description="How it is hidden.")
    except_roles: list[Role] = strawberry.field(description="Who sees it in queries all the same.")


@strawberry.type(description="What an organization decides for itself.")
class Settings(Mirror[OrganizationSettings]):
    default_country: str = strawberry.field(
        description="ISO 3166 country for phone numbers written without a country code."
    )
    time_zone: str = strawberry.field(description="IANA name; days and instants without offset are in this zone.")
    duplicate_scope: DuplicateScope = strawberry.field(description="Which leads count as duplicates.")
    masking: list[MaskingRule] = strawberry.field(description="Which fields are hidden, and from whom not.")
    export_roles: list[Role] = strawberry.field(
        description="Who may export; OWNER, ADMIN and PRO unless changed (the outbound system allowed owner and admin "
        "only)."
    )
    export_retention_days: int = strawberry.field(description="How long exported files are kept.")
    import_retention_days: int = strawberry.field(description="How long imported files and error files are kept.")
    conversation_url_template: str | None = strawberry.field(description="e.g. https://crm.example/conversations/{id}")


@strawberry.type(description="What one organization may use at once.")
class Limits(Mirror[LimitsRecord]):
    max_upload_bytes: BigInt = strawberry.field(description="Largest file through createUpload.")
    max_inline_upload_bytes: BigInt = strawberry.field(description="Largest file inside a request.")
    max_import_rows: int = strawberry.field(description="Most rows of one import.")
    max_concurrent_jobs: int = strawberry.field(description="Large jobs that run at once; others wait.")
    max_bulk_ids: int = strawberry.field(description="Most ids in one call.")
    max_page_size: int = strawberry.field(description="Most items of one page.")


@strawberry.type(description="A company that leads belong to.")
class Company(FromRow, Node):
    name: str = strawberry.field(description="Unique in the organization, ignoring case.")
    external_id: str | None = strawberry.field(description="Its id in a system of yours.")

    @classmethod
    def of(cls, record: CompanyRecord) -> "Company":
        """The company as the API shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.COMPANY, record.id)), name=record.name, external_id=record.external_id
        )


@strawberry.type(description="A chatbot that leads come from.")
class Chatbot(FromRow, Node):
    name: str = strawberry.field(description="Unique in the organization, ignoring case.")
    company: Company | None = strawberry.field(description="Whose chatbot it is.")

    @classmethod
    def of(cls, record: ChatbotRecord) -> "Chatbot":
        """The chatbot as the API shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.CHATBOT, record.id)),
            name=record.name,
            company=Company.of(record.company) if record.company else None,
        )


@strawberry.type(description="The tenant. Nothing of one organization is ever visible to another.")
class Organization(Node):
    record: strawberry.Private[OrganizationRecord]
    name: str = strawberry.field(description="As shown to people.")
    slug: str = strawberry.field(description="Unique short name, as tokens may name it.")
    settings: Settings = strawberry.field(description="What it decides for itself.")
    limits: Limits = strawberry.field(description="What it may use at once.")

    @classmethod
    def of(cls, record: OrganizationRecord) -> "Organization":
        """The organization as the API shows it."""
        return cls(
            record=record,
            id=strawberry.ID(format_id(IdKind.ORGANIZATION, record.id)),
            name=record.name,
            slug=record.slug,
            settings=Settings.of(record.settings),
            limits=Limits.of(record.limits),
        )

    @strawberry.field(description="Every company, by name.")
    async def companies(self, info: Info) -> list[Company]:
        return [Company.of(record) for record in await info.context.organizations.companies(self.record.id)]

    @strawberry.field(description="Every chatbot, by name; those of one company where its id is given.")
    async def chatbots(
        self,
        info: Info,
        company_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this company's.")] = (
            strawberry.UNSET
        ),
    ) -> list[Chatbot]:
        company = given(company_id, "companyId")
        return [Chatbot.of(record) for record in await info.context.organizations.chatbots(self.record.id, company)]

    @strawberry.field(description="The people, by name.")
    async def users(self, info: Info, first: First = 50, after: After = strawberry.UNSET) -> UserConnection:
        page = first_page(info.context, first, after)
        return connection(await info.context.organizations.users(self.record.id, page), User.of)


OrganizationConnection = Connection[Organization]


@strawberry.type(description="Who is asking. An API key has permissions but no role.")
class Viewer:
    record: strawberry.Private[ActorRecord]
    organization: Organization = strawberry.field(description="The organization that the credential is for.")
    role: Role | None = strawberry.field(description="Null for an API key.")
    permissions: list[Permission] = strawberry.field(description="What the credential may do.")

    @classmethod
    def of(cls, actor: ActorRecord, organization: OrganizationRecord) -> "Viewer":
        """The caller as the API shows them."""
        return cls(
            record=actor,
            organization=Organization.of(organization),
            role=actor.role,
            permissions=sorted(actor.permissions, key=list(Permission).index),
        )

    @strawberry.field(description="The person or program.")
    async def actor(self, info: Info) -> Actor:
        ref = ActorRef(self.record.kind, self.record.id, self.record.name)
        return await actor_of(ref, info.context.people)
