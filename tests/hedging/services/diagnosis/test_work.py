"""Orders without an answer, decisions nobody takes up, trades that do not settle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hedging.models import Intent
from hedging.services.diagnosis.work import fills_ask, intents_ask, orders_ask
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def later(**span):
    return NOW + timedelta(**span)


def test_a_quiet_book_is_well(ask):
    assert ask(orders_ask) == {
        "orders_manual": ("ok", "No order waits for a person"),
        "orders_in_doubt": ("ok", "Every order sent has been answered"),
    }
    assert ask(intents_ask) == {
        "intents_overdue": ("ok", "No decision waits to be taken up"),
        "intents_parked": ("ok", "No decision is parked"),
    }
    assert ask(fills_ask) == {"fills_settling": ("ok", "Every trade has settled")}


def test_an_order_that_only_a_person_may_decide_is_a_fault(ask):
    make.order(make.intent(make.instrument()), state="MANUAL")
    assert ask(orders_ask, now=later(hours=3))["orders_manual"] == (
        "fault",
        "1 order can only be decided by a person; the oldest was sent 3 hours ago",
    )


@pytest.mark.parametrize(
    ("seconds", "level", "age"),
    [(90, "ok", "90 s"), (300, "warning", "5 minutes"), (3_600, "fault", "60 minutes")],
)
def test_an_order_in_doubt_is_judged_by_its_age(ask, seconds, level, age):
    make.order(make.intent(make.instrument()), state="UNKNOWN")
    make.order(make.intent(make.instrument()), state="SENDING")
    assert ask(orders_ask, now=later(seconds=seconds))["orders_in_doubt"] == (
        level,
        f"2 orders without an answer; the oldest was sent {age} ago",
    )


def test_a_decision_that_nobody_takes_up_is_told_and_one_at_work_is_not(ask):
    make.intent(make.instrument())
    make.order(make.intent(make.instrument()), state="ACKED")
    assert ask(intents_ask, now=later(seconds=119))["intents_overdue"][0] == "ok"
    assert ask(intents_ask, now=later(seconds=180))["intents_overdue"] == (
        "warning",
        "1 decision should have been placed 3 minutes ago and nobody has",
    )
    assert ask(intents_ask, now=later(seconds=600))["intents_overdue"][0] == "fault"


def test_a_parked_decision_is_a_warning_and_after_a_day_a_fault(ask):
    Intent.objects.filter(pk=make.intent(make.instrument()).pk).update(state="PARKED")
    assert ask(intents_ask, now=later(minutes=5))["intents_parked"] == (
        "warning",
        "1 decision parked until a person looks, the oldest for 5 minutes",
    )
    assert ask(intents_ask, now=later(hours=24))["intents_parked"][0] == "fault"


@pytest.mark.parametrize(("minutes", "level"), [(9, "ok"), (10, "warning"), (60, "fault")])
def test_a_trade_that_does_not_settle_is_judged_by_its_age(ask, minutes, level):
    make.order(make.intent(make.instrument()), state="FILLED", fills=[{"settlement": "mined"}])
    assert ask(fills_ask, now=later(minutes=minutes))["fills_settling"] == (
        level,
        f"1 trade matched and not settled; the oldest {minutes} minutes ago",
    )
