"""The report as machines read it: the database's own figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests import factories as make

pytestmark = pytest.mark.django_db


def test_the_report_tells_exposure_allocations_holdings_doubts_and_reasons(ask):
    polymarket, binance, _ = make.venues()
    usdc, token = make.product(), make.instrument()
    make.mapping(usdc, token)
    make.hedge(make.policy(usdc, "100000"), token)
    make.order(make.intent(token), state="MANUAL")
    run = make.cycle(planned_usd=Decimal("83.68"), intents_count=1)
    make.leg(run, usdc, polymarket, planned_usd=Decimal("83.68"))
    make.leg(run, usdc, binance, reason="NO_GATEWAY", unfilled_usd=Decimal(8000))

    status, body = ask("/api/v2/hedges/report")

    assert status == 200
    assert body["exposure"] == {
        "products_count": 1,
        "policies_count": 1,
        "coverage_usd": "100000.000000",
        "required_usd": "20000.000000",
        "hedge_ratio": "0.200000",
    }
    assert [(row["code"], row["allocated_usd"], row["payout_usd"]) for row in body["venues"]] == [
        ("polymarket", "8000.000000", "1000.000000"),
        ("binance_futures", "8000.000000", "0.000000"),
        ("allianz", "4000.000000", "0.000000"),
    ]
    assert body["positions"]["open_count"] == 1
    assert body["positions"]["products_hedged_count"] == 1
    assert body["positions"]["cost_usd"] == "83.680000"
    assert body["uncertain"]["doubt_count"] == 1
    assert body["uncertain"]["doubt_usd"] == "84.000000"
    assert body["cycle"]["id"] == run.pk
    assert body["unhedged"] == [
        {
            "venue": "binance_futures",
            "reason": "NO_GATEWAY",
            "products_count": 1,
            "unhedged_usd": "8000.000000",
        }
    ]


def test_an_empty_book_has_a_report_too(ask):
    status, body = ask("/api/v2/hedges/report")
    assert status == 200
    assert body["cycle"]["id"] is None
    assert body["unhedged"] == []
