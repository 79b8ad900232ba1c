"""What the house rules measure, as pure functions over source text and syntax trees."""

import ast
import re
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef

SUPPRESSION = re.compile(r"#\s*(?:noqa|type: ignore|pyright: ignore)\b(?P<rest>.*)")
REASONED = re.compile(r"^(?::\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*|\[[\w, -]+\])\W+\w+.*")
"""The rules that are switched off here, by name, and then words that say why."""

MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:work|root|home/[a-z]\w*)(?=[/\"'\s)`]|$)", re.MULTILINE)
LOCKED_ADDRESS = re.compile(r"--(?:extra-)?index-url|--find-links|@ \w+://|^\s*\"resolved\"", re.MULTILINE)
REMOTE_ASSET = re.compile(
    r"""\bsrc\s*=\s*["']?(?:https?:)?//"""
    r"""|<link\b[^>]*\bhref\s*=\s*["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//"""
    r"""|@import\s+["'](?:https?:)?//"""
    r"""|\b(?:import|from|import\()\s*["'](?:https?:)?//""",
    re.IGNORECASE,
)
"""A script, style sheet, image, font or module that the page would fetch from another host; plain links are none."""


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function, method and nested function."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def full_length(function: Function) -> int:
    """Lines from `def` to the last one, docstring included, decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function, lines: list[str]) -> int:
    """Lines of the body that hold code: neither the docstring nor blank lines nor comments."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not statements:
        return 0
    body = lines[statements[0].lineno - 1 : statements[-1].end_lineno]
    return sum(1 for line in body if line.strip() and not line.lstrip().startswith("#"))


def signatures_with_any(tree: ast.Module) -> Iterator[Function]:
    """Functions that take or give `Any`, also inside other types and in quoted annotations."""
    return (function for function in functions(tree) if any(map(_mentions_any, _annotations(function))))


def local_imports(tree: ast.Module) -> Iterator[ast.stmt]:
    """Import statements inside functions."""
    for function in functions(tree):
        yield from (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


def swallowing_handlers(tree: ast.Module) -> Iterator[ast.ExceptHandler]:
    """Handlers of every exception that do not end by raising it again."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node):
            yield node


def bare_suppressions(text: str) -> Iterator[str]:
    """Comments that switch a check off without naming the rule and the reason."""
    for found in SUPPRESSION.finditer(text):
        if not REASONED.match(found["rest"]):
            yield found[0]


def _annotations(function: Function) -> Iterator[ast.expr]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    yield from (argument.annotation for argument in every if argument is not None and argument.annotation is not None)
    if function.returns is not None:
        yield function.returns


def _mentions_any(annotation: ast.expr) -> bool:
    return re.search(r"\bAny\b", ast.unparse(annotation)) is not None


def _is_broad(caught: ast.expr | None) -> bool:
    return caught is None or re.search(r"\b(?:Base)?Exception\b", ast.unparse(caught)) is not None


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
