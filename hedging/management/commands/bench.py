"""`manage.py bench NAME`: measures one of our speeds against a baseline in the same run, and says whether the goal
is met.

Exit code 0 when every goal is met, 1 when one is missed or an answer is wrong, 2 when it was asked wrongly. The
benches live beside the tests; an install without them says so. Nothing touches the book: a fresh database is made
for the run and dropped after it.
"""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import os
import pkgutil
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

FOLDER = "tests.benches"
FRAME = "tests.benches"
WRONG_USE, MISSED = 2, 1


class Command(BaseCommand):
    """Runs a bench."""

    help = "Measure one of our speeds against a baseline in the same run; exit 0 when the goal is met."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="a bench of --list")
        parser.add_argument("--list", action="store_true", help="what can be measured")
        parser.add_argument("--policies", type=_positive, help="size of the work (default: the full run's)")
        parser.add_argument("--rounds", type=_positive, help="paired rounds; the ratio is their median")
        size = parser.add_mutually_exclusive_group()
        size.add_argument("--full", action="store_true", help="the size that the goals are for (default)")
        size.add_argument("--small", action="store_true", help="the size of the test suite")
        parser.add_argument("--json", type=Path, metavar="FILE", help="append the result to FILE as one line")
        parser.add_argument(
            "--table", type=Path, metavar="FILE", help="print FILE as docs/performance.md shows it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = bench_names()
        if options["table"]:
            importlib.import_module(f"{FRAME}.report").print_table(options["table"], out=self.stdout)
            return
        if options["list"]:
            for name in known:
                self.stdout.write(f"{name:<12} {_first_line(bench_module(name))}")
            return
        name = options["name"]
        if name not in known:
            asked = f"there is no bench {name!r}" if name else "no bench named"
            raise CommandError(f"{asked}: choose one of {', '.join(known)}", returncode=WRONG_USE)
        module = bench_module(name)
        scale = module.SMALL if options["small"] else module.FULL
        chosen = {key: options[key] for key in ("policies", "rounds") if options[key]}
        if not self._measure(name, module, replace(scale, **chosen), json_file=options["json"]):
            raise SystemExit(MISSED)

    def _measure(self, name: str, module: ModuleType, scale: Any, *, json_file: Path | None) -> bool:
        machines = importlib.import_module(f"{FRAME}.machine")
        reports = importlib.import_module(f"{FRAME}.report")
        results = importlib.import_module(f"{FRAME}.result")
        needs_database = getattr(module, "NEEDS_DATABASE", True)
        with database_of_the_run(needs_database):
            here = machines.machine(with_database=needs_database)
            self.stdout.write(f"{name}: {_first_line(module)}")
            self.stdout.write(f"  {here.words}")
            self.stdout.write(
                f"  {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {here.commit or 'unknown'}, "
                f"policies {scale.policies:,}, rounds {scale.rounds}"
            )
            self.stdout.flush()
            before = machines.load()
            try:
                result = module.run(scale)
            except results.WrongAnswer as wrong:
                self.stdout.write(f"{name}: WRONG ANSWER: {wrong}")
                return False
        loads = (before, machines.load())
        if json_file is not None:
            reports.append_json(
                json_file,
                name=name,
                scale=scale,
                goals=module.GOALS,
                result=result,
                machine=here,
                loads=loads,
            )
        return bool(
            reports.print_result(name, goals=module.GOALS, result=result, loads=loads, out=self.stdout)
        )


def bench_names() -> list[str]:
    """The benches of this checkout. Raises CommandError (exit 2) where they were not installed."""
    try:
        found = importlib.util.find_spec(FOLDER)
    except ModuleNotFoundError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise CommandError(
            "the benches are not part of this install: they lie in tests/benches of the source checkout and need "
            "requirements-dev.txt",
            returncode=WRONG_USE,
        )
    folders = list(found.submodule_search_locations)
    names = [module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("test_")]
    return sorted(name.rstrip("_") for name in names if _is_bench(folders, name))


def bench_module(name: str) -> ModuleType:
    """The bench's module. Raises CommandError (exit 2) when a package that it measures is not installed."""
    file = f"{name}_" if keyword.iskeyword(name) else name  # `import` is no name for a module
    try:
        return importlib.import_module(f"{FOLDER}.{file}")
    except ModuleNotFoundError as missing:
        raise CommandError(
            f"bench {name} needs {missing.name}, which is not installed: pip install -r requirements-dev.txt",
            returncode=WRONG_USE,
        ) from missing


@contextmanager
def database_of_the_run(needed: bool) -> Iterator[None]:
    """An empty, migrated database behind `connection` and in DATABASE_URL, dropped at the end."""
    if not needed:
        yield
        return
    given = os.environ.get("DATABASE_URL", "")
    before = str(connection.settings_dict["NAME"])
    name = f"bench_{os.getpid()}"
    connection.settings_dict.setdefault("TEST", {})["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    address, slash, _ = given.rpartition("/")
    os.environ["DATABASE_URL"] = f"{address}{slash}{name}"
    try:
        yield
    finally:
        os.environ["DATABASE_URL"] = given
        connection.creation.destroy_test_db(before, verbosity=0)


def _is_bench(folders: list[str], name: str) -> bool:
    """Whether the module has goals; looked up in its text, so that a list needs no package of any bench."""
    return any(
        "\nGOALS" in (Path(folder) / f"{name}.py").read_text(encoding="utf-8")
        for folder in folders
        if (Path(folder) / f"{name}.py").is_file()
    )


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().splitlines()[0]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)
