"""The budgets and bans of the house style (CONTRIBUTING.md), over every file that git tracks or would track.

Complexity (8) and parameters (5) are ruff's: C901, PLR0913 and PLR0917, configured in pyproject.toml.
"""

import re
import tomllib
from pathlib import PurePath
from statistics import median

from tests.house import source, tree

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_MEDIAN_BODY_LINES = 7
MAX_PARAMETERS = 5
MAX_COMPLEXITY = 8
BROAD_EXCEPT_FILES = frozenset({"jobs/worker.py", "web/edge.py"})
"""The worker loop and the HTTP edge: nothing above them could answer for an error."""
UNTYPED_NOWHERE = ("domain/", "transfer/", "db/")
EMPTY_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"})
LOCK_FILES = re.compile(r"(?:^|/)(?:requirements[\w-]*\.txt|package-lock\.json|[\w-]+\.lock)$")
PAGE_SOURCES = (".html", ".css", ".js", ".jsx", ".mjs", ".ts", ".tsx", ".svg", ".py")
CONFIGURATION = tomllib.loads(tree.text("pyproject.toml"))


def test_a_file_has_at_most_300_lines():
    too_long = {
        name: count for name in tree.product_files() if (count := len(tree.text(name).splitlines())) > MAX_FILE_LINES
    }
    assert not too_long


def test_a_function_has_at_most_40_lines_with_its_docstring():
    too_long = {
        f"{name}:{function.lineno} {function.name}": source.full_length(function)
        for name in tree.product_files()
        for function in source.functions(tree.syntax(name))
        if source.full_length(function) > MAX_FUNCTION_LINES
    }
    assert not too_long


def test_the_median_function_has_at_most_7_lines_of_code():
    lengths = [
        source.body_length(function, tree.text(name).splitlines())
        for name in tree.product_files()
        for function in source.functions(tree.syntax(name))
    ]
    assert median(lengths) <= MAX_MEDIAN_BODY_LINES


def test_ruff_holds_complexity_and_parameters_to_the_budget():
    lint = CONFIGURATION["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert lint["mccabe"]["max-complexity"] == MAX_COMPLEXITY
    assert lint["pylint"]["max-args"] == MAX_PARAMETERS
    relaxed = {rule for path, rules in lint["per-file-ignores"].items() if path != "tests/**" for rule in rules}
    assert not {"C901", "PLR0913", "PLC0415", "BLE001"} & (relaxed | set(lint["ignore"]))


def test_no_function_imports_anything():
    found = [
        f"{name}:{node.lineno}" for name in tree.product_files() for node in source.local_imports(tree.syntax(name))
    ]
    assert not found


def test_no_module_has_a_name_that_says_nothing():
    found = [name for name in tree.python_files() if EMPTY_NAMES & set(PurePath(name).with_suffix("").parts)]
    assert not found


def test_only_the_worker_loop_and_the_http_edge_catch_every_exception():
    found = [
        f"{name}:{handler.lineno}"
        for name in tree.product_files()
        if name not in BROAD_EXCEPT_FILES
        for handler in source.swallowing_handlers(tree.syntax(name))
    ]
    assert not found


def test_no_signature_of_domain_transfer_or_db_has_any():
    found = [
        f"{name}:{function.lineno} {function.name}"
        for name in tree.product_files()
        if name.startswith(UNTYPED_NOWHERE)
        for function in source.signatures_with_any(tree.syntax(name))
    ]
    assert not found


def test_every_switched_off_check_names_its_rule_and_its_reason():
    found = [
        f"{name}: {comment}" for name in tree.python_files() for comment in source.bare_suppressions(tree.text(name))
    ]
    assert not found


def test_every_rule_that_ruff_ignores_has_its_reason_beside_it():
    ruff = tree.text("pyproject.toml").partition("[tool.ruff.lint]")[2].partition("[tool.ruff.lint.mccabe]")[0]
    ignored = re.findall(r'^    "[A-Z]+[0-9]*",.*$', ruff, re.MULTILINE)
    assert ignored
    assert not [line for line in ignored if not re.search(r'",\s+# \w+', line)]


def test_every_package_is_under_the_import_contracts():
    packages = {PurePath(name).parts[0] for name in tree.product_files() if "/" in name}
    contracted = set(CONFIGURATION["tool"]["importlinter"]["root_packages"])
    assert packages - {"tools"} == contracted


def test_no_lock_file_names_the_host_it_came_from():
    locks = [name for name in tree.names() if LOCK_FILES.search(name)]
    assert {"requirements.txt", "requirements-dev.txt"} <= set(locks)
    assert not [name for name in locks if source.LOCKED_ADDRESS.search(tree.text(name))]


def test_the_development_lock_pins_what_the_product_runs_with():
    pins = {
        name: set(re.findall(r"^\S+==\S+", tree.text(name), re.MULTILINE))
        for name in tree.names()
        if LOCK_FILES.search(name)
    }
    assert pins["requirements.txt"] <= pins["requirements-dev.txt"]


def test_no_file_names_a_path_of_somebodys_machine():
    found = [
        f"{name}: {path[0]}"
        for name in tree.names()
        if not name.startswith(tree.BUNDLE)
        for path in source.MACHINE_PATH.finditer(tree.text(name))
    ]
    assert not found


def test_no_page_fetches_anything_from_another_host():
    found = [
        f"{name}: {asset[0]}"
        for name in tree.names()
        if name.endswith(PAGE_SOURCES) and not name.startswith((tree.BUNDLE, "tests/"))
        for asset in source.REMOTE_ASSET.finditer(tree.text(name))
    ]
    assert not found
