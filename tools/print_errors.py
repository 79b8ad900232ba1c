"""Writes docs/errors.md: every code that a caller can see, and what the code says with it."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from tools.error_meanings import ISSUES, JOB_FAILURES, TOP_LEVEL, USER_ERRORS, Meaning

__all__ = ["errors_page", "top_level_codes"]

Code = TypeVar("Code", bound=str)

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "errors.md"
_SOURCES: Final = ("domain", "db", "jobs", "transfer", "resolvers", "web", "delivery")
_ENUMS: Final = ("UserErrorCode", "JobFailureCode", "ImportIssueCode")
_MOST_MESSAGES: Final = 4
_HEAD: Final = """# Errors

<!-- generated from the code by `python -m tools.print_errors` -->

Every error has a code for programs and a message that is safe to show to people. Where it stands depends on what went
wrong:

- **A mutation's expected failures** are data: `userErrors { code message path }` of its payload, and nothing was done.
  The type of an error says more: `InputError.allowedValues`, `NotFoundError.ids`, `ConflictError.currentVersion` and
  `currentPlanRevision`, `LimitError.limit`, `actual` and `retryAfterSeconds`, `StateError.state`.
- **A job that ended FAILED** has `failure { code message retryable correlationId }`.
- **A row of an import** has issues: `issues`, `issueGroups`, the error file.
- **Everything else** is a top-level GraphQL error with `extensions.code`: bad input of a query, no credential, no
  permission, limits of the transport. A fault of the server is masked: `INTERNAL` with a correlation id.

Messages below are as the code has them, with names in braces for what they fill in; there are at most {most} a code.
"""


def errors_page() -> str:
    """The page as the code has it."""
    messages = _messages()
    parts = (
        _HEAD.replace("{most}", str(_MOST_MESSAGES)),
        _section("User errors", "`userErrors[].code` of a mutation.", USER_ERRORS, messages["UserErrorCode"]),
        _section("Job failures", "`failure.code` of a job.", JOB_FAILURES, messages["JobFailureCode"]),
        _section("Issues of rows", "`issues[].code` of an import.", ISSUES, messages["ImportIssueCode"]),
        _section("Top-level errors", "`errors[].extensions.code` of an answer.", TOP_LEVEL, {}),
    )
    return "\n".join(parts)


def top_level_codes() -> set[str]:
    """The codes that the HTTP edge and the resolvers give to top-level errors, as they stand in the code."""
    return {
        word.value
        for folder in ("web", "resolvers")
        for module in _modules(folder)
        for node in ast.walk(module)
        for word in _code_words(node)
        if isinstance(word.value, str) and word.value.isupper() and word.value.replace("_", "").isalpha()
    }


def _section(title: str, where: str, meanings: Mapping[Code, Meaning], messages: Mapping[str, list[str]]) -> str:
    lines = [f"## {title}", "", where, ""]
    for code, (meaning, remedy) in meanings.items():
        name = code.name if isinstance(code, StrEnum) else str(code)
        lines.append(f"- **`{name}`** {meaning} {remedy}")
        lines += [f"  - {message}" for message in messages.get(name, [])[:_MOST_MESSAGES]]
    return "\n".join([*lines, ""])


def _messages() -> dict[str, dict[str, list[str]]]:
    """The messages by enumeration and code, in the order of the code, each once."""
    found: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in _ENUMS}
    for folder in _SOURCES:
        for module in _modules(folder):
            for enum, code, message in _said(module):
                if message not in found[enum][code]:
                    found[enum][code].append(message)
    return found


def _modules(folder: str) -> Iterator[ast.Module]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def _said(module: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Enumeration, code and message of each call that has a code with a sentence beside it."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        codes = [(name, code) for value in given for name, code in _member(value)]
        texts = [text for value in given if (text := _text(value))]
        if codes and texts:
            yield *codes[0], texts[0]


def _member(node: ast.expr) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _ENUMS:
        yield node.value.id, node.attr


def _text(node: ast.expr) -> str | None:
    """A sentence, with the names of what an f-string fills in."""
    match node:
        case ast.Constant(value=str(text)):
            return text if " " in text else None
        case ast.JoinedStr(values=values):
            return "".join(_piece(value) for value in values)
        case _:
            return None


def _piece(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        last = ast.unparse(node.value).split(".")[-1]
        return "{" + (last if last.isidentifier() else "…") + "}"
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _code_words(node: ast.AST) -> Iterator[ast.Constant]:
    """Constants where a code stands: behind a message in a call, as a default, or as the value of "code"."""
    match node:
        case ast.Call(args=[_, *rest]):
            yield from (word for word in rest if isinstance(word, ast.Constant))
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            wanted = (value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "code")
            yield from (value for value in wanted if isinstance(value, ast.Constant))
        case ast.arguments(defaults=defaults):
            yield from (word for word in defaults if isinstance(word, ast.Constant))
        case _:
            return


def main() -> int:
    """0; the page is written."""
    PAGE.write_text(errors_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
