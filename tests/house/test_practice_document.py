"""The practice exchange's document keeps its word: its rehearsal runs as written, its tables name all there is."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_env_example import ROOT
from venues.simulators.polymarket.app import create_app
from venues.simulators.polymarket.faults import MODE_KINDS, RULE_KINDS, SOCKET_KINDS
from venues.simulators.polymarket.server import add_arguments

DOCUMENT = (ROOT / "docs/practice-exchange.md").read_text(encoding="utf-8")
TUTORIAL = DOCUMENT[DOCUMENT.index("## A rehearsal") : DOCUMENT.index("## Options")]
WRITTEN = "http://127.0.0.1:8899"
ANYTHING = "…"


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    """The exchange that the document's first command starts, on a port of its own."""
    command = re.search(r"manage\.py simulate polymarket (.+)", TUTORIAL)
    assert command is not None
    options = shlex.split(command[1].replace("--port 8899", "--port 0"))
    port_file = tmp_path / "port"
    process = subprocess.Popen(
        [sys.executable, "-m", "venues.simulators.polymarket", *options, "--port-file", str(port_file)],
        cwd=ROOT,
    )
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists():
            assert process.poll() is None and time.monotonic() < deadline, "it did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"
    finally:
        process.terminate()
        process.wait(10)


def test_the_rehearsal_is_what_is_written(base: str) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```(console|python)\n(.*?)```", TUTORIAL, flags=re.DOTALL)
    assert len(blocks) >= 12
    for language, text in blocks:
        if language == "python":
            exec(compile(text.replace(WRITTEN, base), "practice-exchange.md", "exec"), names)
        else:
            for call, answer in re.findall(r"^\$ (curl .*)\n(.*)$", text, flags=re.MULTILINE):
                told = _called(call, base)
                assert _holds(json.loads(answer), told), f"{call}\n{json.dumps(told)[:2000]}"
    names["client"].close()


def test_every_option_has_its_row() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    table = DOCUMENT[DOCUMENT.index("## Options") : DOCUMENT.index("## The admin door")]
    shown = set(re.findall(r"--[a-z-]+", "".join(re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE))))
    assert shown == {name for action in parser._actions for name in action.option_strings}


def test_every_call_of_the_admin_door_has_its_row() -> None:
    table = DOCUMENT[DOCUMENT.index("## The admin door") : DOCUMENT.index("## Faults")]
    rows = re.findall(r"^\| (.*?)(/admin/[a-z/]+)", table, flags=re.MULTILINE)
    shown = {(method, path) for methods, path in rows for method in re.findall(r"GET|POST|DELETE", methods)}
    door = {(method, path) for method, path in _routes() if path.startswith("/admin/")}
    assert shown == door


def test_every_fault_has_its_row() -> None:
    table = DOCUMENT[DOCUMENT.index("## Faults") : DOCUMENT.index("## Rate limits")]
    rows = "".join(re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE))
    assert set(re.findall(r"`([a-z_]+)`", rows)) == RULE_KINDS | MODE_KINDS | SOCKET_KINDS


def _routes() -> Iterator[tuple[str, str]]:
    app = create_app()
    for resource in app.router.resources():
        sub = getattr(resource, "_app", None)
        for route in sub.router.routes() if sub is not None else resource:
            if route.method != "HEAD" and route.resource is not None:
                yield route.method, route.resource.canonical


def _called(call: str, base: str) -> Any:
    words = shlex.split(call)
    address = next(word for word in words if word.startswith("http")).replace(WRITTEN, base)
    data = words[words.index("-d") + 1].encode() if "-d" in words else None
    method = words[words.index("-X") + 1] if "-X" in words else None
    request = urllib.request.Request(address, data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _holds(shown: Any, told: Any) -> bool:
    """Whether an answer holds what the document shows of it."""
    if shown == ANYTHING:
        return True
    if isinstance(shown, dict):
        return isinstance(told, dict) and all(
            any(_holds(value, other) for name, other in told.items() if key in (name, ANYTHING))
            for key, value in shown.items()
        )
    if isinstance(shown, list):
        return isinstance(told, list) and len(shown) == len(told) and all(map(_holds, shown, told))
    return bool(shown == told)
