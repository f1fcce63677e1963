"""Runs of the orchestrator as machines read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hedging.models import Cycle
from tests import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v2/hedges/cycles"


def test_cycles_are_listed_newest_first_with_their_totals(ask):
    old = make.cycle(
        coverage_usd=Decimal(100_000),
        required_usd=Decimal(20_000),
        planned_usd=Decimal("7999.99"),
        products_count=1,
    )
    new = make.cycle(state=Cycle.State.FAILED, error="LookupFailed: no answer")

    status, body = ask(URL)

    assert status == 200
    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    assert [row["id"] for row in body["results"]] == [new.pk, old.pk]
    assert body["results"][0]["error"] == "LookupFailed: no answer"
    assert body["results"][1]["planned_usd"] == "7999.990000"
    assert body["results"][1]["required_usd"] == "20000.000000"


def test_cycles_are_filtered_by_state(ask):
    make.cycle()
    failed = make.cycle(state=Cycle.State.FAILED)
    assert [row["id"] for row in ask(URL, state="failed")[1]["results"]] == [failed.pk]
    assert ask(URL, state="broken")[0] == 400


def test_one_cycle_tells_every_legs_reason_and_the_book_it_rested_on(ask):
    polymarket, binance, _ = make.venues()
    usdc, token = make.product(), make.instrument()
    run = make.cycle(config={"enabled": True})
    make.target(run, token, on=make.book(token))
    make.leg(run, usdc, binance, reason="NO_GATEWAY", sentence="no gateway", unfilled_usd=Decimal(8000))
    make.leg(
        run, usdc, polymarket, instrument=token, planned_usd=Decimal("83.68"), reason="DEPTH", sentence="thin"
    )

    _, body = ask(f"{URL}/{run.pk}")

    assert body["config"] == {"enabled": True}
    assert [
        (leg["venue"], leg["reason"], leg["unfilled_usd"], leg["instrument"]) for leg in body["legs"]
    ] == [
        ("binance_futures", "NO_GATEWAY", "8000.000000", None),
        ("polymarket", "DEPTH", "0.000000", token.instrument_id),
    ]
    assert body["legs"][0]["asset"] == "USDC"
    assert body["targets"][0]["question"] == token.question
    assert body["targets"][0]["book_taken_at"] == "2026-11-21T12:00:00Z"


def test_more_legs_do_not_cost_more_queries(ask):
    polymarket = make.venue()
    run, token = make.cycle(), make.instrument()

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            ask(f"{URL}/{run.pk}")
        return len(seen)

    make.leg(run, make.product(), polymarket, instrument=token)
    make.target(run, token)
    before = queries()
    make.leg(run, make.product(stablecoin="DAI"), polymarket, instrument=token)
    make.leg(run, make.product(stablecoin="FRAX"), polymarket, instrument=token)
    make.target(run, make.instrument())
    assert queries() == before


def test_an_unknown_cycle_is_not_found(ask):
    status, body = ask(f"{URL}/999999")
    assert status == 404
    assert body["type"] == "urn:tonsurance:problem:not_found"
