"""Order-book messages over a real WebSocket: ours against `websockets` + json + Decimal, and the official SDK's parser.

A server in another process sends messages in the venue's shape (two level changes, about 600 bytes, two tokens) as fast
as they are taken. Ours is the adapter's own line: aiohttp frames, msgspec, exact books. The baseline is how one would
write it by hand: the websockets library, json, Decimals in a sorted dictionary. Both keep two books, which must end
equal to what the server computed. The SDK's parser builds no book; it gets the same messages as decoded text, and ours
the same, so that only reading is compared. `policies` is the number of messages. CPU time of the reading process.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from decimal import Decimal
from typing import Any

import aiohttp
from polymarket._internal.streams.clob.market_protocol import parse_events
from sortedcontainers import SortedDict  # type: ignore[import-untyped]
from websockets.asyncio.client import connect

from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import Paired, cpu, paired
from venues.adapters.polymarket.book_stream import KeptBooks
from venues.adapters.polymarket.socket_line import FRAME_BYTES_MAX, line_open, read_frames

NEEDS_DATABASE = False
BY_HAND = Goal(name="received, read and applied, times faster than by hand", at_least=3)
OFFICIAL = Goal(name="read, times faster than the official SDK", at_least=4)
GOALS = (BY_HAND, OFFICIAL)
FULL = BenchScale(policies=100_000, rounds=5)
SMALL = BenchScale(policies=4_000, rounds=3)

SEED = 7
MARKET = "0x" + "5f" * 32
YES, NO = "71321045679252212594626385532706912750332728571942532289631379312455583992563", "5" * 77
FIRST_MS = 1_795_000_000_000
SDK_PART = 10
"""The SDK reads every tenth message: it is slow, and every message costs the same."""

Levels = tuple[tuple[Decimal, Decimal], ...]
Books = dict[str, tuple[Levels, Levels]]


def run(scale: BenchScale) -> BenchResult:
    """Receive the same messages both ways; read the same messages both ways."""
    frames = messages(scale.policies)
    with Server(scale.policies) as url:
        received = _receive(url, frames, rounds=scale.rounds)
    read = _read(frames[:: SDK_PART if scale.policies > SMALL.policies else 1], rounds=scale.rounds)
    count, read_count = len(frames), len(frames[:: SDK_PART if scale.policies > SMALL.policies else 1])
    return BenchResult(
        ratios={BY_HAND.name: received.speed_up, OFFICIAL.name: read.speed_up},
        figures=(
            _figure("a message received and applied, ours", received.ours_s, count),
            _figure("the same by hand", received.baseline_s, count),
            _figure("a message read and applied, ours", read.ours_s, read_count),
            _figure("the same read by the official SDK, no book", read.baseline_s, read_count),
            Figure(name="messages a second on one core, ours", value=count / received.ours_s, unit="1/s"),
        ),
        notes=(
            f"{count} messages of {len(frames[1])} bytes; all books equal to the server's, level by level",
            "aiohttp and websockets with their compiled parts; no TLS",
        ),
    )


def messages(count: int) -> list[str]:
    """One frame of snapshots, then price changes, always the same."""
    draw = random.Random(SEED)
    books = [_snapshot(token) for token in (YES, NO)]
    frames = [json.dumps(books, separators=(",", ":"))]
    for number in range(count - 1):
        price = draw.randint(1, 400)
        size = "0" if draw.random() < 0.3 else f"{draw.randint(1, 9_999_999) / 100:.2f}"
        rows = [
            _row(YES, f"{price / 1000:.3f}", size, "BUY", draw),
            _row(NO, f"{1 - price / 1000:.3f}", size, "SELL", draw),
        ]
        body = {
            "market": MARKET,
            "price_changes": rows,
            "timestamp": str(FIRST_MS + number),
            "event_type": "price_change",
        }
        frames.append(json.dumps(body, separators=(",", ":")))
    return frames


def final_books(frames: list[str]) -> Books:
    """The books after all messages, worked out the slow and plain way."""
    sides: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
    for book in json.loads(frames[0]):
        bids, asks = (
            {Decimal(row["price"]): Decimal(row["size"]) for row in book[side]} for side in ("bids", "asks")
        )
        sides[book["asset_id"]] = (bids, asks)
    for frame in frames[1:]:
        for row in json.loads(frame)["price_changes"]:
            sides[row["asset_id"]][0 if row["side"] == "BUY" else 1][Decimal(row["price"])] = Decimal(
                row["size"]
            )
    return {
        token: (
            tuple((price, size) for price, size in sorted(bids.items(), reverse=True) if size),
            tuple((price, size) for price, size in sorted(asks.items()) if size),
        )
        for token, (bids, asks) in sides.items()
    }


class Server:
    """Another process that sends all messages to everyone who connects: `python -m tests.benches.books COUNT`."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> str:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benches.books", str(self._count)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return f"ws://127.0.0.1:{int(self._process.stdout.readline())}/"

    def __exit__(self, *_told: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()


class ByHand:
    """The books as one would first write them."""

    def __init__(self) -> None:
        self.books: dict[str, tuple[Any, Any]] = {}

    def hear(self, frame: str | bytes) -> None:
        body = json.loads(frame)
        for event in body if isinstance(body, list) else [body]:
            if event["event_type"] == "book":
                sides = (SortedDict(), SortedDict())
                for side, name in zip(sides, ("bids", "asks"), strict=True):
                    for row in event[name]:
                        side[Decimal(row["price"])] = Decimal(row["size"])
                self.books[event["asset_id"]] = sides
                continue
            for row in event["price_changes"]:
                side = self.books[row["asset_id"]][0 if row["side"] == "BUY" else 1]
                price, size = Decimal(row["price"]), Decimal(row["size"])
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def final(self) -> Books:
        return {
            token: (tuple(reversed(bids.items())), tuple(asks.items()))
            for token, (bids, asks) in self.books.items()
        }


def _receive(url: str, frames: list[str], *, rounds: int) -> Paired:
    wanted = final_books(frames)
    kept: list[KeptBooks] = []
    by_hand: list[ByHand] = []

    def ours() -> None:
        books = KeptBooks()
        books.want([YES, NO])
        asyncio.run(_ours(url, books))
        kept.append(books)

    def baseline() -> None:
        books = ByHand()
        asyncio.run(_by_hand(url, books))
        by_hand.append(books)

    measured = paired(rounds, ours=ours, baseline=baseline, clock=cpu)
    for books in kept:
        _require_equal(_final(books), wanted, who="ours")
        if (books.messages, books.unreadable) != (len(frames) + 1, 0):
            raise WrongAnswer(f"{books.messages} messages, {books.unreadable} of them unreadable")
    for other in by_hand:
        _require_equal(other.final(), wanted, who="by hand")
    return measured


async def _ours(url: str, books: KeptBooks) -> None:
    async with aiohttp.ClientSession() as session, await line_open(session, url) as socket:
        await read_frames(socket, hear=books.hear)


async def _by_hand(url: str, books: ByHand) -> None:
    async with connect(url, max_size=FRAME_BYTES_MAX) as socket:
        async for frame in socket:
            books.hear(frame)


def _read(frames: list[str], *, rounds: int) -> Paired:
    dropped = 0

    def ours() -> None:
        books = KeptBooks()
        books.want([YES, NO])
        hear = books.hear
        for frame in frames:
            hear(frame)
        if books.unreadable or books.messages != len(frames) + 1:
            raise WrongAnswer("ours did not read every message")

    def official() -> None:
        nonlocal dropped
        for frame in frames:
            events, lost = parse_events(json.loads(frame))
            dropped += lost + (not events)

    measured = paired(rounds, ours=ours, baseline=official, clock=cpu)
    if dropped:
        raise WrongAnswer(f"the official SDK could not read {dropped} messages")
    return measured


def _final(books: KeptBooks) -> Books:
    found = {}
    for token, book in books.books.items():
        bids, asks = (tuple((level.price, level.size) for level in side) for side in book.levels())
        found[token] = (bids, asks)
    return found


def _require_equal(found: Books, wanted: Books, *, who: str) -> None:
    for token, sides in wanted.items():
        for ours, theirs in zip(found[token], sides, strict=True):
            if tuple(ours) != tuple(theirs):
                raise WrongAnswer(f"{who}: the book of {token[:6]} is not the server's")


def _figure(name: str, seconds: float, count: int) -> Figure:
    return Figure(name=name, value=seconds / count * 1e6, unit="µs")


def _snapshot(token: str) -> dict[str, Any]:
    bids = [{"price": f"0.{key:03d}", "size": str(key * 10)} for key in range(10, 30)]
    asks = [{"price": f"0.{key:03d}", "size": str(key * 10)} for key in range(999, 970, -1)]
    return {
        "event_type": "book",
        "market": MARKET,
        "asset_id": token,
        "timestamp": str(FIRST_MS),
        "hash": "0" * 40,
        "bids": bids if token == YES else bids[:5],
        "asks": asks,
    }


def _row(token: str, price: str, size: str, side: str, draw: random.Random) -> dict[str, str]:
    return {
        "asset_id": token,
        "price": price,
        "size": size,
        "side": side,
        "hash": f"{draw.getrandbits(160):040x}",
        "best_bid": "0.400",
        "best_ask": "0.401",
    }


async def _serve(count: int) -> None:
    frames = messages(count)

    async def send(request: aiohttp.web.BaseRequest) -> aiohttp.web.WebSocketResponse:
        socket = aiohttp.web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        for frame in frames:
            await socket.send_str(frame)
        await socket.close()
        return socket

    runner = aiohttp.web.ServerRunner(aiohttp.web.Server(send))
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    import aiohttp.web

    asyncio.run(_serve(int(sys.argv[1])))
