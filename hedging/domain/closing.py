"""What is to be sold: units of policies that ended, and units above what cover allows.

A sale needs no approved mapping: it makes the book smaller. What cannot be sold now is kept with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from hedging.domain.plans import HeldBack, LegReason, Target
from hedging.domain.routes import Obstacle, Routes, is_shut
from hedging.domain.sentences import units
from hedging.domain.sizing import StoppedBy, Walk, walk_bids
from hedging.domain.views import Held, MarketView
from tonsurance.kernel.money import ZERO, floor_micro
from venues.domain.gateway import Side
from venues.domain.instruments import InstrumentTerms

_STEP = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Closing:
    """The sales of one plan. `selling`: instruments on which nothing may be bought in the same plan."""

    targets: tuple[Target, ...]
    held_back: tuple[HeldBack, ...]

    @property
    def selling(self) -> frozenset[str]:
        return frozenset(target.instrument_id for target in self.targets)


def close_instruments(view: MarketView, routes: Routes) -> Closing:
    """A sale for every instrument that has something to sell and whose market takes it."""
    targets, held_back = [], []
    for instrument_id in sorted(view.held):
        held = view.held[instrument_id]
        terms = routes.terms.get(instrument_id)
        if terms is None:
            continue
        excess = excess_size(view, routes, held)
        size = (held.ended_size + excess).quantize(_STEP, rounding=ROUND_FLOOR)
        if size <= 0:
            continue
        obstacle, walk = _sale(view, terms, held, size)
        if walk is None:
            held_back.append(
                HeldBack(
                    venue_code=terms.venue_code,
                    instrument_id=instrument_id,
                    size=size,
                    reason=obstacle.reason,
                    sentence=f"Keeps {units(size)} that should be sold: {obstacle.detail}.",
                )
            )
            continue
        targets.append(_target(terms, held, walk, wanted=size, excess=excess))
    return Closing(tuple(targets), tuple(held_back))


def excess_size(view: MarketView, routes: Routes, held: Held) -> Decimal:
    """Settled units of policies in force above the cover of the products they belong to.

    Zero while trades are unsettled, and for an instrument that no product knows: that is a discrepancy, not a
    decision.
    """
    products = routes.products_of(held.instrument_id) | {item.product_id for item in held.slices}
    if not products or held.pending_size > 0 or held.in_flight_size > 0:
        return ZERO
    cover = sum((item.coverage_usd for item in view.demands if item.product_id in products), ZERO)
    allowed = floor_micro(view.limits.payout_cover_max * cover)
    return max(ZERO, held.confirmed_size - held.ended_size - allowed)


_NOTHING = Obstacle(LegReason.HEDGE, "")


def _sale(
    view: MarketView, terms: InstrumentTerms, held: Held, size: Decimal
) -> tuple[Obstacle, Walk | None]:
    venue = view.venues.get(terms.venue_code)
    book = view.books.get(terms.instrument_id)
    if venue is None or not venue.has_gateway:
        return Obstacle(LegReason.NO_GATEWAY, "no gateway"), None
    if not venue.is_enabled:
        return Obstacle(LegReason.VENUE_DISABLED, f"{venue.name} is switched off for new orders"), None
    if held.has_live_intent:
        return Obstacle(LegReason.IN_FLIGHT, "an order for this instrument is still at work"), None
    if held.is_resting:
        # Else the sale could meet our own bid.
        return Obstacle(LegReason.IN_FLIGHT, "the bid that rests is withdrawn first"), None
    if is_shut(view, terms):
        return Obstacle(LegReason.MARKET_CLOSED, "the market is closed or takes no orders"), None
    if book is None or book.best_bid is None:
        return Obstacle(LegReason.NO_BOOK, "nobody bids" if book else "its book could not be read"), None
    if view.book_age(terms.instrument_id) > view.limits.book_max_age:
        return Obstacle(LegReason.STALE_BOOK, "its book is too old"), None
    if book.best_ask is not None and book.best_bid.price >= book.best_ask.price:
        return Obstacle(LegReason.CROSSED_BOOK, "its book is crossed"), None
    walk = walk_bids(
        book,
        size_max=size,
        slippage_bps_max=view.limits.slippage_bps_max,
        participation=view.limits.participation,
        terms=terms,
    )
    if walk.size < terms.size_min or walk.size <= 0:
        detail = f"{units(walk.size)} can be sold within the limits, the venue's minimum is {units(terms.size_min)}"
        return Obstacle(LegReason.BELOW_MINIMUM, detail), None
    return _NOTHING, walk


def _target(terms: InstrumentTerms, held: Held, walk: Walk, *, wanted: Decimal, excess: Decimal) -> Target:
    """Units of ended policies go first."""
    ended = min(held.ended_size, walk.size)
    bound = LegReason.HEDGE if walk.stopped_by is StoppedBy.SIZE else LegReason(walk.stopped_by.value)
    rest = (
        f"; {units(wanted - walk.size)} stay for later ({bound.value.lower()})" if walk.size < wanted else ""
    )
    return Target(
        venue_code=terms.venue_code,
        instrument_id=terms.instrument_id,
        side=Side.SELL,
        size=walk.size,
        notional_usd=walk.notional_usd,
        fee_usd=walk.fee_usd,
        price_limit=walk.price_worst,
        price_average=walk.price_average,
        ended_size=ended,
        excess_size=walk.size - ended,
        reason=bound,
        sentence=f"Sells {units(walk.size)}: {units(held.ended_size)} of policies that ended, "
        f"{units(excess)} above cover{rest}.",
        inputs={
            "confirmed_size": str(held.confirmed_size),
            "ended_size": str(held.ended_size),
            "excess_size": str(excess),
            "stopped_by": walk.stopped_by.value,
        },
    )
