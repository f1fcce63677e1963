"""Tasks may come late, twice or never: the slot or the row decides, not the message."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import redis
from django.test import override_settings

from hedging import tasks
from hedging.models import Cycle, Mapping, Order, OrderAttempt, ReconciliationRun
from tests.desk import Desk
from tests.trading import (
    ASKS,
    BIDS,
    SETTINGS,
    SLUG,
    VENUE,
    configure,
    decide,
    map_market,
    orders_there,
    sell,
    settle,
    strike,
)
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import bells
from tonsurance.plumbing.models import JobSlot
from venues.models import Instrument
from venues.registry import gateways_forget

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_bell() -> None:
    """No loss of an earlier test keeps the bell quiet."""
    bells._quiet_until = 0.0


@pytest.fixture
def broker(redis_url: str) -> redis.Redis:
    """The live Valkey that bells ring through."""
    return redis.Redis.from_url(redis_url)


@pytest.fixture
def market(desk: Desk) -> Instrument:
    """The USDC depeg market, mapped, with trading on."""
    desk.book(SLUG, bids=BIDS, asks=ASKS)
    configure(**SETTINGS)
    return map_market(desk).instrument


def rung(broker: redis.Redis, queue: str) -> int:
    """How many bells wait in a queue."""
    return int(broker.llen(f"hedge:{queue}"))


def test_beats_bell_runs_one_cycle_per_slot_however_often_it_rings(
    desk: Desk, market: Instrument, broker: redis.Redis
) -> None:
    sell("P-1", 1_000)
    broker.flushdb()

    said = [tasks.orchestrate("beat") for _ in range(3)]

    assert said[1:] == ["slot taken", "slot taken"]
    assert said[0] == f"cycle {Cycle.objects.get().pk}: 1 intents"
    assert rung(broker, "place.polymarket") == 1


def test_a_sales_bell_runs_a_cycle_at_once(desk: Desk, market: Instrument, broker: redis.Redis) -> None:
    tasks.orchestrate("beat")
    sell("P-1", 1_000)

    assert tasks.orchestrate("sale").endswith(": 1 intents")
    assert Cycle.objects.count() == 2


def test_placing_rings_for_the_look_up_and_the_look_up_for_the_next_step(
    desk: Desk, market: Instrument, broker: redis.Redis
) -> None:
    intent = decide(market, size="1000", usd="40")

    assert [tasks.place(VENUE, str(intent.pk)) for _ in range(2)] == ["acked", "nothing is due"]
    order = Order.objects.get()
    assert (rung(broker, "resolve.polymarket"), OrderAttempt.objects.count()) == (1, 1)

    assert tasks.resolve(VENUE, str(order.pk)) == "filled"
    assert tasks.resolve(VENUE, str(order.pk)) == "finished"
    assert rung(broker, "place.polymarket") == 2
    assert tasks.place(VENUE, str(intent.pk)) == "finished"
    assert len(orders_there(desk)) == 1


def test_a_lost_broker_changes_nothing_but_the_bell(
    desk: Desk, market: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "_quiet_until", float("inf"))
    intent = decide(market, size="1000", usd="40")

    assert tasks.place(VENUE, str(intent.pk)) == "acked"
    settle()
    assert len(orders_there(desk)) == 1


def test_the_watch_of_orders_runs_once_per_slot(desk: Desk, market: Instrument, broker: redis.Redis) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    intent = decide(market, size="1000", usd="40")
    tasks.place(VENUE, str(intent.pk))

    assert [tasks.watch_orders(), tasks.watch_orders()] == [1, 0]
    assert Order.objects.get().attempts == 2


def test_the_other_watches_run_once_per_slot(desk: Desk, market: Instrument, broker: redis.Redis) -> None:
    for _ in range(2):
        tasks.watch_settlements()
        tasks.reconcile()

    assert ReconciliationRun.objects.count() == 1


def test_markets_are_searched_once_a_day_and_again_after_silence(
    desk: Desk, broker: redis.Redis, free_port: int
) -> None:
    nowhere = desk.polymarket() | {"gamma_url": f"http://127.0.0.1:{free_port}/gamma"}
    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        assert tasks.find_markets() == 0
    gateways_forget()
    assert tasks.find_markets() == 0, "once an hour, whoever rings"

    JobSlot.objects.filter(job="find_markets").delete()
    proposed = tasks.find_markets()
    assert proposed == Mapping.objects.filter(state="proposed").count() > 0

    JobSlot.objects.filter(job="find_markets").delete()
    Mapping.objects.update(read_wording_hash="worded otherwise")
    assert tasks.find_markets() == 0, "every type had its answer today"


def test_mappings_are_watched_once_per_slot(desk: Desk, market: Instrument, broker: redis.Redis) -> None:
    desk.exchange.post("market", slug=SLUG, accepting_orders=False)
    Instrument.objects.update(refreshed_at=utc_now() - timedelta(minutes=5))

    assert [tasks.watch_mappings(), tasks.watch_mappings()] == [1, 0]

    assert Mapping.objects.get().suspended_kind == "paused"


def test_a_message_for_a_row_that_is_gone_does_nothing(
    desk: Desk, market: Instrument, broker: redis.Redis
) -> None:
    assert tasks.place(VENUE, str(uuid.uuid4())) == "nothing is due"
    assert Order.objects.count() == 0
