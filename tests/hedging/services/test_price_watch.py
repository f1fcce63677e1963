"""A price that leaves its band wakes one cycle, which says why, and sets the band anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from time import sleep

import pytest
from django.db import connection

from hedging.models import Cycle, CycleTarget, Intent
from hedging.services.cycles import cycle_run_if_due
from hedging.services.engine import Engine
from hedging.services.price_watch import price_moved
from hedging.tasks import orchestrate, watch_prices
from tests.desk import Desk
from tests.trading import ASKS, BIDS, SLUG, configure, cycle, place, sell, settle
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.slots import slot_claim
from venues.models import BookSnapshot, Instrument, StreamBook, StreamState

pytestmark = pytest.mark.django_db(transaction=True)

Streamed = Callable[..., StreamBook]


@pytest.fixture
def streamed(market: Instrument) -> Streamed:
    """What a stream has written of the market, as of now."""

    def write(
        *, bids: list[list[str]] = BIDS, asks: list[list[str]] = ASKS, at: datetime | None = None
    ) -> StreamBook:
        moment = at or utc_now()
        line, _ = StreamState.objects.update_or_create(
            name="polymarket-1",
            defaults={
                "venue_id": "polymarket",
                "connected_since": moment - timedelta(minutes=5),
                "heard_at": moment,
                "told_at": moment,
            },
        )
        row, _ = StreamBook.objects.update_or_create(
            instrument=market,
            defaults={
                "stream": line,
                "bids": bids,
                "asks": asks,
                "best_bid": Decimal(bids[0][0]) if bids else None,
                "best_ask": Decimal(asks[0][0]) if asks else None,
                "is_sound": True,
                "venue_at": moment,
                "received_at": moment,
            },
        )
        return row

    return write


def test_a_cycle_plans_with_a_young_streamed_book_and_keeps_it(
    desk: Desk, market: Instrument, streamed: Streamed
) -> None:
    sell("P-1", 1_000)
    row = streamed(asks=[["0.045", "1000"]])
    result = cycle()
    (target,) = CycleTarget.objects.filter(cycle_id=result.cycle_id)
    assert target.price_average == Decimal("0.045"), "the exchange itself asks 0.04"
    assert target.book is not None
    assert (target.book.taken_at, target.book.asks) == (row.received_at, [["0.045", "1000"]])


@pytest.mark.parametrize("why", ["old", "in doubt", "switched off", "line down"])
def test_a_streamed_book_that_may_be_wrong_is_asked_for_instead(
    desk: Desk, market: Instrument, streamed: Streamed, why: str
) -> None:
    sell("P-1", 1_000)
    old = utc_now() - timedelta(seconds=20)
    streamed(asks=[["0.045", "1000"]], at=old if why in ("old", "line down") else None)
    if why == "in doubt":
        StreamBook.objects.update(is_sound=False)
    if why == "switched off":
        configure(streamBookMaxAgeSeconds=0)
    if why == "line down":
        StreamState.objects.update(connected_since=None, heard_at=utc_now())
    result = cycle()
    (target,) = CycleTarget.objects.filter(cycle_id=result.cycle_id)
    assert target.price_average == Decimal("0.04")


def test_an_open_line_that_speaks_keeps_a_quiet_market_young(
    desk: Desk, market: Instrument, streamed: Streamed
) -> None:
    sell("P-1", 1_000)
    streamed(asks=[["0.045", "1000"]], at=utc_now() - timedelta(seconds=30))
    StreamState.objects.update(heard_at=utc_now())
    result = cycle()
    assert CycleTarget.objects.get(cycle_id=result.cycle_id).price_average == Decimal("0.045")


def test_a_price_that_moved_wakes_one_cycle_and_the_band_is_set_anew(
    desk: Desk, market: Instrument, streamed: Streamed
) -> None:
    sell("P-1", 1_000)
    cycle()
    assert price_moved(now=utc_now()) == "", "nothing is streamed"
    streamed()
    assert price_moved(now=utc_now()) == "", "nothing has moved"
    streamed(asks=[["0.060", "1000"]])
    cause = price_moved(now=utc_now())
    assert cause == f"price: {SLUG}, ask up from 0.04 to 0.06"
    assert price_moved(now=utc_now()) == "", "one answer in priceWakeSeconds"
    assert cycle_run_if_due(cause=cause, now=utc_now()) is not None
    woken = Cycle.objects.first()
    assert woken is not None
    assert (woken.cause, woken.cause_detail) == ("price", f"{SLUG}, ask up from 0.04 to 0.06")
    assert BookSnapshot.objects.order_by("-taken_at")[0].best_ask == Decimal("0.06")
    streamed(asks=[["0.060", "900"]])
    late = utc_now() + timedelta(seconds=40)
    StreamState.objects.update(heard_at=late)
    assert price_moved(now=late) == ""
    streamed(asks=[["0.040", "900"]], at=late)
    assert price_moved(now=late) == f"price: {SLUG}, ask down from 0.06 to 0.04"


@pytest.mark.parametrize("key", ["priceBandBps", "streamBookMaxAgeSeconds"])
def test_the_watch_can_be_switched_off(desk: Desk, market: Instrument, streamed: Streamed, key: str) -> None:
    sell("P-1", 1_000)
    cycle()
    streamed(asks=[["0.090", "1000"]])
    configure(**{key: 0})
    assert price_moved(now=utc_now()) == ""


def test_our_own_purchases_wake_nobody(desk: Desk, market: Instrument, streamed: Streamed) -> None:
    sell("P-1", 1_000)
    result = cycle()
    streamed(asks=[["0.090", "1000"]])
    (intent,) = Intent.objects.filter(cycle_id=result.cycle_id)
    place(intent)
    assert price_moved(now=utc_now()) == "", "we have taken the cheap levels ourselves"
    settle()
    assert price_moved(now=utc_now()) == ""
    cycle()
    streamed(asks=[["0.120", "1000"]])
    assert price_moved(now=utc_now()) == "", (
        "that cycle may have planned with a book from before the purchase"
    )
    configure(streamBookMaxAgeSeconds=1)
    sleep(1.2)
    cycle()
    streamed(asks=[["0.120", "1000"]])
    assert price_moved(now=utc_now()) == f"price: {SLUG}, ask up from 0.05 to 0.12"


def test_two_that_look_at_once_wake_one_cycle(desk: Desk, market: Instrument, streamed: Streamed) -> None:
    sell("P-1", 1_000)
    cycle()
    streamed(asks=[["0.090", "1000"]])
    now = utc_now()
    answers = [price_moved(now=now) for _ in range(2)]
    assert [bool(answer) for answer in answers] == [True, False]


def test_the_task_rings_the_orchestrator_with_the_cause(
    desk: Desk, market: Instrument, streamed: Streamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell("P-1", 1_000)
    cycle()
    streamed(asks=[["0.090", "1000"]])
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr("hedging.tasks.ring", lambda *words, **_: rung.append(words))
    cause = watch_prices()
    assert rung == [("hedging.orchestrate", cause)]
    assert "intents" in orchestrate(cause)
    assert Cycle.objects.filter(cause="price").count() == 1


def test_the_engine_watches_prices_when_beat_does_not(
    desk: Desk, market: Instrument, streamed: Streamed
) -> None:
    sell("P-1", 1_000)
    configure(enabled=False)  # or the engine would buy, and the price be our own doing
    cycle()
    for job, every_s in (("orchestrate", 300), ("expire", 60), ("watch_mappings", 60)):
        slot_claim(job, every_s=every_s, now=utc_now())
    streamed(asks=[["0.090", "1000"]])
    Engine(interval_s=0.05).run(ticks_max=1)
    assert Cycle.objects.filter(cause="price").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM plumbing_jobslot WHERE job = 'watch_prices'")
        assert cursor.fetchone()[0] == 1
