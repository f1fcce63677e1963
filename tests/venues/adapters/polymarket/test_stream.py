"""The line against the practice exchange: exact books through drops, silence, gaps, duplicates, swaps and restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from tonsurance.launch.keeper import Keeper, environment_of_children
from tonsurance.launch.practice import PracticeExchange, practice_exchange_start
from venues.adapters.polymarket.book_checks import Pace
from venues.adapters.polymarket.markets import book_of
from venues.adapters.polymarket.stream import TOKENS_MAX, MarketStream
from venues.adapters.polymarket.stream_config import StreamConfig, stream_config_from
from venues.domain.streams import StreamedBook

USDC = "usdc-depeg-by-december-31-2027"
USDT = "usdt-depeg-by-december-31-2027"
QUICK = Pace(silent_s=0.6, audit_s=30.0, grace_s=0.4, taken_s=1.5)
WAIT_S = 15.0


class Watched:
    """A stream with what it has given so far."""

    def __init__(self, exchange: PracticeExchange, pace: Pace) -> None:
        self.exchange = exchange
        urls = exchange.get("info")["urls"]
        config = StreamConfig(clob_market_ws_url=urls["clob_market_ws_url"], clob_url=urls["clob_url"])
        self.stream = MarketStream(config, name="polymarket-1", pace=pace)
        self.books: dict[str, StreamedBook] = {}

    def take(self) -> None:
        changed = self.stream.changed()
        self.stream.written(changed)
        self.books |= {book.instrument_id: book for book in changed}

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of what the stream has given."""
        deadline = time.monotonic() + WAIT_S
        while True:
            self.take()
            if true():
                return
            assert time.monotonic() < deadline, (self.stream.health(), self.books)
            await asyncio.sleep(0.02)

    async def post(self, path: str, /, **body: Any) -> None:
        await asyncio.to_thread(lambda: self.exchange.post(path, **body))

    def is_equal(self, *tokens: str) -> bool:
        """Whether our books of these tokens are those of REST, level by level."""
        for token in tokens:
            told = book_of(rest(self.exchange, token), instrument_id=token)
            ours = self.books.get(token)
            if ours is None or not ours.is_sound or (ours.bids, ours.asks) != (told.bids, told.asks):
                return False
        return True

    async def until_equal(self, *tokens: str) -> None:
        await self.until(lambda: self.is_equal(*tokens))


def rest(exchange: PracticeExchange, token: str) -> Any:
    import json
    import urllib.request

    with urllib.request.urlopen(f"{exchange.base_url}/clob/book?token_id={token}", timeout=5) as answer:
        return json.load(answer)


def tokens_of(exchange: PracticeExchange, slug: str = USDC) -> list[str]:
    found: list[str] = exchange.get("info")["markets"][slug]["token_ids"]
    return found


@asynccontextmanager
async def running(exchange: PracticeExchange, *tokens: str, pace: Pace = QUICK) -> AsyncIterator[Watched]:
    watched = Watched(exchange, pace)
    watched.stream.want(tokens)
    task = asyncio.create_task(watched.stream.run())
    try:
        yield watched
    finally:
        watched.stream.stop()
        await asyncio.wait_for(task, 5)


def tell(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_books_follow_the_exchange_level_by_level(practice_exchange):
    yes, no = tokens_of(practice_exchange)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            for ticks in (1, 2, -3):
                await watched.post("book/move", slug=USDC, ticks=ticks)
                await watched.until_equal(yes, no)
            await watched.post("book", slug=USDC, bids=[], asks=[["0.031", "0.5"]])
            await watched.until_equal(yes, no)
            assert watched.books[yes].bids == ()
            assert watched.books[no].bids[0].price == Decimal("0.969")
            health = watched.stream.health()
            assert (health.gaps, health.resyncs, health.false_alarms, health.reconnects) == (0, 0, 0, 0)
            assert (health.instruments, health.sound) == (2, 2)
            assert health.heard_at and utc_now() - health.heard_at < timedelta(seconds=5)

    tell(story())


def test_a_book_is_given_once_until_it_changes(practice_exchange):
    (yes, _) = tokens_of(practice_exchange)

    async def story() -> None:
        async with running(practice_exchange, yes) as watched:
            await watched.until_equal(yes)
            assert watched.stream.changed() == []
            watched.stream.unwritten()
            assert [book.instrument_id for book in watched.stream.changed()] == [yes]

    tell(story())


def test_subscriptions_change_on_the_open_line(practice_exchange):
    yes, other = tokens_of(practice_exchange)[0], tokens_of(practice_exchange, USDT)[0]

    async def story() -> None:
        async with running(practice_exchange, yes) as watched:
            await watched.until_equal(yes)
            watched.stream.want([other])
            await watched.until_equal(other)
            await watched.post("book/move", slug=USDT, ticks=1)
            await watched.until_equal(other)
            await asyncio.sleep(QUICK.taken_s + 1)
            health = watched.stream.health()
            assert (health.instruments, health.reconnects) == (1, 0)

    tell(story())


def test_silence_is_found_out_by_rest_and_the_line_is_opened_anew(practice_exchange):
    yes, no = tokens_of(practice_exchange)
    practice_exchange.post("faults", kind="socket_silence", path="/ws/market/price_change", seconds=60)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            await watched.post("book/move", slug=USDC, ticks=1)
            await watched.until_equal(yes, no)
            await watched.until(lambda: watched.stream.health().reconnects == 1)
            assert "silent" in watched.stream.health().error
            assert watched.stream.health().gaps == 1
            await watched.post("book/move", slug=USDC, ticks=1)
            await watched.until_equal(yes, no)

    tell(story())


def test_a_quiet_market_is_confirmed_by_rest_and_stays_young(practice_exchange):
    yes, no = tokens_of(practice_exchange)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            heard = watched.stream.health().heard_at
            await asyncio.sleep(2.5)
            health = watched.stream.health()
            assert heard and health.heard_at and health.heard_at - heard > timedelta(seconds=0.5)
            assert (health.reconnects, health.resyncs) == (0, 0)

    tell(story())


@pytest.mark.parametrize("kind", ["socket_gap", "socket_reorder", "socket_duplicate"])
def test_lost_swapped_and_doubled_messages_leave_the_book_exact(practice_exchange, kind):
    yes, no = tokens_of(practice_exchange)
    practice_exchange.post("faults", kind=kind, path="/ws/market/price_change", count=None, probability=0.3)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            for number in range(12):
                bids = [["0.020", str(100 + number)], ["0.010", "5"]]
                await watched.post("book", slug=USDC, bids=bids, asks=[["0.030", str(50 + number % 3)]])
                watched.take()
            await watched.until_equal(yes, no)
            if kind == "socket_gap":
                assert watched.stream.health().resyncs > 0
            if kind == "socket_duplicate":
                assert watched.stream.health().resyncs == 0

    try:
        tell(story())
    finally:
        practice_exchange.post("faults", seed=1, faults=[])


def test_a_dropped_line_comes_back_and_an_old_snapshot_is_not_believed(practice_exchange):
    yes, no = tokens_of(practice_exchange)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            await watched.post("faults", kind="socket_drop", path="/ws/market/price_change")
            await watched.post("faults", kind="socket_stale")
            await watched.post("book/move", slug=USDC, ticks=1)
            await watched.until(lambda: watched.stream.health().reconnects == 1)
            await watched.until_equal(yes, no)

    try:
        tell(story())
    finally:
        practice_exchange.post("faults", seed=1, faults=[])


def test_a_tick_change_is_followed(practice_exchange):
    yes, no = tokens_of(practice_exchange)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            await watched.post("market", slug=USDC, tick="0.0001")
            await watched.post("book", slug=USDC, bids=[["0.0201", "7"]], asks=[["0.0307", "9"]])
            await watched.until_equal(yes, no)
            assert watched.books[yes].bids[0].price == Decimal("0.0201")
            assert watched.stream.health().gaps == 0

    tell(story())


def test_a_resolved_market_is_not_sound_any_more(practice_exchange):
    yes, other = tokens_of(practice_exchange)[0], tokens_of(practice_exchange, USDT)[0]

    async def story() -> None:
        async with running(practice_exchange, yes, other) as watched:
            await watched.until_equal(yes, other)
            await watched.post("resolve", slug=USDC, payout="NO")
            await watched.until(lambda: not watched.books[yes].is_sound)
            assert watched.books[other].is_sound

    tell(story())


def test_the_exchange_is_killed_and_comes_back(keeper: Keeper, tmp_path: Path):
    def start(port: int = 0) -> PracticeExchange:
        return practice_exchange_start(
            keeper,
            home=tmp_path / "exchange",
            log=tmp_path / "exchange.log",
            environment=environment_of_children(),
            port=port,
        )

    exchange = start()
    yes, no = tokens_of(exchange)
    port = int(exchange.base_url.rpartition(":")[2])

    async def story() -> None:
        async with running(exchange, yes, no) as watched:
            await watched.until_equal(yes, no)
            exchange.child.process.kill()
            await watched.until(lambda: not watched.books[yes].is_sound)
            assert watched.stream.health().connected_since is None
            watched.exchange = await asyncio.to_thread(start, port)
            await watched.post("book/move", slug=USDC, ticks=2)
            await watched.until_equal(yes, no)
            assert watched.stream.health().reconnects >= 1

    tell(story())


sizes = st.integers(1, 10_000_000).map(lambda cents: f"{cents / 100:.2f}")
steps = st.lists(
    st.tuples(
        st.dictionaries(st.integers(1, 30), sizes, max_size=6),
        st.dictionaries(st.integers(31, 80), sizes, max_size=6),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_after_any_changes_the_book_is_the_exchanges(practice_exchange, steps):
    yes, no = tokens_of(practice_exchange)

    async def story() -> None:
        async with running(practice_exchange, yes, no) as watched:
            for bids, asks in steps:
                await watched.post(
                    "book",
                    slug=USDC,
                    bids=[[f"0.{key:03d}", size] for key, size in bids.items()],
                    asks=[[f"0.{key:03d}", size] for key, size in asks.items()],
                )
            await watched.until_equal(yes, no)
            assert watched.stream.health().gaps == 0

    tell(story())


def test_one_line_does_not_take_more_than_it_carries(practice_exchange):
    watched = Watched(practice_exchange, QUICK)
    with pytest.raises(ValueError, match="201 tokens are more than the 200"):
        watched.stream.want([str(number) for number in range(TOKENS_MAX + 1)])


@pytest.mark.parametrize(
    ("clob", "socket", "words"),
    [
        ("https://clob.polymarket.com", "ws://127.0.0.1:1/ws/market", "two exchanges"),
        ("http://127.0.0.1:1/clob", "wss://ws-subscriptions-clob.polymarket.com/ws/market", "two exchanges"),
        (
            "https://clob.polymarket.com",
            "wss://ws-subscriptions-clob.polymarket.com/ws/market",
            "is the live",
        ),
        ("http://127.0.0.1:1/clob", "http://127.0.0.1:1/ws/market", "begins with ws:// or wss://"),
        ("http://127.0.0.1:1/clob", "", "begins with ws:// or wss://"),
    ],
)
def test_a_mixture_of_exchanges_is_refused(clob, socket, words):
    with pytest.raises(Refused, match=words):
        stream_config_from({"clob_url": clob, "clob_market_ws_url": socket, "live_allowed": False})
