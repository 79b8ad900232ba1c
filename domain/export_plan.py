"""From an export as asked for to one with nothing left open: templates, defaults, columns, masks, file name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from domain import date_format
from domain.errors import BadInput, InputProblem, NotFoundProblem, Path, Problem, Rejected
from domain.export_columns import column_problems, delta_columns, own_columns, repeated_headers, template_columns
from domain.export_names import NameFacts, file_name, unknown_token
from domain.exports import (
    FOR_PROGRAMS,
    MAX_SAMPLE_ROWS,
    ExportSpec,
    FileOptions,
    LeadOrder,
    ResolvedColumn,
    ResolvedExport,
)
from domain.fields import FIELDS, INT_MAX
from domain.filter_input import read_filter
from domain.filter_text import describe
from domain.filters import EVERYTHING, LeadFilter
from domain.ids import IdKind, parse_id
from domain.masking import masks_for_some
from domain.settings import OrganizationSettings
from domain.templates import (
    DEFAULT_FILE_NAME,
    FILTERED_FILE_NAME,
    MOCK_FILE_NAME,
    MOCK_PREFIX,
    TEMPLATES,
    Template,
    builtin_of,
)
from domain.vocabulary import (
    BuiltinTemplate,
    Compression,
    ExportFormat,
    ExportProfile,
    FieldType,
    HeaderStyle,
    LeadFieldKey,
    PhoneFormat,
    SplitBy,
    UserErrorCode,
)
from domain.zones import is_zone

DELIMITERS: Final = (",", ";", "\t", "|")
SPEC: Final[Path] = ("input", "spec")
_LISTS: Final = frozenset(key.value for key, known in FIELDS.items() if known.type is FieldType.LIST)
_LIST_SEPARATOR: Final = ";"
Record = TypeVar("Record", ExportSpec, FileOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFacts:
    """What the organization adds to a spec.

    `custom` names its custom fields by key; `saved` is the spec of the template that `template_id` names, None where
    there is none; `masked` are the fields that a file masks. `now` has a time zone.
    """

    settings: OrganizationSettings
    slug: str
    now: datetime
    custom: Mapping[str, str] = field(default_factory=dict[str, str])
    saved: ExportSpec | None = None
    masked: frozenset[LeadFieldKey] = frozenset()


def resolve(spec: ExportSpec, facts: ExportFacts, path: Path = SPEC) -> ResolvedExport:
    """The export with nothing left open; its spec holds what the saved template adds, so that it runs the same later.

    Raises Rejected with everything that is wrong, each with its path.
    """
    spec = _builtin_by_id(spec)
    merged = _merged(spec, facts.saved)
    leads, problems = _filter(merged, path)
    problems.extend(_problems(spec, merged, facts, path))
    if problems:
        raise Rejected(*problems)
    resolved = _resolved(merged, facts, leads)
    repeated = tuple(repeated_headers(resolved.columns, (*path, "columns")))
    if repeated:
        raise Rejected(*repeated)
    options = None if merged.file == FileOptions() else merged.file
    return replace(resolved, spec=replace(merged, template_id=None, file=options))


def names_custom(*specs: ExportSpec | None) -> bool:
    """Whether a column of these specs is a custom field, so that resolving them asks for `ExportFacts.custom`."""
    return any(column.custom is not None for spec in specs if spec for column in spec.columns or ())


def filter_of(spec: ExportSpec) -> LeadFilter:
    """The tree of a spec that was resolved before. Raises BadInput for any other."""
    return read_filter(spec.filter, (*SPEC, "filter")) if spec.filter else EVERYTHING


def _builtin_by_id(spec: ExportSpec) -> ExportSpec:
    builtin = builtin_of(spec.template_id) if spec.template_id and spec.template is None else None
    return replace(spec, template=builtin, template_id=None) if builtin else spec


def _merged(spec: ExportSpec, saved: ExportSpec | None) -> ExportSpec:
    if saved is None:
        return spec
    files = _overlaid(spec.file or FileOptions(), saved.file or FileOptions())
    base = replace(saved, columns=None) if spec.template else saved
    return replace(_overlaid(spec, base), file=files)


def _overlaid(upper: Record, lower: Record) -> Record:
    """The upper record with what it leaves open taken from the lower one."""
    names = [entry.name for entry in fields(upper)]
    given = {name: getattr(upper, name) for name in names}
    return replace(lower, **{name: value for name, value in given.items() if value is not None})


def _filter(spec: ExportSpec, path: Path) -> tuple[LeadFilter, list[Problem]]:
    try:
        return (read_filter(spec.filter, (*path, "filter")) if spec.filter else EVERYTHING), []
    except BadInput as error:
        return EVERYTHING, [error.problem]


def _problems(spec: ExportSpec, merged: ExportSpec, facts: ExportFacts, path: Path) -> Iterator[Problem]:
    if spec.template_id is not None and facts.saved is None:
        message = "There is no template with this id."
        yield NotFoundProblem(UserErrorCode.NOT_FOUND, message, (*path, "templateId"), (spec.template_id,))
    if spec.template_id is not None and spec.template is not None:
        yield InputProblem(UserErrorCode.INVALID, "Name one template, not two.", (*path, "templateId"))
    if merged.columns is not None:
        yield from column_problems(merged.columns, facts.custom, (*path, "columns"))
    yield from _number_problems(merged, path)
    yield from _id_problems(merged, path)
    yield from _combination_problems(merged, path)
    if merged.split_by is SplitBy.COMPANY and LeadFieldKey.COMPANY_NAME in facts.masked:
        message = "This field is masked in the file: it cannot be split by, because its parts are named."
        yield InputProblem(UserErrorCode.INVALID, message, (*path, "splitBy"))
    yield from _file_problems(merged.file or FileOptions(), (*path, "file"))


def _number_problems(spec: ExportSpec, path: Path) -> Iterator[Problem]:
    bounds = (("limit", spec.limit, INT_MAX), ("sampleRows", spec.sample_rows, MAX_SAMPLE_ROWS))
    for name, value, largest in bounds:
        if value is not None and not 1 <= value <= largest:
            yield InputProblem(UserErrorCode.OUT_OF_RANGE, f"{name} is from 1 to {largest}.", (*path, name))


def _id_problems(spec: ExportSpec, path: Path) -> Iterator[Problem]:
    if spec.ids is not None and not spec.ids:
        yield InputProblem(UserErrorCode.REQUIRED, "The list of ids is empty; leave it out instead.", (*path, "ids"))
    unknown = tuple(given for given in spec.ids or () if parse_id(IdKind.LEAD, given) is None)
    if unknown:
        message = "There is no lead with this id."
        yield NotFoundProblem(UserErrorCode.NOT_FOUND, message, (*path, "ids"), unknown)


def _combination_problems(spec: ExportSpec, path: Path) -> Iterator[Problem]:
    split = spec.split_by not in (None, SplitBy.NONE)
    if split and spec.compression not in (None, Compression.ZIP):
        message = "A split export is an archive: leave the compression out or say ZIP."
        yield InputProblem(UserErrorCode.INVALID, message, (*path, "compression"), (Compression.ZIP.name,))
    if spec.sample_rows is not None:
        clashing = {"since": spec.since, "ids": spec.ids, "splitBy": split or None}
        for name in (name for name, value in clashing.items() if value is not None):
            yield InputProblem(UserErrorCode.INVALID, f"Mock data cannot have {name}.", (*path, name))
    if spec.limit is not None and spec.since is not None:
        message = "A delta with a limit would miss what is beyond it."
        yield InputProblem(UserErrorCode.INVALID, message, (*path, "limit"))
    if split and spec.since is not None:
        yield InputProblem(UserErrorCode.INVALID, "A delta cannot be split.", (*path, "splitBy"))


def _file_problems(options: FileOptions, path: Path) -> Iterator[Problem]:
    code = UserErrorCode.INVALID
    if options.delimiter is not None and options.delimiter not in DELIMITERS:
        yield InputProblem(code, "The delimiter is one of , ; | and TAB.", (*path, "delimiter"), DELIMITERS)
    if options.time_zone is not None and not is_zone(options.time_zone):
        message = "This is no IANA time zone, such as Europe/Paris."
        yield InputProblem(UserErrorCode.UNKNOWN_VALUE, message, (*path, "timeZone"))
    if options.date_format is not None and date_format.to_postgresql(options.date_format) is None:
        message = f"A date format is made of YYYY MM DD HH MM SS, such as {date_format.DEFAULT}."
        yield InputProblem(code, message, (*path, "dateFormat"))
    if "\0" in (options.name or ""):
        yield InputProblem(code, "A file name must not contain the NUL character.", (*path, "name"))
    token = unknown_token(options.name or "")
    if token is not None:
        yield InputProblem(UserErrorCode.UNKNOWN_VALUE, f"A file name knows no token {{{token}}}.", (*path, "name"))


def _resolved(spec: ExportSpec, facts: ExportFacts, leads: LeadFilter) -> ResolvedExport:
    options = spec.file or FileOptions()
    builtin = spec.template or (None if spec.columns else BuiltinTemplate.LEADS)
    template = TEMPLATES[builtin] if builtin else None
    file_format = spec.format or ExportFormat.CSV
    columns = _columns(spec, template, _header_style(options, builtin, file_format), facts)
    compression = _compression(spec)
    profile = options.profile or ExportProfile.EXCEL
    excel = profile is ExportProfile.EXCEL
    zone = options.time_zone or facts.settings.time_zone
    name = NameFacts(
        moment=facts.now.astimezone(ZoneInfo(zone)),
        format=file_format,
        compression=compression,
        organization=facts.slug,
        leads=leads,
        masked=masks_for_some(facts.settings),
    )
    return ResolvedExport(
        spec=spec,
        columns=columns,
        format=file_format,
        compression=compression,
        split_by=spec.split_by or SplitBy.NONE,
        profile=profile,
        delimiter=options.delimiter or ",",
        bom=excel if options.bom is None else options.bom,
        phone_format=options.phone_format or PhoneFormat.E164,
        time_zone=zone,
        date_format=options.date_format or date_format.DEFAULT,
        escape_formulas=excel if options.escape_formulas is None else options.escape_formulas,
        file_name=file_name(_pattern(spec, options, template, leads), name),
        filter_text=describe(leads),
        order=spec.order_by or LeadOrder(),
        masked=_masked(columns, facts.masked),
        list_separators=_separators(columns, template),
    )


def _columns(
    spec: ExportSpec, template: Template | None, style: HeaderStyle, facts: ExportFacts
) -> tuple[ResolvedColumn, ...]:
    if spec.columns is not None:
        columns = own_columns(spec.columns, style, template, facts.custom)
    else:
        columns = template_columns(template or TEMPLATES[BuiltinTemplate.LEADS])
    return delta_columns(columns, style) if spec.since is not None else columns


def _header_style(options: FileOptions, builtin: BuiltinTemplate | None, file_format: ExportFormat) -> HeaderStyle:
    if options.header_style is not None:
        return options.header_style
    keyed = builtin in (BuiltinTemplate.LEADS, BuiltinTemplate.OUTBOUND_STATUS) or file_format in FOR_PROGRAMS
    return HeaderStyle.KEY if keyed else HeaderStyle.LABEL


def _compression(spec: ExportSpec) -> Compression:
    if spec.split_by not in (None, SplitBy.NONE):
        return Compression.ZIP
    return spec.compression or Compression.NONE


def _pattern(spec: ExportSpec, options: FileOptions, template: Template | None, leads: LeadFilter) -> str:
    if spec.sample_rows is not None:
        return MOCK_PREFIX + options.name if options.name else MOCK_FILE_NAME
    pattern = options.name or (template.file_name if template else DEFAULT_FILE_NAME)
    return FILTERED_FILE_NAME if pattern == DEFAULT_FILE_NAME and leads != EVERYTHING else pattern


def _masked(columns: tuple[ResolvedColumn, ...], masked: frozenset[LeadFieldKey]) -> tuple[LeadFieldKey, ...]:
    present = {column.key for column in columns}
    return tuple(key for key in LeadFieldKey if key in masked and key.value in present)


def _separators(columns: tuple[ResolvedColumn, ...], template: Template | None) -> dict[str, str]:
    own = {key.value: separator for key, separator in template.separators.items()} if template else {}
    lists = (column.key for column in columns if column.key in _LISTS)
    return {key: own.get(key, _LIST_SEPARATOR) for key in lists}
