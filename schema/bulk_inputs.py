"""What bulk operations are asked to do."""

import strawberry
from strawberry.scalars import JSON

from domain import bulk
from domain.checks import filled_problems, patch_problems, require, target_problems, wait_problems
from domain.vocabulary import InterestLevel, LeadCategory, LeadFieldKey, LeadSource
from schema.arguments import INPUT, given, json_object, optional, read
from schema.filters import LeadFilter


@strawberry.input(
    description="Exactly one of ids and filter; `filter: {}` means all leads. With a filter expectedCount is required: "
    "it guards against acting on more than the person saw (COUNT_CHANGED)."
)
class LeadTarget:
    ids: list[strawberry.ID] | None = optional("These leads, at most limits.maxBulkIds.")
    filter: LeadFilter | None = optional("The leads that it finds.")
    expected_count: int | None = optional("How many the person saw.")

    def to_domain(self) -> bulk.LeadTarget:
        """The target. Raises BadInput for an explicit null or a filter that is wrong."""
        path = (*INPUT, "target")
        target = read(bulk.LeadTarget, self, path)
        if self.filter:
            self.filter.to_domain((*path, "filter"))
        return target


@strawberry.input(description="What changes; what is omitted stays as it is.")
class LeadPatchInput:
    status: str | None = optional("A status's key or label.")
    source: LeadSource | None = optional("Where the lead came from.")
    lead_source: str | None = optional("Free text behind the source.")
    score: int | None = optional("0 to 100.")
    interest_level: InterestLevel | None = optional("How much the lead wants it.")
    category: LeadCategory | None = optional("What the conversation was about.")
    add_tags: list[str] | None = optional("Tags to add.")
    remove_tags: list[str] | None = optional("Tags to take away.")
    won_reason: str | None = optional("Why the lead was won.")
    loss_reason: str | None = optional("Why the lead was lost.")
    add_note: str | None = optional("Becomes a note of every lead.")
    custom_fields: JSON | None = optional("Merged into what is there; a JSON null removes a key.")
    clear: list[LeadFieldKey] | None = optional("Fields to empty.")

    def to_domain(self) -> bulk.LeadPatch:
        """The changes. Raises BadInput for an explicit null."""
        if self.custom_fields is not strawberry.UNSET:
            json_object(self.custom_fields, (*INPUT, "set", "customFields"))
        return read(bulk.LeadPatch, self, (*INPUT, "set"))


@strawberry.input(description="A change to many leads.")
class BulkUpdateLeadsInput:
    target: LeadTarget = strawberry.field(description="Which leads.")
    set: LeadPatchInput = strawberry.field(description="What changes.")
    dry_run: bool = strawberry.field(default=False, description="Count only.")
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")
    idempotency_key: str | None = optional("The same key and input again give the same job.")

    def to_domain(self) -> bulk.BulkRequest:
        """The request. Raises BadInput or Rejected."""
        patch = self.set.to_domain()
        require(patch_problems(patch, (*INPUT, "set")))
        spec = bulk.BulkSpec(target=self.target.to_domain(), patch=patch, dry_run=self.dry_run)
        return _request(spec, self.wait_seconds, self.idempotency_key)


@strawberry.input(description="Several assignees: shared out evenly.")
class BulkAssignLeadsInput:
    target: LeadTarget = strawberry.field(description="Which leads.")
    assignee_ids: list[strawberry.ID] = strawberry.field(description="Who looks after them from now on.")
    dry_run: bool = strawberry.field(default=False, description="Count only.")
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")
    idempotency_key: str | None = optional("The same key and input again give the same job.")

    def to_domain(self) -> bulk.BulkRequest:
        """The request. Raises BadInput or Rejected."""
        spec = bulk.BulkSpec(
            target=self.target.to_domain(), assignee_ids=tuple(self.assignee_ids), dry_run=self.dry_run
        )
        require(filled_problems(spec.assignee_ids, *INPUT, "assigneeIds"))
        return _request(spec, self.wait_seconds, self.idempotency_key)


@strawberry.input(description="Leads to delete.")
class BulkDeleteLeadsInput:
    target: LeadTarget = strawberry.field(description="Which leads.")
    dry_run: bool = strawberry.field(default=False, description="Count only.")
    wait_seconds: float = strawberry.field(default=0, description="Wait this long for the end, at most 30 seconds.")
    idempotency_key: str | None = optional("The same key and input again give the same job.")

    def to_domain(self) -> bulk.BulkRequest:
        """The request. Raises BadInput or Rejected."""
        spec = bulk.BulkSpec(target=self.target.to_domain(), dry_run=self.dry_run)
        return _request(spec, self.wait_seconds, self.idempotency_key)


def _request(spec: bulk.BulkSpec, wait_seconds: float, idempotency_key: str | None) -> bulk.BulkRequest:
    require((*target_problems(spec.target, (*INPUT, "target")), *wait_problems(wait_seconds, INPUT)))
    key = given(idempotency_key, *INPUT, "idempotencyKey")
    return bulk.BulkRequest(spec=spec, wait_seconds=wait_seconds, idempotency_key=key)
