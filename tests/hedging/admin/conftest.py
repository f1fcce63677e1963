"""People at the back office, and a book with a row of every kind."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.test import Client

from tests import factories as make


@pytest.fixture
def officer(settings, db) -> Client:
    """The risk officer, who may do everything."""
    settings.SECURE_SSL_REDIRECT = False
    client = Client()
    client.force_login(make.superuser())
    return client


@pytest.fixture
def guest(settings, db):
    """Signs in a person with the given permissions and no others."""
    settings.SECURE_SSL_REDIRECT = False

    def enter(*permissions: str) -> Client:
        client = Client()
        client.force_login(make.staff(*permissions))
        return client

    return enter


@pytest.fixture
def book(db) -> SimpleNamespace:
    """One row of every kind, with names that would break a page which does not escape them."""
    polymarket, binance, _ = make.venues()
    token = make.instrument(
        question="Will <b>USDC</b> & co. trade below $0.98?", description="Rules: <script>alert(1)</script>"
    )
    snapshot = make.book(token)
    usdc = make.product()
    mapping = make.mapping(usdc, token)
    run = make.cycle(coverage_usd=Decimal(1_234_567), required_usd=Decimal("246913.4"))
    make.leg(
        run, usdc, polymarket, instrument=token, planned_usd=Decimal("83.68"), planned_size=Decimal(1000)
    )
    make.leg(
        run,
        usdc,
        binance,
        reason="NO_GATEWAY",
        unfilled_usd=Decimal(8000),
        sentence="<i>no</i> gateway for Binance",
    )
    target = make.target(run, token, on=snapshot)
    position = make.hedge(make.policy(usdc, external_id="POL-1"), token, of=run, target=target)
    doubtful = make.order(make.intent(token, of=run), state="MANUAL")
    breaker = make.breaker(
        "venue:binance_futures",
        state="OPEN",
        opened_at=make.NOW,
        reason="<u>403</u>",
        changed_by="risk.officer",
    )
    return SimpleNamespace(
        venue=polymarket,
        instrument=token,
        mapping=mapping,
        cycle=run,
        intent=position.attribution.order.intent,
        order=position.attribution.order,
        doubtful=doubtful,
        fill=position.attribution.fills.get(),
        position=token.position,
        hedgeposition=position,
        hedgeconfigentry=make.config("maxSlippageBps", 150),
        breaker=breaker,
        riskbucket=make.risk_bucket(),
        discrepancy=make.discrepancy(expected="<b>1000</b>"),
        reconciliationrun=make.reconciliation_run(),
        balancesnapshot=make.balance(polymarket),
    )
