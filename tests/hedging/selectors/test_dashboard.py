"""What the home page asks besides the report."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hedging.models import Cycle, Discrepancy, RiskBucket
from hedging.selectors.dashboard import (
    breakers_not_closed,
    cycle_points,
    discrepancies_open_count,
    intents_parked_count,
    limits_used,
    orders_in_doubt,
    orders_recent,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


def at_risk_usd(code: str) -> Decimal:
    return next(use.at_risk_usd for use in limits_used() if use.code == code)


def test_at_risk_is_live_orders_at_worst_case_unsettled_trades_and_cost_of_what_is_held():
    make.venues()
    make.risk_bucket("global", "1000")
    make.risk_bucket("venue:polymarket", "500")
    make.risk_bucket("venue:allianz", "100")
    token = make.instrument()
    make.order(make.intent(token), state="FILLED", fills=[{}])  # held: 83.68
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "matched"}])  # unsettled: 83.68
    make.order(make.intent(token), state="UNKNOWN")  # live: 80 + 4
    make.order(make.intent(token), state="PREPARED")  # not sent: nothing
    make.order(make.intent(token), state="REJECTED")  # dead: nothing
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "failed"}])  # never happened

    with CaptureQueriesContext(connection) as queries:
        used = {use.code: (use.at_risk_usd, use.left_usd) for use in limits_used()}

    assert len(queries) == 1
    assert used["global"] == (Decimal("251.36"), Decimal("748.64"))
    assert used["venue:allianz"] == (Decimal(0), Decimal(100))
    assert used["venue:polymarket"] == (Decimal("251.36"), Decimal("248.64"))


def test_the_page_and_the_databases_own_gate_add_up_the_same():
    token = make.instrument()
    make.order(make.intent(token), state="FILLED", fills=[{}])
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "matched"}])
    make.order(make.intent(token), state="ACKED")
    make.risk_bucket("global", "1000")
    used = at_risk_usd("global")
    RiskBucket.objects.filter(pk="global").update(cap_usd=used + 84)
    make.order(make.intent(token), state="SENDING")
    RiskBucket.objects.filter(pk="global").update(cap_usd=at_risk_usd("global") + Decimal("83.999999"))
    with pytest.raises(Exception, match="limit global reached"):
        make.order(make.intent(token), state="SENDING")


def test_only_what_is_not_closed_is_listed():
    make.breaker("global")
    make.breaker("venue:polymarket", state="OPEN", opened_at=make.NOW)
    assert [row.scope for row in breakers_not_closed()] == ["venue:polymarket"]


def test_open_disagreements_and_parked_decisions_are_counted():
    make.discrepancy()
    make.discrepancy(state=Discrepancy.State.HEALED)
    make.intent(make.instrument(), state="PARKED")
    make.intent(make.instrument())
    assert discrepancies_open_count() == 1
    assert intents_parked_count() == 1


def test_the_newest_orders_come_first_and_the_oldest_doubt_first():
    token = make.instrument()
    first = make.order(make.intent(token), state="UNKNOWN")
    second = make.order(make.intent(token), state="MANUAL")
    third = make.order(make.intent(token), state="ACKED")
    assert [row.pk for row in orders_recent()] == [third.pk, second.pk, first.pk]
    assert [row.pk for row in orders_in_doubt()] == [first.pk, second.pk]


def test_cycles_are_drawn_oldest_first_without_failed_and_dry_ones():
    usdc, polymarket = make.product(), make.venue()
    old = make.cycle(required_usd=Decimal(100), planned_usd=Decimal(7))
    make.leg(old, usdc, polymarket, reason="DEPTH", unfilled_usd=Decimal(60))
    make.cycle(state=Cycle.State.FAILED)
    make.cycle(mode=Cycle.Mode.DRY_RUN)
    new = make.cycle(required_usd=Decimal(200))
    assert [(p.cycle_id, p.required_usd, p.planned_usd, p.unhedged_usd) for p in cycle_points()] == [
        (old.pk, 100, 7, 60),
        (new.pk, 200, 0, 0),
    ]
