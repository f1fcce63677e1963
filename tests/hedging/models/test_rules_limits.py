"""What is at risk, summed at the moment of sending: live orders at worst, provisional fills, and what is held."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.db import Error, transaction

from hedging.models import Order
from tests import factories as make
from tests.hedging.models.refusals import reason_of, refused, sql
from venues.models import Venue

pytestmark = pytest.mark.django_db
SCOPES = ["global", "venue:polymarket"]
LIVE_AT_THE_VENUE = ["SENDING", "UNKNOWN", "MANUAL", "ACKED", "PARTIAL"]
OVER = ["CANCELLED", "EXPIRED", "REJECTED", "NOT_PLACED", "ABORTED"]


def _next(at: Venue | None = None) -> Order:
    """An order that may cost $80 and $4 of fees."""
    return make.order(make.intent(make.instrument(at=at)))


def _at_risk(scope: str = "global") -> Decimal:
    """What the gate counts in `scope`, by its own words: nothing fits under a cap of zero."""
    with pytest.raises(Error) as caught:
        _send_under_nothing(scope)
    assert reason_of(caught.value) == "HB002"
    found = re.search(
        rf"limit {scope} reached: (\S+) at risk, 84.000000 more asked, cap 0.000000", str(caught.value)
    )
    assert found is not None, str(caught.value)
    return Decimal(found[1])


def _send_under_nothing(scope: str) -> None:
    row = _next()
    with transaction.atomic():
        make.risk_bucket(scope, "0")
        make.order_move(row, "SENDING")


@pytest.mark.parametrize("scope", SCOPES)
def test_an_empty_book_has_nothing_at_risk(scope: str) -> None:
    assert _at_risk(scope) == 0


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("state", LIVE_AT_THE_VENUE)
def test_a_live_order_counts_at_its_worst(scope: str, state: str) -> None:
    make.order(make.intent(make.instrument()), state=state)
    assert _at_risk(scope) == 84


@pytest.mark.parametrize("state", ["PREPARED", *OVER])
def test_an_order_that_never_left_or_is_over_counts_nothing(state: str) -> None:
    make.order(make.intent(make.instrument()), state=state)
    assert _at_risk() == 0


@pytest.mark.parametrize("settlement", ["matched", "mined", "retrying"])
def test_a_provisional_fill_of_an_ended_order_counts_what_it_costs(settlement: str) -> None:
    row = make.order(make.intent(make.instrument()), state="CANCELLED")
    make.fill(row, size="100", fee_usd="0.36", settlement=settlement)
    assert _at_risk() == Decimal("8.36")


@pytest.mark.parametrize("settlement", ["matched", "mined", "retrying"])
def test_a_provisional_fill_of_a_live_order_is_part_of_its_worst_and_not_counted_twice(
    settlement: str,
) -> None:
    row = make.order(make.intent(make.instrument()), state="PARTIAL")
    make.fill(row, size="100", settlement=settlement)
    assert _at_risk() == 84


def test_a_confirmed_fill_counts_as_the_cost_of_what_is_held() -> None:
    make.order(make.intent(make.instrument()), state="FILLED", fills=[{}])
    assert _at_risk() == Decimal("83.68")


def test_a_failed_fill_counts_nothing() -> None:
    make.order(make.intent(make.instrument()), state="FILLED", fills=[{"settlement": "failed"}])
    assert _at_risk() == 0


def test_everything_adds_up() -> None:
    make.order(make.intent(make.instrument()), state="FILLED", fills=[{}])
    make.order(make.intent(make.instrument()), state="UNKNOWN")
    ended = make.order(make.intent(make.instrument()), state="CANCELLED")
    make.fill(ended, size="100", fee_usd="0.36", settlement="mined")
    assert _at_risk() == Decimal("83.68") + 84 + Decimal("8.36")


def test_a_sale_of_half_releases_half_of_the_cost() -> None:
    token = make.instrument()
    make.order(make.intent(token), state="FILLED", fills=[{}])
    sale = make.intent(token, side="SELL", purpose="close", size=Decimal(500), price_limit=Decimal("0.04"))
    make.order(sale, state="FILLED", fills=[{"size": "500", "price": "0.05", "fee_usd": "0"}])
    assert _at_risk() == Decimal("41.84")


def test_a_venues_cap_counts_that_venue_alone_and_the_global_one_counts_all() -> None:
    other = make.venue("binance_futures")
    make.order(make.intent(make.instrument(at=other)), state="ACKED")
    held = make.order(make.intent(make.instrument(at=other)), state="FILLED", fills=[{}])
    assert held.venue_id == "binance_futures"
    assert (_at_risk("venue:polymarket"), _at_risk("global")) == (0, Decimal("167.68"))


# ------------------------------------------------------------------------------------------------ the cap
@pytest.mark.parametrize("scope", SCOPES)
def test_the_cap_may_be_reached_to_the_last_micro_dollar_and_not_passed(scope: str) -> None:
    first, second = _next(), _next()
    make.risk_bucket(scope, "83.999999")
    with refused("HB002", saying=f"limit {scope} reached: 0 at risk, 84.000000 more asked, cap 83.999999"):
        make.order_move(first, "SENDING")
    make.risk_bucket(scope, "84")
    make.order_move(first, "SENDING")
    with refused("HB002", saying="84.000000 at risk"):
        make.order_move(second, "SENDING")
    assert (first.state, Order.objects.get(pk=second.pk).attempts) == ("SENDING", 0)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_cap_that_is_not_set_is_a_no(scope: str) -> None:
    row = _next()
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ALTER TABLE hedging_riskbucket DISABLE TRIGGER never_deleted")
    sql("DELETE FROM hedging_riskbucket WHERE code = %s", scope)
    with refused("HB002", saying="is not set"):
        make.order_move(row, "SENDING")


def test_a_cap_that_is_no_number_is_a_no() -> None:
    row = _next()
    sql("UPDATE hedging_riskbucket SET cap_usd = 'NaN' WHERE code = 'global'")
    with refused("HB002", saying="cap NaN"):
        make.order_move(row, "SENDING")


def test_a_sale_and_a_resend_risk_nothing_new() -> None:
    sale = make.order(
        make.intent(make.instrument(), side="SELL", purpose="close", price_limit=Decimal("0.04"))
    )
    again = make.order(make.intent(make.instrument()), state="UNKNOWN")
    for scope in SCOPES:
        make.risk_bucket(scope, "0")
    make.order_move(sale, "SENDING")
    make.order_move(again, "SENDING")
    assert (sale.attempts, again.attempts) == (1, 2)


def test_lowering_a_cap_beneath_what_is_at_risk_stops_the_next_order_only() -> None:
    make.order(make.intent(make.instrument()), state="FILLED", fills=[{}])
    row = _next()
    make.risk_bucket("global", "1")
    with refused("HB002", saying="83.680000 at risk"):
        make.order_move(row, "SENDING")


# ------------------------------------------------------------------------------------------------ the decision
def test_an_order_of_a_parked_intent_is_not_sent() -> None:
    row = _next()
    sql("UPDATE hedging_intent SET state = 'PARKED'")
    with refused("HB011", saying="is PARKED, not OPEN"):
        make.order_move(row, "SENDING")


def test_a_late_fill_that_used_the_decision_up_stops_the_successor() -> None:
    """The predecessor was cancelled with nothing filled, so a successor was prepared; then its trades came in."""
    wanted = make.intent(make.instrument())
    first = make.order(wanted, state="CANCELLED")
    second = make.order(wanted)
    make.fill(first, size="10")
    with refused("HB002", saying="limit of the intent reached: 0.800000 + 80.000000 > 80.000000 USD"):
        make.order_move(second, "SENDING")
    make.order_move(second, "ABORTED")
    assert second.state == "ABORTED"
