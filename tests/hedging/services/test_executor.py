"""One intent, one order on the wire, and a reason for everything else."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import override_settings

from hedging.models import Breaker, Fill, Intent, Order, OrderAttempt, RiskBucket
from hedging.services.breakers import breaker_reset, breaker_trip, venues_resume_due
from hedging.services.executor import Placed, intent_place
from tests.desk import Desk
from tests.trading import (
    SLUG,
    VENUE,
    configure,
    decide,
    mode,
    orders_there,
    place,
    probes,
    settle,
    shares_there,
    strike,
    wait_for,
)
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import Side
from venues.models import Instrument
from venues.registry import gateways_forget

pytestmark = pytest.mark.django_db(transaction=True)


def finished(intent: Intent) -> tuple[str, str]:
    """How an intent ended: its state and its sentence."""
    intent.refresh_from_db()
    return intent.state, intent.outcome


def place_while(desk: Desk, intent: Intent, meanwhile: Callable[[], object]) -> Placed:
    """Place an intent, and do something else while its bytes are on their way."""
    strike(desk, "slow", seconds=0.6)
    placed: list[Placed] = []

    def worker() -> None:
        try:
            placed.append(intent_place(intent.pk, now=utc_now()))
        finally:
            connection.close()

    sender = threading.Thread(target=worker)
    sender.start()
    wait_for(OrderAttempt.objects.exists)
    meanwhile()
    sender.join()
    return placed[0]


# ------------------------------------------------------------------------------------------------- the straight path
def test_an_intent_becomes_one_order_whose_fills_are_the_exchanges(desk: Desk, market: Instrument) -> None:
    intent = decide(market, size="1000", usd="40")

    order = place(intent)
    assert (order.state, order.attempts, order.generation) == ("ACKED", 1, 0)
    assert (order.size, order.notional_usd, order.price_limit) == (1000, 40, Decimal("0.04"))
    settle()

    (there,) = orders_there(desk).items()
    assert there[0] == order.client_order_id
    assert (Decimal(there[1]["filled_shares"]), Decimal(there[1]["filled_pusd"])) == (1000, 40)
    order.refresh_from_db()
    assert (order.state, order.filled_size, order.filled_usd) == ("FILLED", 1000, 40)
    attempt = OrderAttempt.objects.get()
    assert (attempt.outcome, attempt.http_status, attempt.finished_at is not None) == ("Accepted", None, True)
    assert finished(intent) == ("DONE", "complete")
    assert shares_there(desk, market) == 1000


def test_a_large_intent_meets_the_market_in_pieces_one_after_the_other(
    desk: Desk, market: Instrument
) -> None:
    configure(maxNotionalPerOrder=30)
    intent = decide(market, size="2000", usd="90")

    place(intent)
    settle()

    orders = list(Order.objects.order_by("generation"))
    assert [row.generation for row in orders] == [0, 1, 2]
    assert all(row.notional_usd <= 30 for row in orders)
    assert sum(row.filled_size for row in orders) == 2000 == shares_there(desk, market)
    assert sum(row.filled_usd for row in orders) == 90
    assert finished(intent) == ("DONE", "complete")


def test_a_finished_intent_is_left_alone(desk: Desk, market: Instrument) -> None:
    intent = decide(market, size="1000", usd="40")
    place(intent)
    settle()

    assert intent_place(intent.pk, now=utc_now()) == Placed("finished", "the intent is DONE")
    assert len(orders_there(desk)) == 1


def test_an_order_in_doubt_is_left_to_the_resolver(desk: Desk, market: Instrument) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    intent = decide(market, size="1000", usd="40")
    order = place(intent)
    assert order.state == "UNKNOWN"

    again = intent_place(intent.pk, now=utc_now())

    assert (again.word, again.order_id) == ("in_doubt", order.pk)
    assert Order.objects.count() == 1
    assert orders_there(desk) == {}


# ------------------------------------------------------------------------------------------------- two at once
def test_eight_threads_that_place_one_intent_send_one_order(desk: Desk, market: Instrument) -> None:
    strike(desk, "slow", seconds=0.3)
    intent = decide(market, size="1000", usd="40")
    start = threading.Barrier(8)
    words: list[str] = []

    def worker() -> None:
        try:
            start.wait()
            words.append(intent_place(intent.pk, now=utc_now()).word)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(words), words.count("acked")) == (8, 1)
    assert set(words) <= {"acked", "raced", "in_doubt", "finished"}
    assert OrderAttempt.objects.count() == 1
    settle()
    assert len(orders_there(desk)) == 1
    assert shares_there(desk, market) == 1000


# ------------------------------------------------------------------------------------------------- our own no
def test_a_decision_that_is_too_old_is_never_sent(desk: Desk, market: Instrument) -> None:
    intent = decide(market, valid_s=10)

    placed = intent_place(intent.pk, now=utc_now() + timedelta(seconds=11))

    assert placed.word == "expired"
    assert finished(intent) == ("ABANDONED", "too old to send; the next cycle decides anew")
    assert Order.objects.count() == 0 and orders_there(desk) == {}


def test_a_prepared_order_of_an_old_decision_is_aborted(desk: Desk, market: Instrument) -> None:
    probes(0)
    intent = decide(market, valid_s=10)
    assert intent_place(intent.pk, now=utc_now()).word == "gated"
    assert Order.objects.get().state == "PREPARED"
    breaker_reset(f"venue:{VENUE}", reason="drill over", actor="risk.officer", now=utc_now())

    assert intent_place(intent.pk, now=utc_now() + timedelta(seconds=11)).word == "expired"

    assert Order.objects.get().state == "ABORTED"
    assert finished(intent)[0] == "ABANDONED"
    assert orders_there(desk) == {}


def test_an_open_breaker_postpones_the_decision_and_its_end_lets_it_go_on(
    desk: Desk, market: Instrument
) -> None:
    breaker_trip(f"venue:{VENUE}", reason="looks odd", actor="risk.officer", now=utc_now())
    intent = decide(market, size="1000", usd="40")
    before = utc_now()

    placed = intent_place(intent.pk, now=before)

    assert placed == Placed("gated", "breaker venue:polymarket is open: looks odd")
    intent.refresh_from_db()
    assert (intent.state, intent.next_attempt_at) == ("OPEN", before + timedelta(seconds=15))
    # What the gate would refuse is not even prepared, and no try of the decision's is used up.
    assert (Order.objects.count(), orders_there(desk), intent.dispatch_count) == (0, {}, 0)

    breaker_reset(f"venue:{VENUE}", reason="was nothing", actor="risk.officer", now=utc_now())
    assert place(intent).state == "ACKED"
    settle()
    assert len(orders_there(desk)) == 1


def test_a_breaker_that_lets_only_reductions_through_stops_a_purchase(desk: Desk, market: Instrument) -> None:
    breaker_trip(
        "global", reason="wind down", actor="risk.officer", now=utc_now(), effect=Breaker.Effect.REDUCE_ONLY
    )

    assert intent_place(decide(market).pk, now=utc_now()).word == "gated"
    assert orders_there(desk) == {}


def test_a_limit_that_would_be_passed_ends_the_decision_unsent(desk: Desk, market: Instrument) -> None:
    RiskBucket.objects.filter(code="venue:polymarket").update(cap_usd="20")
    intent = decide(market, size="1000", usd="40")

    placed = intent_place(intent.pk, now=utc_now())

    assert placed.word == "limited"
    assert placed.sentence.startswith("limit venue:polymarket reached: 0 at risk, 42.80")
    assert Order.objects.get().state == "ABORTED"
    assert finished(intent) == ("ABANDONED", placed.sentence)
    assert orders_there(desk) == {}


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TRADING_ENVIRONMENT": "PAPER"}, "environment is PAPER"),
        (
            {"TRADING_ENVIRONMENT": "LIVE", "LIVE_TRADING_ALLOWED": False},
            "live trading needs LIVE_TRADING_ALLOWED=true",
        ),
    ],
)
def test_an_environment_that_may_not_trade_sends_nothing(
    desk: Desk, market: Instrument, environment: dict[str, object], sentence: str
) -> None:
    intent = decide(market)

    with override_settings(**environment):
        placed = intent_place(intent.pk, now=utc_now())

    assert placed.word == "denied"
    assert placed.sentence.startswith(sentence)
    assert Order.objects.count() == 0 and orders_there(desk) == {}
    assert finished(intent) == ("OPEN", placed.sentence)


def test_nothing_is_sent_while_trading_is_off(desk: Desk, market: Instrument) -> None:
    intent = decide(market)
    configure(enabled=False)

    assert intent_place(intent.pk, now=utc_now()) == Placed(
        "denied", "trading is off: set `enabled` in Configuration"
    )
    assert orders_there(desk) == {}


def test_a_disabled_venue_takes_no_purchases(desk: Desk, market: Instrument) -> None:
    intent = decide(market)
    market.venue.is_enabled = False
    market.venue.save()

    assert intent_place(intent.pk, now=utc_now()) == Placed("denied", "venue polymarket is disabled")
    assert orders_there(desk) == {}


# ------------------------------------------------------------------------------------------------- the venue's no
def test_not_enough_money_at_the_venue_ends_the_decision_in_the_venues_words(
    desk: Desk, market: Instrument
) -> None:
    intent = decide(market, size="60000", usd="2400")
    desk.book(SLUG, bids=[["0.020", "100"]], asks=[["0.040", "60000"]])
    desk.exchange.post("account", address=desk.address, approved=False)

    order = place(intent)

    assert order.state == "REJECTED"
    assert order.reason.startswith("refused: not_enough_balance: not enough balance / allowance")
    state, outcome = finished(intent)
    assert state == "ABANDONED"
    assert outcome.startswith(
        "polymarket refused: not enough balance / allowance: the allowance is not enough"
    )
    assert Breaker.objects.get(scope=f"venue:{VENUE}").state == "CLOSED"
    assert orders_there(desk) == {}


def test_a_book_that_is_gone_when_the_order_arrives_kills_it_without_a_trade(
    desk: Desk, market: Instrument
) -> None:
    intent = decide(market, size="1000", usd="40")

    placed = place_while(
        desk, intent, lambda: desk.book(SLUG, bids=[["0.020", "100"]], asks=[["0.080", "1000"]])
    )

    assert placed.word == "rejected"
    assert finished(intent)[0] == "ABANDONED"
    assert "no orders found to match with FAK order" in finished(intent)[1]
    assert (Order.objects.get().filled_size, Fill.objects.count()) == (0, 0)


def test_a_tick_that_changes_while_the_order_travels_ends_the_decision_and_stops_nobody(
    desk: Desk, market: Instrument
) -> None:
    desk.book(SLUG, bids=[["0.020", "100"]], asks=[["0.043", "5000"]])
    intent = decide(market, size="5000", usd="50")

    placed = place_while(desk, intent, lambda: desk.exchange.post("market", slug=SLUG, tick="0.01"))

    assert placed.word == "rejected"
    assert finished(intent) == (
        "ABANDONED",
        "polymarket refused: invalid amounts, the market buy orders maker amount supports a max accuracy of"
        " 2 decimals, taker amount a max of 4 decimals",
    )
    # A market's new tick is no fault of ours: the next decision is made on it, and needs no person.
    assert Breaker.objects.get(scope=f"venue:{VENUE}").state == "CLOSED"
    market.refresh_from_db()
    assert market.tick_size == Decimal("0.01")


def test_a_market_that_moved_between_the_decision_and_its_order_is_not_chased(
    desk: Desk, market: Instrument
) -> None:
    intent = decide(market, size="1000", usd="50", price="0.050")
    desk.book(SLUG, bids=[["0.020", "100"]], asks=[["0.080", "1000"]])

    assert intent_place(intent.pk, now=utc_now()).word == "finished"

    state, outcome = finished(intent)
    assert state == "ABANDONED"
    assert outcome.startswith("the book offers nothing within the price limit")
    assert Order.objects.count() == 0


def test_a_wrong_key_stops_the_venue_until_a_person_looks(desk: Desk, market: Instrument) -> None:
    intent = decide(market)
    wrong = desk.polymarket() | {"api_key": "00000000-0000-0000-0000-000000000000"}

    with override_settings(POLYMARKET=wrong):
        gateways_forget()
        order = place(intent)
    gateways_forget()

    assert order.state == "REJECTED"
    breaker = Breaker.objects.get(scope=f"venue:{VENUE}")
    assert (breaker.state, breaker.latched) == ("OPEN", True)
    assert breaker.reason.startswith("the venue refuses our requests: Unauthorized/Invalid api key")
    assert finished(intent) == ("ABANDONED", "polymarket refused: Unauthorized/Invalid api key")


def test_a_clock_that_is_wrong_is_named_as_the_fault(desk: Desk, market: Instrument) -> None:
    intent = decide(market)
    desk.exchange.post("clock", offset_seconds=600)

    order = place(intent)

    desk.exchange.post("clock", offset_seconds=0)
    assert order.state == "REJECTED"
    breaker = Breaker.objects.get(scope=f"venue:{VENUE}")
    assert (breaker.state, breaker.latched) == ("OPEN", True)
    # The venue tells its time in whole seconds.
    told = re.search(
        r"the venue's clock is \+(\d+) s from ours: synchronise this machine \(NTP\)", breaker.reason
    )
    assert told is not None and int(told[1]) in {599, 600}
    assert orders_there(desk) == {}


def test_a_venue_that_cannot_be_reached_postpones_the_decision(
    desk: Desk, market: Instrument, free_port: int
) -> None:
    intent = decide(market)
    nowhere = desk.polymarket() | {"clob_url": f"http://127.0.0.1:{free_port}/clob"}

    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        placed = intent_place(intent.pk, now=utc_now())
    gateways_forget()

    assert placed.word == "unreachable"
    state, outcome = finished(intent)
    assert state == "OPEN"
    assert outcome.startswith("no book from the venue: ")
    market.venue.refresh_from_db()
    assert market.venue.last_error == placed.sentence


PAUSES = [
    ("restart", {"seconds": 0.4, "post_only_seconds": 0}, 90),
    ("cancel_only", {"seconds": 0.4}, 60),
    ("disabled", {"seconds": 0.4}, 60),
]


@pytest.mark.parametrize(("kind", "values", "rest_s"), PAUSES)
def test_a_venue_that_says_not_now_rests_and_the_decision_goes_on_afterwards(
    desk: Desk, market: Instrument, kind: str, values: dict[str, float], rest_s: int
) -> None:
    intent = decide(market, size="1000", usd="40")
    mode(desk, kind, **values)
    before = utc_now()

    assert place(intent).state == "REJECTED"
    assert finished(intent)[0] == "OPEN"
    breaker = Breaker.objects.get(scope=f"venue:{VENUE}")
    assert (breaker.state, breaker.latched) == ("OPEN", False)
    assert breaker.resume_at is not None
    assert timedelta(seconds=rest_s) <= breaker.resume_at - before < timedelta(seconds=rest_s + 5)
    assert intent_place(intent.pk, now=utc_now()).word == "gated"

    assert venues_resume_due(now=breaker.resume_at) == 1
    desk.exchange.post("clock", advance_seconds=1)
    settle()
    assert finished(intent) == ("DONE", "complete")
    assert shares_there(desk, market) == 1000


def test_a_rate_limit_rests_the_venue_as_long_as_it_says(desk: Desk, market: Instrument) -> None:
    intent = decide(market, size="1000", usd="40")
    strike(desk, "rate_limit", headers=True)
    before = utc_now()

    assert place(intent).state == "REJECTED"

    breaker = Breaker.objects.get(scope=f"venue:{VENUE}")
    assert breaker.resume_at is not None and breaker.resume_at - before < timedelta(seconds=3)
    assert venues_resume_due(now=breaker.resume_at) == 1
    settle()
    assert finished(intent) == ("DONE", "complete")
    assert len(orders_there(desk)) == 1


# ------------------------------------------------------------------------------------------------- sales
def test_a_sale_delivers_units_and_is_let_through_when_only_reductions_are(
    desk: Desk, market: Instrument
) -> None:
    place(decide(market, size="1000", usd="40"))
    settle()
    breaker_trip(
        "global", reason="wind down", actor="risk.officer", now=utc_now(), effect=Breaker.Effect.REDUCE_ONLY
    )

    sale = place(decide(market, size="400", usd="8", price="0.020", side=Side.SELL))
    settle()

    sale.refresh_from_db()
    assert (sale.state, sale.filled_size, sale.is_reducing) == ("FILLED", 400, True)
    assert shares_there(desk, market) == 600
