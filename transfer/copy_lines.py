"""The valid rows of a judged block as COPY lines with their match keys."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from json.encoder import encode_basestring
from typing import Final, TypeVar

from domain.fields import FIELDS
from domain.ids import new_ids
from domain.imports import UPDATING, ImportOptions, Issue
from domain.lead_values import DERIVED_COLUMNS, SEARCHED_FIELDS, SEARCHED_NOTES, name_key, search_form
from domain.vocabulary import BlankCells, LeadFieldKey
from transfer.cells import NULL, escape, unescape
from transfer.columns import Column
from transfer.issues import issue_of
from transfer.layout import NEVER_BLANK, Layout
from transfer.messages import NewCompany, Ready
from transfer.readers import Companies
from transfer.targets import NOT_COPIED, MappedColumns
from transfer.validate import Judged

_K = LeadFieldKey
T = TypeVar("T")
_NOTHING: Final = "{}"
_BESIDE: Final = frozenset({_K.NOTES, _K.NATIONAL_ID})
"""Fields that travel beside the COPY lines and may have a default; `Ready.untouched` names them by their keys."""


@dataclass(slots=True, kw_only=True)
class Assembler:
    """Makes blocks' COPY lines. Everything but the rows themselves is the same for a whole file."""

    layout: Layout
    plan: MappedColumns
    options: ImportOptions
    companies: Companies

    def ready(self, judged: Judged, kept: Sequence[bool]) -> Ready:
        """The rows for which `kept` is true."""
        rows = _Rows(kept)
        ids = new_ids(rows.count)
        records = judged.records
        return Ready(
            ids=ids,
            rows=rows.pick(records.numbers),
            lines=rows.pick(records.lines) if records.lines else None,
            copy=self._lines(judged, ids, rows),
            lead_ids=_keys(judged.by_field.get(_K.LEAD_ID), rows, str),
            external_ids=_keys(judged.by_field.get(_K.EXTERNAL_ID), rows, unescape),
            phone_keys=_optional(judged.columns.get("phone_key"), rows, unescape),
            email_keys=_optional(judged.columns.get("email_key"), rows, unescape),
            versions=_optional(_encoded(judged, _K.VERSION), rows, int),
            untouched=self._untouched(judged, rows) if self.options.merge_strategy in UPDATING else [],
            notes=_texts(judged.by_field.get(_K.NOTES), rows),
            national_ids=_texts(judged.by_field.get(_K.NATIONAL_ID), rows),
            cleared_custom=self._cleared_custom(judged, rows),
            defaulted_custom=self._defaulted_custom(judged, rows),
            warned=rows.places(judged.log.warned),
            retired=_retired(judged, rows),
        )

    def new_companies(self, judged: Judged, kept: Sequence[bool]) -> tuple[NewCompany, ...]:
        """Companies that these rows name and nobody created before this run."""
        column = judged.columns.get("company_id")
        minted = self.companies.minted
        if column is None or not minted:
            return ()
        rows = dict[str, list[int]]()
        for place, company in enumerate(compress(column, kept)):
            if company in minted:
                rows.setdefault(company, []).append(place)
        return tuple(
            NewCompany(company, minted[company], name_key(minted[company]), tuple(places))
            for company, places in rows.items()
        )

    def _lines(self, judged: Judged, ids: list[str], rows: "_Rows") -> bytes:
        if not ids:
            return b""
        columns = [self._column(name, judged, ids, rows) for name in self.layout.read]
        end = self.layout.tail + "\n"
        return (end.join(map("\t".join, zip(*columns, strict=True))) + end).encode()

    def _column(self, name: str, judged: Judged, ids: list[str], rows: "_Rows") -> Sequence[str]:
        match name:
            case "id":
                return ids
            case "search_text":
                return _search_texts(judged, rows)
            case "notes_count":
                texts = judged.by_field[_K.NOTES].texts or ()
                return ["1" if text else "0" for text in rows.pick(texts)]
            case "custom":
                return _custom_documents(judged, rows)
            case _:
                values = rows.pick(judged.columns[name])
                blank = self.layout.blanks.get(name)
                if blank is None or NULL not in values:
                    return values
                return [blank if value == NULL else value for value in values]

    def _untouched(self, judged: Judged, rows: "_Rows") -> list[str]:
        marks: list[list[str] | None] = [None] * judged.count
        clearing = self.options.blank_cells is BlankCells.CLEAR
        for key, column in judged.by_field.items():
            name = FIELDS[key].column
            if key in _BESIDE:
                for index in column.defaulted:
                    marks[index] = [*(marks[index] or ()), key.value]
            if name is None or key in NOT_COPIED:
                continue
            silent = {*column.silent, *column.defaulted}
            if not clearing or name in NEVER_BLANK:
                silent.update(index for index, value in enumerate(column.encoded) if value == NULL)
            for index in silent:
                known = marks[index]
                if known is None:
                    known = marks[index] = []
                known += (name, *DERIVED_COLUMNS.get(name, ()))
        return [_NOTHING if names is None else f"{{{','.join(names)}}}" for names in rows.pick(marks)]

    def _cleared_custom(self, judged: Judged, rows: "_Rows") -> dict[int, tuple[str, ...]]:
        if self.options.blank_cells is not BlankCells.CLEAR or self.options.merge_strategy not in UPDATING:
            return {}
        blank = dict[str, list[int]]()
        for key, column in judged.custom.items():
            silent = {*column.silent, *column.defaulted}
            blank[key] = [index for index, text in enumerate(column.texts or ()) if not text and index not in silent]
        return rows.keys_by_place(blank)

    def _defaulted_custom(self, judged: Judged, rows: "_Rows") -> dict[int, tuple[str, ...]]:
        if self.options.merge_strategy not in UPDATING:
            return {}
        return rows.keys_by_place({key: column.defaulted for key, column in judged.custom.items()})


class _Rows:
    """The rows of a block that are kept, and their new places."""

    def __init__(self, kept: Sequence[bool]) -> None:
        self._kept = kept
        self._all = all(kept)
        self.count = len(kept) if self._all else sum(kept)
        self._places = None if self._all else _numbered(kept)

    def pick(self, values: Sequence[T]) -> list[T]:
        return list(values) if self._all else list(compress(values, self._kept))

    def has(self, index: int) -> bool:
        return self._kept[index]

    def places(self, indexes: Iterable[int]) -> list[int]:
        """Where rows of the block stand among the kept ones; the others are left out."""
        if self._places is None:
            return sorted(indexes)
        return sorted(self._places[index] for index in indexes if self._kept[index])

    def keys_by_place(self, indexes: Mapping[str, Iterable[int]]) -> dict[int, tuple[str, ...]]:
        """The keys of each place, from the rows of the block that each key has."""
        found = dict[int, tuple[str, ...]]()
        for key, given in indexes.items():
            for place in self.places(given):
                found[place] = (*found.get(place, ()), key)
        return found


def _numbered(kept: Sequence[bool]) -> list[int]:
    places, place = list[int](), 0
    for keep in kept:
        places.append(place)
        place += keep
    return places


def _retired(judged: Judged, rows: _Rows) -> dict[int, Issue]:
    """The issues that are held, by the rows' places."""
    held, records = judged.log.held, judged.records
    found = (issue_of(held[index], records.numbers, records.lines or None) for index in sorted(held) if rows.has(index))
    return dict(zip(rows.places(held), found, strict=True))


def _encoded(judged: Judged, key: LeadFieldKey) -> list[str] | None:
    column = judged.by_field.get(key)
    return None if column is None else column.encoded


def _keys(column: Column | None, rows: _Rows, plain: Callable[[str], str]) -> list[str | None] | None:
    return None if column is None else _optional(column.encoded, rows, plain)


def _optional(encoded: Sequence[str] | None, rows: _Rows, plain: Callable[[str], T]) -> list[T | None] | None:
    if encoded is None:
        return None
    return [None if value == NULL else plain(value) for value in rows.pick(encoded)]


def _texts(column: Column | None, rows: _Rows) -> list[str | None] | None:
    if column is None or column.texts is None:
        return None
    return [text or None for text in rows.pick(column.texts)]


def _search_texts(judged: Judged, rows: _Rows) -> list[str]:
    parts = [_searched(key, judged.searched[key]) for key in SEARCHED_FIELDS if key in judged.searched]
    picked = [rows.pick(part) for part in parts]
    texts = [search_form(" ".join(row)) for row in zip(*picked, strict=True)]
    return [escape(text) for text in texts] if any("\\" in text for text in texts) else texts


def _searched(key: LeadFieldKey, texts: Sequence[str]) -> Sequence[str]:
    return [text[:SEARCHED_NOTES] for text in texts] if key is _K.NOTES else texts


def _custom_documents(judged: Judged, rows: _Rows) -> list[str]:
    """The custom fields of each row as a JSON object, escaped for COPY."""
    members = list[Iterable[str]]()
    for key, column in judged.custom.items():
        name = encode_basestring(key) + ":"
        texts = rows.pick(column.texts or ())
        members.append([name + encode_basestring(text) if text else "" for text in texts])
    documents = [f"{{{','.join(filter(None, row))}}}" for row in zip(*members, strict=True)]
    return [escape(document) if "\\" in document else document for document in documents]
