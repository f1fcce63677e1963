"""What rests in the book instead of being taken: at which price, and how much of a decision.

A resting bid is paid only by somebody who sells to us, costs no taker fee, and ends by itself. The price rule: one tick
above the best bid, so that we are first in line, but never at or above the best ask (which would take, and which the
venue would refuse), never above the decision's limit; without any bid, the decision's limit. A tick of the market may
have changed since the decision, so that the price is rounded down to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hedging.domain.attribution import attribute_exact
from hedging.domain.plans import RESTING, DemandWeight, LegReason, Target
from hedging.domain.pools import Part, Pool, Want
from hedging.domain.sentences import money as money_words
from hedging.domain.sentences import unit_price, units
from hedging.domain.sizing import StoppedBy
from hedging.domain.slices import Remaining, Slice
from hedging.domain.views import PlanLimits
from tonsurance.kernel.money import floor_micro, to_micro
from venues.domain.books import Book, Level
from venues.domain.gateway import Side
from venues.domain.instruments import InstrumentTerms

_STEP = Decimal("0.01")
_CENT = Decimal("0.01")
_NOTHING = Decimal(0)
_BOOK = frozenset({StoppedBy.SLIPPAGE, StoppedBy.DEPTH, StoppedBy.PRICE_CAP})

SENT_BEFORE_END_S = 240
"""A bid is sent at least so long before it ends: the venue wants 180 s (docs.polymarket.com, order types), and we a
minute to send it."""


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


def resting_target(
    wants: Sequence[Want],
    pool: Pool,
    book: Book,
    terms: InstrumentTerms,
    *,
    limits: PlanLimits,
    size_max: Decimal,
    usd_max: Decimal | None,
) -> Target | None:
    """A bid for what `pool` could not take of `wants`; None when the book was not what stopped it, or nothing may rest.

    `size_max` units and `usd_max` (None: no bound) are what cover and the instrument's limit allow besides the pool.
    """
    if limits.resting is None or pool.walk.stopped_by not in _BOOK:
        return None
    price = resting_price(book, price_max=limits.price_max, tick=terms.tick_size)
    if price is None:
        return None
    left = {want.product_id: _left(want, pool.parts[want.product_id], price=price) for want in wants}
    money = (
        limits.resting.notional_usd_max if usd_max is None else min(usd_max, limits.resting.notional_usd_max)
    )
    bound = min(sum(left.values(), _NOTHING), size_max, money / price)
    size = bound.quantize(_STEP, rounding=ROUND_FLOOR)
    if size < terms.size_min or size <= 0:
        return None
    ids = sorted(key for key, units_left in left.items() if units_left > 0)
    parts = attribute_exact(to_micro(size), [to_micro(floor_micro(left[key])) for key in ids])
    notional = (size * price).quantize(_CENT, rounding=ROUND_CEILING)
    return Target(
        venue_code=terms.venue_code,
        instrument_id=terms.instrument_id,
        side=Side.BUY,
        leg=RESTING,
        size=size,
        notional_usd=notional,
        fee_usd=_NOTHING,
        price_limit=price,
        price_average=price,
        demands=tuple(
            DemandWeight(product_id=key, weight_micro=part)
            for key, part in zip(ids, parts, strict=True)
            if part
        ),
        reason=LegReason(pool.walk.stopped_by.value),
        sentence=f"Rests a bid for {units(size)} at {unit_price(price)}, {money_words(notional)}, for at most "
        f"{limits.resting.seconds} s: the book offers no more within the limits.",
        inputs={
            "best_bid": str(book.best_bid.price) if book.best_bid else "",
            "best_ask": str(book.best_ask.price) if book.best_ask else "",
            "book_hash": book.book_hash,
            "stopped_by": pool.walk.stopped_by.value,
        },
    )


def _left(want: Want, part: Part, *, price: Decimal) -> Decimal:
    """Units that a product still wants after the pool, within its own cover and money; a resting bid pays no fee."""
    size = want.size_max - part.size
    if want.budget_usd is not None:
        size = min(size, (want.budget_usd - part.cost_usd) / price)
    return max(_NOTHING, floor_micro(size))


def bid_has_drifted(
    book: Book, *, price: Decimal, size: Decimal, price_max: Decimal, tick: Decimal, ticks_max: int
) -> bool:
    """Whether the rule would rest more than `ticks_max` ticks elsewhere, were our bid of `size` not in the book."""
    others = tuple(
        Level(level.price, level.size - size if level.price == price else level.size) for level in book.bids
    )
    without_us = replace(book, bids=tuple(level for level in others if level.size > 0))
    wanted = resting_price(without_us, price_max=price_max, tick=tick)
    return wanted is None or abs(wanted - price) > ticks_max * tick


def _end(why: str, left: Remaining) -> Slice:
    return Slice(
        size=_NOTHING,
        notional_usd=_NOTHING,
        price_limit=left.price_limit,
        fee_usd_max=_NOTHING,
        sentence=f"{why}; ${left.notional_usd} ({left.size} units) left unhedged",
    )
