"""Whatever becomes of an answer, the exchange's truth is found, and nothing trades twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from hedging.models import Fill, HedgePosition, Intent, Order, OrderAttempt, Position
from hedging.services.breakers import breaker_reset, breaker_trip
from hedging.services.executor import intent_place
from hedging.services.resolver import order_check, orders_check_due
from hedging.services.sends import orders_commit_to_send
from hedging.services.settlements import settlements_watch
from tests.desk import Desk
from tests.trading import (
    ASKS,
    BIDS,
    FAR,
    OTHER_SLUG,
    VENUE,
    check,
    configure,
    cycle,
    decide,
    faults_clear,
    map_market,
    mode,
    orders_there,
    place,
    probes,
    sell,
    settle,
    shares_there,
    strike,
    wait_for,
)
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import Side
from venues.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)


def told(order: Order) -> list[tuple[int, str]]:
    """What each attempt was answered."""
    return list(OrderAttempt.objects.filter(order=order).values_list("attempt_no", "outcome"))


def assert_bought_once(desk: Desk, market: Instrument, *, shares: int = 1000) -> Order:
    """One order in our book and at the exchange, with the same fills, and nothing else."""
    order = Order.objects.get()
    (there,) = orders_there(desk).items()
    assert there[0] == order.client_order_id
    assert order.filled_size == Decimal(there[1]["filled_shares"]) == shares == shares_there(desk, market)
    assert Position.objects.get().size == shares
    return order


# ------------------------------------------------------------------------------------------------- lost answers
@pytest.mark.parametrize(
    "kind", ["timeout_after", "reset_after", "broken_json", "empty", "server_error_after"]
)
def test_an_accepted_order_whose_answer_is_lost_is_found_and_filled_once(
    desk: Desk, market: Instrument, kind: str
) -> None:
    strike(desk, kind, seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    assert (order.state, told(order)) == ("UNKNOWN", [(1, "Unknown")])

    settle()

    order = assert_bought_once(desk, market)
    assert (order.state, order.attempts) == ("FILLED", 1)


@pytest.mark.parametrize("kind", ["timeout_before", "reset_before", "server_error", "cloudflare"])
def test_an_order_that_never_arrived_is_sent_again_with_the_same_bytes(
    desk: Desk, market: Instrument, kind: str
) -> None:
    strike(desk, kind, seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    assert order.state == "UNKNOWN"
    assert orders_there(desk) == {}

    checked = check(order)
    assert (checked.state, told(order)) == ("ACKED", [(1, "Unknown"), (2, "Accepted")])
    settle()

    order = assert_bought_once(desk, market)
    assert (order.state, order.attempts, order.generation) == ("FILLED", 2, 0)
    sent = OrderAttempt.objects.values_list("payload_sha", flat=True)
    assert {bytes(sha) for sha in sent} == {bytes(order.payload_sha)}


def test_the_same_bytes_sent_to_a_venue_that_has_them_are_looked_up(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_after", seconds=0.1)
    mode(desk, "lookup_lag", lag_seconds=2)
    order = place(decide(market, size="1000", usd="40"))

    # The venue has it and does not show it yet, so the bytes go out again and are found to be a duplicate.
    again = check(order)
    assert (again.state, told(order)) == ("UNKNOWN", [(1, "Unknown"), (2, "AlreadyKnown")])
    assert again.reason.startswith("the venue knows these bytes: order 0x")

    # From then on nothing is sent any more; it is looked for until it shows.
    assert check(order).attempts == 2
    desk.exchange.post("clock", advance_seconds=3)
    settle()
    order = assert_bought_once(desk, market)
    assert (order.state, order.attempts) == ("FILLED", 2)


def test_a_late_arrival_meets_the_same_bytes_and_trades_once(desk: Desk, market: Instrument) -> None:
    strike(desk, "late_accept", seconds=0.5)
    order = place(decide(market, size="1000", usd="40"))
    assert order.state == "UNKNOWN"
    assert check(order).state == "ACKED"  # the bytes sent again came first

    settle()

    desk.exchange.post("settlement/run")
    assert_bought_once(desk, market)


def test_a_venue_that_forgets_finished_orders_is_asked_for_their_trades(
    desk: Desk, market: Instrument
) -> None:
    mode(desk, "order_null")
    order = place(decide(market, size="1000", usd="40"))
    assert order.state == "ACKED"

    settle()

    assert assert_bought_once(desk, market).state == "FILLED"


def test_a_lost_answer_at_a_venue_that_forgets_is_resolved_by_its_trades(
    desk: Desk, market: Instrument
) -> None:
    mode(desk, "order_null")
    strike(desk, "timeout_after", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    assert order.state == "UNKNOWN"

    settle()

    assert assert_bought_once(desk, market).attempts == 1


def test_a_part_filled_and_killed_is_cancelled_with_its_part(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_after", seconds=0.1)
    desk.book("usdc-depeg-by-december-31-2027", bids=[["0.020", "10"]], asks=[["0.040", "600"]])
    intent = decide(market, size="1000", usd="40", price="0.040")
    order = place(intent)

    settle()

    order.refresh_from_db()
    intent.refresh_from_db()
    assert (order.state, order.filled_size) == ("FILLED", 600)  # the order asked for what the book showed
    assert (intent.state, intent.outcome.split(";")[0]) == (
        "DONE",
        "the book offers nothing within the price limit",
    )
    assert_bought_once(desk, market, shares=600)


# ------------------------------------------------------------------------------------------------- failed look-ups
def test_a_look_up_that_fails_proves_nothing(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    strike(desk, "server_error", path="/clob/data/order/*", method="GET", count=None)

    for _ in range(2):
        assert check(order).state == "UNKNOWN"

    order.refresh_from_db()
    assert (order.attempts, order.absent_proofs) == (1, 0)
    market.venue.refresh_from_db()
    assert "order" in market.venue.last_error
    faults_clear(desk)
    settle()
    assert_bought_once(desk, market)


def test_a_refusal_of_bytes_sent_again_proves_nothing_about_the_first_time(
    desk: Desk, market: Instrument
) -> None:
    mode(desk, "lookup_lag", lag_seconds=30)
    strike(desk, "timeout_after", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    strike(desk, "rate_limit", headers=True)

    again = check(order)

    # The first bytes traded; the no to the second must not be believed.
    assert (again.state, told(order)) == ("UNKNOWN", [(1, "Unknown"), (2, "Rejected")])
    assert "which proves nothing about the first time" in again.reason
    faults_clear(desk)
    settle()
    assert_bought_once(desk, market)


def test_bytes_are_not_sent_again_while_trading_is_off(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    configure(enabled=False)

    assert order_check(order.pk, now=utc_now()).word == "denied"

    assert (check(order).state, told(order), orders_there(desk)) == ("UNKNOWN", [(1, "Unknown")], {})


def test_bytes_are_not_sent_again_past_an_open_breaker(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    breaker_trip("global", reason="drill", actor="risk.officer", now=utc_now())

    assert order_check(order.pk, now=utc_now()).word == "gated"

    assert (check(order).attempts, orders_there(desk)) == (1, {})


# ------------------------------------------------------------------------------------------------- absence
def test_absence_is_proven_by_time_two_look_ups_and_the_contract(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    intent = decide(market, size="1000", usd="40")
    order = place(intent)

    # The decision is stale from 240 s on, so the bytes are not sent again; look-ups are proofs a minute apart.
    states = [
        (row.state, row.absent_proofs)
        for seconds in (300, 330, 590, 660, 725)
        for row in [check(order, after=timedelta(seconds=seconds))]
    ]

    assert states == [
        ("UNKNOWN", 1),
        ("UNKNOWN", 1),
        ("UNKNOWN", 2),
        ("UNKNOWN", 3),
        ("NOT_PLACED", 3),
    ]
    assert told(order) == [(1, "Unknown")]
    assert intent_place(intent.pk, now=utc_now() + timedelta(seconds=726)).word == "expired"
    intent.refresh_from_db()
    assert intent.state == "ABANDONED"
    assert orders_there(desk) == {}


def test_a_contract_that_cannot_be_asked_leaves_the_order_to_a_person(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    strike(desk, "server_error", path="/rpc*", count=None)

    for seconds in (300, 660, 725):
        assert check(order, after=timedelta(seconds=seconds)).state == "UNKNOWN"
    row = check(order, after=timedelta(seconds=3601))

    assert (row.state, row.reason) == (
        "MANUAL",
        "no proof either way: the exchange contract has not been asked",
    )


def test_an_order_that_traded_is_never_declared_absent(desk: Desk, market: Instrument) -> None:
    mode(desk, "order_null")
    mode(desk, "lookup_lag", lag_seconds=100_000)
    strike(desk, "timeout_after", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    desk.exchange.post("settlement/run")

    for seconds in (300, 660, 725):
        assert check(order, after=timedelta(seconds=seconds)).state == "UNKNOWN"
    row = check(order, after=timedelta(seconds=3601))

    assert (row.state, row.reason) == (
        "MANUAL",
        "no proof either way: the exchange contract says that it traded",
    )
    assert shares_there(desk, market) == 1000


def test_a_venue_that_is_silent_for_an_hour_leaves_its_orders_to_a_person(
    desk: Desk, market: Instrument
) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    order = place(decide(market, size="1000", usd="40"))
    strike(desk, "server_error", path="/clob/data/order/*", method="GET", count=None)

    assert check(order, after=timedelta(seconds=3590)).state == "UNKNOWN"
    row = check(order, after=timedelta(seconds=3601))

    assert (row.state, row.reason) == ("MANUAL", "no answer from the venue for too long")


def test_an_order_with_a_person_blocks_its_market_and_no_machine_moves_it(
    desk: Desk, market: Instrument
) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    intent = decide(market, size="1000", usd="40")
    order = place(intent)
    strike(desk, "server_error", path="/clob/data/order/*", method="GET", count=None)
    check(order, after=timedelta(seconds=3601))
    faults_clear(desk)
    sell("P-1", 10_000)

    assert cycle().intents == []
    assert intent_place(intent.pk, now=utc_now()).word == "in_doubt"
    assert orders_check_due(VENUE, now=utc_now() + timedelta(hours=2), limit=10) == []
    assert check(order).state == "MANUAL"
    assert orders_there(desk) == {}


# ------------------------------------------------------------------------------------------------- settlement
def test_a_trade_that_fails_to_settle_is_no_hedge_and_the_next_cycle_buys_again(
    desk: Desk, market: Instrument
) -> None:
    sell("P-1", 1_000)
    desk.exchange.post("settlement", fail_next=1)
    first = cycle()
    place(Intent.objects.get(pk=first.intents[0][1]))
    settle()

    failed = Fill.objects.get()
    assert (failed.settlement, failed.settled_at is not None) == ("failed", True)
    assert (HedgePosition.objects.count(), Position.objects.count()) == (0, 0)
    assert shares_there(desk, market) == 0

    second = cycle()
    assert len(second.intents) == 1
    settle()

    again = Fill.objects.exclude(pk=failed.pk).get()
    assert (again.settlement, again.size) == ("confirmed", failed.size)
    assert Position.objects.get().size == again.size == shares_there(desk, market)
    assert cycle().intents == []


def test_a_trade_that_is_retried_counts_once(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("settlement", scripts=[["RETRYING", "MINED", "CONFIRMED"]])
    place(decide(market, size="1000", usd="40"))

    settle()

    assert_bought_once(desk, market)
    steps = Fill.objects.get().events.values_list("new", flat=True)
    assert list(steps)[-1] == "confirmed"


@pytest.mark.parametrize("kind", ["duplicate_trades", "reorder_trades"])
def test_trades_told_twice_or_out_of_order_count_once(desk: Desk, market: Instrument, kind: str) -> None:
    mode(desk, kind)
    place(decide(market, size="2000", usd="90"))

    settle()

    order = assert_bought_once(desk, market, shares=2000)
    assert [(row.size, row.price) for row in order.fills.order_by("price")] == [
        (1000, Decimal("0.04")),
        (1000, Decimal("0.05")),
    ]


def test_a_settlement_watch_that_fails_changes_nothing(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("settlement", mined_seconds=60, confirmed_seconds=60)
    order = place(decide(market, size="1000", usd="40"))
    check(order)
    assert Fill.objects.get().settlement == "matched"
    strike(desk, "server_error", path="/clob/data/trades", method="GET", count=None)

    assert settlements_watch(VENUE, now=utc_now()) == 0

    assert Fill.objects.get().settlement == "matched"
    faults_clear(desk)
    desk.exchange.post("settlement/run")
    assert settlements_watch(VENUE, now=utc_now()) == 1
    assert_bought_once(desk, market)


# ------------------------------------------------------------------------------------------------- who looks
def test_an_order_that_is_being_looked_up_is_nobody_elses(desk: Desk, market: Instrument) -> None:
    order = place(decide(market, size="1000", usd="40"))

    first = orders_check_due(VENUE, now=utc_now(), limit=10)
    second = orders_check_due(VENUE, now=utc_now() - FAR, limit=10)

    assert [row.word for row in first] in (["acked"], ["partial"], ["filled"])
    assert second == []
    assert Order.objects.get(pk=order.pk).checks == 1


def test_a_sender_is_left_its_time_and_then_taken_for_dead(desk: Desk, market: Instrument) -> None:
    probes(0)
    intent_place(decide(market, size="1000", usd="40").pk, now=utc_now())
    breaker_reset(f"venue:{VENUE}", reason="drill over", actor="risk.officer", now=utc_now())
    order = Order.objects.get()
    committed = orders_commit_to_send([order.pk], venue_code=VENUE, from_state="PREPARED", now=utc_now())
    assert [item.attempt_no for item in committed.sent] == [1]

    assert order_check(order.pk, now=utc_now() + timedelta(seconds=24)).word == "sending"
    row = check(order, after=timedelta(seconds=26))

    assert (row.state, row.reason) == (
        "UNKNOWN",
        "its sender gave no answer in time, and the venue does not list it",
    )
    settle()
    assert assert_bought_once(desk, market).attempts == 2


def test_one_order_that_cannot_be_booked_does_not_keep_the_others_waiting(
    desk: Desk, market: Instrument
) -> None:
    other = map_market(desk, slug=OTHER_SLUG, stablecoin="USDT").instrument
    place(decide(market, size="1000", usd="40"))
    settle()
    sale = place(decide(market, size="400", usd="8", price="0.020", side=Side.SELL))
    desk.book(OTHER_SLUG, bids=BIDS, asks=ASKS)
    purchase = place(decide(other, size="500", usd="20"))
    with connection.cursor() as cursor:  # a book that is broken: more is sold than it says is held
        cursor.execute("UPDATE hedging_position SET size = 10")
    wait_for(lambda: all(row["status"] == "CONFIRMED" for row in desk.truth()["trades"].values()))

    checked = orders_check_due(VENUE, now=utc_now(), limit=10)

    assert [row.word for row in checked] == ["filled"]
    purchase.refresh_from_db()
    sale.refresh_from_db()
    assert (purchase.state, purchase.filled_size) == ("FILLED", 500)
    assert (sale.state, sale.filled_size) == ("ACKED", 0)
    assert Position.objects.get(instrument=market).size == 10
