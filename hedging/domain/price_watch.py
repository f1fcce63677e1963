"""Which markets have left the band around the price that the last cycle saw.

The ask is what a hedge costs, the middle what the market believes: either may wake a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

BPS = Decimal(10_000)
APPEARED_BPS = Decimal(1_000_000)
"""Stands for the move of a price that was not there before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """The best prices of one market; None: nobody offers on that side."""

    name: str
    bid: Decimal | None
    ask: Decimal | None

    @property
    def mid(self) -> Decimal | None:
        """The middle of the two; None without both."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One price that left its band, by `bps` hundredths of a per cent of what it was."""

    name: str
    what: str
    before: Decimal | None
    after: Decimal
    bps: Decimal

    @property
    def sentence(self) -> str:
        """For people: which price of which market, from where to where."""
        if self.before is None:
            return f"{self.name} has an ask again, {_plain(self.after)}"
        way = "up" if self.after > self.before else "down"
        return f"{self.name}, {self.what} {way} from {_plain(self.before)} to {_plain(self.after)}"


def moves(before: Mapping[int, Prices], after: Mapping[int, Prices], *, band_bps: int) -> list[Move]:
    """The markets that moved by `band_bps` or more since `before`, the widest first; one we had not seen is none.

    An ask that vanished is no reason to decide anew: there is nothing to buy.
    """
    found = [_widest(before[key], now) for key, now in after.items() if key in before]
    rows = [move for move in found if move is not None and move.bps >= band_bps]
    return sorted(rows, key=lambda move: (-move.bps, move.name))


def cause(found: Sequence[Move]) -> str:
    """What woke a cycle, for its row; "" when nothing moved."""
    if not found:
        return ""
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"price: {found[0].sentence}{more}"


def _widest(before: Prices, now: Prices) -> Move | None:
    if before.ask is None and now.ask is not None:
        return Move(name=now.name, what="ask", before=None, after=now.ask, bps=APPEARED_BPS)
    pairs = (("ask", before.ask, now.ask), ("middle", before.mid, now.mid))
    rows = [
        Move(name=now.name, what=what, before=old, after=new, bps=abs(new - old) / old * BPS)
        for what, old, new in pairs
        if old is not None and new is not None and old > 0
    ]
    return max(rows, key=lambda move: move.bps, default=None)


def _plain(price: Decimal) -> str:
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
