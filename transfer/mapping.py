"""What each column of a file becomes: the caller's mapping first, then headers matched by key, label and alias."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from domain.custom_fields import MAX_CUSTOM_KEY
from domain.fields import FIELDS, MAX_CUSTOM_FIELDS
from domain.ids import IdKind
from domain.imports import ColumnMapping, ImportColumn, ImportOptions
from domain.vocabulary import FieldType, LeadFieldKey, UnmappedColumns, UserErrorCode
from transfer.headers import (
    IMPORT_HEADER,
    REPORT_HEADERS,
    ROW_HEADER,
    SAME,
    Match,
    custom_key,
    match_header,
    name_part,
    nearest_field,
    numbered_names,
)
from transfer.messages import MappingProblem
from transfer.targets import MappedColumns, SourceColumn, Target, column_name

_K = LeadFieldKey
_ONE_COLUMN: Final = (
    (_K.STATUS, _K.STATUS_ID, _K.STATUS_NAME),
    (_K.COMPANY_NAME, _K.COMPANY_ID),
    (_K.CHATBOT_NAME, _K.CHATBOT_ID),
    (_K.ADDRESS_STREET, _K.ADDRESS),
)
"""Fields that are the same column of a lead: the first one mapped is used."""
_JOINABLE: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.LIST})
_OWN_IDS: Final = {_K.LEAD_ID: IdKind.LEAD, _K.COMPANY_ID: IdKind.COMPANY, _K.CHATBOT_ID: IdKind.CHATBOT}
"""Columns of ids are matched by themselves only where they hold ours."""
_SUGGESTED_COLUMNS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """A file's column names, and some of its rows: what columns of ids hold tells whose ids they are."""

    names: tuple[str, ...]
    sample: Sequence[Sequence[str]] = ()

    def cells(self, index: int) -> list[str]:
        """The cells of a column in the sample that are not blank."""
        return [row[index].strip() for row in self.sample if index < len(row) and row[index].strip()]


def map_columns(
    header: FileHeader, mapping: Sequence[ColumnMapping], options: ImportOptions, custom_keys: Sequence[str]
) -> MappedColumns:
    """The plan for a header. Problems of the caller's mapping are collected, not raised."""
    return _Planner(header, options, custom_keys).plan(mapping)


def missing_required(targets: Sequence[Target], required: Sequence[LeadFieldKey]) -> tuple[LeadFieldKey, ...]:
    """Required fields that no column and no default can fill."""
    filled = {target.field for target in targets}
    return tuple(key for key in required if not filled.intersection(same_column(key)))


def same_column(key: LeadFieldKey) -> tuple[LeadFieldKey, ...]:
    """The fields that write the same column of a lead as this one, itself included."""
    return next((group for group in _ONE_COLUMN if key in group), (key,))


class _Planner:
    def __init__(self, header: FileHeader, options: ImportOptions, custom_keys: Sequence[str]) -> None:
        self._header = header
        self._headers = headers = header.names
        self._options = options
        self._custom_keys = list(custom_keys)
        self._plan = MappedColumns(headers=headers)
        self._explicit = dict[int, ColumnMapping]()
        self._matches: list[Match | None] = [match_header(header) for header in headers]
        self._targets = dict[str, Target]()

    def plan(self, mapping: Sequence[ColumnMapping]) -> MappedColumns:
        self._find_report_columns()
        for place, column in enumerate(mapping):
            self._place(place, column)
        self._match_rest()
        self._join_name_parts()
        self._keep_unmapped()
        self._add_defaults()
        self._drop_superseded()
        self._plan.targets = list(self._targets.values())
        self._plan.custom_keys = tuple(self._custom_keys)
        self._check_required()
        self._describe()
        return self._plan

    def _find_report_columns(self) -> None:
        if IMPORT_HEADER in self._headers and ROW_HEADER in self._headers:
            self._plan.import_column = self._headers.index(IMPORT_HEADER)
            self._plan.row_column = self._headers.index(ROW_HEADER)
            for index, header in enumerate(self._headers):
                if header in REPORT_HEADERS:
                    self._explicit[index] = ColumnMapping(index=index, ignore=True)

    def _problem(self, message: str, place: int | None, code: UserErrorCode = UserErrorCode.INVALID) -> None:
        self._plan.problems.append(MappingProblem(code, message, None, place))

    def _place(self, place: int, column: ColumnMapping) -> None:
        index = self._index_of(column)
        if index is None:
            named = f"“{column.column}”" if column.column is not None else f"number {column.index}"
            self._problem(f"The file has no column {named}.", place, UserErrorCode.NOT_FOUND)
        elif column.ignore:
            self._explicit[index] = column
        elif (error := self._add(index, self._completed(index, column))) is not None:
            self._problem(error, place)

    def _index_of(self, column: ColumnMapping) -> int | None:
        if column.index is not None:
            return column.index if 0 <= column.index < len(self._headers) else None
        wanted = " ".join((column.column or "").split())
        for names in (self._headers, numbered_names(len(self._headers))):
            if wanted in names:
                return next(
                    (index for index, name in enumerate(names) if name == wanted and index not in self._explicit),
                    names.index(wanted),
                )
        folded = [header.casefold() for header in self._headers]
        return folded.index(wanted.casefold()) if wanted and wanted.casefold() in folded else None

    def _completed(self, index: int, column: ColumnMapping) -> ColumnMapping:
        """A mapping that names no target takes the automatic one."""
        match = self._matches[index]
        if column.field is None and column.custom is None and match is not None:
            return replace(column, field=match.field)
        return column

    def _add(self, index: int, column: ColumnMapping) -> str | None:
        """Adds the column to its target; the reason where that is not possible."""
        key, custom = column.field, column.custom.strip() if column.custom else None
        if (key is None) == (custom is None):
            return "A column becomes either a field or a custom field."
        if key is not None and not FIELDS[key].importable:
            return f"{FIELDS[key].label} cannot be imported."
        if custom is not None:
            custom = custom_key(custom, self._custom_keys)
            if (error := self._register(custom)) is not None:
                return error
        target = Target(field=key, custom=custom)
        known = self._targets.get(target.name, target)
        if any(source.index == index for source in known.sources):
            return f"The column {column_name(self._headers, index)} is mapped twice to {known.name}."
        if known.sources and not _can_join(known):
            return f"Only one column can become {FIELDS[key].label if key else custom}."
        self._join(index, column, known)
        return None

    def _join(self, index: int, column: ColumnMapping, known: Target) -> None:
        values = {value.source.strip(): value.to for value in column.values} if column.values else None
        source = SourceColumn(index=index, values=values)
        default = column.default if column.default is not None else known.default
        self._targets[known.name] = replace(known, sources=(*known.sources, source), default=default)
        self._explicit[index] = column

    def _register(self, custom: str) -> str | None:
        if custom in self._custom_keys:
            return None
        if not 0 < len(custom) <= MAX_CUSTOM_KEY:
            return f"A custom field's key has 1 to {MAX_CUSTOM_KEY} characters."
        if len(self._custom_keys) >= MAX_CUSTOM_FIELDS:
            return f"An organization has at most {MAX_CUSTOM_FIELDS} custom fields."
        self._custom_keys.append(custom)
        return None

    def _match_rest(self) -> None:
        certain = [
            (-match.score, index, match.field)
            for index, match in enumerate(self._matches)
            if match is not None and index not in self._explicit and self._is_certain(index, match)
        ]
        mapped = {target.field for target in self._targets.values()}
        for _, index, key in sorted(certain):
            if not FIELDS[key].importable:
                self._explicit[index] = ColumnMapping(index=index, ignore=True)
            elif key.value not in self._targets and not mapped.intersection(same_column(key)):
                self._add(index, ColumnMapping(index=index, field=key))

    def _is_certain(self, index: int, match: Match) -> bool:
        """An own custom field of that name goes before a field's alias: exports come home as they went."""
        if match.score < SAME and self._headers[index] in self._custom_keys:
            return False
        prefix = _OWN_IDS.get(match.field)
        return prefix is None or all(cell.startswith(f"{prefix}_") for cell in self._header.cells(index))

    def _join_name_parts(self) -> None:
        if _K.NAME.value in self._targets:
            return
        parts = sorted(
            (part, index)
            for index, header in enumerate(self._headers)
            if index not in self._explicit and (part := name_part(header)) is not None
        )
        first_of_each = dict(reversed(parts))
        for part in sorted(first_of_each):
            self._add(first_of_each[part], ColumnMapping(index=first_of_each[part], field=_K.NAME))

    def _keep_unmapped(self) -> None:
        for index, header in enumerate(self._headers):
            if index in self._explicit or not header:
                continue
            key = custom_key(header, self._custom_keys)[:MAX_CUSTOM_KEY]
            if self._options.unmapped is UnmappedColumns.CUSTOM or key in self._custom_keys:
                error = self._add(index, ColumnMapping(index=index, custom=key))
                if error is not None:
                    self._problem(error, None, UserErrorCode.LIMIT_EXCEEDED)
                    return

    def _add_defaults(self) -> None:
        for default in self._options.defaults:
            target = Target(field=default.field, custom=default.custom)
            known = self._targets.get(target.name, target)
            if known.default is None:
                self._targets[target.name] = replace(known, default=default.value)

    def _drop_superseded(self) -> None:
        if _K.LEAD_ID.value not in self._targets:
            self._targets.pop(_K.VERSION.value, None)
        for group in _ONE_COLUMN:
            mapped = [key for key in group if key.value in self._targets]
            with_columns = [key for key in mapped if self._targets[key.value].sources]
            kept = next(iter(with_columns or mapped), None)
            for key in mapped:
                if key is not kept:
                    dropped = self._targets.pop(key.value)
                    if kept and dropped.default is not None and self._targets[kept.value].default is None:
                        self._targets[kept.value] = replace(self._targets[kept.value], default=dropped.default)

    def _check_required(self) -> None:
        for key in missing_required(self._plan.targets, self._options.required):
            label = FIELDS[key].label
            message = f"{label} is required: map a column to it or give a default."
            self._plan.problems.append(MappingProblem(UserErrorCode.REQUIRED, message, key))

    def _describe(self) -> None:
        names = {source.index: target.name for target in reversed(self._plan.targets) for source in target.sources}
        for index, header in enumerate(self._headers):
            match = self._matches[index]
            if match is None and index < _SUGGESTED_COLUMNS:
                match = nearest_field(header)
            suggested = match if match is not None and FIELDS[match.field].importable else None
            self._plan.columns.append(
                ImportColumn(
                    index=index,
                    header=header,
                    field=names.get(index),
                    suggested_field=suggested.field.value if suggested else None,
                    suggestion_score=suggested.score if suggested else None,
                    ignored=index in self._explicit and index not in names,
                )
            )


def _can_join(target: Target) -> bool:
    return target.field is None or FIELDS[target.field].type in _JOINABLE
