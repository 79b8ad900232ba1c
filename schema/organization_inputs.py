"""What an organization changes of itself."""

import strawberry

from domain import requests
from domain.checks import name_problems, require, time_zone_problems
from domain.vocabulary import DuplicateScope, LeadFieldKey, LeadStage, MaskingMode, Role
from schema.arguments import INPUT, optional, read


@strawberry.input(description="A company to create, or with `id` to change.")
class SaveCompanyInput:
    id: strawberry.ID | None = optional("The company to change.")
    name: str = strawberry.field(description="Unique in the organization, ignoring case.")
    external_id: str | None = optional("Its id in a system of yours.")

    def to_domain(self) -> requests.SaveCompany:
        """The request. Raises BadInput or Rejected."""
        request = read(requests.SaveCompany, self)
        require(name_problems(request.name, *INPUT, "name", required=True))
        return request


@strawberry.input(description="A chatbot to create, or with `id` to change.")
class SaveChatbotInput:
    id: strawberry.ID | None = optional("The chatbot to change.")
    name: str = strawberry.field(description="Unique in the organization, ignoring case.")
    company_id: strawberry.ID | None = optional("Whose chatbot it is.")

    def to_domain(self) -> requests.SaveChatbot:
        """The request. Raises BadInput or Rejected."""
        request = read(requests.SaveChatbot, self)
        require(name_problems(request.name, *INPUT, "name", required=True))
        return request


@strawberry.input(description="A user to create, or with `id` to change. externalId is the `sub` of the user's token.")
class SaveUserInput:
    id: strawberry.ID | None = optional("The user to change.")
    external_id: str | None = optional("The `sub` of the user's token.")
    name: str = strawberry.field(description="As shown to others.")
    email: str | None = optional("Where deliveries and notices can go.")
    role: Role = strawberry.field(description="Only an OWNER changes roles.")
    active: bool | None = optional("Omitted: true for a new one, else as before.")

    def to_domain(self) -> requests.SaveUser:
        """The request. Raises BadInput or Rejected."""
        request = read(requests.SaveUser, self)
        require(name_problems(request.name, *INPUT, "name", required=True))
        return request


@strawberry.input(description="A status to create, or with `id` to change.")
class SaveLeadStatusInput:
    id: strawberry.ID | None = optional("The status to change.")
    key: str = strawberry.field(
        description="[a-zA-Z0-9_-]{1,64}, compared whole and ignoring case, unique in the organization."
    )
    label: str = strawberry.field(description="Any script, e.g. Hebrew.")
    stage: LeadStage = strawberry.field(description="What the status means; a change moves its leads by a job.")
    position: int | None = optional("Its place among the statuses; omitted: the last, or as before.")
    color: str | None = optional("As #rrggbb.")
    active: bool | None = optional("Omitted: true for a new one, else as before.")

    def to_domain(self) -> requests.SaveStatus:
        """The request; the key is judged where it is used. Raises BadInput or Rejected."""
        request = read(requests.SaveStatus, self)
        require(name_problems(request.label, *INPUT, "label", required=True))
        return request


@strawberry.input(description="How a field is hidden, and from whom not.")
class MaskingRuleInput:
    field: LeadFieldKey = strawberry.field(description="What is hidden.")
    mode: MaskingMode = strawberry.field(description="How it is hidden.")
    except_roles: list[Role] = strawberry.field(description="Who sees it in queries all the same.")


@strawberry.input(description="Settings to change; what is omitted stays as it is.")
class UpdateSettingsInput:
    default_country: str | None = optional("ISO 3166 country for phone numbers written without a country code.")
    time_zone: str | None = optional("IANA name.")
    duplicate_scope: DuplicateScope | None = optional("Which leads count as duplicates.")
    masking: list[MaskingRuleInput] | None = optional("Every rule: those left out are gone.")
    export_roles: list[Role] | None = optional("Who may export.")
    export_retention_days: int | None = optional("How long exported files are kept.")
    import_retention_days: int | None = optional("How long imported files and error files are kept.")
    conversation_url_template: str | None = optional("e.g. https://crm.example/conversations/{id}")
    clear: list[str] | None = optional("Names of settings that go back to their default.")

    def to_domain(self) -> requests.UpdateSettings:
        """The request; ranges are judged where they are used. Raises BadInput or Rejected."""
        request = read(requests.UpdateSettings, self)
        require(time_zone_problems(request.time_zone, *INPUT, "timeZone"))
        return request
