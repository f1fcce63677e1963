"""The documents keep their word: commands exist, links lead somewhere, variables are read, the API's examples work."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.test import Client

from policies.models import Policy
from policies.services.products import catalogue_ensure
from tests import factories as make
from tests.house.test_env_example import EXAMPLE, ROOT

DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("infra/*.md")]
)
LAUNCHED = {"demo", "test"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_command_named_exists_with_the_options_shown(path: Path) -> None:
    for line in re.findall(r"manage\.py ([^\n`#|]+)", path.read_text(encoding="utf-8")):
        words = line.split()
        name = words[0].strip(".,;:()")
        if not re.fullmatch(r"[a-z_]+", name) or name in LAUNCHED:
            continue
        assert name in get_commands(), f"{_name(path)}: manage.py {name}"
        app = get_commands()[name]
        command = load_command_class(app, name) if isinstance(app, str) else app
        known = {
            option
            for action in command.create_parser("manage.py", name)._actions
            for option in action.option_strings
        }
        shown = {word.split("=")[0].strip(".,;:()") for word in words[1:] if word.startswith("--")}
        assert shown <= known, f"{_name(path)}: manage.py {name} {shown - known}"


def test_the_options_of_the_demo_are_the_ones_it_takes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    taken = re.findall(
        r'add_argument\(\s*"(--[a-z-]+)"', (ROOT / "tonsurance/launch/demo.py").read_text(encoding="utf-8")
    )
    table = readme[readme.index("| option | does |") : readme.index("In a second terminal")]
    assert set(re.findall(r"--[a-z-]+", table)) == set(taken)


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_link_leads_to_a_file(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        found = (path.parent / target.split("#")[0]).resolve()
        assert found.exists(), f"{_name(path)} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_file_named_exists(path: Path) -> None:
    pattern = r"`((?:policies|venues|hedging|tonsurance|tests|docs|infra)/[\w./*-]+)`"
    for target in re.findall(pattern, path.read_text(encoding="utf-8")):
        assert list(ROOT.glob(target.rstrip("/"))), f"{_name(path)} names {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_variable_named_is_in_the_example(path: Path) -> None:
    pattern = (
        r"`((?:DJANGO|POLYMARKET|TRADING|LIVE|DATABASE|REDIS|ORDER|API|LOG|TONSURANCE)_[A-Z_]+)(?:=[^`]*)?`"
    )
    for name in re.findall(pattern, path.read_text(encoding="utf-8")):
        assert re.search(rf"^#?{name}=", EXAMPLE, flags=re.MULTILINE), f"{_name(path)} names {name}"


def test_the_containers_run_what_the_procfile_runs() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    processes = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    commands = {name: shlex.join(services[name]["command"]) for name in processes if name != "web"}
    assert commands == {name: words for name, words in processes.items() if name != "web"}
    assert set(services) - set(processes) == {"postgres", "valkey", "migrate"}


def test_the_license_is_the_apache_licenses_own_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert (text.startswith("\n" + " " * 33 + "Apache License\n"), text.count("\n")) == (True, 202)


# ------------------------------------------------------------------------------------------------ the API's examples
def _examples() -> list[list[str]]:
    """The curl calls of the README as words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(line) for line in readme.splitlines() if line.startswith("curl ")]


def _call(words: list[str], key: str) -> tuple[int, dict[str, object]]:
    """What the API answers to a curl call."""
    address = next(word for word in words if word.startswith("http"))
    pairs = [words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H"]
    headers = {name: value.replace("$KEY", key) for name, value in pairs}
    path = address.removeprefix("http://127.0.0.1:8000")
    body = words[words.index("-d") + 1] if "-d" in words else None
    content_type = headers.pop("Content-Type", "")
    client = Client(headers=headers)
    response = client.post(path, body, content_type=content_type) if body else client.get(path)
    return response.status_code, json.loads(response.content)


@pytest.mark.django_db
def test_the_examples_of_the_api_do_what_is_written(settings: object) -> None:
    settings.SECURE_SSL_REDIRECT = False  # type: ignore[attr-defined]
    catalogue_ensure()
    key = make.api_key("read", "write")
    quote, sale, positions = _examples()
    status, told = _call(quote, key)
    assert (status, told["premium"]) == (200, "65.75")
    assert [_call(sale, key)[0] for _ in range(2)] == [201, 201]
    assert Policy.objects.get().external_id == "SALE-0001"
    assert _call(positions, key)[1]["results"] == []
