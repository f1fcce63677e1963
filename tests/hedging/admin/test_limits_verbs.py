"""The cap's verb and the proposal of a mapping, as a person with the permission uses them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from hedging.models import Mapping, RiskBucket
from tests import factories
from tests.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def client_of_an_officer() -> Client:
    client = Client()
    client.force_login(factories.superuser())
    return client


def test_a_cap_is_changed_with_a_reason_and_its_history_is_kept() -> None:
    factories.venues()
    page = reverse("admin:hedging_riskbucket_set_cap", args=["venue_3Apolymarket"])

    client_of_an_officer().post(page, {"cap_usd": "250000", "reason": "new treasury decision"})

    row = RiskBucket.objects.get(pk="venue:polymarket")
    assert (row.cap_usd, row.changed_by, row.reason) == (
        Decimal(250_000),
        "risk.officer",
        "new treasury decision",
    )
    assert row.history.latest().cap_usd == Decimal(250_000)


def test_a_cap_below_zero_or_without_a_reason_changes_nothing() -> None:
    factories.venues()
    page = reverse("admin:hedging_riskbucket_set_cap", args=["global"])
    before = RiskBucket.objects.get(pk="global").cap_usd

    officer = client_of_an_officer()
    negative = officer.post(page, {"cap_usd": "-1", "reason": "new treasury decision"})
    silent = officer.post(page, {"cap_usd": "5", "reason": ""})

    assert (negative.status_code, silent.status_code) == (400, 400)
    assert RiskBucket.objects.get(pk="global").cap_usd == before


PROPOSAL = {
    "coverage_type": "depeg",
    "chain": "base",
    "stablecoin": "DAI",
    "venue_code": "polymarket",
    "grade": "direct",
    "basis_probability": "1",
    "pays_on": "DAI trading below $0.98 for 24 hours",
}


def test_a_market_is_proposed_by_its_token_and_waits_for_approval(desk: Desk) -> None:
    token = desk.market("dai-depeg-by-december-31-2027")["token_ids"][0]
    page = reverse("admin:hedging_mapping_propose")

    client_of_an_officer().post(page, {**PROPOSAL, "instrument_id": token})

    mapping = Mapping.objects.get()
    assert mapping.instrument.instrument_id == token
    assert (mapping.product.stablecoin, mapping.approved_at) == ("DAI", None)
    assert "DAI" in mapping.instrument.question


def test_an_unknown_token_is_refused_with_the_remedy(desk: Desk) -> None:
    page = reverse("admin:hedging_mapping_propose")

    answer = client_of_an_officer().post(page, {**PROPOSAL, "instrument_id": "7" * 70})

    assert "has no market with the outcome token" in answer.content.decode()
    assert Mapping.objects.count() == 0
