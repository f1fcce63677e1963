"""What the database refuses about redemptions: their own kind, a price of nothing for them alone, one in flight."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hedging.models import Fill, Intent, Order
from tests import factories as make
from tests.hedging.models.refusals import refused, sql
from tonsurance.kernel.clock import utc_now
from venues.models import Instrument

pytestmark = pytest.mark.django_db


def redemption(on: Instrument | None = None, **values: Any) -> Intent:
    stated = {
        "purpose": "redeem",
        "side": "SELL",
        "time_in_force": "TX",
        "size": Decimal(100),
        "notional_usd": Decimal(0),
        "price_limit": Decimal(0),
    }
    return make.intent(on or make.instrument(), **{**stated, **values})


def transaction(of: Intent, **values: Any) -> Order:
    stated = {
        "side": "SELL",
        "time_in_force": "TX",
        "size": Decimal(100),
        "notional_usd": Decimal(0),
        "price_limit": Decimal(0),
        "spends_budget": False,
        "is_reducing": True,
    }
    return make.order(of, **{"state": "PREPARED", **stated, **values})


def test_a_redemption_may_bring_nothing() -> None:
    order = transaction(redemption())
    assert (order.price_limit, order.notional_usd, order.is_reducing) == (0, 0, True)


def test_only_a_redemption_is_a_transaction() -> None:
    intent = make.intent(make.instrument(), side="SELL", purpose="close")
    with refused("HB012"):
        transaction(intent, price_limit=intent.price_limit, notional_usd=intent.notional_usd)


def test_a_redemption_is_nothing_but_a_transaction() -> None:
    with refused("HB012"):
        transaction(redemption(), time_in_force="FAK", notional_usd=Decimal(1))


def test_a_redemption_counts_as_making_the_position_smaller() -> None:
    with refused("HB012"):
        transaction(redemption(), is_reducing=False)


def test_an_order_of_a_book_needs_a_price() -> None:
    intent = make.intent(make.instrument(), side="SELL", purpose="close")
    with refused("HB017"):
        make.order(intent, state="PREPARED", price_limit=Decimal(0), is_reducing=True)


def test_only_a_redemption_brings_nothing() -> None:
    order = make.order(make.intent(make.instrument()), state="ACKED")
    with refused("HB044"):
        Fill.objects.create(
            order=order,
            venue_id=order.venue_id,
            instrument_id=order.instrument_id,
            venue_trade_id="free",
            side=order.side,
            size=1,
            price=0,
            notional_usd=0,
            settlement="matched",
            matched_at=utc_now(),
        )


def test_a_payout_is_never_above_one_dollar() -> None:
    with refused("intent_redeems_by_transaction"):
        redemption(price_limit=Decimal("1.01"))


def test_nobody_sends_what_others_did() -> None:
    order = transaction(redemption(), client_order_id="adopted:0x1/1")
    with refused("HB038"):
        sql("UPDATE hedging_order SET state = 'SENDING', attempts = 1 WHERE id = %s", order.pk)


def test_nobody_has_an_order_of_ours_before_it_was_sent() -> None:
    order = transaction(redemption())
    with refused("HB039"):
        sql("UPDATE hedging_order SET state = 'ACKED' WHERE id = %s", order.pk)


def test_a_wallet_has_one_transaction_in_flight() -> None:
    transaction(redemption())
    with refused("order_one_transaction_in_flight"):
        transaction(redemption())


def test_a_finished_transaction_leaves_room_for_the_next() -> None:
    first = transaction(redemption())
    sql("UPDATE hedging_order SET state = 'ABORTED' WHERE id = %s", first.pk)
    assert transaction(redemption()).state == "PREPARED"


def test_an_adopted_redemption_is_in_nobodys_way() -> None:
    transaction(redemption(), client_order_id="adopted:0x2/1")
    assert transaction(redemption()).state == "PREPARED"
