"""What was decided stays decided, and a decision ends only when nothing of it can trade any more."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from hedging.models import Intent
from hedging.models.orders import LIVE_STATES
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def wanted() -> Intent:
    """An open decision."""
    return make.intent(make.instrument())


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "decision_key = 'other'",
        "cycle_id = 7",
        "target_id = 7",
        "venue_id = 'allianz'",
        "instrument_id = instrument_id + 1",
        "leg = 'other'",
        "purpose = 'close'",
        "side = 'SELL'",
        "time_in_force = 'FOK'",
        "size = size + 0.00000001",
        "notional_usd = notional_usd + 0.000001",
        "price_limit = price_limit + 0.0000000001",
        "valid_until = valid_until + interval '1 day'",
        "created_at = now()",
        "requested_by = 'another'",
    ],
)
def test_a_decision_never_changes(wanted: Intent, change: str) -> None:
    with refused("HB050", saying="a decision is immutable"):
        sql(f"UPDATE hedging_intent SET {change} WHERE id = %s", wanted.pk)


@pytest.mark.parametrize(
    ("end", "after"), [(e, a) for e in ("DONE", "ABANDONED") for a in Intent.State.values if a != e]
)
def test_a_finished_intent_stays_finished(wanted: Intent, end: str, after: str) -> None:
    _end(wanted, end)
    with refused("HB051"):
        _end(wanted, after)


@pytest.mark.parametrize("end", ["DONE", "ABANDONED"])
@pytest.mark.parametrize("state", LIVE_STATES)
def test_an_intent_with_a_live_order_cannot_end(wanted: Intent, end: str, state: str) -> None:
    make.order(wanted, state=state)
    with refused("HB052", saying="still has a live order"):
        _end(wanted, end)


@pytest.mark.parametrize("state", ["CANCELLED", "EXPIRED", "REJECTED", "NOT_PLACED", "ABORTED", "FILLED"])
def test_an_intent_whose_orders_are_over_may_end(wanted: Intent, state: str) -> None:
    make.order(wanted, state=state, fills=[{}] if state == "FILLED" else [])
    _end(wanted, "DONE")
    wanted.refresh_from_db()
    assert wanted.state == "DONE"


def test_a_parked_intent_may_be_opened_again_and_keeps_its_lane(wanted: Intent) -> None:
    _end(wanted, "PARKED")
    with refused("intent_one_live_per_lane"):
        make.intent(wanted.instrument, leg=wanted.leg)
    _end(wanted, "OPEN")
    _end(wanted, "ABANDONED")
    assert make.intent(wanted.instrument, leg=wanted.leg).state == "OPEN"


def test_a_decision_made_twice_is_one_intent(wanted: Intent) -> None:
    with refused("intent_one_per_decision"):
        make.intent(make.instrument(), decision_key=wanted.decision_key)


def test_another_leg_of_the_same_instrument_is_another_lane(wanted: Intent) -> None:
    assert make.intent(wanted.instrument, leg="close", notional_usd=Decimal(1)).state == "OPEN"


@pytest.mark.django_db(transaction=True)
def test_a_new_intent_is_announced() -> None:
    sql("LISTEN hedging_intent")
    made = make.intent(make.instrument())
    notices = list(connection.connection.notifies(timeout=5, stop_after=1))
    assert [notice.payload for notice in notices] == [f"polymarket {made.pk}"]


def _end(wanted: Intent, state: str) -> None:
    finished = make.NOW + timedelta(minutes=1) if state in ("DONE", "ABANDONED") else None
    sql("UPDATE hedging_intent SET state = %s, finished_at = %s WHERE id = %s", state, finished, wanted.pk)
