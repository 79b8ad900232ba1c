"""Whatever options an import combines, it does to the leads what a plain reading of the rules does, and undoes it."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

import pytest

from domain.ids import IdKind, format_id, new_id
from domain.imports import FieldValue, ImportOptions, RevertResult
from domain.jobs import JobRecord
from domain.requests import CommitImport, RevertImport
from domain.stored import decode
from domain.vocabulary import (
    BlankCells,
    DuplicateScope,
    ErrorPolicy,
    ImportMode,
    JobFileRole,
    JobState,
    LeadFieldKey,
    MatchKey,
    MergeStrategy,
    UnmappedColumns,
)
from jobs.import_answers import commit_import, revert_import
from tests.jobs.importing import Importing, result_of, shown
from tests.transfer.packed_files import workbook

K = LeadFieldKey
TEXTS = ("external_id", "name", "phone", "email", "source", "score", "status")
FIELDS = (*TEXTS, "tags", "custom", "notes")
COUNTED = ("created", "updated", "unchanged", "skipped", "failed")
CLOSED = ("won", "lost")
CELLS = {
    "lead id": ("", "", ""),
    "external id": ("", "X1", "X2", "X3", "X4"),
    "name": ("Ann", "Bob", "דנה", 'a "b", c', "x;y", "", "@bob"),
    "phone": ("", "+12125550101", "+12125550102", "(212) 555-0103", "+12125550104", "123", "123"),
    "email": ("", "a@example.com", "B@example.com", "b@example.com", "nope"),
    "source": ("web", "phone", "", "nowhere"),
    "score": ("", "5", "70", "x"),
    "status": ("", "new", "contacted", "won", "Lost", "strange"),
    "tags": ("", "a", "b; a", "c;d"),
    "notes": ("", "first", "second"),
    "Colour": ("", "red", "blue"),
}
OUTCOMES = """select r.row, r.letter from app.import_outcomes o
cross join lateral unnest(o.rows, string_to_array(o.outcomes, null)) r(row, letter) where o.job_id = $2 order by 1"""
LEADS = """select l.id, l.external_id, l.name, l.phone, l.phone_key, l.email, l.email_key, l.source,
l.score::text as score, s.key as status, l.stage, l.tags, l.custom, l.notes_count, l.version, l.import_job_id,
l.search_text, array(select n.text from app.notes n where n.lead_id = l.id order by n.created_at, n.id) as notes
from app.leads l join app.statuses s on s.id = l.status_id order by l.id"""
LETTERS = {"C": "created", "U": "updated", "N": "unchanged", "S": "skipped", "D": "skipped"}
PHONES = {"(212) 555-0103": "+12125550103"}

Lead = dict[str, object]
Row = Mapping[str, str]


@dataclass
class Oracle:
    """The rules of an import, read row by row."""

    leads: list[Lead]
    options: ImportOptions
    outcomes: list[str] = field(default_factory=list)

    def take(self, row: Row) -> None:
        self.outcomes.append("failed" if self._is_wrong(row) else self._merge(row))

    def _is_wrong(self, row: Row) -> bool:
        bad = {"phone": ("123",), "email": ("nope",)}
        checked = {key.value for key in self.options.must_be_valid}
        return (
            any(not row[key.value] for key in self.options.required if not self._default(key.value))
            or row.get("source") == "nowhere"
            or row.get("score") == "x"
            or row.get("status") == "strange"
            or any(row.get(name) in bad[name] for name in checked)
        )

    def _default(self, name: str) -> str:
        names = {"custom": "Colour"}
        return next(
            (d.value for d in self.options.defaults if (d.custom or d.field.value) == names.get(name, name)), ""
        )

    def _merge(self, row: Row) -> str:
        found, by = self._found(row)
        strategy = self.options.merge_strategy
        if not found:
            if by is MatchKey.LEAD_ID:
                return "failed"
            self._create(row)
            return "created"
        if strategy is MergeStrategy.SKIP:
            return "skipped"
        if len(found) > 1:
            return "failed"
        lead = found[0]
        if row.get("version") and int(row["version"]) != lead["version"]:
            return "failed"
        changed = self._changed(lead, row)
        if changed == {name: lead[name] for name in FIELDS}:
            return "unchanged"
        lead |= changed
        lead["version"] += 1
        return "updated"

    def _found(self, row: Row) -> tuple[list[Lead], MatchKey | None]:
        if self.options.merge_strategy is MergeStrategy.CREATE_NEW:
            return [], None
        for key in self.options.match_on:
            name = key.value.lower().replace("_", " ")
            value = row.get(name, "")
            if not value:
                continue
            if key is MatchKey.LEAD_ID:
                return [lead for lead in self.leads if lead["shown"] == value], key
            if key is MatchKey.EXTERNAL_ID:
                return [lead for lead in self.leads if lead["external_id"] == value], key
            open_ones = [lead for lead in self.leads if self._counts(lead)]
            if key is MatchKey.EMAIL:
                return [one for one in open_ones if (one["email"] or "").lower() == value.lower()], key
            return [one for one in open_ones if one["phone"] == PHONES.get(value, value)], key
        return [], None

    def _counts(self, lead: Lead) -> bool:
        return self.options.duplicate_scope is DuplicateScope.ALL or lead["status"] not in CLOSED

    def _values(self, row: Row) -> Lead:
        """What the cells say: None where they say nothing."""
        values: Lead = {name: row.get(name.replace("_", " ")) or None for name in TEXTS}
        if values["phone"]:
            values["phone"] = PHONES.get(values["phone"], values["phone"])
        values["source"] = values["source"] and values["source"].upper()
        values["status"] = values["status"] and values["status"].lower()
        values["tags"] = [tag.strip() for tag in row.get("tags", "").split(";") if tag.strip()]
        return values

    def _tags(self, given: Sequence[str]) -> list[str]:
        return list(dict.fromkeys([*given, *self.options.add_tags]))

    def _create(self, row: Row) -> None:
        values = self._values(row)
        for name in TEXTS:
            values[name] = values[name] or self._default(name) or None
        colour = row.get("Colour") or self._default("custom")
        values["source"] = (values["source"] or "UNKNOWN").upper()
        self.leads.append({
            **values, "status": values["status"] or "new", "tags": self._tags(values["tags"]),
            "custom": {"Colour": colour} if colour else {},
            "notes": [row["notes"]] if row.get("notes") else [], "version": 1, "shown": None,
        })  # fmt: skip

    def _changed(self, lead: Lead, row: Row) -> Lead:
        changed = {name: lead[name] for name in FIELDS}
        values, filling = self._values(row), self.options.merge_strategy is MergeStrategy.FILL_BLANKS
        clearing = self.options.blank_cells is BlankCells.CLEAR
        for name in (*TEXTS, "tags"):
            blank = lead[name] in (None, [], "UNKNOWN") if name == "source" else lead[name] in (None, [])
            defaulted = not row.get(name) and self._default(name)
            if name.replace("_", " ") not in row or (filling and not blank) or defaulted:
                continue
            if values[name] or (clearing and name not in ("source", "status")):
                changed[name] = values[name]
        changed["tags"] = self._tags(changed["tags"])
        told = row.get("notes") in (None, "", *lead["notes"], "\n".join(lead["notes"]))
        if not told and not (filling and lead["notes"]):
            changed["notes"] = [*lead["notes"], row["notes"]]
        if row.get("Colour"):
            given = {"Colour": row["Colour"]}
            changed["custom"] = {**given, **lead["custom"]} if filling else {**lead["custom"], **given}
        elif "Colour" in row and clearing and not filling and not self._default("custom"):
            changed["custom"] = {key: value for key, value in lead["custom"].items() if key != "Colour"}
        return changed


async def _leads(importing: Importing) -> list[Lead]:
    rows = await importing.rows(LEADS)
    for row in rows:
        row["shown"] = format_id(IdKind.LEAD, row["id"])
    return rows


def _drawn_options(random: Random) -> ImportOptions:
    strategies = [*MergeStrategy, MergeStrategy.OVERWRITE, MergeStrategy.FILL_BLANKS]
    keys = random.sample(list(MatchKey), random.randint(1, 4))
    defaults = [
        FieldValue(field=K.SOURCE, value="email"),
        FieldValue(field=K.SCORE, value="33"),
        FieldValue(custom="Colour", value="green"),
    ]
    return ImportOptions(
        merge_strategy=random.choice(strategies),
        match_on=tuple(keys),
        duplicate_scope=random.choice(list(DuplicateScope)),
        blank_cells=random.choice(list(BlankCells)),
        unmapped=UnmappedColumns.CUSTOM,
        on_error=random.choice([ErrorPolicy.SKIP_ROW] * 3 + [ErrorPolicy.ABORT]),
        required=tuple(random.sample([K.NAME, K.SOURCE], random.choice([0, 0, 1, 2]))),
        must_be_valid=tuple(random.sample([K.PHONE, K.EMAIL], random.choice([0, 0, 1]))),
        defaults=tuple(random.sample(defaults, random.choice([0, 0, 1, 2, 3]))),
        add_tags=random.choice([(), (), ("new",), ("a", "new")]),
    )


def _drawn_rows(random: Random, options: ImportOptions, leads: Sequence[Lead]) -> list[dict[str, str]]:
    needed = {"name", *(key.value for key in options.required)}
    names = [name for name in CELLS if name in needed or random.random() < 0.75]
    if "lead id" in names and random.random() < 0.5:
        names.insert(names.index("lead id") + 1, "version")
    rows = []
    for _ in range(random.randint(1, 14)):
        row = {name: random.choice(CELLS[name]) for name in names if name != "version"}
        known = random.choice([None, *leads])
        if "lead id" in row and known and random.random() < 0.5:
            row["lead id"] = random.choice([known["shown"]] * 5 + [format_id(IdKind.LEAD, new_id())])
        if "version" in names:
            row["version"] = random.choice(["", str(known["version"]) if known else "", "1", "2"])
        if random.random() < 0.8:  # mostly good ones
            for name, bad in {"source": "nowhere", "score": "x", "status": "strange"}.items():
                if row.get(name) == bad:
                    row[name] = CELLS[name][1]
        rows.append({name: row[name] for name in names})
    return [row for row in rows if any(row.values())]


def _file(random: Random, rows: Sequence[Row]) -> tuple[bytes, str]:
    names = list(rows[0])
    kind = random.choice(["csv", "csv", "csv", "xlsx", "json", "jsonl"])
    if kind == "json":
        return json.dumps(rows).encode(), "leads.json"
    if kind == "jsonl":
        return "\n".join(map(json.dumps, rows)).encode(), "leads.jsonl"
    if kind == "xlsx":
        return workbook([names, *([row[name] for name in names] for row in rows)]), "leads.xlsx"
    text = io.StringIO()
    writer = csv.DictWriter(
        text, names, delimiter=random.choice(",;\t|"), lineterminator=random.choice(["\n", "\r\n"]),
        quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )  # fmt: skip
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(random.choice(["utf-8", "utf-8-sig", "utf-16"])), "leads.csv"


def _seen(leads: Sequence[Lead], *more: str) -> list[Lead]:
    """What is compared, in an order that does not depend on ids."""
    return sorted(({name: lead[name] for name in (*FIELDS, *more)} for lead in leads), key=str)


def _tallied(outcomes: Sequence[str]) -> tuple[int, ...]:
    return tuple(map(outcomes.count, COUNTED))


async def _require_planned(importing: Importing, job: JobRecord, oracle: Oracle, leads: Sequence[Lead]) -> None:
    plan = result_of(job).plan
    assert plan is not None
    assert (plan.creates, plan.updates, plan.unchanged, plan.skips, plan.errors) == _tallied(oracle.outcomes)
    assert _seen(await _leads(importing), "version") == _seen(leads, "version")


async def _require_aborted(importing: Importing, job: JobRecord, oracle: Oracle, leads: Sequence[Lead]) -> None:
    counts, failed = result_of(job).counts, oracle.outcomes.count("failed")
    assert job.state is JobState.FAILED
    assert (counts.failed, counts.unprocessed) == (failed, len(oracle.outcomes) - failed)
    assert counts.succeeded == counts.skipped == 0
    assert _seen(await _leads(importing)) == _seen(leads)


async def _require_done(importing: Importing, job: JobRecord, oracle: Oracle) -> None:
    counts, leads = result_of(job).counts, await _leads(importing)
    assert job.state is (JobState.COMPLETED_WITH_ERRORS if "failed" in oracle.outcomes else JobState.COMPLETED)
    letters = await importing.rows(OUTCOMES, job.id)
    assert [LETTERS.get(row["letter"], "failed") for row in letters] == oracle.outcomes
    assert tuple(getattr(counts, name) for name in COUNTED) == _tallied(oracle.outcomes)
    assert counts.unprocessed == 0
    assert _seen(leads, "version") == _seen(oracle.leads, "version")
    assert sum(lead["import_job_id"] == job.id for lead in leads) == counts.created
    for lead in leads:
        assert lead["notes_count"] == len(lead["notes"])
        assert (lead["email_key"] or "") == (lead["email"] or "").lower()
        assert (lead["stage"] in ("WON", "LOST")) == (lead["status"] in CLOSED)
        for text in filter(None, (lead["name"], lead["email"], lead["external_id"], *lead["notes"])):
            assert text.lower() in lead["search_text"]


async def _require_error_file(importing: Importing, job: JobRecord, outcomes: Sequence[str]) -> None:
    data, dialect = await importing.file(job, JobFileRole.ERRORS), result_of(job).dialect
    assert (data is not None) == ("failed" in outcomes)
    text = io.StringIO((data or b"").decode("utf-8-sig"), newline="")
    records = list(csv.DictReader(text, delimiter=(dialect and dialect.delimiter.value) or ","))
    assert len(records) == outcomes.count("failed")
    assert all(record["_errors"] for record in records)


async def _undo(importing: Importing, job: JobRecord, *, dry_run: bool) -> RevertResult:
    request = RevertImport(id=shown(job), dry_run=dry_run)
    undone = await importing.ended(await revert_import(importing.runtime, importing.actor, request))
    assert undone.state is JobState.COMPLETED
    return decode(RevertResult, undone.result)


async def _require_undone(importing: Importing, job: JobRecord, oracle: Oracle, leads: Sequence[Lead]) -> None:
    before = {lead["id"]: lead for lead in leads}
    known = [lead for lead in oracle.leads if lead["shown"]]
    changed = sum(any(before[lead["id"]][name] != lead[name] for name in FIELDS) for lead in known)
    told = await _undo(importing, job, dry_run=True)
    assert _seen(await _leads(importing)) == _seen(oracle.leads)
    assert await _undo(importing, job, dry_run=False) == told
    assert (told.removed, told.restored) == (oracle.outcomes.count("created"), changed)
    assert told.kept_because_edited == told.already_gone == 0
    assert _seen(await _leads(importing)) == _seen(leads)


@dataclass
class Case:
    """One import of what was drawn."""

    importing: Importing
    random: Random
    options: ImportOptions
    leads: list[Lead]
    oracle: Oracle

    async def run(self, rows: Sequence[Row]) -> None:
        mode = self.random.choice([*ImportMode, ImportMode.COMMIT])
        job = await self.importing.run(*_file(self.random, rows), options=self.options, mode=mode)
        if mode is not ImportMode.COMMIT:
            await _require_planned(self.importing, job, self.oracle, self.leads)
        if mode is ImportMode.REVIEW:
            request = CommitImport(id=shown(job), plan_revision=1)
            job = await self.importing.ended(await commit_import(self.importing.runtime, self.importing.actor, request))
        if mode is not ImportMode.VALIDATE:
            await self.require_written(job)
        await _require_error_file(self.importing, job, self.oracle.outcomes)

    async def require_written(self, job: JobRecord) -> None:
        if self.options.on_error is ErrorPolicy.ABORT and "failed" in self.oracle.outcomes:
            await _require_aborted(self.importing, job, self.oracle, self.leads)
            return
        await _require_done(self.importing, job, self.oracle)
        if self.random.random() < 0.3 and {"created", "updated"} & set(self.oracle.outcomes):
            await _require_undone(self.importing, job, self.oracle, self.leads)


@pytest.mark.parametrize("seed", range(4))
async def test_any_options_together_do_what_the_rules_say(importing: Importing, seed: int) -> None:
    random = Random(10 + seed)
    for _ in range(5):
        leads = await _leads(importing)
        options = _drawn_options(random)
        if rows := _drawn_rows(random, options, leads):
            oracle = Oracle(deepcopy(leads), options)
            for row in rows:
                oracle.take(row)
            sys.stdout.write(f"{options}\n{rows}\n{oracle.outcomes}\n")  # shown where the test fails
            await Case(importing, random, options, leads, oracle).run(rows)
