"""Processes killed at every step of a send: nothing trades twice, nothing is lost, and seconds later all is known.

The rows are those of the crash table in `docs/adr/0005-order-protocol.md`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from hedging.models import Fill, HedgePosition, Intent, Order, OrderAttempt, Position
from hedging.services.verification import verify_book
from tests.desk import Desk
from tests.trading import (
    ASKS,
    BIDS,
    check,
    cycle,
    decide,
    environment,
    map_market,
    orders_there,
    place,
    sell,
    settle,
    shares_there,
    strike,
    wait_for,
)
from tonsurance.kernel.clock import utc_now
from tonsurance.launch.keeper import Child, Keeper
from venues.models import Instrument

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]


class Dying:
    """Starts the processes of `tests/dying.py` and hears them."""

    def __init__(self, desk: Desk, keeper: Keeper, home: Path) -> None:
        self.desk, self.keeper, self.home = desk, keeper, home

    def ready(self, step: str, verb: str, number: object) -> Child:
        """A process that stands ready to do `verb`."""
        child = self.keeper.spawn(
            f"{step} {verb}",
            [sys.executable, "-m", "tests.dying", step, verb, str(number)],
            log=self.home / f"{step.replace(':', '-')}.log",
            environment=environment(self.desk),
            stage=2,
            conversing=True,
        )
        assert child.process.stdout is not None
        assert child.process.stdout.readline() == b"ready\n", child.last_words()
        return child

    def go(self, child: Child) -> None:
        """Give the word."""
        assert child.process.stdin is not None
        child.process.stdin.write(b"go\n")
        child.process.stdin.flush()

    def word(self, child: Child) -> str:
        """What a process that lives says at its end."""
        assert child.process.stdout is not None
        said = child.process.stdout.readline().decode().strip()
        assert child.process.wait(timeout=20) == 0, child.last_words()
        return said

    def die(self, step: str, verb: str, number: object) -> None:
        """Run a process that kills itself at `step`."""
        child = self.ready(step, verb, number)
        self.go(child)
        assert child.process.wait(timeout=20) == -signal.SIGKILL, child.last_words()


@pytest.fixture
def dying(desk: Desk, keeper: Keeper, tmp_path: Path) -> Iterator[Dying]:
    """Processes that may be killed; the test's database outlives their connections."""
    yield Dying(desk, keeper, tmp_path)
    keeper.stop()


def assert_bought_once(desk: Desk, market: Instrument) -> Order:
    """Our book and the exchange agree on one order of 1,000 shares."""
    order = Order.objects.get()
    assert list(orders_there(desk)) == [order.client_order_id]
    assert order.filled_size == 1000 == shares_there(desk, market) == Position.objects.get().size
    assert Intent.objects.get().state == "DONE"
    assert verify_book() == []
    return order


# ------------------------------------------------------------------------------------------------- before the wire
def test_a_death_after_prepare_leaves_an_order_that_the_next_worker_sends(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    intent = decide(market, size="1000", usd="40")
    dying.die("prepared", "place", intent.pk)
    prepared = Order.objects.get()
    assert (prepared.state, prepared.attempts, orders_there(desk)) == ("PREPARED", 0, {})

    settle()

    order = assert_bought_once(desk, market)
    assert (order.client_order_id, order.attempts) == (prepared.client_order_id, 1)


def test_a_death_after_the_commit_to_send_is_resolved_by_sending_the_same_bytes(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    intent = decide(market, size="1000", usd="40")
    dying.die("committed", "place", intent.pk)
    sending = Order.objects.get()
    assert (sending.state, sending.attempts, orders_there(desk)) == ("SENDING", 1, {})
    assert OrderAttempt.objects.get().finished_at is None

    settle()

    order = assert_bought_once(desk, market)
    assert (order.client_order_id, order.attempts) == (sending.client_order_id, 2)


# ------------------------------------------------------------------------------------------------- on the wire
@pytest.mark.parametrize(
    ("kind", "attempts"),
    [
        ("timeout_after", 1),  # the venue took it, the answer never came: found by the look-up
        ("timeout_before", 2),  # the venue never got it: the same bytes again
    ],
)
def test_a_death_on_the_wire_is_resolved_by_what_the_venue_knows(
    desk: Desk, market: Instrument, dying: Dying, kind: str, attempts: int
) -> None:
    strike(desk, kind, seconds=5)
    intent = decide(market, size="1000", usd="40")
    child = dying.ready("none", "place", intent.pk)
    dying.go(child)
    wait_for(lambda: bool(desk.exchange.get("faults")["log"]))

    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(timeout=20)
    assert Order.objects.get().state == "SENDING"
    settle()

    assert assert_bought_once(desk, market).attempts == attempts


def test_bytes_that_arrive_after_their_sender_died_trade_once(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    strike(desk, "slow", seconds=1)
    intent = decide(market, size="1000", usd="40")
    child = dying.ready("none", "place", intent.pk)
    dying.go(child)
    wait_for(lambda: bool(desk.exchange.get("faults")["log"]))
    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(timeout=20)

    # The resolver asks before the bytes have arrived, sends them again, and both are one order.
    order = Order.objects.get()
    assert check(order, after=timedelta(seconds=30)).state == "UNKNOWN"
    assert check(order, after=timedelta(seconds=30)).state == "ACKED"
    settle()

    assert assert_bought_once(desk, market).attempts == 2


def test_a_death_between_the_answer_and_its_record_is_resolved_by_a_look_up(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    intent = decide(market, size="1000", usd="40")
    dying.die("answered", "place", intent.pk)
    assert (Order.objects.get().state, len(orders_there(desk))) == ("SENDING", 1)

    settle()

    assert assert_bought_once(desk, market).attempts == 1


# ------------------------------------------------------------------------------------------------- while booking
def test_a_death_while_a_fill_is_booked_leaves_no_half_of_it(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    policy = sell("P-1", 1_000)
    place(Intent.objects.get(pk=cycle().intents[0][1]))
    wait_for(lambda: all(row["status"] == "CONFIRMED" for row in desk.truth()["trades"].values()))
    dying.die("booking", "check", Order.objects.get().pk)
    assert (Fill.objects.count(), Position.objects.count(), HedgePosition.objects.count()) == (0, 0, 0)

    settle()

    order = assert_bought_once(desk, market)
    part = HedgePosition.objects.get()
    assert (part.policy_id, part.size) == (policy, order.filled_size)


# ------------------------------------------------------------------------------------------------- a batch in flight
def three_decided(desk: Desk, market: Instrument) -> list[Intent]:
    """Decisions on three markets, which travel in one request."""
    markets = [market]
    for stablecoin in ("USDT", "DAI"):
        slug = f"{stablecoin.lower()}-depeg-by-december-31-2027"
        desk.book(slug, bids=BIDS, asks=ASKS)
        markets.append(map_market(desk, slug=slug, stablecoin=stablecoin).instrument)
    return [decide(row, size="1000", usd="40") for row in markets]


def assert_each_bought_once(desk: Desk, intents: list[Intent]) -> list[Order]:
    """Three orders at the exchange, ours, filled, one for each decision."""
    orders = list(Order.objects.order_by("intent_id"))
    assert sorted(orders_there(desk)) == sorted(row.client_order_id for row in orders)
    assert [row.intent_id for row in orders] == sorted(intent.pk for intent in intents)
    assert [row.filled_size for row in orders] == [1000] * 3
    assert [shares_there(desk, intent.instrument) for intent in intents] == [1000] * 3
    assert {intent.state for intent in Intent.objects.all()} == {"DONE"}
    assert verify_book() == []
    return orders


@pytest.mark.parametrize(
    ("step", "states", "there", "attempts"),
    [
        ("counted", [], 0, 1),
        ("prepared", ["PREPARED"] * 3, 0, 1),
        ("committed", ["SENDING"] * 3, 0, 2),
        ("answered", ["SENDING"] * 3, 3, 1),
    ],
)
def test_a_death_at_each_step_of_a_batch_is_resolved_order_by_order(
    desk: Desk, market: Instrument, dying: Dying, step: str, states: list[str], there: int, attempts: int
) -> None:
    intents = three_decided(desk, market)

    dying.die(step, "place", ",".join(str(intent.pk) for intent in intents))

    assert list(Order.objects.values_list("state", flat=True)) == states
    assert len(orders_there(desk)) == there
    assert set(Intent.objects.values_list("dispatch_count", flat=True)) == {1}
    settle()
    assert {row.attempts for row in assert_each_bought_once(desk, intents)} == {attempts}


@pytest.mark.parametrize(("kind", "attempts"), [("timeout_after", 1), ("timeout_before", 2)])
def test_a_death_while_a_batch_is_on_the_wire_is_resolved_by_what_the_venue_knows(
    desk: Desk, market: Instrument, dying: Dying, kind: str, attempts: int
) -> None:
    intents = three_decided(desk, market)
    strike(desk, kind, path="/clob/orders", seconds=5)
    child = dying.ready("none", "place", ",".join(str(intent.pk) for intent in intents))
    dying.go(child)
    wait_for(lambda: bool(desk.exchange.get("faults")["log"]))

    os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(timeout=20)
    assert set(Order.objects.values_list("state", flat=True)) == {"SENDING"}
    settle()

    assert {row.attempts for row in assert_each_bought_once(desk, intents)} == {attempts}


def test_a_sender_of_a_batch_that_slept_since_its_commit_sends_nothing_any_more(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    intents = three_decided(desk, market)
    child = dying.ready("sleep:committed", "place", ",".join(str(intent.pk) for intent in intents))
    dying.go(child)
    wait_for(OrderAttempt.objects.exists)
    committed_at = OrderAttempt.objects.latest("started_at").started_at

    for row in Order.objects.all():
        assert check(row, after=timedelta(seconds=30)).state == "UNKNOWN"
    settle()
    wait_for(lambda: (utc_now() - committed_at).total_seconds() > 5.5)
    os.kill(child.process.pid, signal.SIGCONT)

    assert dying.word(child) == "filled filled filled"
    firsts = OrderAttempt.objects.filter(attempt_no=1).values_list("outcome", "code")
    assert set(firsts) == {("Unknown", "paused_before_wire")}
    assert_each_bought_once(desk, intents)


# ------------------------------------------------------------------------------------------------- sleepers, crowds
def test_a_sender_that_slept_since_its_commit_does_not_send_any_more(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    intent = decide(market, size="1000", usd="40")
    child = dying.ready("sleep:committed", "place", intent.pk)
    dying.go(child)
    wait_for(OrderAttempt.objects.exists)
    order = Order.objects.get()
    committed_at = OrderAttempt.objects.get().started_at

    # Meanwhile the order is taken for lost and sent by somebody else; then it is sold again.
    assert check(order, after=timedelta(seconds=30)).state == "UNKNOWN"
    settle()
    wait_for(lambda: (utc_now() - committed_at).total_seconds() > 5.5)
    os.kill(child.process.pid, signal.SIGCONT)

    assert dying.word(child) == "filled"
    first = OrderAttempt.objects.get(attempt_no=1)
    assert (first.outcome, first.code) == ("Unknown", "paused_before_wire")
    assert assert_bought_once(desk, market).state == "FILLED"


def test_three_processes_that_place_one_intent_send_one_order(
    desk: Desk, market: Instrument, dying: Dying
) -> None:
    strike(desk, "slow", seconds=0.3)
    intent = decide(market, size="1000", usd="40")
    children = [dying.ready("none", "place", intent.pk) for _ in range(3)]

    for child in children:
        dying.go(child)
    words = sorted(dying.word(child) for child in children)

    assert words.count("acked") == 1
    assert set(words) <= {"acked", "raced", "in_doubt"}
    settle()
    assert assert_bought_once(desk, market).attempts == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM hedging_orderevent WHERE new = 'SENDING'")
        assert cursor.fetchone() == (1,)
