"""What rests ends by itself, as its decision said; what was asked of a venue stays on record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hedging.models import Breaker, Intent, Order, OrderCancel
from tests import factories as make
from tests.hedging.models.refusals import refused

pytestmark = pytest.mark.django_db

UNTIL = make.NOW + timedelta(minutes=15)


def resting_intent() -> Intent:
    return make.intent(make.instrument(), leg="resting", time_in_force="GTD", rest_until=UNTIL)


def resting_order(state: str = "PREPARED", **values: Any) -> Order:
    told: dict[str, Any] = {
        "time_in_force": "GTD",
        "expires_at": UNTIL,
        "post_only": True,
        "spends_budget": False,
    } | values
    return make.order(resting_intent(), state=state, **told)


def test_an_order_that_rests_longer_than_its_decision_is_not_born() -> None:
    with refused("HB019"):
        resting_order(expires_at=UNTIL + timedelta(seconds=1))


def test_an_order_of_a_taking_decision_does_not_rest() -> None:
    intent = make.intent(make.instrument())
    with refused("HB019"):
        make.order(intent, time_in_force="GTD", expires_at=UNTIL, post_only=True, spends_budget=False)


@pytest.mark.parametrize("change", [{"post_only": False}, {"expires_at": UNTIL + timedelta(days=1)}])
def test_how_an_order_rests_is_frozen(change: dict[str, object]) -> None:
    order = resting_order("ACKED")
    with refused("HB020"):
        Order.objects.filter(pk=order.pk).update(**change)


def test_until_when_a_decision_rests_is_frozen() -> None:
    intent = resting_intent()
    later = UNTIL + timedelta(days=1)
    with refused("HB050"):
        Intent.objects.filter(pk=intent.pk).update(rest_until=later)


def test_a_switch_for_resting_orders_only_lets_them_through_and_nothing_else() -> None:
    bid, taker = resting_order(), make.order(make.intent(make.instrument()))
    Breaker.objects.filter(scope="global").update(
        state="OPEN", effect="POST_ONLY", opened_at=make.NOW, reason="post-only", changed_by="system"
    )

    make.order_move(bid, "SENDING")

    assert Order.objects.get(pk=bid.pk).state == "SENDING"
    with refused("HB001"):
        make.order_move(taker, "SENDING")


def test_the_answer_to_a_cancel_is_written_once_and_the_question_never_changes() -> None:
    cancel = OrderCancel.objects.create(
        order=resting_order("ACKED"), requested_by="risk.officer", reason="enough", requested_at=make.NOW
    )
    rows = OrderCancel.objects.filter(pk=cancel.pk)
    with refused("HB036"):
        rows.update(reason="another")

    rows.update(answered_at=make.NOW, is_cancelled=True, answer="cancelled")

    with refused("HB036"):
        rows.update(answer="not cancelled")
    with refused("HB071"):
        cancel.delete()
