"""What a caller sees of the values in an import's reports: masked like the fields they were meant for."""

from dataclasses import replace

from domain.imports import FieldChange, ImportColumn, Issue, IssueGroup
from domain.masking import Masks, mask_text
from domain.vocabulary import LeadFieldKey

__all__ = ["ImportMasks"]


class ImportMasks:
    """The masks of one caller; fields are named as reports do (`phone`, `custom.<key>`, None)."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks

    def text(self, field: str | None, value: str | None) -> str | None:
        """A value of the field."""
        if field is None or not self._masks or field not in _KEYS:
            return value
        key = LeadFieldKey(field)
        return mask_text(key, self._masks[key], value) if key in self._masks else value

    def column(self, column: ImportColumn) -> ImportColumn:
        """Samples and unknown values; those of a column that is not mapped like the field it would be."""
        field = column.field or column.suggested_field
        return replace(
            column,
            samples=tuple(self.text(field, sample) or "" for sample in column.samples),
            unknown_values=tuple(
                replace(one, value=self.text(field, one.value) or "") for one in column.unknown_values
            ),
        )

    def issue(self, issue: Issue) -> Issue:
        """Value and suggestion."""
        return replace(
            issue, value=self.text(issue.field, issue.value), suggestion=self.text(issue.field, issue.suggestion)
        )

    def group(self, group: IssueGroup) -> IssueGroup:
        """Value and suggestion."""
        return replace(
            group, value=self.text(group.field, group.value), suggestion=self.text(group.field, group.suggestion)
        )

    def change(self, change: FieldChange) -> FieldChange:
        """Before and after."""
        return replace(
            change, before=self.text(change.field, change.before), after=self.text(change.field, change.after)
        )


_KEYS = frozenset(key.value for key in LeadFieldKey)
