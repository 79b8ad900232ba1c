"""The activity log as COPY gives it to the writers of files, oldest first."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import FromClause, Integer, Text, case, cast, func, literal_column, select

from db import views
from db.activity_reads import ActivityList, activity_conditions
from db.export_columns import Formatting, formatted_as, guarded, is_bare
from db.export_copy import CopiedTable, Copy, copy_of, marks
from db.export_query import Statement, shape
from db.expressions import Expression
from domain.activity_exports import ACTIVITY_COLUMNS, ResolvedActivityExport
from domain.actors import ActorKind
from domain.ids import IdKind
from domain.vocabulary import ExportFormat, FieldType

__all__ = ["copy_of_activity", "count_activity"]

_JSON: Final = (ExportFormat.JSON, ExportFormat.JSONL)
_OPEN_TEXTS: Final = ("actor", "summary")
"""What others than we have written."""


def count_activity(wanted: ActivityList, at_most: int | None = None) -> Statement:
    """How many entries there are; counting ends at `at_most`. Raises BadInput for a wrong filter."""
    log = views.activity.alias("a")
    some = select(literal_column("1", Integer()).label("one")).select_from(log)
    some = some.where(activity_conditions(wanted).expression).limit(at_most)
    return shape(select(func.count()).select_from(some.subquery()))


def copy_of_activity(wanted: ActivityList, resolved: ResolvedActivityExport) -> Copy:
    """The entries of an export, ready to be copied. Raises BadInput for a wrong filter."""
    log = views.activity.alias("a")
    formatting = Formatting(format=resolved.format, zone=resolved.time_zone, escape_formulas=True)
    values, keys = _values(log), [column.key for column in resolved.columns]
    cells = [_cell(key, values[key], formatting).label(f"c{place}") for place, key in enumerate(keys)]
    rows = select(*cells, *marks(resolved.format)).select_from(log)
    rows = rows.where(activity_conditions(wanted).expression).order_by(log.c.at, log.c.id)
    texts = tuple(f"c{place}" for place, key in enumerate(keys) if not _bare(key, formatting))
    return copy_of(rows, CopiedTable(resolved.format, [column.header for column in resolved.columns], texts))


def _values(log: FromClause) -> Mapping[str, Expression]:
    return {
        **{key: log.c[key] for key in ("at", "action", "actor_kind", "summary", "lead_count", "ip_address")},
        "actor": log.c.actor_name,
        "actor_id": case(
            (log.c.actor_kind == _word(ActorKind.USER), _shown(IdKind.USER, log.c.actor_id)),
            (log.c.actor_kind == _word(ActorKind.API_KEY), _shown(IdKind.API_KEY, log.c.actor_id)),
        ),
        "job_id": _shown(IdKind.JOB, log.c.job_id),
        "lead_id": _shown(IdKind.LEAD, log.c.lead_id),
        "details": cast(log.c.details, Text()),
        "activity_id": _shown(IdKind.ACTIVITY, log.c.id),
    }


def _cell(key: str, value: Expression, formatting: Formatting) -> Expression:
    cell = formatted_as(ACTIVITY_COLUMNS[key].type, value, formatting)
    return guarded(cell) if formatting.format is ExportFormat.CSV and key in _OPEN_TEXTS else cell


def _bare(key: str, formatting: Formatting) -> bool:
    """Whether cells of the column stand without quotes; the details are JSON already."""
    kind: FieldType = ACTIVITY_COLUMNS[key].type
    return is_bare(kind, formatting) or (key == "details" and formatting.format in _JSON)


def _shown(kind: IdKind, value: Expression) -> Expression:
    return _word(f"{kind}_").concat(cast(value, Text()))


def _word(text: str) -> Expression:
    return literal_column(f"'{text}'", Text())
