"""A venue is asked on a real exchange: well, out of reach, out of time, and with keys that are not ours."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import override_settings

from tests.desk import Desk
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.findings import Finding
from venues.registry import gateways_forget
from venues.services.diagnosis import venue_checks
from venues.services.diagnosis.line import venue_credentials_ask, venue_reach_ask, venue_settings_ask

pytestmark = pytest.mark.django_db

VENUE = "polymarket"


@contextmanager
def told(desk: Desk, *, environment: str = "PRACTICE", **values: Any) -> Iterator[None]:
    """The desk's settings, some of them changed."""
    with override_settings(POLYMARKET={**desk.polymarket(), **values}, TRADING_ENVIRONMENT=environment):
        gateways_forget()
        yield
    gateways_forget()


def levels(found: list[Finding]) -> dict[str, str]:
    return {finding.code: finding.level.value for finding in found}


def test_a_working_desk_is_well_and_no_secret_is_said(desk: Desk) -> None:
    now = utc_now()
    found = [
        *venue_settings_ask(VENUE, now=now),
        *venue_reach_ask(VENUE, now=now),
        *venue_credentials_ask(VENUE, now=now),
    ]
    assert levels(found) == {
        "venue_settings": "ok",
        "venue_money": "ok",
        "venue_reachable": "ok",
        "clock_venue": "ok",
        "venue_credentials": "ok",
    }
    assert desk.address in found[0].sentence
    said = str(found)
    for name in (
        "POLYMARKET_PRIVATE_KEY",
        "POLYMARKET_API_KEY",
        "POLYMARKET_SECRET",
        "POLYMARKET_PASSPHRASE",
    ):
        assert desk.variables[name] not in said


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"private_key": "0xnothing"}, "POLYMARKET_PRIVATE_KEY: must be 64 hexadecimal digits"),
        ({"private_key": ""}, "POLYMARKET_PRIVATE_KEY: must be 64 hexadecimal digits"),
        ({"signature_type": 3}, "POLYMARKET_WALLET: must name the deposit wallet"),
        ({"wallet": "0x" + "1" * 40}, "must be empty or the key's own address"),
        ({"clob_url": "https://clob.polymarket.com"}, "is Polymarket's own host, which trades on chain 137"),
        ({"chain_id": 137}, "POLYMARKET_CLOB_API_URL: must be https on chain 137"),
        ({"api_key": ""}, "POLYMARKET_API_KEY: is missing"),
    ],
)
def test_settings_that_do_not_fit_are_named_and_not_repeated(
    desk: Desk, values: dict[str, Any], words: str
) -> None:
    with told(desk, **values):
        (found,) = venue_settings_ask(VENUE, now=utc_now())
        (reach,) = venue_reach_ask(VENUE, now=utc_now())
    assert (found.level.value, found.code, found.runbook) == ("fault", "venue_settings", "venue-settings")
    assert words in found.sentence
    assert "0xnothing" not in found.sentence
    assert (reach.level.value, reach.sentence) == (
        "fault",
        "polymarket cannot be asked: its settings are refused",
    )


def test_live_by_name_and_practice_by_address_is_a_fault(desk: Desk) -> None:
    with told(desk, environment="LIVE"):
        found = venue_settings_ask(VENUE, now=utc_now())
    assert levels(found)["venue_money"] == "fault"
    assert found[1].sentence == (
        "TRADING_ENVIRONMENT is LIVE, and polymarket is a practice exchange: hedges there are worth nothing"
    )


def test_without_credentials_nothing_is_asked_and_the_command_is_named(desk: Desk) -> None:
    with told(desk, api_key="", secret="", passphrase=""):
        found = venue_credentials_ask(VENUE, now=utc_now())
        settings = venue_settings_ask(VENUE, now=utc_now())
    assert levels(found) == {"venue_credentials": "fault"}
    assert found[0].remedy.startswith("manage.py venue_credentials polymarket")
    assert levels(settings)["venue_credentials"] == "fault"


def test_credentials_of_another_key_are_not_let_in(desk: Desk) -> None:
    other = base64.urlsafe_b64encode(b"another key's secret, 32 bytes..").decode()
    with told(desk, secret=other):
        (found,) = venue_credentials_ask(VENUE, now=utc_now())
    assert (found.level.value, found.code) == ("fault", "venue_credentials")
    assert "HTTP 401" in found.sentence
    assert other not in str(found)


def test_the_private_key_of_somebody_else_is_not_let_in(desk: Desk) -> None:
    with told(desk, private_key="0x" + "5" * 64):
        (found,) = venue_credentials_ask(VENUE, now=utc_now())
    assert (found.level.value, found.code) == ("fault", "venue_credentials")


def test_an_exchange_that_is_down_is_a_fault(desk: Desk, free_port: int) -> None:
    with told(desk, clob_url=f"http://127.0.0.1:{free_port}"):
        (reach,) = venue_reach_ask(VENUE, now=utc_now())
        (credentials,) = venue_credentials_ask(VENUE, now=utc_now())
    assert (reach.level.value, reach.code, reach.runbook) == ("fault", "venue_reachable", "venue-unreachable")
    assert reach.sentence == "polymarket does not answer: time: not_connected (ConnectError)"
    # That it could not be asked says nothing of the credentials.
    assert (credentials.level.value, credentials.code) == ("warning", "venue_credentials")


@pytest.mark.parametrize(("offset_s", "level"), [(600, "fault"), (-600, "fault"), (6, "warning"), (0, "ok")])
def test_the_exchange_s_clock_is_compared_with_ours(desk: Desk, offset_s: int, level: str) -> None:
    desk.exchange.post("clock", offset_seconds=offset_s)
    try:
        found = venue_reach_ask(VENUE, now=utc_now())
    finally:
        desk.exchange.post("clock", offset_seconds=0)
    assert levels(found) == {"venue_reachable": "ok", "clock_venue": level}
    if level == "fault":
        assert ("ahead of" if offset_s > 0 else "behind") in found[1].sentence


def test_every_venue_with_a_gateway_is_asked(desk: Desk) -> None:
    checks = venue_checks()
    assert {"polymarket.settings", "polymarket.reach", "polymarket.credentials"} <= {c.name for c in checks}
    assert [check.asks_venue for check in checks if check.name == "polymarket.settings"] == [False]
    # With the database down a venue can still be asked.
    assert not any(check.needs_database for check in checks if check.name == "polymarket.reach")
