"""Trades of orders that we held dead: booked as what they are, stopped, and shown to a person."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hedging.models import Breaker, Discrepancy, Fill, Order
from hedging.services.fills import fills_ingest
from tests import factories
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import FillReport, Settlement, Side

pytestmark = pytest.mark.django_db(transaction=True)


def report_for(order: Order) -> FillReport:
    """A confirmed trade of 100 units at 2 cents."""
    return FillReport(
        client_order_id=order.client_order_id,
        venue_trade_id="late-1",
        instrument_id=order.instrument.instrument_id,
        side=Side(order.side),
        size=Decimal(100),
        price=Decimal("0.02"),
        notional_usd=Decimal(2),
        fee_usd=Decimal(0),
        settlement=Settlement.MATCHED,
        matched_at=utc_now() - timedelta(seconds=5),
    )


def test_a_rejected_order_that_traded_goes_to_a_person_and_stops_its_venue() -> None:
    order = factories.order(factories.intent(factories.instrument()), state="REJECTED")

    fills_ingest(order.pk, [report_for(order)], now=utc_now())

    order.refresh_from_db()
    assert order.state == "MANUAL"
    assert Fill.objects.get().size == Decimal(100)
    assert Discrepancy.objects.get().kind == "DEAD_ALIVE"
    breaker = Breaker.objects.get(scope="venue:polymarket")
    assert (breaker.state, breaker.latched) == ("OPEN", True)
    assert "was held REJECTED and has traded" in breaker.reason


def test_the_same_late_trade_reported_twice_is_one_fill_and_one_discrepancy() -> None:
    order = factories.order(factories.intent(factories.instrument()), state="REJECTED")
    fills_ingest(order.pk, [report_for(order)], now=utc_now())

    fills_ingest(order.pk, [report_for(order)], now=utc_now())

    assert Fill.objects.count() == 1
    assert Discrepancy.objects.get().occurrences == 1
