"""The trades of many orders are booked together, and each exactly as it would be alone."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection

from hedging.models import Discrepancy, Fill, Order, Position
from hedging.services.bookings import fills_book
from hedging.services.verification import verify_book
from tests import factories
from tests.reports import fill_report
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import FillReport, Settlement

pytestmark = pytest.mark.django_db(transaction=True)


def acked() -> Order:
    """A purchase that the venue has, of a market of its own."""
    token, product = factories.instrument(), factories.product()
    return factories.order(factories.intent(token, demand={product.pk: "1000"}, leg="main"), state="ACKED")


def book(*pairs: tuple[Order, Iterable[FillReport]]) -> int:
    return fills_book({order.pk: list(reports) for order, reports in pairs}, now=utc_now())


def test_trades_of_many_orders_become_fills_and_positions_at_once() -> None:
    first, second = acked(), acked()
    one = fill_report(first, size="100", price="0.04", fee_usd="0.2")
    two = fill_report(first, size="50", price="0.05", settlement=Settlement.MATCHED)
    three = fill_report(second, size="200", price="0.03")

    assert book((first, [one, two]), (second, [three])) == 3
    assert book((first, [one, two]), (second, [three])) == 0

    held = {row.instrument_id: (row.size, row.cost_usd, row.fees_usd) for row in Position.objects.all()}
    assert held == {
        first.instrument_id: (Decimal(100), Decimal("4.2"), Decimal("0.2")),
        second.instrument_id: (Decimal(200), Decimal(6), Decimal(0)),
    }
    assert book((first, [one, replace(two, settlement=Settlement.CONFIRMED, transaction_hash="0xab")])) == 1
    held_now = Position.objects.get(instrument_id=first.instrument_id)
    assert (held_now.size, held_now.cost_usd) == (Decimal(150), Decimal("6.7"))
    assert Fill.objects.get(venue_trade_id=two.venue_trade_id).transaction_hash == "0xab"
    assert verify_book() == []


def test_a_failed_trade_changes_no_position() -> None:
    order = acked()
    trade = fill_report(order, size="100", settlement=Settlement.MINED)
    book((order, [trade]))

    assert book((order, [replace(trade, settlement=Settlement.FAILED)])) == 1

    assert Fill.objects.get().settlement == "failed"
    assert Position.objects.count() == 0
    assert verify_book() == []


def test_an_order_that_is_not_ordinary_holds_up_nobody() -> None:
    sound, contradicted = acked(), acked()
    trade = fill_report(contradicted, size="100")
    book((contradicted, [trade]))

    denied = replace(trade, settlement=Settlement.FAILED)
    assert book((contradicted, [denied]), (sound, [fill_report(sound, size="10")])) == 1

    assert Discrepancy.objects.get().kind == "SETTLEMENT_CONTRADICTED"
    assert Position.objects.get(instrument_id=sound.instrument_id).size == 10
    assert Position.objects.get(instrument_id=contradicted.instrument_id).size == 100


def test_a_trade_of_a_dead_order_is_told_as_before() -> None:
    order = acked()
    Order.objects.filter(pk=order.pk).update(state="CANCELLED")

    book((order, [fill_report(order, size="10")]))

    assert Discrepancy.objects.get().kind == "DEAD_ALIVE"
    order.refresh_from_db()
    assert order.state == "MANUAL"


def test_the_last_trades_of_a_cancelled_order_settle_in_silence() -> None:
    order = acked()
    trade = fill_report(order, size="10", settlement=Settlement.MATCHED)
    book((order, [trade]))
    Order.objects.filter(pk=order.pk).update(state="CANCELLED")

    assert book((order, [replace(trade, settlement=Settlement.CONFIRMED)])) == 1

    assert Discrepancy.objects.count() == 0
    assert Position.objects.get().size == 10


def test_a_trade_reported_twice_in_one_answer_is_booked_once() -> None:
    order = acked()
    trade = fill_report(order, size="10", settlement=Settlement.MATCHED)

    book((order, [trade, replace(trade, settlement=Settlement.CONFIRMED)]))

    assert Position.objects.get().size == 10
    assert verify_book() == []


def test_eight_processes_book_the_same_trades_once() -> None:
    orders = [acked() for _ in range(6)]
    reports = [(order, [fill_report(order, size="10", price="0.04")]) for order in orders]

    def run(number: int) -> int:
        try:
            return book(*(reports if number % 2 else reversed(reports)))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        changed = list(pool.map(run, range(8)))

    assert sum(changed) == 6
    assert sorted(Position.objects.values_list("size", flat=True)) == [Decimal(10)] * 6
    assert verify_book() == []
