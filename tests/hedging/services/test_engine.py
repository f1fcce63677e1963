"""The money path without Redis, without beat and without bells."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from hedging.domain.pauses import Pause
from hedging.models import Cycle, HedgePosition, Intent, Mapping, Order
from hedging.services.breakers import venue_pause
from hedging.services.engine import Engine
from hedging.services.verification import verify_book
from policies.models import Policy, Product
from tests import factories
from tests.desk import Desk
from tests.trading import (
    SLUG,
    VENUE,
    cycle,
    decide,
    environment,
    orders_there,
    place,
    sell,
    shares_there,
    strike,
    wait_for,
)
from tonsurance.kernel.clock import utc_now
from tonsurance.launch.keeper import Keeper
from tonsurance.plumbing.slots import slot_claim
from venues.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def beat_is_alive() -> None:
    """Beat has just done its work, so that the engine has only its own."""
    for job, every_s in (("orchestrate", 300), ("expire", 60)):
        slot_claim(job, every_s=every_s, now=utc_now())


def test_an_engine_takes_a_decision_to_its_settled_end(
    desk: Desk, market: Instrument, beat_is_alive: None
) -> None:
    sell("P-1", 1_000)
    cycle()
    engine = Engine(interval_s=0.05)

    engine.run(ticks_max=3)
    wait_for(lambda: all(row["status"] == "CONFIRMED" for row in desk.truth()["trades"].values()))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hedging_order SET next_check_at = now()")
        cursor.execute("DELETE FROM plumbing_jobslot WHERE job LIKE 'engine_settlements%'")
    engine.run(ticks_max=2)

    assert (Order.objects.get().state, Intent.objects.get().state) == ("FILLED", "DONE")
    assert HedgePosition.objects.get().size == 1000 == shares_there(desk, market)
    assert verify_book() == []


def test_an_engine_resolves_what_a_lost_answer_left(
    desk: Desk, market: Instrument, beat_is_alive: None
) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    place(decide(market, size="1000", usd="40"))
    assert orders_there(desk) == {}

    Engine(interval_s=0.05).run(ticks_max=1)

    order = Order.objects.get()
    # The watch of settlements may have seen its trade already.
    assert order.state in ("ACKED", "FILLED")
    assert order.attempts == 2
    assert list(orders_there(desk)) == [order.client_order_id]


def test_an_engine_ends_a_pause_that_is_over(desk: Desk, market: Instrument, beat_is_alive: None) -> None:
    ago = utc_now() - timedelta(seconds=1)
    venue_pause(VENUE, kind=Pause.RESTART, reason="restart", until=ago, now=ago)
    intent = decide(market, size="1000", usd="40")

    Engine(interval_s=0.05).run(ticks_max=1)

    assert intent.orders.get().state in ("ACKED", "FILLED")


def test_an_engine_does_beats_work_when_beat_is_dead(desk: Desk, market: Instrument) -> None:
    product = Product.objects.get(coverage_type="depeg", chain="ethereum", stablecoin="USDC")
    now = utc_now()
    goes_on = factories.policy(product, "1000", now=now)
    has_ended = factories.policy(product, "500", now=now - timedelta(days=31))

    Engine(interval_s=0.05).run(ticks_max=1)
    Engine(interval_s=0.05).run(ticks_max=1)

    assert list(Cycle.objects.values_list("cause", "state")) == [("engine", "done")]
    assert dict(Policy.objects.values_list("pk", "status")) == {goes_on.pk: "active", has_ended.pk: "expired"}


def test_an_engine_watches_mappings_when_beat_is_dead(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("market", slug=SLUG, description="Other rules.")
    Instrument.objects.update(refreshed_at=utc_now() - timedelta(minutes=5))

    Engine(interval_s=0.05).run(ticks_max=1)

    assert Mapping.objects.get().suspended_kind == "wording"


def test_an_engine_wakes_at_once_for_a_new_decision(
    desk: Desk, market: Instrument, beat_is_alive: None
) -> None:
    engine = Engine(interval_s=30)

    def work() -> None:
        try:
            engine.run()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_for(_listening)
        before = utc_now()
        decide(market, size="1000", usd="40")
        wait_for(lambda: Order.objects.filter(attempts=1).exists(), seconds=5)
        assert utc_now() - before < timedelta(seconds=5)
    finally:
        engine.stop()
        thread.join(timeout=10)
    assert not thread.is_alive()


def _listening() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN hedging_intent'")
        return bool(cursor.fetchone()[0])


@pytest.mark.crash
def test_orders_are_placed_and_resolved_with_redis_dead(
    desk: Desk, market: Instrument, keeper: Keeper, tmp_path: Path, free_port: int
) -> None:
    strike(desk, "timeout_after", seconds=0.1)
    sell("P-1", 1_000)
    child = keeper.spawn(
        "engine",
        [sys.executable, "manage.py", "run_engine", "--interval", "0.1"],
        log=tmp_path / "engine.log",
        environment=environment(desk, REDIS_URL=f"redis://127.0.0.1:{free_port}/0"),
        stage=2,
    )

    # Nobody rang, nobody decided: the engine finds that no cycle has run, and does the rest.
    wait_for(HedgePosition.objects.exists, seconds=40)

    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(timeout=20) == 0, child.last_words()
    keeper.expect_end(child)
    assert (Order.objects.get().attempts, len(orders_there(desk))) == (1, 1)
    assert HedgePosition.objects.get().size == 1000 == shares_there(desk, market)
    assert verify_book() == []
