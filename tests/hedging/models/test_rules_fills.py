"""Each trade is counted once, on its own order, by the database, and what traded never changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hedging.models import Order
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Order:
    """A BUY of $80 with $4 of fees at most, at the venue."""
    return make.order(make.intent(make.instrument()), state="ACKED")


def test_fills_add_up_on_their_order(row: Order) -> None:
    for size, price, fee in [("100", "0.08", "0.36"), ("250.5", "0.09", "0.00001"), ("0.00001", "0.1", "0")]:
        make.fill(row, size=size, price=price, fee_usd=fee, settlement="matched")
    row.refresh_from_db()
    assert (row.filled_size, row.filled_usd, row.fee_usd) == (
        Decimal("350.50001"),
        Decimal("30.545001"),
        Decimal("0.36001"),
    )


def test_a_trade_is_counted_once(row: Order) -> None:
    make.fill(row, size="100", venue_trade_id="trade-a")
    with refused("fill_one_per_venue_trade"):
        make.fill(row, size="100", venue_trade_id="trade-a")
    row.refresh_from_db()
    assert row.filled_size == 100


def test_one_trade_may_fill_two_orders_of_ours(row: Order) -> None:
    other = make.order(make.intent(row.instrument), state="ACKED")
    for order in (row, other):
        make.fill(order, size="100", venue_trade_id="trade-a")
    assert sql("SELECT sum(filled_size) FROM hedging_order") == [(Decimal("200.00000000"),)]


def test_a_budget_order_takes_no_fill_beyond_its_money_and_a_cent(row: Order) -> None:
    make.fill(row, size="1000.12")
    with refused("order_not_overfilled"):
        make.fill(row, size="0.01")
    row.refresh_from_db()
    assert (row.filled_usd, row.fills.count()) == (Decimal("80.0096"), 1)


def test_a_unit_order_takes_no_fill_beyond_its_units_and_a_cent() -> None:
    sale = make.intent(make.instrument(), side="SELL", purpose="close", price_limit=Decimal("0.04"))
    row = make.order(sale, state="ACKED")
    make.fill(row, size="1000.01", settlement="matched")
    with refused("order_not_overfilled"):
        make.fill(row, size="0.00000001", price="1000000", settlement="matched")


@pytest.mark.parametrize("state", ["REJECTED", "NOT_PLACED", "ABORTED"])
def test_an_order_that_never_traded_takes_no_fill_until_a_person_has_it(state: str) -> None:
    row = make.order(make.intent(make.instrument()), state=state)
    with refused("order_dead_has_no_fill"):
        make.fill(row)
    make.order_move(row, "MANUAL")
    make.fill(row)
    make.order_move(row, "FILLED")
    assert row.filled_size == 1000


@pytest.mark.parametrize("state", ["CANCELLED", "EXPIRED"])
def test_a_late_trade_of_an_ended_order_is_still_counted(state: str) -> None:
    row = make.order(make.intent(make.instrument()), state=state)
    make.fill(row, size="10")
    row.refresh_from_db()
    assert (row.state, row.filled_size) == (state, 10)


@pytest.mark.parametrize(
    "change",
    [{"side": "SELL"}, {"venue_id": "allianz"}, {"instrument_id": 0}],
    ids=lambda change: next(iter(change)),
)
def test_a_fill_is_of_its_orders_side_venue_and_instrument(row: Order, change: dict[str, Any]) -> None:
    if "instrument_id" in change:
        change = {"instrument_id": make.instrument().pk}
    with refused("HB042"):
        _insert(row, **change)


def test_a_fill_cannot_come_before_its_order(row: Order) -> None:
    with refused("HB042"):
        _insert(row, order_id=row.intent_id)


@pytest.mark.parametrize("notional", ["8.010001", "7.989998", "0", "-8", "NaN"])
def test_a_fill_is_worth_its_size_times_its_price(row: Order, notional: str) -> None:
    with refused("HB043"):
        _insert(row, notional_usd=notional)


def test_an_average_price_rounded_at_its_tenth_place_is_taken(row: Order) -> None:
    _insert(row, size="300000", price="0.0001333333", notional_usd="40.000000")
    row.refresh_from_db()
    assert row.filled_usd == 40


@pytest.mark.parametrize(
    "change",
    [
        "order_id = gen_random_uuid()",
        "venue_id = 'allianz'",
        "instrument_id = instrument_id + 1",
        "venue_trade_id = 'other'",
        "side = 'SELL'",
        "size = size + 0.00000001",
        "price = price + 0.0000000001",
        "notional_usd = notional_usd - 0.000001",
        "fee_usd = 0",
        "matched_at = now()",
    ],
)
@pytest.mark.parametrize("settlement", ["matched", "confirmed"])
def test_what_traded_never_changes(row: Order, settlement: str, change: str) -> None:
    fill = make.fill(row, settlement=settlement)
    with refused("HB040"):
        sql(f"UPDATE hedging_fill SET {change} WHERE id = %s", fill.pk)


@pytest.mark.parametrize("settlement", ["matched", "mined", "retrying", "confirmed", "failed"])
def test_a_fill_is_born_with_its_first_settlement_on_record(row: Order, settlement: str) -> None:
    fill = make.fill(row, size="10", settlement=settlement)
    assert list(fill.events.values_list("old", "new")) == [(None, settlement)]


def _insert(of: Order, **changes: Any) -> None:
    columns = {
        "order_id": of.pk,
        "venue_id": of.venue_id,
        "instrument_id": of.instrument_id,
        "venue_trade_id": "trade-a",
        "side": of.side,
        "size": "100",
        "price": "0.08",
        "notional_usd": "8.00",
        "fee_usd": "0",
        "settlement": "matched",
        "transaction_hash": "",
        "matched_at": make.NOW,
        "created_at": make.NOW,
    } | changes
    marks = ", ".join(["%s"] * len(columns))
    sql(f"INSERT INTO hedging_fill ({', '.join(columns)}) VALUES ({marks})", *columns.values())
