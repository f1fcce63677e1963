"""The rule behind `samples/depeg-day.jsonl`: an invented day on which a coin loses its peg and half finds it again.

`python -m venues.simulators.polymarket.sample_day` prints the file. Nothing in it was ever traded: the rule is short
enough to judge, and a recording of the real market, in the same format, is the better rehearsal.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

SLUG = "usdc-depeg-by-december-31-2027"
ASSET = str(int.from_bytes(hashlib.sha256(b"sample: yes").digest(), "big"))
MARKET = "0x" + hashlib.sha256(b"sample: market").hexdigest()
BEGINS_MS = 1_800_000_000_000
MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60
LEVELS = 6
RULE = (
    "Invented, by this rule. The coin stands at 1.000 until 08:00, falls evenly to 0.910 by 11:00, stays until 15:00, "
    "recovers evenly to 0.985 by 20:00 and stays. Stress is how far it is below 0.998, as a share of 0.088. YES stands "
    "at 0.022 + 0.600 x stress; the spread is 0.004 + 0.060 x stress; six levels a side, 0.002 + 0.010 x stress "
    "apart, the n-th of 400 x n / (1 + 9 x stress) shares. Under stress a book every 10 minutes, otherwise every 60, "
    "with the best ask's size halved 5 minutes later."
)
PATH = ((0, 1000), (480, 1000), (660, 910), (900, 910), (1200, 985), (DAY_MINUTES, 985))
"""(minute, price in thousandths): the corners of the coin's day."""


def depeg_day() -> Iterator[dict[str, Any] | list[dict[str, Any]]]:
    """Yield the day's frames, the header first; the first book comes in an array, as the venue sends it."""
    yield {
        "event_type": "recording",
        "rule": RULE,
        "assets": {ASSET: {"slug": SLUG, "outcome": "Yes"}},
    }
    minute = 0
    while minute < DAY_MINUTES:
        stress = stress_permille(minute)
        book = _book(minute, stress=stress)
        yield [book] if minute == 0 else book
        yield _thinner(minute + 5, book)
        if minute > 0 and stress > 0 and minute % 30 == 0:
            yield _trade(minute + 5, book)
        minute += 10 if stress > 0 or 480 <= minute < 1200 else 60


def stress_permille(minute: int) -> int:
    """Return the stress of a minute in thousandths, from 0 to 1000."""
    for (start, high), (end, low) in pairwise(PATH):
        if start <= minute <= end:
            coin = high + (low - high) * (minute - start) // (end - start)
            return max(0, min(1000, (998 - coin) * 1000 // 88))
    return 0


def text() -> str:
    """Return the whole file."""
    return "".join(json.dumps(frame, separators=(",", ":")) + "\n" for frame in depeg_day())


def _book(minute: int, *, stress: int) -> dict[str, Any]:
    middle, spread, apart = 22 + 600 * stress // 1000, 4 + 60 * stress // 1000, 2 + 10 * stress // 1000
    best_bid, best_ask = max(middle - spread // 2, 1), middle + (spread + 1) // 2
    bids = [(best_bid - apart * n, _size(n, stress)) for n in range(LEVELS) if best_bid - apart * n >= 1]
    asks = [(best_ask + apart * n, _size(n, stress)) for n in range(LEVELS)]
    return {
        "event_type": "book",
        "market": MARKET,
        "asset_id": ASSET,
        "bids": [_level(*row) for row in reversed(bids)],
        "asks": [_level(*row) for row in reversed(asks)],
        "timestamp": str(BEGINS_MS + minute * MINUTE_MS),
        "hash": hashlib.sha1(f"{minute}:{bids}:{asks}".encode(), usedforsecurity=False).hexdigest(),
    }


def _thinner(minute: int, book: dict[str, Any]) -> dict[str, Any]:
    best_bid, best_ask = book["bids"][-1], book["asks"][-1]
    change = {
        "asset_id": ASSET,
        "price": best_ask["price"],
        "size": str(int(best_ask["size"]) // 2),
        "side": "SELL",
        "hash": hashlib.sha1(f"thinner:{minute}".encode(), usedforsecurity=False).hexdigest(),
        "best_bid": best_bid["price"],
        "best_ask": best_ask["price"],
    }
    moment = str(BEGINS_MS + minute * MINUTE_MS)
    return {"event_type": "price_change", "market": MARKET, "timestamp": moment, "price_changes": [change]}


def _trade(minute: int, book: dict[str, Any]) -> dict[str, Any]:
    best_ask = book["asks"][-1]
    return {
        "event_type": "last_trade_price",
        "market": MARKET,
        "asset_id": ASSET,
        "price": best_ask["price"],
        "size": str(int(best_ask["size"]) - int(best_ask["size"]) // 2),
        "side": "BUY",
        "fee_rate_bps": "0",
        "transaction_hash": "0x" + hashlib.sha256(f"trade:{minute}".encode()).hexdigest(),
        "timestamp": str(BEGINS_MS + minute * MINUTE_MS),
    }


def _size(number: int, stress: int) -> int:
    return 400 * (number + 1) * 1000 // (1000 + 9 * stress)


def _level(price: int, size: int) -> dict[str, str]:
    return {"price": f"0.{price:03d}", "size": str(size)}


if __name__ == "__main__":
    sys.stdout.write(text())
