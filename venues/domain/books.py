"""Resting orders of one instrument, best first on both sides, exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Level(NamedTuple):
    """`size` units rest at `price` USD per unit."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Book:
    """`bids` fall and `asks` rise from index 0. `taken_at` is the venue's time stamp."""

    instrument_id: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    taken_at: datetime
    book_hash: str = ""

    @property
    def best_bid(self) -> Level | None:
        return self.bids[0] if self.bids else None

    @property
    def best_ask(self) -> Level | None:
        return self.asks[0] if self.asks else None
