"""Settings that do not fit each other are named, and never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.diagnosis.environment import environment_ask

GOOD: dict[str, Any] = {
    "TRADING_ENVIRONMENT": "PRACTICE",
    "LIVE_TRADING_ALLOWED": False,
    "SECRET_KEY": "k3y-of-the-test-" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "ALLOWED_HOSTS": ["localhost", "127.0.0.1"],
    "DEBUG": False,
    "INSECURE_HTTP": True,
    "CSRF_TRUSTED_ORIGINS": [],
}


def asked(settings: Any, **values: Any) -> dict[str, tuple[str, str]]:
    """Code -> (level, sentence)."""
    for name, value in {**GOOD, **values}.items():
        setattr(settings, name, value)
    return {found.code: (found.level.value, found.sentence) for found in environment_ask(now=utc_now())}


def test_a_practice_machine_is_fine(settings: Any) -> None:
    found = asked(settings)
    assert {code: level for code, (level, _) in found.items()} == dict.fromkeys(
        ["environment", "secret_key", "allowed_hosts", "debug", "transport"], "ok"
    )
    assert GOOD["SECRET_KEY"] not in str(found)


@pytest.mark.parametrize(
    ("code", "level", "words", "values"),
    [
        ("environment", "warning", "one word away from real money", {"LIVE_TRADING_ALLOWED": True}),
        ("environment", "fault", "every order is refused", {"TRADING_ENVIRONMENT": "LIVE"}),
        ("secret_key", "warning", "built-in one or too short", {"SECRET_KEY": "short"}),
        ("secret_key", "fault", "sign in", {"SECRET_KEY": "short", "TRADING_ENVIRONMENT": "LIVE"}),
        ("secret_key", "warning", "too short", {"SECRET_KEY": "a" * 80}),
        ("allowed_hosts", "warning", "every host name", {"ALLOWED_HOSTS": ["*"]}),
        ("allowed_hosts", "fault", "every host", {"ALLOWED_HOSTS": ["*"], "TRADING_ENVIRONMENT": "LIVE"}),
        ("allowed_hosts", "warning", "nobody else can open a page", {"INSECURE_HTTP": False}),
        ("debug", "fault", "in PRACTICE: error pages", {"DEBUG": True}),
        ("debug", "warning", "in PAPER", {"DEBUG": True, "TRADING_ENVIRONMENT": "PAPER"}),
        ("transport", "warning", "in the clear", {"ALLOWED_HOSTS": ["backoffice.example"]}),
        ("transport", "fault", "in the clear", {"TRADING_ENVIRONMENT": "LIVE"}),
        (
            "transport",
            "warning",
            "1 trusted origins are plain HTTP",
            {"INSECURE_HTTP": False, "CSRF_TRUSTED_ORIGINS": ["http://backoffice.example"]},
        ),
    ],
)
def test_what_does_not_fit_is_named(
    settings: Any, code: str, level: str, words: str, values: dict[str, Any]
) -> None:
    found = asked(settings, **values)
    assert found[code][0] == level
    assert words in found[code][1]


def test_live_with_both_switches_and_https_is_fine(settings: Any) -> None:
    found = asked(
        settings,
        TRADING_ENVIRONMENT="LIVE",
        LIVE_TRADING_ALLOWED=True,
        INSECURE_HTTP=False,
        ALLOWED_HOSTS=["backoffice.example"],
        CSRF_TRUSTED_ORIGINS=["https://backoffice.example"],
    )
    assert {level for level, _ in found.values()} == {"ok"}
