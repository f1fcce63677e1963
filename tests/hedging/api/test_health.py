"""Health as monitoring reads it: quick, behind a key of its own scope, and not asked more often than needed."""

from __future__ import annotations

import pytest
from django.test import Client

from hedging.api import health
from tests import factories as make
from tonsurance.plumbing.checkups import checks_all

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/api/v2/health/"


@pytest.fixture(autouse=True)
def _fresh(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECURE_SSL_REDIRECT = False
    monkeypatch.setattr(health, "_kept", None)


def asked(key: str):
    return Client().get(ADDRESS, headers={"Authorization": f"Token {key}"})


def test_it_needs_a_key_with_the_scope_ops():
    assert Client().get(ADDRESS).status_code == 401
    refused = asked(make.api_key("read", "write"))
    assert refused.status_code == 403
    assert refused.json()["detail"] == "this key lacks the scope ops"


def test_every_check_answers_and_no_venue_is_asked():
    answer = asked(make.api_key("ops"))
    assert answer.status_code == 200
    told = answer.json()
    assert told["is_quick"] is True
    assert {check["name"] for check in told["checks"]} == {check.name for check in checks_all()}
    skipped = {check["name"] for check in told["checks"] if check["skipped"]}
    assert skipped == {check.name for check in checks_all() if check.asks_venue}
    codes = {found["code"]: found["level"] for check in told["checks"] for found in check["findings"]}
    assert (codes["engine"], codes["triggers"]) == ("fault", "ok")
    assert "check_failed" not in codes
    assert told["level"] == "fault"
    assert told["faults"] == sum(level == "fault" for level in codes.values())


def test_two_questions_at_once_are_one_checkup():
    key = make.api_key("ops")
    first, second = asked(key).json(), asked(key).json()
    assert first["started_at"] == second["started_at"]


def test_a_key_for_monitoring_opens_nothing_else():
    key = make.api_key("ops")
    answer = Client().get("/api/v2/hedges/report", headers={"Authorization": f"Token {key}"})
    assert answer.status_code == 403


def test_liveness_needs_no_key():
    assert Client().get("/healthz").json() == {"status": "ok"}
    assert Client().get("/readyz").json() == {"status": "ok", "database": "ok"}
