"""The user channel: what its owner hears of orders and trades, in the venue's words, and nobody else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from tests.venues.simulators.polymarket.rig import ALICE, BOB_KEY, USDC, Caller, Exchange
from tests.venues.simulators.polymarket.test_sockets import BOOK, HEAR_SECONDS, Reader, read


@pytest.fixture
def caller(exchange: Exchange) -> Caller:
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, **BOOK)
    return Caller(exchange)


def login(caller: Caller, *markets: str, **changes: str) -> dict[str, Any]:
    told = {name: caller.credentials[name] for name in ("apiKey", "secret", "passphrase")} | changes
    return {"type": "user", "auth": told} | ({"markets": list(markets)} if markets else {})


async def heard(reader: Reader, count: int) -> list[dict[str, Any]]:
    return [await reader.hear() for _ in range(count)]


async def signed_in(reader: Reader, caller: Caller) -> None:
    await reader.send(login(caller))
    await reader.send("PING")
    assert await reader.hear() == "PONG"


def test_a_fill_is_told_as_placement_update_and_every_settlement_status(exchange, caller):
    async def story(reader: Reader) -> None:
        await signed_in(reader, caller)
        await asyncio.to_thread(caller.post, caller.order())
        events = await heard(reader, 5)
        orders = [event for event in events if event["event_type"] == "order"]
        trades = [event for event in events if event["event_type"] == "trade"]
        assert [(event["type"], event["size_matched"]) for event in orders] == [
            ("PLACEMENT", "0"),
            ("UPDATE", "100"),
        ]
        assert orders[0]["original_size"] == "3"
        assert [event["status"] for event in trades] == ["MATCHED", "MINED", "CONFIRMED"]
        assert len({event["id"] for event in trades}) == 1
        assert {event["type"] for event in trades} == {"TRADE"}
        assert (trades[0]["trader_side"], trades[0]["size"]) == ("TAKER", "100")

    read(exchange, story, channel="user")


def test_a_killed_order_is_told_in_the_refusals_own_words(exchange, caller):
    async def story(reader: Reader) -> None:
        await signed_in(reader, caller)
        big = caller.order(order_type="FOK", maker_amount=300_000_000, taker_amount=10_000_000_000)
        assert (await asyncio.to_thread(caller.post, big))[0] == 400
        (event,) = await heard(reader, 1)
        words = "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
        assert (event["type"], event["status"]) == ("CANCELLATION", words)

    read(exchange, story, channel="user")


def test_a_resting_order_is_placed_cancelled_or_expires(exchange, caller):
    async def story(reader: Reader) -> None:
        await signed_in(reader, caller)
        resting = {"order_type": "GTC", "maker_amount": 1_000_000, "taker_amount": 100_000_000}
        _, placed = await asyncio.to_thread(caller.post, caller.order(**resting))
        await asyncio.to_thread(caller.call, "DELETE", "/order", {"orderID": placed["orderID"]})
        lasting = {
            **resting,
            "order_type": "GTD",
            "salt": 2,
            "expiration": str(int(time.time()) + 200),
        }
        await asyncio.to_thread(caller.post, caller.order(**lasting))
        await reader.post("/clock", advance_seconds=250)
        events = await heard(reader, 4)
        assert [(event["type"], event["status"]) for event in events] == [
            ("PLACEMENT", "LIVE"),
            ("CANCELLATION", "CANCELED"),
            ("PLACEMENT", "LIVE"),
            ("CANCELLATION", "CANCELED_EXPIRED_ORDER"),
        ]

    read(exchange, story, channel="user")


def test_only_the_owner_hears_and_only_of_the_markets_asked_for(exchange, caller):
    other = Caller(exchange, BOB_KEY)

    async def stranger(reader: Reader) -> None:
        await signed_in(reader, other)
        await asyncio.to_thread(caller.post, caller.order())
        assert await reader.is_quiet()

    async def elsewhere(reader: Reader) -> None:
        await reader.send(login(caller, "0x" + "ab" * 32))
        await asyncio.to_thread(caller.post, caller.order(salt=2))
        assert await reader.is_quiet()

    read(exchange, stranger, channel="user")
    read(exchange, elsewhere, channel="user")


def test_wrong_credentials_end_the_line(exchange, caller):
    async def story(reader: Reader) -> None:
        await reader.send(login(caller, passphrase="wrong"))
        assert (await reader.socket.receive(timeout=HEAR_SECONDS)).type is aiohttp.WSMsgType.CLOSE

    read(exchange, story, channel="user")
