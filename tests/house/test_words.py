"""The house's small rules that no linter knows: names, sizes, opening sentences, nothing of one machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tonsurance.launch.paths import ROOT

SOURCES = ("tonsurance", "policies", "venues", "hedging")
FORBIDDEN_STEMS = frozenset({"utils", "helpers", "common", "misc", "base", "manager", "handler", "processor"})
FORBIDDEN_CLASS_ENDINGS = ("Utils", "Helper", "Manager", "Handler", "Processor", "Misc")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
# Assembled, so that this file does not contain what it forbids.
ONE_MACHINE = re.compile("|".join("/" + place + "/" for place in ("work", "root", "home", "Users")))
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")))
TEXT_ENDINGS = {".py", ".md", ".toml", ".yaml", ".yml", ".in", ".cfg", ".ini", ".html", ".json", ".sh", ""}
LOCKS = re.compile(r"requirements.*\.txt|.*\.(csv|svg|png|ico|woff2)|LICENSE")


def tracked() -> list[Path]:
    """Every file of the repository, whether committed yet or not, that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def sources() -> list[Path]:
    return [
        path
        for path in tracked()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in SOURCES
        and "migrations" not in path.parts
    ]


def told(paths: list[str]) -> str:
    return "\n".join(sorted(paths))


def test_no_file_is_a_drawer_for_anything():
    assert told([str(path) for path in sources() if path.stem in FORBIDDEN_STEMS]) == ""


def test_no_class_is_named_for_doing_something_unnamed():
    found = [
        f"{path}: {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith(FORBIDDEN_CLASS_ENDINGS)
    ]
    assert told(found) == ""


def test_no_file_is_longer_than_a_reader_can_hold():
    long = [
        f"{path}: {count}"
        for path in sources()
        if (count := len(path.read_text().splitlines())) > FILE_LINES_MAX
    ]
    assert told(long) == ""


def test_functions_fit_a_screen():
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert told(found) == ""


def test_every_file_opens_by_saying_what_it_says():
    silent = [
        str(path)
        for path in sources()
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert told(silent) == ""


def test_the_repository_knows_no_particular_machine():
    found = [
        f"{path}:{number}"
        for path in tracked()
        if path.suffix in TEXT_ENDINGS and not LOCKS.fullmatch(path.name)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if ONE_MACHINE.search(line)
    ]
    assert told(found) == ""


def test_nothing_is_left_for_later():
    found = [
        f"{path}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert told(found) == ""


def test_money_is_never_a_float_in_a_model():
    found = [
        f"{path}:{number}"
        for path in sources()
        if "models" in path.parts
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "FloatField" in line or "float(" in line
    ]
    assert told(found) == ""
