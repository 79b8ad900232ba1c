"""The files that the house rules look at: what git tracks and what it would track."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_PRODUCT = ("tests/", "bench/", "db/migrations/")
BUNDLE = "web/static/"
"""What vite builds; its sources are in web/graphiql."""


@cache
def names() -> tuple[str, ...]:
    """Paths relative to the root, of files that are there."""
    whoever_owns_it = ("-c", f"safe.directory={ROOT}")
    command = ("git", *whoever_owns_it, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file()))


@cache
def text(name: str) -> str:
    """The file's text; empty for a file that is not UTF-8 text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def syntax(name: str) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(text(name), filename=name)


def python_files() -> tuple[str, ...]:
    """Every Python file."""
    return tuple(name for name in names() if name.endswith(".py"))


def product_files() -> tuple[str, ...]:
    """The Python files that the budgets are for: neither tests, benchmarks nor migrations."""
    return tuple(name for name in python_files() if not name.startswith(NOT_PRODUCT))
