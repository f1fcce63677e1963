"""Who meets whom: one market's resting orders in price-time order, and what an incoming order would take.

Both tokens share one book, told in YES: buying NO at q is selling YES at 1 - q. So a buyer of YES meets
sellers of YES and buyers of NO alike; the exchange contract then mints a pair, and two sellers merge one.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from venues.simulators.polymarket.records import BUY, Order
from venues.simulators.polymarket.units import LOT_E6, PRICE_ONE_E4

_VERSIONS = count(1)


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares taken from one resting order; `price_e4` is in the incoming order's own token."""

    resting: Order
    size_e6: int
    price_e4: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an incoming order would take now; `is_complete` means nothing of it would be left."""

    fills: tuple[Fill, ...]
    is_complete: bool

    @property
    def size_e6(self) -> int:
        """Shares taken."""
        return sum(fill.size_e6 for fill in self.fills)

    @property
    def cash_e6(self) -> int:
        """PUSD paid or received before fees."""
        return sum(cash_e6(fill.size_e6, fill.price_e4) for fill in self.fills)


def cash_e6(size_e6: int, price_e4: int) -> int:
    """Return size x price, rounded down as the exchange contract does; exact for whole lots."""
    return size_e6 * price_e4 // PRICE_ONE_E4


class Book:
    """Resting orders of one market. Bids buy YES, asks sell it; `changed_at` is when it last changed.

    `version` is another number after every change, and no two books share one.
    """

    def __init__(self, yes_token: str, *, now_ms: Callable[[], int]) -> None:
        self._yes = yes_token
        self._now_ms = now_ms
        self.changed_at = now_ms()
        self.version = next(_VERSIONS)
        self._bids: list[tuple[int, int, Order]] = []
        self._asks: list[tuple[int, int, Order]] = []

    def add(self, order: Order) -> None:
        """Rest an order behind every earlier one at its price."""
        price = self._yes_price(order.token_id, order.price_e4)
        if self._is_bid(order.token_id, order.side):
            insort(self._bids, (-price, order.sequence, order))
        else:
            insort(self._asks, (price, order.sequence, order))
        self.touch()

    def remove(self, order: Order) -> None:
        """Take an order off the book; nothing happens when it is not there."""
        rows = self._bids if self._is_bid(order.token_id, order.side) else self._asks
        rows[:] = [row for row in rows if row[2] is not order]
        self.touch()

    def touch(self) -> None:
        """Note that the book changed now."""
        self.changed_at = self._now_ms()
        self.version = next(_VERSIONS)

    def orders(self) -> Iterator[Order]:
        """Yield every resting order, best first, bids before asks."""
        for _, _, order in (*self._bids, *self._asks):
            yield order

    def plan(self, order: Order) -> Plan:
        """Return what an incoming order would take, best price first, then oldest.

        The limit is the signed ratio, not a rounded price: a fill never costs more than maker/taker.
        """
        left = order.maker_amount if order.is_budget else order.size_e6
        fills: list[Fill] = []
        for price, resting in self._opposite(order):
            if not _within(order, price) or left <= 0:
                break
            size = _affordable(left, price) if order.is_budget else left
            size = min(size, resting.remaining_e6)
            if size <= 0:
                break
            fills.append(Fill(resting, size, price))
            left -= cash_e6(size, price) if order.is_budget else size
        dust = order.price_e4 if order.is_budget else 1
        return Plan(tuple(fills), left < dust)

    def levels(self, token_id: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return (bids, asks) of a token as (price_e4, size_e6), best first."""
        bids = _grouped((-key, order) for key, _, order in self._bids)
        asks = _grouped((key, order) for key, _, order in self._asks)
        if token_id == self._yes:
            return bids, asks
        return _mirrored(asks), _mirrored(bids)

    def _opposite(self, order: Order) -> Iterator[tuple[int, Order]]:
        rows = self._asks if self._is_bid(order.token_id, order.side) else self._bids
        for key, _, resting in rows:
            yes_price = abs(key)
            yield (yes_price if order.token_id == self._yes else PRICE_ONE_E4 - yes_price), resting

    def _is_bid(self, token_id: str, side: str) -> bool:
        return (side == BUY) == (token_id == self._yes)

    def _yes_price(self, token_id: str, price_e4: int) -> int:
        return price_e4 if token_id == self._yes else PRICE_ONE_E4 - price_e4


def _within(order: Order, price_e4: int) -> bool:
    if order.side == BUY:
        return price_e4 * order.taker_amount <= order.maker_amount * PRICE_ONE_E4
    return price_e4 * order.maker_amount >= order.taker_amount * PRICE_ONE_E4


def _affordable(budget_e6: int, price_e4: int) -> int:
    """Return the most whole lots a budget buys: a lot of 0.01 share costs `price_e4` millionths."""
    return budget_e6 // price_e4 * LOT_E6


def _grouped(rows: Iterator[tuple[int, Order]]) -> list[tuple[int, int]]:
    levels: list[tuple[int, int]] = []
    for price, order in rows:
        if levels and levels[-1][0] == price:
            levels[-1] = (price, levels[-1][1] + order.remaining_e6)
        else:
            levels.append((price, order.remaining_e6))
    return levels


def _mirrored(levels: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(PRICE_ONE_E4 - price, size) for price, size in levels]
