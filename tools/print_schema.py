"""Print the API's schema, as GraphQL SDL, into schema.graphql; with --check, say how the file differs from the code."""

import difflib
import sys
from pathlib import Path
from pkgutil import resolve_name

import strawberry

SCHEMA = "resolvers.schema:build_schema"
FILE = Path(__file__).resolve().parent.parent / "schema.graphql"


def main(arguments: list[str]) -> None:
    """Write the file, or compare it and exit with 1 when it is not what the code prints."""
    schema = resolve_name(SCHEMA)()
    if not isinstance(schema, strawberry.Schema):
        sys.exit(f"{SCHEMA} makes no Strawberry schema.")
    printed = schema.as_str().rstrip() + "\n"
    if "--check" not in arguments:
        FILE.write_text(printed, encoding="utf-8")
        return
    committed = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if changes := difference(committed, printed):
        sys.exit(f"{changes}schema.graphql is not what the code prints: run make schema and commit it.")


def difference(committed: str, printed: str) -> str:
    """The unified diff from the committed to the printed schema; empty when they are equal."""
    lines = difflib.unified_diff(
        committed.splitlines(keepends=True), printed.splitlines(keepends=True), "schema.graphql", "the code"
    )
    return "".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
