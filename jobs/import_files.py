"""Looks into a file before its import is made: what is wrong with it is answered at once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from db.import_facts import ImportFacts
from domain.errors import InputProblem, JobFailed, LimitProblem, Problem, Rejected
from domain.errors import Path as ErrorPath
from domain.imports import ImportSpec
from domain.vocabulary import JobFailureCode, UserErrorCode
from jobs.import_child import open_file
from jobs.import_source import child_facts, child_limits, private_folder
from jobs.runtime import Runtime
from transfer.messages import ChildMode, ChildRequest, MappingProblem, Opened

__all__ = ["look_into", "refuse_problems"]

_HEAD_BYTES: Final = 1 << 20
_PACKED: Final = (b"PK", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
"""Beginnings of files whose head alone says nothing: zip, gzip, the old Office container."""
_CODES: Final = {
    JobFailureCode.UNSAFE_FILE: UserErrorCode.UNSAFE_FILE,
    JobFailureCode.LIMIT_EXCEEDED: UserErrorCode.LIMIT_EXCEEDED,
}


async def look_into(runtime: Runtime, spec: ImportSpec, facts: ImportFacts) -> Opened:
    """How the file is written and mapped, as far as its head tells. Raises Rejected where it is no table."""
    async with private_folder(runtime) as folder:
        path = folder / "head"
        partial = await _head(runtime, spec, path)
        request = ChildRequest(
            mode=ChildMode.OPEN,
            path=str(path),
            scratch=str(folder),
            file_name=spec.file_name,
            format=spec.format,
            dialect=spec.dialect,
            mapping=spec.mapping,
            options=spec.options,
            facts=child_facts(facts),
            limits=child_limits(facts.organization.limits),
            partial=partial,
        )
        try:
            return await open_file(request)
        except JobFailed as failed:
            raise Rejected(_unreadable(failed, facts)) from failed


def refuse_problems(opened: Opened) -> None:
    """Raises Rejected where the mapping cannot be, or a required field is neither mapped nor defaulted."""
    if opened.problems:
        raise Rejected(*_problems(opened.problems))


async def _head(runtime: Runtime, spec: ImportSpec, path: Path) -> bool:
    """Writes the beginning of the file, the whole where it is packed; whether there is more."""
    if spec.file_bytes > _HEAD_BYTES:
        pieces = [piece async for piece in runtime.store.read(spec.source_key, 0, _HEAD_BYTES)]
        head = b"".join(pieces)
        if not head.startswith(_PACKED):
            await asyncio.to_thread(path.write_bytes, head)
            return True
    await runtime.store.fetch(spec.source_key, path)
    return False


def _unreadable(failed: JobFailed, facts: ImportFacts) -> Problem:
    path = ("input", "source")
    code = _CODES.get(failed.code, UserErrorCode.UNREADABLE_FILE)
    if code is UserErrorCode.LIMIT_EXCEEDED:
        return LimitProblem(code, failed.message, path, limit=facts.organization.limits.max_upload_bytes)
    return Problem(code, failed.message, path)


def _problems(found: tuple[MappingProblem, ...]) -> Iterator[Problem]:
    for problem in found:
        yield InputProblem(problem.code, problem.message, ("input", *_path(problem)))


def _path(problem: MappingProblem) -> ErrorPath:
    if problem.index is not None:
        return ("mapping", str(problem.index))
    return ("mapping",) if problem.default is None else ("options", "defaults", str(problem.default))
