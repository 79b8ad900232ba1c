"""The plan of an export's files: what each is called, what is copied into it and which writer makes it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from db.export_columns import Formatting
from db.export_copy import Copy, Form, copy_of_deleted, copy_of_leads
from db.export_query import Part, Selection
from db.export_values import Values, field_type
from domain import date_format
from domain.actors import Actor
from domain.export_names import EXTENSIONS, clean
from domain.exports import ResolvedExport
from domain.masking import Masks, masks_of_file
from domain.records import OrganizationRecord
from domain.vocabulary import ExportProfile, MaskingMode, SplitBy
from transfer.write_csv import CsvDialect
from transfer.write_file import FilePlan, RowWriter, row_writer

_WITHOUT: Final = {SplitBy.COMPANY: "no_company", SplitBy.STATUS: "no_status", SplitBy.NONE: "leads"}
_UNSPELT: Final = {SplitBy.COMPANY: "company", SplitBy.STATUS: "status", SplitBy.NONE: "leads"}
"""For a name of which no character may stand in a file's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How an export's files are made. `total` rows in all; `moment` is the snapshot's.

    `about` describes a file of so many rows.
    """

    resolved: ResolvedExport
    formatting: Formatting
    total: int
    moment: datetime
    about: Callable[[int], Sequence[tuple[str, str]]]

    @property
    def form(self) -> Form:
        """The columns as COPY is asked for them."""
        return Form(self.resolved.columns, self.formatting, self.resolved.delimiter)

    def writer(self, rows: int) -> RowWriter:
        """A writer for a file of so many rows."""
        resolved = self.resolved
        crlf = resolved.profile is ExportProfile.EXCEL
        plan = FilePlan(
            format=resolved.format,
            headers=[column.header for column in resolved.columns],
            types=[field_type(column.key) for column in resolved.columns],
            total=rows,
            dialect=CsvDialect(
                delimiter=resolved.delimiter, crlf=crlf, bom=resolved.bom, escape=resolved.escape_formulas
            ),
            date_pattern=date_format.to_postgresql(resolved.date_format) or date_format.DEFAULT,
            moment=self.moment,
            about=self.about(rows),
        )
        return row_writer(plan)


def formatting_of(resolved: ResolvedExport, organization: OrganizationRecord, masks: Masks) -> Formatting:
    """How the database formats the cells."""
    default = resolved.date_format == date_format.DEFAULT
    return Formatting(
        format=resolved.format,
        zone=resolved.time_zone,
        date_pattern=None if default else date_format.to_postgresql(resolved.date_format),
        escape_formulas=resolved.escape_formulas,
        separators=resolved.list_separators,
        values=Values(
            masks=masks,
            phone_format=resolved.phone_format,
            conversation_url=organization.settings.conversation_url_template,
            unsealed=resolved.spec.unmask and resolved.spec.sample_rows is None,
        ),
    )


def masks_of_export(resolved: ResolvedExport, organization: OrganizationRecord, actor: Actor) -> Masks:
    """What the file hides: what the policy says now, and what it said when the export was asked for."""
    now = masks_of_file(actor, organization.settings, unmask=resolved.spec.unmask)
    return {**dict.fromkeys(resolved.masked, MaskingMode.PARTIAL), **now}


def masks_of_readers(organization: OrganizationRecord, actor: Actor) -> Masks:
    """What is masked for some of those who may open a file that shows no masked values."""
    return masks_of_file(actor, organization.settings, unmask=False)


def holds_masked_values(resolved: ResolvedExport, organization: OrganizationRecord, actor: Actor) -> bool:
    """Whether the file shows what is masked for some callers."""
    hidden = masks_of_readers(organization, actor)
    return resolved.spec.unmask and any(column.key in set(map(str, hidden)) for column in resolved.columns)


def copies_of(selection: Selection, layout: Layout) -> list[Copy]:
    """What is copied into one file: the leads, and in a delta those that were deleted."""
    copies = [copy_of_leads(selection, layout.form)]
    if selection.since is not None:
        copies.append(copy_of_deleted(selection, layout.form))
    return copies


def member_names(resolved: ResolvedExport, parts: Sequence[Part]) -> Iterator[str]:
    """The names of the parts inside the archive, each once."""
    taken = set[str]()
    stem = resolved.file_name.removesuffix(".zip")
    for part in parts:
        name = clean(part.name or "")[:80] or (_WITHOUT if part.id is None else _UNSPELT)[part.by]
        candidate, number = name, 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate.lower())
        yield f"{stem}-{candidate}{EXTENSIONS[resolved.format]}"


def part_of(selection: Selection, part: Part) -> Selection:
    """The leads of one part."""
    return replace(selection, part=part)
