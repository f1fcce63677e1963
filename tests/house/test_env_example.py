"""`.env.example` names exactly the variables that the code reads, and shows the defaults that it has."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")

# Variables that the settings do not read, and the file that does.
ELSEWHERE = {
    "TONSURANCE_NO_BOOTSTRAP": "tonsurance/launch/bootstrap.py",
    "CELERY_BEAT_SCHEDULE": "tonsurance/celery.py",
    "PORT": "Procfile",
    "WEB_WORKERS": "Procfile",
}


def _shown() -> dict[str, str]:
    """Each variable of the example with the value shown."""
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def _read_by_settings() -> dict[str, Any]:
    """Each variable that the settings read, with its default; an ellipsis where that is not a constant."""
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse((ROOT / "tonsurance" / "settings.py").read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if (
            not (isinstance(node.func.value, ast.Name) and node.func.value.id == "env")
            or node.func.attr == "read_env"
        ):
            continue
        name = ast.literal_eval(node.args[0])
        default = next((word.value for word in node.keywords if word.arg == "default"), None)
        try:
            found[name] = None if default is None else ast.literal_eval(default)
        except ValueError:
            found[name] = ...
    return found


def _spelled(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, list) else str(default)


def test_the_example_names_what_is_read_and_nothing_else() -> None:
    assert set(_shown()) == set(_read_by_settings()) | set(ELSEWHERE)


def test_what_the_settings_do_not_read_is_read_where_it_says() -> None:
    for name, path in ELSEWHERE.items():
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")), (name, path)


def test_each_default_shown_is_the_default() -> None:
    constants = {name: default for name, default in _read_by_settings().items() if default is not ...}
    assert {name: _shown()[name] for name in constants} == {
        name: _spelled(default) for name, default in constants.items()
    }


def test_no_secret_is_shown() -> None:
    for name in ("DJANGO_SECRET_KEY", "ORDER_SALT_SECRET", "POLYMARKET_PRIVATE_KEY", "POLYMARKET_SECRET"):
        assert _shown()[name] == ""
