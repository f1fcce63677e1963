"""How much of a decision the next order takes: what the book offers now within the limits, not all at once.

Each order is cut anew from the book as it stands, so that a large decision meets the market in pieces, each re-priced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from hedging.domain.sizing import walk_asks, walk_bids
from venues.domain.books import Book
from venues.domain.gateway import Side
from venues.domain.instruments import InstrumentTerms

_CENT = Decimal("0.01")
_NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The next order. `size` 0 means that the decision has ended, and `sentence` says how."""

    size: Decimal
    notional_usd: Decimal
    price_limit: Decimal
    fee_usd_max: Decimal
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Remaining:
    """What is left of a decision. For a BUY both bounds hold: money before fees, and units."""

    side: Side
    notional_usd: Decimal
    size: Decimal
    price_limit: Decimal


def next_slice(
    left: Remaining, book: Book, terms: InstrumentTerms, *, notional_usd_max: Decimal, participation: Decimal
) -> Slice:
    """Cut the next order out of `left`.

    `notional_usd_max` bounds one order's money; `participation` is the part of the visible depth it may take (0..1].
    """
    if left.notional_usd <= 0 or left.size <= 0:
        return _end("complete", left)
    # The decision's money is counted before fees, so the walk must not count them either.
    free = replace(terms, fee_rate=_NOTHING)
    if left.side == Side.BUY:
        walk = walk_asks(
            book,
            budget_usd=min(left.notional_usd, notional_usd_max),
            size_max=left.size,
            price_max=left.price_limit,
            participation=participation,
            terms=free,
        )
    else:
        walk = walk_bids(
            book, size_max=left.size, price_min=left.price_limit, participation=participation, terms=free
        )
    if walk.size <= 0:
        return _end("the book offers nothing within the price limit", left)
    if walk.size < terms.size_min:
        return _end(
            f"{walk.size} units within the limits are fewer than the venue's minimum of {terms.size_min}",
            left,
        )
    if left.side == Side.BUY and walk.notional_usd < terms.notional_usd_min:
        return _end(
            f"${walk.notional_usd} within the limits is less than the venue's minimum of ${terms.notional_usd_min}",
            left,
        )
    # The fee per dollar falls with the price, and rate x notional bounds it for every price.
    fee_max = (walk.notional_usd * terms.fee_rate).quantize(_CENT, rounding=ROUND_CEILING)
    return Slice(
        size=walk.size,
        notional_usd=walk.notional_usd,
        price_limit=walk.price_worst,
        fee_usd_max=fee_max if left.side == Side.BUY else _NOTHING,
        sentence="",
    )


def _end(why: str, left: Remaining) -> Slice:
    sentence = why if why == "complete" else f"{why}; ${left.notional_usd} ({left.size} units) left unhedged"
    return Slice(
        size=_NOTHING,
        notional_usd=_NOTHING,
        price_limit=left.price_limit,
        fee_usd_max=_NOTHING,
        sentence=sentence,
    )
