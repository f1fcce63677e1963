"""The venue's own check sum of a book: SHA-1 over the compact REST book with an empty hash.

Rule: the venue's Python clients, `generate_orderbook_summary_hash`. It covers the last traded price, which the venue
sometimes tells only after the hash that covers it (github.com/Polymarket/py-clob-client-v2/issues/117): a hash that
does not fit is therefore a doubt for REST to decide, never a verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import msgspec


class Hashed(Protocol):
    """A book with all that its hash covers."""

    instrument_id: str
    condition_id: str
    at_ms: int
    bids: dict[int, str]
    asks: dict[int, str]
    terms: tuple[str, str, bool] | None
    trade_price: str | None


def book_hash(book: Hashed) -> str | None:
    """What the rule gives for the book as we have it; None while a term that it covers is unknown."""
    if book.terms is None or book.trade_price is None:
        return None
    size_min, tick, neg_risk = book.terms
    places = len(tick.partition(".")[2])
    body = {
        "market": book.condition_id,
        "asset_id": book.instrument_id,
        "timestamp": str(book.at_ms),
        "hash": "",
        "bids": _printed(book.bids, sorted(book.bids), places=places),
        "asks": _printed(book.asks, sorted(book.asks, reverse=True), places=places),
        "min_order_size": size_min,
        "tick_size": tick,
        "neg_risk": neg_risk,
        "last_trade_price": book.trade_price,
    }
    return hashlib.sha1(msgspec.json.encode(body), usedforsecurity=False).hexdigest()


def _printed(levels: dict[int, str], keys: Sequence[int], *, places: int) -> list[dict[str, str]]:
    """Levels from the worst to the best, prices with as many decimals as the tick."""
    return [{"price": _price(key, places=places), "size": levels[key]} for key in keys]


def _price(micro: int, *, places: int) -> str:
    whole, rest = divmod(micro, 1_000_000)
    return f"{whole}.{rest:06d}"[: places + 2]
