"""The official client's own streams, unmodified, against the practice exchange's sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from polymarket._internal.streams.clob.heartbeat import ClobWebSocketHeartbeat
from polymarket._internal.streams.clob.market import ClobMarketStreamManager
from polymarket._internal.streams.clob.user import ClobUserStreamManager
from polymarket._internal.ws.heartbeat import Heartbeat
from polymarket.models import ApiKeyCreds

from tests.venues.simulators.polymarket.rig import ALICE, USDC, USDE, Caller, Exchange
from tests.venues.simulators.polymarket.test_sockets import BOOK

HEAR_SECONDS = 10.0


@pytest.fixture
def caller(exchange: Exchange) -> Caller:
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, **BOOK)
    return Caller(exchange)


def url(exchange: Exchange, channel: str) -> str:
    return f"{exchange.base.replace('http', 'ws')}/ws/{channel}"


async def until(events: AsyncIterator[Any], kind: str) -> list[Any]:
    """Every event up to and including the first of a kind."""
    found = []
    async with asyncio.timeout(HEAR_SECONDS):
        async for event in events:
            found.append(event)
            if event.type == kind:
                return found
    raise AssertionError(kind)


def test_the_market_stream_reads_every_kind_of_event(exchange, caller):
    yes, no = exchange.tokens(USDC)

    async def story() -> None:
        async with ClobMarketStreamManager(url=url(exchange, "market")) as stream:
            events = await stream.subscribe(token_ids=[yes, no], custom_feature_enabled=True)
            book = (await until(events, "book"))[0].payload
            assert book.bids[-1].price == Decimal("0.020")
            assert book.asks[-1].size == Decimal("3500")
            await asyncio.to_thread(exchange.admin, "/book/move", slug=USDC, ticks=1)
            change = (await until(events, "price_change"))[-1].payload.price_changes[0]
            assert (change.best_bid, change.best_ask) == (Decimal("0.021"), Decimal("0.031"))
            assert (await until(events, "best_bid_ask"))[-1].payload.spread == Decimal("0.01")
            await asyncio.to_thread(caller.post, caller.order(maker_amount=3_100_000))
            trade = (await until(events, "last_trade_price"))[-1].payload
            assert (trade.price, trade.size, trade.side) == (Decimal("0.031"), Decimal(100), "BUY")
            await asyncio.to_thread(exchange.admin, "/market", slug=USDC, tick="0.0001")
            tick = (await until(events, "tick_size_change"))[-1].payload
            assert (tick.old_tick_size, tick.new_tick_size) == (Decimal("0.001"), Decimal("0.0001"))
            await asyncio.to_thread(exchange.admin, "/resolve", slug=USDC, payout="NO")
            assert (await until(events, "market_resolved"))[-1].payload.winning_asset_id == no
            assert stream.dropped_events == 0

    asyncio.run(story())


def test_the_market_stream_changes_its_subscription_and_comes_back_after_a_drop(exchange, caller):
    yes, other = exchange.tokens(USDC)[0], exchange.tokens(USDE)[0]
    exchange.admin("/faults", kind="socket_drop", path="/ws/market/price_change")
    heartbeat: Heartbeat = ClobWebSocketHeartbeat(interval_s=0.1, stale_s=5)

    async def story() -> None:
        async with ClobMarketStreamManager(url=url(exchange, "market"), heartbeat=heartbeat) as stream:
            events = await stream.subscribe(token_ids=[yes])
            await until(events, "book")
            more = await stream.subscribe(token_ids=[other])
            assert (await until(more, "book"))[-1].payload.asset_id == other
            await asyncio.to_thread(exchange.admin, "/book/move", slug=USDC, ticks=1)
            book = (await until(events, "book"))[-1].payload
            assert book.bids[-1].price == Decimal("0.021")

    asyncio.run(story())
    exchange.call("DELETE", "/admin/faults")


def test_the_user_stream_reads_orders_and_trades(exchange, caller):
    told = caller.credentials
    keys = ApiKeyCreds(key=told["apiKey"], secret=told["secret"], passphrase=told["passphrase"])

    async def credentials() -> ApiKeyCreds:
        return keys

    async def story() -> None:
        manager = ClobUserStreamManager(url=url(exchange, "user"), resolve_credentials=credentials)
        async with manager as stream:
            events = await stream.subscribe()
            await asyncio.sleep(0.2)
            await asyncio.to_thread(caller.post, caller.order())
            order = (await until(events, "order"))[-1].payload
            assert (order.order_event_type, order.original_size) == ("PLACEMENT", Decimal(3))
            statuses = [(await until(events, "trade"))[-1].payload.status for _ in range(3)]
            assert [str(status) for status in statuses] == ["MATCHED", "MINED", "CONFIRMED"]
            fok = caller.order(
                order_type="FOK", maker_amount=300_000_000, taker_amount=10_000_000_000, salt=9
            )
            await asyncio.to_thread(caller.post, fok)
            killed = (await until(events, "order"))[-1].payload
            assert killed.status.startswith("CANCELED_order couldn't be fully filled.")
            assert stream.dropped_events == 0

    asyncio.run(story())
