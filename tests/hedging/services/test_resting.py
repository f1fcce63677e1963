"""Bids that rest: decided once, never taking, never bought twice, and withdrawn when their reason is gone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hedging.domain.pauses import Pause
from hedging.models import Breaker, Cycle, CycleTarget, Intent, Mapping, Order, OrderCancel, Position
from hedging.services.breakers import breaker_trip, venue_pause
from hedging.services.cancels import orders_cancel
from hedging.services.executor import intents_place_due
from hedging.services.resting import resting_review
from hedging.services.verification import verify_book
from tests.desk import Desk
from tests.trading import (
    SLUG,
    VENUE,
    check,
    configure,
    cycle,
    mode,
    orders_there,
    sell,
    shares_there,
    strike,
    wait_for,
)
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from venues.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)

BIDS = [["0.020", "500"]]
ASKS = [["0.040", "1000"], ["0.080", "9000"]]


@pytest.fixture
def resting(desk: Desk, market: Instrument) -> Instrument:
    """A market with 1,000 shares at 4 cents and the rest at twice the price; a cap that takes only the first level."""
    desk.book(SLUG, bids=BIDS, asks=ASKS)
    configure(restingEnabled=True, restingSeconds=900, maxSlippageBps=0)
    return market


def rest_one(coverage_usd: int = 20_000) -> Order:
    """Sell cover, decide, place both lanes in one request; the order that rests."""
    sell("P-1", coverage_usd)
    cycle()
    words = sorted(placed.word for placed in intents_place_due(VENUE, now=utc_now()).values())
    assert words == ["acked", "acked"]
    return Order.objects.get(time_in_force="GTD")


def ended(order: Order) -> tuple[str, str]:
    """What look-ups a minute apart make of an order: its state, and its intent's sentence."""
    check(order)
    row = check(order, after=timedelta(seconds=61))
    intents_place_due(VENUE, now=utc_now() + timedelta(seconds=70))
    row.intent.refresh_from_db()
    return row.state, row.intent.outcome


# ------------------------------------------------------------------------------------------------- the decision
def test_nothing_rests_unless_it_is_switched_on(desk: Desk, resting: Instrument) -> None:
    configure(restingEnabled=False)
    sell("P-1", 20_000)
    cycle()

    assert list(Intent.objects.values_list("leg", "time_in_force")) == [("main", "FAK")]


def test_what_the_book_cannot_give_rests_one_tick_above_the_best_bid(desk: Desk, resting: Instrument) -> None:
    order = rest_one()

    main, rest = CycleTarget.objects.order_by("leg")
    assert (main.size, main.price_limit) == (1000, Decimal("0.04"))
    # 20,000 of cover less 1,000 bought; the money for it is 8 % of the cover less what was spent, at 2.1 cents a unit.
    assert (rest.leg, rest.price_limit) == ("resting", Decimal("0.021"))
    assert rest.sentence.startswith("Rests a bid for ")
    assert (order.post_only, order.price_limit, order.size) == (True, Decimal("0.021"), rest.size)
    assert order.expires_at is not None
    assert order.expires_at == order.intent.rest_until == order.intent.created_at + timedelta(seconds=900)
    assert order.intent.valid_until <= order.expires_at - timedelta(seconds=240)
    there = orders_there(desk)[order.client_order_id]
    assert (there["order_type"], there["status"]) == ("GTD", "LIVE")
    assert check(order).state == "ACKED"


def test_the_next_cycle_counts_the_bid_as_bought_and_leaves_its_lane_alone(
    desk: Desk, resting: Instrument
) -> None:
    order = rest_one()
    check(Order.objects.get(time_in_force="FAK"))
    before = Intent.objects.count()

    sold = Order.objects.get(time_in_force="FAK")
    again = cycle()

    assert again.intents == []
    assert Intent.objects.count() == before
    assert Cycle.objects.get(pk=again.cycle_id).intents_count == 0
    assert sold.instrument_id == order.instrument_id


def test_a_bid_never_takes_even_when_the_book_comes_down_to_it(desk: Desk, resting: Instrument) -> None:
    sell("P-1", 20_000)
    cycle()
    desk.book(SLUG, bids=[["0.017", "100"]], asks=[["0.020", "9000"]])

    intents_place_due(VENUE, now=utc_now())

    order = Order.objects.get(time_in_force="GTD")
    # One tick above the best bid, and below the ask: it rests.
    assert (order.price_limit, order.state) == (Decimal("0.018"), "ACKED")
    assert orders_there(desk)[order.client_order_id]["status"] == "LIVE"


def test_the_risk_of_a_bid_counts_against_the_caps(desk: Desk, resting: Instrument) -> None:
    order = rest_one()

    assert order.notional_usd + order.fee_usd_max > 0
    assert order.spends_budget is False
    assert Order.objects.filter(state="ACKED", side="BUY").count() == 2


# ------------------------------------------------------------------------------------------------- how it ends
def test_somebody_sells_to_us_and_the_bid_ends_filled(desk: Desk, resting: Instrument) -> None:
    order = rest_one()
    desk.book(SLUG, bids=[], asks=[["0.021", "100000"]])

    row = check(order)

    assert (row.state, row.filled_size) in {("FILLED", order.size), ("ACKED", 0)}


def test_a_bid_that_expires_is_found_and_ends_its_decision(desk: Desk, resting: Instrument) -> None:
    order = rest_one()
    check(order)
    desk.exchange.post("clock", advance_seconds=901)
    wait_for(lambda: orders_there(desk)[order.client_order_id]["status"] != "LIVE")
    desk.exchange.post("clock", offset_seconds=0)

    state, outcome = ended(order)

    assert state in ("EXPIRED", "CANCELLED")
    assert outcome == f"rested; 0 of {order.intent.size.normalize():f} units traded"


def test_a_person_cancels_it_with_a_reason_and_the_venue_answers(desk: Desk, resting: Instrument) -> None:
    order = rest_one()

    (said,) = orders_cancel(
        [order.pk], venue_code=VENUE, actor="risk.officer", reason="enough", now=utc_now()
    )

    assert (said.is_cancelled, said.answer) == (True, "cancelled")
    row = OrderCancel.objects.get()
    assert (row.requested_by, row.reason, row.is_cancelled, row.answered_at is not None) == (
        "risk.officer",
        "enough",
        True,
        True,
    )
    assert ended(order)[0] == "CANCELLED"
    assert Intent.objects.get(leg="resting").state == "DONE"
    with pytest.raises(Refused, match="is CANCELLED; only"):
        orders_cancel([order.pk], venue_code=VENUE, actor="risk.officer", reason="again", now=utc_now())


def test_a_cancel_without_a_name_or_a_reason_is_refused(desk: Desk, resting: Instrument) -> None:
    order = rest_one()

    with pytest.raises(Refused, match="say who cancels"):
        orders_cancel([order.pk], venue_code=VENUE, actor="risk.officer", reason=" ", now=utc_now())
    assert OrderCancel.objects.count() == 0


def test_a_cancel_that_the_venue_does_not_answer_is_on_record_and_proves_nothing(
    desk: Desk, resting: Instrument
) -> None:
    order = rest_one()
    strike(desk, "server_error", path="/clob/orders", method="DELETE", count=9)

    (said,) = orders_cancel(
        [order.pk], venue_code=VENUE, actor="risk.officer", reason="enough", now=utc_now()
    )

    assert said.is_cancelled is False and said.answer.startswith("no answer: cancel")
    assert OrderCancel.objects.get().answered_at is None
    assert check(order).state == "ACKED"


# ------------------------------------------------------------------------------------------------- withdrawn
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: configure(enabled=False), "trading is off"),
        (lambda: configure(restingEnabled=False), "resting is off"),
        (
            lambda: breaker_trip("global", reason="drill", actor="risk.officer", now=utc_now()),
            "breaker global is open: drill",
        ),
        (
            lambda: Instrument.objects.update(wording_hash="0" * 64),
            "no approved mapping of this market as it is worded now",
        ),
    ],
)
def test_a_bid_whose_reason_is_gone_is_withdrawn(
    desk: Desk, resting: Instrument, change: object, reason: str
) -> None:
    order = rest_one()
    assert resting_review(VENUE, now=utc_now()) == 0

    change()  # type: ignore[operator]

    assert resting_review(VENUE, now=utc_now()) == 1
    assert OrderCancel.objects.get().reason.startswith(reason)
    assert orders_there(desk)[order.client_order_id]["status"] != "LIVE"


def test_a_bid_is_withdrawn_when_others_bid_more(desk: Desk, resting: Instrument) -> None:
    rest_one()
    desk.book(SLUG, bids=[["0.022", "500"], ["0.020", "500"]], asks=ASKS)
    assert resting_review(VENUE, now=utc_now()) == 0

    desk.book(SLUG, bids=[["0.026", "500"], ["0.020", "500"]], asks=ASKS)

    assert resting_review(VENUE, now=utc_now()) == 1
    assert OrderCancel.objects.get().reason == "the price moved away from $0.021"


def test_a_bid_is_withdrawn_when_cover_falls(desk: Desk, resting: Instrument) -> None:
    rest_one()
    from policies.models import Policy
    from policies.services.policies import policy_cancel

    policy_cancel(Policy.objects.get().pk, actor="tester", reason="the holder asked", now=utc_now())

    assert resting_review(VENUE, now=utc_now()) == 1
    assert OrderCancel.objects.get().reason == "the cover that it was decided for has become less"


def test_a_pause_of_the_venue_leaves_the_bid_where_it_is(desk: Desk, resting: Instrument) -> None:
    rest_one()
    until = utc_now() + timedelta(seconds=90)
    venue_pause(VENUE, kind=Pause.CANCEL_ONLY, reason="cancel-only", until=until, now=utc_now())

    assert resting_review(VENUE, now=utc_now()) == 0


# ------------------------------------------------------------------------------------------------- pauses
def test_in_post_only_mode_bids_rest_and_nothing_takes(desk: Desk, resting: Instrument) -> None:
    mode(desk, "post_only", seconds=60)
    sell("P-1", 20_000)
    cycle()
    main, rest = (Intent.objects.get(leg=leg) for leg in ("main", "resting"))
    intents_place_due(VENUE, now=utc_now())
    pause = Breaker.objects.get(scope=f"venue:{VENUE}")
    assert (pause.pause, pause.effect, pause.state) == ("post_only", "POST_ONLY", "OPEN")

    Intent.objects.update(next_attempt_at=utc_now())
    placed = intents_place_due(VENUE, now=utc_now())

    assert placed[main.pk].word == "gated"
    assert Order.objects.get(intent=rest, state="ACKED").post_only
    assert Order.objects.filter(intent=main).exclude(state="REJECTED").count() == 0
    main.refresh_from_db()
    assert (main.state, main.dispatch_count, main.next_attempt_at) == ("OPEN", 0, pause.resume_at)


def test_in_cancel_only_mode_cancels_go_on(desk: Desk, resting: Instrument) -> None:
    order = rest_one()
    mode(desk, "cancel_only", seconds=30)

    (said,) = orders_cancel(
        [order.pk], venue_code=VENUE, actor="risk.officer", reason="enough", now=utc_now()
    )

    assert said.is_cancelled


def test_the_book_is_sound_after_a_day_of_resting(desk: Desk, resting: Instrument) -> None:
    order = rest_one()
    orders_cancel([order.pk], venue_code=VENUE, actor="risk.officer", reason="enough", now=utc_now())
    ended(order)

    assert verify_book() == []
    assert Position.objects.count() <= 1
    assert shares_there(desk, resting) <= 1000
    assert Mapping.objects.count() == 1
