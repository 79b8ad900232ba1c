"""Each measure of the house rules finds what it is there to find, and nothing else."""

import ast

import pytest

from tests.house import source

DOCUMENTED = '''
def documented():
    """Two
    lines."""

    # why
    first = 1
    return first
'''


def only(text: str) -> source.Function:
    [function] = source.functions(ast.parse(text))
    return function


def test_the_full_length_counts_every_line_from_def_on():
    assert source.full_length(only(DOCUMENTED)) == 7


def test_the_body_length_counts_lines_of_code_alone():
    assert source.body_length(only(DOCUMENTED), DOCUMENTED.splitlines()) == 2


def test_a_function_that_has_only_a_docstring_has_no_body():
    text = 'def empty():\n    """Nothing."""\n'
    assert source.body_length(only(text), text.splitlines()) == 0


@pytest.mark.parametrize(
    "signature",
    ["def f(a: Any): ...", "def f() -> dict[str, Any]: ...", "async def f(*, a: 'Any'): ...", "def f(**a: t.Any): ..."],
)
def test_any_is_found_wherever_a_signature_hides_it(signature: str):
    assert list(source.signatures_with_any(ast.parse(signature)))


@pytest.mark.parametrize("signature", ["def f(a: object): ...", "def f(any: int) -> Anything: ..."])
def test_other_types_are_not_taken_for_any(signature: str):
    assert not list(source.signatures_with_any(ast.parse(signature)))


def test_an_import_inside_a_function_is_found_and_one_outside_is_not():
    assert list(source.local_imports(ast.parse("def f():\n    if True:\n        import os")))
    assert not list(source.local_imports(ast.parse("import os\ndef f(): ...")))


@pytest.mark.parametrize("caught", ["", " Exception", " (OSError, Exception)", " BaseException as error"])
def test_a_handler_that_swallows_everything_is_found(caught: str):
    assert list(source.swallowing_handlers(ast.parse(f"try: ...\nexcept{caught}: ...")))


@pytest.mark.parametrize("handler", ["except OSError: ...", "except BaseException:\n    close()\n    raise"])
def test_a_narrow_handler_and_one_that_raises_again_are_fine(handler: str):
    assert not list(source.swallowing_handlers(ast.parse(f"try: ...\n{handler}")))


@pytest.mark.parametrize("comment", ["noqa", "noqa: S608", "type: ignore", "pyright: ignore[reportAny]"])
def test_a_suppression_without_rule_or_reason_is_found(comment: str):
    assert list(source.bare_suppressions(f"x = 1  # {comment}\n"))


@pytest.mark.parametrize(
    "comment", ["noqa: S608 - values are bound", "noqa: S608, E501  # long", "pyright: ignore[reportAny] - untyped"]
)
def test_a_suppression_with_rule_and_reason_is_fine(comment: str):
    assert not list(source.bare_suppressions(f"x = 1  # {comment}\n"))


@pytest.mark.parametrize("path", ["/{}/main/x.py", "see /{}/.cache", "'/{}'"])
@pytest.mark.parametrize("folder", ["work", "root", "home/someone"])
def test_a_path_of_a_machine_is_found(path: str, folder: str):
    assert source.MACHINE_PATH.search(path.format(folder))


@pytest.mark.parametrize("path", ["https://example.org/{}/x", "docs/{}/x", "/{}s/x"])
def test_a_path_in_an_address_or_below_a_folder_is_fine(path: str):
    assert not source.MACHINE_PATH.search(path.format("work"))


@pytest.mark.parametrize(
    "lock",
    ["--index-url https://example.org/simple", "a @ https://example.org/a.whl", '  "resolved": "https://e.org/a.tgz"'],
)
def test_an_address_in_a_lock_file_is_found(lock: str):
    assert source.LOCKED_ADDRESS.search(lock)


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js">',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        "a { background: url(https://cdn.example/x.png) }",
        'import x from "https://cdn.example/x.js"',
        '@import "https://cdn.example/x.css";',
    ],
)
def test_an_asset_of_another_host_is_found(page: str):
    assert source.REMOTE_ASSET.search(page)


@pytest.mark.parametrize("page", ['<a href="https://example.org">', '<script src="/static/x.js">', "url(#icon)"])
def test_a_link_and_an_asset_of_our_own_are_fine(page: str):
    assert not source.REMOTE_ASSET.search(page)
