"""The market channel as its readers hear it: the venue's frames, exact changes, hashes of the REST book, faults."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.venues.simulators.polymarket.rig import ALICE, USDC, USDE, Caller, Exchange

BOOK = {"bids": [["0.020", "400"]], "asks": [["0.030", "3500"], ["0.040", "100"]]}
HEAR_SECONDS = 5.0
QUIET_SECONDS = 0.4


class Reader:
    """A bare WebSocket client that keeps every frame."""

    def __init__(self, exchange: Exchange, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.exchange = exchange
        self.socket = socket

    async def send(self, body: Any) -> None:
        await self.socket.send_str(body if isinstance(body, str) else json.dumps(body))

    async def hear(self) -> Any:
        """The next frame; it must come."""
        message = await self.socket.receive(timeout=HEAR_SECONDS)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return message.data if message.data == "PONG" else json.loads(message.data)

    async def hear_kind(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; others before it are passed over."""
        for _ in range(20):
            event = await self.hear()
            if isinstance(event, dict) and event["event_type"] == kind:
                return event
        raise AssertionError(f"no {kind}")

    async def is_quiet(self) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.socket.receive(timeout=QUIET_SECONDS)
        except TimeoutError:
            return True
        return False

    async def post(self, path: str, /, **body: Any) -> Any:
        """Call the admin door while the reader listens."""
        return await asyncio.to_thread(self.exchange.admin, path, **body)


def read(
    exchange: Exchange, story: Callable[[Reader], Coroutine[Any, Any, None]], *, channel: str = "market"
) -> None:
    """Run a story with one connection."""

    async def run() -> None:
        url = f"{exchange.base.replace('http', 'ws')}/ws/{channel}"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            await story(Reader(exchange, socket))

    asyncio.run(run())


def first(*tokens: str, custom: bool = False) -> dict[str, Any]:
    return {"type": "market", "assets_ids": list(tokens), "custom_feature_enabled": custom}


def hash_of(book: dict[str, Any]) -> str:
    """The venue's rule, written again: SHA-1 of the compact book with an empty hash."""
    names = (
        *("market", "asset_id", "timestamp", "hash", "bids", "asks"),
        *("min_order_size", "tick_size", "neg_risk", "last_trade_price"),
    )
    body = {name: "" if name == "hash" else book[name] for name in names}
    return hashlib.sha1(json.dumps(body, separators=(",", ":")).encode()).hexdigest()


@pytest.fixture
def tokens(exchange: Exchange) -> tuple[str, str]:
    exchange.admin("/book", slug=USDC, **BOOK)
    return exchange.tokens(USDC)


def rest(exchange: Exchange, token: str) -> dict[str, Any]:
    found: dict[str, Any] = exchange.get(f"/clob/book?token_id={token}")
    return found


def test_the_first_frame_is_an_array_of_books_equal_to_rest(exchange, tokens):
    async def story(reader: Reader) -> None:
        await reader.send(first(*tokens))
        books = await reader.hear()
        assert [book["event_type"] for book in books] == ["book", "book"]
        for book in books:
            shown = await asyncio.to_thread(rest, exchange, book["asset_id"])
            assert {**shown, "event_type": "book"} == book
            assert book["hash"] == hash_of(book)

    read(exchange, story)


def test_a_change_names_every_level_that_moved_in_both_tokens_and_the_hash_after_it(exchange, tokens):
    yes, _ = tokens

    async def story(reader: Reader) -> None:
        await reader.send(first(yes))
        await reader.hear()
        asks = [["0.030", "3500"], ["0.041", "70.5"]]
        await reader.post("/book", slug=USDC, bids=BOOK["bids"], asks=asks)
        event = await reader.hear()
        shown = await asyncio.to_thread(rest, exchange, yes)
        rows = [
            (row["asset_id"] == yes, row["side"], row["price"], row["size"]) for row in event["price_changes"]
        ]
        assert rows == [
            (True, "SELL", "0.040", "0"),
            (True, "SELL", "0.041", "70.5"),
            (False, "BUY", "0.959", "70.5"),
            (False, "BUY", "0.960", "0"),
        ]
        mine = event["price_changes"][0]
        assert (mine["best_bid"], mine["best_ask"], mine["hash"]) == ("0.020", "0.030", shown["hash"])
        assert event["timestamp"] == shown["timestamp"]

    read(exchange, story)


def test_a_trade_is_told_before_the_levels_it_took_and_the_book_follows(exchange, tokens):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    caller = Caller(exchange)

    async def story(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        assert (await asyncio.to_thread(caller.post, caller.order()))[0] == 200
        kinds = [await reader.hear() for _ in range(3)]
        assert [event["event_type"] for event in kinds] == ["last_trade_price", "price_change", "book"]
        assert (kinds[0]["price"], kinds[0]["size"], kinds[0]["side"]) == ("0.03", "100", "BUY")
        assert kinds[1]["price_changes"][0]["size"] == "3400"
        assert kinds[2]["last_trade_price"] == "0.03"
        assert kinds[2]["hash"] == kinds[1]["price_changes"][0]["hash"] == hash_of(kinds[2])

    read(exchange, story)


def test_subscribing_and_unsubscribing_on_an_open_line(exchange, tokens):
    other = exchange.tokens(USDE)[0]

    async def story(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        await reader.send({"operation": "subscribe", "assets_ids": [other]})
        assert (await reader.hear())["asset_id"] == other
        await reader.send({"operation": "unsubscribe", "assets_ids": [tokens[0]]})
        await reader.send("PING")
        assert await reader.hear() == "PONG"
        await reader.post("/book/move", slug=USDC, ticks=1)
        assert await reader.is_quiet()
        await reader.post("/book/move", slug=USDE, ticks=1)

    read(exchange, story)


def test_custom_features_are_told_only_to_those_who_asked(exchange, tokens):
    async def asked(reader: Reader) -> None:
        await reader.send(first(tokens[0], custom=True))
        await reader.hear()
        await reader.post("/book/move", slug=USDC, ticks=1)
        touch = await reader.hear_kind("best_bid_ask")
        assert (touch["best_bid"], touch["best_ask"], touch["spread"]) == ("0.021", "0.031", "0.01")
        await reader.post("/resolve", slug=USDC, payout="YES")
        ended = await reader.hear_kind("market_resolved")
        assert (ended["winning_asset_id"], ended["winning_outcome"]) == (tokens[0], "Yes")

    async def silent(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        await reader.post("/book/move", slug=USDC, ticks=1)
        assert (await reader.hear())["event_type"] == "price_change"
        assert await reader.is_quiet()

    read(exchange, silent)
    exchange.admin("/book", slug=USDC, **BOOK)
    read(exchange, asked)


def test_a_tick_change_is_told_for_both_tokens_and_a_new_book_follows(exchange, tokens):
    async def story(reader: Reader) -> None:
        await reader.send(first(*tokens))
        await reader.hear()
        await reader.post("/market", slug=USDC, tick="0.0001")
        events = [await reader.hear() for _ in range(4)]
        assert [event["event_type"] for event in events] == ["tick_size_change"] * 2 + ["book"] * 2
        assert (events[0]["old_tick_size"], events[0]["new_tick_size"]) == ("0.001", "0.0001")
        assert events[2]["bids"] == [{"price": "0.0200", "size": "400"}]

    read(exchange, story)


def test_a_coarse_tick_becomes_fine_when_the_market_trades_beyond_four_cents(exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDE, bids=[["0.02", "400"]], asks=[["0.03", "3500"]])
    token, caller = exchange.tokens(USDE)[0], Caller(exchange)

    async def story(reader: Reader) -> None:
        await reader.send(first(token))
        assert (await reader.hear())[0]["tick_size"] == "0.01"
        await asyncio.to_thread(caller.post, caller.order(token_id=token))
        change = await reader.hear_kind("tick_size_change")
        assert (change["old_tick_size"], change["new_tick_size"]) == ("0.01", "0.001")
        assert (await reader.hear_kind("book"))["asks"][-1] == {"price": "0.030", "size": "3400"}

    read(exchange, story)


def test_a_line_without_a_ping_is_closed(exchange, tokens):
    exchange.admin("/sockets", ping_seconds=0.2)

    async def story(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        message = await reader.socket.receive(timeout=HEAR_SECONDS)
        assert message.type is aiohttp.WSMsgType.CLOSE

    try:
        read(exchange, story)
    finally:
        exchange.admin("/sockets", ping_seconds=60)


def test_what_is_no_subscription_is_answered_and_changes_nothing(exchange, tokens):
    async def story(reader: Reader) -> None:
        for text in ("hello", '{"assets_ids":"x"}', '{"operation":"dance","assets_ids":[]}'):
            await reader.send(text)
            assert (await reader.socket.receive(timeout=HEAR_SECONDS)).data == "INVALID OPERATION"
        await reader.send(first("123"))
        assert await reader.is_quiet()

    read(exchange, story)


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("socket_gap", ["2"]),
        ("socket_duplicate", ["1", "1", "2"]),
        ("socket_reorder", ["2", "1"]),
    ],
)
def test_a_message_can_be_lost_doubled_or_late(exchange, tokens, kind, sizes):
    exchange.admin("/faults", kind=kind, path="/ws/market/price_change")

    async def story(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        for size in ("1", "2"):
            await reader.post("/book", slug=USDC, bids=[["0.020", size]], asks=BOOK["asks"])
        heard = [(await reader.hear())["price_changes"][0]["size"] for _ in sizes]
        assert heard == sizes

    try:
        read(exchange, story)
        (strike,) = exchange.get("/admin/faults")["log"]
        assert (strike["kind"], strike["path"]) == (kind, "/ws/market/price_change")
    finally:
        exchange.call("DELETE", "/admin/faults")


def test_a_silent_line_answers_pings_and_a_dead_one_does_not(exchange, tokens):
    async def story(reader: Reader, *, pongs: bool) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        for _ in range(2):
            await reader.post("/book/move", slug=USDC, ticks=1)
        await reader.send("PING")
        if pongs:
            assert await reader.hear() == "PONG"
        assert await reader.is_quiet()

    for kind, pongs in (("socket_silence", True), ("socket_dead", False)):
        exchange.admin("/faults", kind=kind, path="/ws/market/price_change", seconds=30)
        read(exchange, partial(story, pongs=pongs))
        exchange.call("DELETE", "/admin/faults")


def test_a_line_can_be_dropped_and_a_snapshot_can_be_old(exchange, tokens):
    async def dropped(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        await reader.hear()
        await reader.post("/book/move", slug=USDC, ticks=1)
        message = await reader.socket.receive(timeout=HEAR_SECONDS)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)

    async def stale(reader: Reader) -> None:
        await reader.send(first(tokens[0]))
        (book,) = await reader.hear()
        assert book["bids"][-1]["price"] != "0.021"

    exchange.admin("/faults", kind="socket_drop", path="/ws/market/price_change")
    read(exchange, dropped)
    exchange.call("DELETE", "/admin/faults")
    exchange.admin("/faults", kind="socket_stale")
    read(exchange, stale)
    exchange.call("DELETE", "/admin/faults")
