"""Runs the parsing child as the worker does, and what it answered."""

import io
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from domain.imports import ColumnMapping, Issue, IssueGroup
from domain.vocabulary import LeadFieldKey, LeadStage
from transfer.child import serve
from transfer.messages import (
    CHILD_MODULE,
    Block,
    ChildMode,
    ChildRequest,
    Done,
    Failed,
    Opened,
    OrganizationFacts,
    StatusFact,
    UserFact,
    decode_request,
    encode_request,
    read_message,
)

NEW = "0190d3c2-0000-7000-8000-000000000001"
WON = "0190d3c2-0000-7000-8000-000000000002"
DANA = "0190d3c2-0000-7000-8000-000000000003"
ACME = "0190d3c2-0000-7000-8000-000000000004"
ROOT = Path(__file__).parents[2]


def facts(country: str = "US", **more: object) -> OrganizationFacts:
    """An organization with two statuses, one user, one company and one chatbot."""
    known = {
        "statuses": (
            StatusFact(NEW, "new", "New", LeadStage.NEW),
            StatusFact(WON, "deal_won", "Deal won", LeadStage.WON),
        ),
        "default_status_id": NEW,
        "users": (UserFact(DANA, "Dana Levi", "dana@example.com"),),
        "companies": {"acme": ACME},
        "chatbots": {"Greeter": ACME},
    }
    return OrganizationFacts(country=country, **(known | more))


def to(column: str, target: LeadFieldKey | str) -> ColumnMapping:
    """A column by its header, to a field or a custom field."""
    if isinstance(target, LeadFieldKey):
        return ColumnMapping(column=column, field=target)
    return ColumnMapping(column=column, custom=target)


@dataclass
class Answer:
    """All messages of a run, and the rows of its blocks put together."""

    opened: Opened | None = None
    blocks: list[Block] = field(default_factory=list)
    done: Done | None = None
    failed: Failed | None = None

    def take(self, message: Opened | Block | Done | Failed) -> None:
        match message:
            case Opened():
                self.opened = message
            case Block():
                self.blocks.append(message)
            case Done():
                self.done = message
            case Failed():
                self.failed = message

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.opened.copy_columns]

    @property
    def leads(self) -> list[dict[str, str | None]]:
        """The COPY lines as PostgreSQL reads them, by column."""
        lines = [line for block in self.blocks for line in block.ready.copy.decode().split("\n")[:-1]]
        return [dict(zip(self.names, map(unescaped, line.split("\t")), strict=True)) for line in lines]

    def column(self, name: str) -> list[str | None]:
        return [lead[name] for lead in self.leads]

    @property
    def rows(self) -> list[int]:
        return [row for block in self.blocks for row in block.ready.rows]

    @property
    def failed_rows(self) -> list[int]:
        return [row for block in self.blocks for row in block.failed_rows]

    @property
    def issues(self) -> list[Issue]:
        return [issue for block in self.blocks for issue in block.issues]

    @property
    def groups(self) -> list[IssueGroup]:
        return added_up(group for block in self.blocks for group in block.groups)

    @property
    def fields(self) -> dict[str, str | None]:
        """What each header became."""
        return {column.header: column.field for column in self.opened.columns}


def added_up(groups: Iterable[IssueGroup]) -> list[IssueGroup]:
    """The groups of several blocks, each once."""
    added = dict[tuple[object, ...], IssueGroup]()
    for group in groups:
        key = (group.code, group.severity, group.column, group.field, group.value)
        added[key] = replace(added[key], rows=added[key].rows + group.rows) if key in added else group
    return list(added.values())


def unescaped(text: str) -> str | None:
    if text == "\\N":
        return None
    pieces = text.split("\\\\")
    return "\\".join(piece.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t") for piece in pieces)


def run(path: Path, **request: object) -> Answer:
    """What the child's code answers for a file, mode ROWS unless said otherwise; in this process."""
    with TemporaryDirectory() as scratch:
        out = io.BytesIO()
        serve(decode_request(encode_request(request_for(path, scratch, **request))), out)
        return answer_of(out.getvalue())


def run_process(path: Path, **request: object) -> Answer:
    """The same from a real child process, with its memory limit."""
    with TemporaryDirectory() as scratch:
        process = spawn(request_for(path, scratch, **request))
        assert process.returncode == 0, process.stderr.decode()
        assert process.stderr == b""
        return answer_of(process.stdout)


def request_for(path: Path, scratch: str, **request: object) -> ChildRequest:
    return ChildRequest(path=str(path), scratch=scratch, **({"mode": ChildMode.ROWS, "facts": facts()} | request))


def spawn(request: ChildRequest) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", CHILD_MODULE], input=encode_request(request), capture_output=True, check=False, cwd=ROOT
    )


def answer_of(frames: bytes) -> Answer:
    stream = io.BytesIO(frames)
    answer = Answer()
    while (message := read_message(stream)) is not None:
        answer.take(message)
    return answer
