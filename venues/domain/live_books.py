"""A book that is kept from a venue's messages, level by level, and read when somebody asks for it.

Prices are integers (micro-dollars) and sizes stay the venue's own decimal strings until the book is read: nothing is
ever rounded, and a message costs two dictionary steps per level. A book that cannot be read exactly is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from venues.domain.books import Book, Level

MICRO = 1_000_000
_PRICE = re.compile(r"[0-9]*\.?[0-9]+\Z")
_SIZE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,18})?\Z")
_KNOWN_MAX = 50_000
known_prices: dict[str, int] = {}
"""Spelling -> micro-dollars of the prices met so far; read it before calling `price_micro`, never write it."""


class Misread(ValueError):
    """A price or a size is not the decimal number that a level has. The book is to be fetched anew."""


def price_micro(text: str) -> int:
    """A price in whole micro-dollars. Raises Misread for what is none, or is finer than a micro-dollar.

    A venue has few prices: each spelling is read once and then looked up.
    """
    found = known_prices.get(text)
    if found is not None:
        return found
    if not _PRICE.match(text):
        raise Misread(f"{text!r} is no price")
    micro = Decimal(text) * MICRO
    if micro != int(micro):
        raise Misread(f"{text!r} is finer than a micro-dollar")
    if len(known_prices) >= _KNOWN_MAX:
        known_prices.clear()
    known_prices[text] = int(micro)
    return int(micro)


class LiveBook:
    """One instrument's resting orders, as last told. `at_ms` is the venue's time of the last message that is in it.

    `best_bid`, `best_ask` and `book_hash` are what that message says the book must be like; `version` counts messages.
    """

    __slots__ = ("asks", "at_ms", "best_ask", "best_bid", "bids", "book_hash", "instrument_id", "version")

    def __init__(self, instrument_id: str) -> None:
        self.instrument_id = instrument_id
        self.bids: dict[int, str] = {}
        self.asks: dict[int, str] = {}
        self.at_ms = 0
        self.version = 0
        self.book_hash = ""
        self.best_bid: str | None = None
        self.best_ask: str | None = None

    def replace(
        self, bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]], *, at_ms: int, book_hash: str
    ) -> None:
        """Take a whole book (price, size) in any order. Raises Misread, and changes nothing, for a bad price."""
        fresh_bids = {price_micro(price): size for price, size in bids}
        fresh_asks = {price_micro(price): size for price, size in asks}
        self.bids, self.asks, self.at_ms, self.book_hash = fresh_bids, fresh_asks, at_ms, book_hash
        self.best_bid = self.best_ask = None
        self.version += 1

    def levels(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """(bids, asks), best first, exact. Raises Misread for a level that is none, or for a crossed book."""
        bids = tuple(_level(key, self.bids[key]) for key in sorted(self.bids, reverse=True))
        asks = tuple(_level(key, self.asks[key]) for key in sorted(self.asks))
        if bids and asks and bids[0].price >= asks[0].price:
            raise Misread(f"bid {bids[0].price} is not below ask {asks[0].price}")
        return bids, asks

    def book(self, *, taken_at: datetime) -> Book:
        """The same as a book of the domain. Raises Misread."""
        bids, asks = self.levels()
        return Book(
            instrument_id=self.instrument_id,
            bids=bids,
            asks=asks,
            taken_at=taken_at,
            book_hash=self.book_hash,
        )

    def touch_agrees(self) -> bool:
        """Whether our best prices are those that the last message named; True when it named none."""
        return _agrees(self.best_bid, max(self.bids, default=0), empty=0) and _agrees(
            self.best_ask, min(self.asks, default=MICRO), empty=MICRO
        )


def _level(key: int, size: str) -> Level:
    if not _SIZE.match(size):
        raise Misread(f"{size!r} is no size")
    return Level(Decimal(key).scaleb(-6).normalize(), Decimal(size))


def _agrees(told: str | None, ours: int, *, empty: int) -> bool:
    if told is None or told == "":
        return True
    try:
        said = price_micro(told)
    except Misread:
        return False
    # An empty side is told as 0 or as 1, whichever side it is.
    return said == ours or (ours == empty and said in (0, MICRO))
