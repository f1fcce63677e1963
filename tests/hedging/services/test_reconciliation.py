"""What the venue says and what we hold: missed facts are taken in, differences shown, and nothing edited away."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test import override_settings

from hedging.models import Discrepancy, Fill, Order, Position, ReconciliationRun
from hedging.services.reconciliation import reconcile_venue
from hedging.services.verification import verify_book
from tests.desk import Desk
from tests.trading import VENUE, decide, place, settle, shares_there, wait_for
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import Accepted, OrderRequest, Side, TimeInForce
from venues.models import Instrument
from venues.registry import gateway_for, gateways_forget
from venues.selectors.instruments import terms_of

pytestmark = pytest.mark.django_db(transaction=True)


def reconcile() -> ReconciliationRun:
    """One comparison with the venue."""
    return reconcile_venue(VENUE, now=utc_now())


def confirmed(desk: Desk) -> None:
    """Wait until the exchange has settled every trade."""
    wait_for(lambda: all(row["status"] == "CONFIRMED" for row in desk.truth()["trades"].values()))


def found() -> list[tuple[str, str, str, int]]:
    """Every discrepancy: kind, subject, state, how often it was seen."""
    rows = Discrepancy.objects.order_by("kind", "subject")
    return list(rows.values_list("kind", "subject", "state", "occurrences"))


def trade_elsewhere(market: Instrument, *, usd: str = "4") -> str:
    """Buy with our wallet and without our book; return the order's id."""
    gateway = gateway_for(VENUE)
    prepared = gateway.prepare(
        OrderRequest(
            terms=terms_of(market),
            side=Side.BUY,
            time_in_force=TimeInForce.FAK,
            size=Decimal(100),
            notional_usd=Decimal(usd),
            price_limit=Decimal("0.04"),
            decision_key="elsewhere",
            generation=0,
            created_at=utc_now(),
        )
    )
    assert isinstance(gateway.submit(prepared.payload), Accepted)
    return prepared.client_order_id


def test_a_book_that_agrees_has_no_difference(desk: Desk, market: Instrument) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()

    run = reconcile()

    assert (run.orders_compared, run.fills_compared, run.positions_compared) == (1, 1, 1)
    assert (run.differences, run.error, run.finished_at is not None) == (0, "", True)
    assert found() == []


def test_a_fill_that_we_missed_is_taken_in(desk: Desk, market: Instrument) -> None:
    order = place(decide(market, size="2000", usd="90"))
    confirmed(desk)
    assert Fill.objects.count() == 0

    run = reconcile()

    assert (run.differences, run.fills_compared) == (0, 2)
    assert Order.objects.get(pk=order.pk).filled_size == 2000 == Position.objects.get().size
    assert verify_book() == []


def test_running_twice_changes_nothing(desk: Desk, market: Instrument) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()
    reconcile()
    before = rows()

    reconcile()

    assert rows() == before


def rows() -> list[object]:
    """Everything that a reconciliation could have changed."""
    tables = ("hedging_order", "hedging_fill", "hedging_position", "hedging_discrepancy", "hedging_fillevent")
    with connection.cursor() as cursor:
        told: list[object] = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            told.append(cursor.fetchall())
    return told


def test_an_order_that_is_not_ours_is_shown_once_however_often_it_is_seen(
    desk: Desk, market: Instrument
) -> None:
    place(decide(market, size="500", usd="20"))
    settle()
    foreign = trade_elsewhere(market)
    confirmed(desk)

    runs = [reconcile(), reconcile()]

    assert [run.differences for run in runs] == [2, 2]
    assert found() == [
        ("FOREIGN_ORDER", foreign, "open", 2),
        ("POSITION_DIFF", market.instrument_id, "open", 2),
    ]
    difference = Discrepancy.objects.get(kind="POSITION_DIFF")
    assert (Decimal(difference.expected), Decimal(difference.actual)) == (500, 600)
    # Shown, never adopted: the book holds what our own orders bought.
    assert Position.objects.get().size == 500


def test_a_trade_on_its_way_to_the_chain_is_no_difference(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("settlement", mined_seconds=60, confirmed_seconds=60)
    place(decide(market, size="1000", usd="40"))

    run = reconcile()

    assert (run.differences, run.fills_compared, run.positions_compared) == (0, 1, 0)
    assert Fill.objects.get().settlement == "matched"


def test_a_difference_that_is_gone_is_healed_and_keeps_its_dates(desk: Desk, market: Instrument) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hedging_position SET size = 900")
    reconcile()
    (row,) = Discrepancy.objects.all()
    assert (row.kind, row.state, row.expected) == ("POSITION_DIFF", "open", "900.00000000")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE hedging_position SET size = 1000")
    assert reconcile().differences == 0

    healed = Discrepancy.objects.get()
    assert (healed.state, healed.closed_by, healed.first_seen_at) == (
        "healed",
        "reconciliation",
        row.first_seen_at,
    )
    assert healed.last_seen_at > row.last_seen_at


def test_a_gap_of_less_than_a_hundredth_is_rounding(desk: Desk, market: Instrument) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hedging_position SET size = size - 0.009")

    assert reconcile().differences == 0


def test_a_fill_that_the_venue_does_not_know_is_shown(desk: Desk, market: Instrument) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()
    fill = Fill.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE hedging_fill SET venue_trade_id = 'invented'")
        cursor.execute("SET session_replication_role = DEFAULT")

    run = reconcile()

    # The true trade cannot be booked besides the invented one: the order would be filled twice over.
    assert (run.error, run.differences) == ("", 2)
    assert found() == [
        ("EXTRA_FILL", "invented", "open", 1),
        ("MISSING_FILL", fill.venue_trade_id, "open", 1),
    ]
    assert (Fill.objects.count(), Position.objects.get().size) == (1, 1000)


def test_a_venue_without_an_answer_proves_and_heals_nothing(
    desk: Desk, market: Instrument, free_port: int
) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hedging_position SET size = 900")
    reconcile()
    nowhere = desk.polymarket() | {"clob_url": f"http://127.0.0.1:{free_port}/clob"}

    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        run = reconcile()
    gateways_forget()

    assert (run.differences, run.finished_at is not None) == (0, True)
    assert run.error.startswith("fills: ")
    assert [(state, seen) for _, _, state, seen in found()] == [("open", 1)]
    assert shares_there(desk, market) == 1000
