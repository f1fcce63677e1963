"""Each trade once, each settlement step once, in whatever order the venue tells them."""

from __future__ import annotations

import itertools
import threading
from decimal import Decimal

import pytest
from django.db import connection

from hedging.models import Discrepancy, Fill, HedgePosition, Order, Position
from hedging.services.attributions import attributions_make
from hedging.services.fills import Ingested, fills_ingest
from hedging.services.verification import verify_book
from tests import factories
from tests.reports import fill_report
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import Settlement

pytestmark = pytest.mark.django_db(transaction=True)

S = Settlement


@pytest.fixture
def order() -> Order:
    """A purchase of at most $80 that the venue has acknowledged, made for one product with two policies."""
    product = factories.product()
    factories.policy(product, "60000")
    factories.policy(product, "40000")
    return factories.order(
        factories.intent(factories.instrument(), demand={product.pk: "1000"}), state="ACKED"
    )


def tell(order: Order, trade: str, *settlements: Settlement, **values: str) -> list[Ingested]:
    """Report one trade of 100 units at 4 cents, one settlement after the other."""
    return [
        fills_ingest(
            order.pk,
            [fill_report(order, size="100", fee_usd="0.2", trade=trade, settlement=settlement, **values)],
            now=utc_now(),
        )
        for settlement in settlements
    ]


def test_a_trade_changes_the_position_only_when_it_is_confirmed(order: Order) -> None:
    assert tell(order, "t", S.MATCHED) == [Ingested(new=1)]
    assert (Position.objects.count(), HedgePosition.objects.count()) == (0, 0)
    order.refresh_from_db()
    assert (order.filled_size, order.filled_usd, order.fee_usd) == (100, 4, Decimal("0.2"))

    assert tell(order, "t", S.MINED, S.CONFIRMED) == [Ingested(moved=1), Ingested(moved=1, confirmed=1)]
    position = Position.objects.get()
    assert (position.size, position.cost_usd, position.fees_usd) == (100, Decimal("4.2"), Decimal("0.2"))
    attributions_make("polymarket", now=utc_now(), every_s=0, instrument_rows=[order.instrument_id])
    assert [row.size for row in HedgePosition.objects.order_by("policy_id")] == [60, 40]
    assert verify_book() == []


@pytest.mark.parametrize(
    "settlements", [[S.MATCHED, S.FAILED], [S.MATCHED, S.MINED, S.RETRYING, S.FAILED], [S.FAILED]]
)
def test_a_trade_that_fails_never_happened(order: Order, settlements: list[Settlement]) -> None:
    assert tell(order, "t", *settlements)[-1].failed == 1

    fill = Fill.objects.get()
    assert (fill.settlement, fill.settled_at is not None) == ("failed", True)
    assert (Position.objects.count(), HedgePosition.objects.count()) == (0, 0)
    assert verify_book() == []


def test_every_order_of_reports_leads_to_the_same_book(order: Order) -> None:
    steps = [S.MATCHED, S.MINED, S.RETRYING, S.CONFIRMED]
    orders = list(itertools.permutations(steps))[::3]

    for number, told in enumerate(orders):
        tell(order, f"t{number}", *told, *told)

    assert set(Fill.objects.values_list("settlement", flat=True)) == {"confirmed"}
    assert Fill.objects.count() == len(orders)
    assert Position.objects.get().size == 100 * len(orders)
    assert verify_book() == []


def test_the_same_reports_again_change_nothing(order: Order) -> None:
    reports = [fill_report(order, size="100", trade=f"t{n}") for n in range(3)]
    assert fills_ingest(order.pk, reports, now=utc_now()) == Ingested(new=3, confirmed=3)

    assert fills_ingest(order.pk, reports[::-1] + reports, now=utc_now()) == Ingested()

    assert Fill.objects.count() == 3


@pytest.mark.parametrize(("first", "then"), [(S.CONFIRMED, S.FAILED), (S.FAILED, S.CONFIRMED)])
def test_a_final_settlement_that_is_denied_is_shown_to_a_person_and_not_applied(
    order: Order, first: Settlement, then: Settlement
) -> None:
    tell(order, "t", first)
    size_before = sum(row.size for row in Position.objects.all())

    assert tell(order, "t", then, then) == [Ingested(), Ingested()]

    assert Fill.objects.get().settlement == first
    assert sum(row.size for row in Position.objects.all()) == size_before
    row = Discrepancy.objects.get()
    assert (row.kind, row.subject, row.expected, row.actual) == ("SETTLEMENT_CONTRADICTED", "t", first, then)
    assert row.occurrences == 2


@pytest.mark.parametrize("values", [{"size": "101"}, {"price": "0.05"}])
def test_a_trade_that_is_told_differently_later_is_shown_to_a_person_and_not_applied(
    order: Order, values: dict[str, str]
) -> None:
    tell(order, "t", S.MATCHED)

    report = fill_report(order, **{"size": "100", "trade": "t", **values})
    assert fills_ingest(order.pk, [report], now=utc_now()) == Ingested()

    fill = Fill.objects.get()
    assert (fill.size, fill.price, fill.settlement) == (100, Decimal("0.04"), "matched")
    assert Discrepancy.objects.get().kind == "FILL_MISMATCH"


def test_a_trade_told_to_four_processes_at_once_is_booked_once(order: Order) -> None:
    report = fill_report(order, size="100", trade="t")
    start = threading.Barrier(4)
    told: list[Ingested] = []

    def worker() -> None:
        try:
            start.wait()
            told.append(fills_ingest(order.pk, [report], now=utc_now()))
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(row.confirmed for row in told) == [0, 0, 0, 1]
    assert (Fill.objects.count(), Position.objects.get().size) == (1, 100)
    assert verify_book() == []


def test_trades_of_two_orders_in_one_match_are_two_fills(order: Order) -> None:
    other = factories.order(factories.intent(order.instrument), state="ACKED")

    for row in (order, other):
        fills_ingest(row.pk, [fill_report(row, size="50", trade="shared")], now=utc_now())

    assert Fill.objects.filter(venue_trade_id="shared").count() == 2
    assert Position.objects.get().size == 100
