"""What rests in the book instead of being taken: at which price, and how much of a decision.

A resting bid is paid only by somebody who sells to us, costs no taker fee, and ends by itself. The price rule: one tick
above the best bid, so that we are first in line, but never at or above the best ask (which would take, and which the
venue would refuse), never above the decision's limit; without any bid, the decision's limit. A tick of the market may
have changed since the decision, so that the price is rounded down to it.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hedging.domain.slices import Remaining, Slice
from venues.domain.books import Book
from venues.domain.gateway import Side
from venues.domain.instruments import InstrumentTerms

_STEP = Decimal("0.01")
_CENT = Decimal("0.01")
_NOTHING = Decimal(0)


def resting_price(book: Book, *, price_max: Decimal, tick: Decimal) -> Decimal | None:
    """The price at which a bid may rest, USD per unit; None when every price would take or be above `price_max`."""
    ceilings = [price_max]
    if book.best_bid is not None:
        ceilings.append(book.best_bid.price + tick)
    if book.best_ask is not None:
        ceilings.append(book.best_ask.price - tick)
    price = (min(ceilings) / tick).to_integral_value(rounding=ROUND_FLOOR) * tick
    return price if tick <= price <= 1 - tick else None


def resting_slice(left: Remaining, book: Book, terms: InstrumentTerms) -> Slice:
    """The one order of a resting decision: all that is left of it, at the price that the book allows now.

    Never above the decision's own price. Size 0 ends the decision, with the sentence why.
    """
    price = resting_price(book, price_max=left.price_limit, tick=terms.tick_size)
    if left.side is not Side.BUY or price is None:
        return _end("no price rests in this book without taking", left)
    size = min(left.size, left.notional_usd / price).quantize(_STEP, rounding=ROUND_FLOOR)
    if size < terms.size_min or size <= 0:
        return _end(f"{size} units are fewer than the venue's minimum of {terms.size_min}", left)
    notional = (size * price).quantize(_CENT, rounding=ROUND_CEILING)
    # Makers pay nothing today; should it take after all, rate x notional bounds the fee at every price.
    fee_max = (notional * terms.fee_rate).quantize(_CENT, rounding=ROUND_CEILING)
    return Slice(size=size, notional_usd=notional, price_limit=price, fee_usd_max=fee_max, sentence="")


def _end(why: str, left: Remaining) -> Slice:
    return Slice(
        size=_NOTHING,
        notional_usd=_NOTHING,
        price_limit=left.price_limit,
        fee_usd_max=_NOTHING,
        sentence=f"{why}; ${left.notional_usd} ({left.size} units) left unhedged",
    )
