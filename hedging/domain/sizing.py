"""How much to buy for how much cover, and what a book really gives for it, level by level, exact.

Each unit bought pays 1 USD in the insured event. What a book cannot give within the limits is a result with a
reason (`stopped_by`), never an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum

from policies.domain.catalogue import SizingMode
from tonsurance.kernel.money import ZERO, ceil_micro, floor_micro
from venues.domain.books import Book, Level
from venues.domain.fees import taker_fee_usd, unrounded_taker_fee_usd
from venues.domain.instruments import InstrumentTerms

__all__ = [
    "Demand",
    "HedgeOutcome",
    "SizingMode",
    "StoppedBy",
    "Walk",
    "demand_for",
    "hedge_outcome",
    "size_demand",
    "walk_asks",
    "walk_bids",
]

_SIZE_STEP = Decimal("0.01")
_CENT = Decimal("0.01")
_PRICE_QUANTUM = Decimal("0.0000000001")
_BPS = Decimal(10_000)
# Quotients are rounded down by this context, so that a limit is never passed by a rounded-up last digit.
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)


class StoppedBy(StrEnum):
    """What ended a walk: the money, the size wanted, the price cap, the slippage cap, or the end of the book."""

    BUDGET = "BUDGET"
    SIZE = "SIZE"
    PRICE_CAP = "PRICE_CAP"
    SLIPPAGE = "SLIPPAGE"
    DEPTH = "DEPTH"


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What one product wants from one venue.

    `required_usd` is venue share x hedge ratio x cover: money to spend in BUDGET mode, payout to receive in
    PAYOUT mode. `budget_usd` (None: no bound) is the most to spend, fees included; `size_max` the most units,
    never above the cover.
    """

    required_usd: Decimal
    budget_usd: Decimal | None
    size_max: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """What taking from a book gives. `size` in whole 0.01 units, `notional_usd` in whole cents and without fees.

    `price_average` is the exact average at 10 places, `price_worst` the price limit that the order needs (0
    when nothing is taken), `depth_usd_within_limit` the notional on offer within price cap and participation.
    """

    size: Decimal
    notional_usd: Decimal
    fee_usd: Decimal
    price_average: Decimal
    price_worst: Decimal
    levels_used: int
    depth_usd_within_limit: Decimal
    stopped_by: StoppedBy

    @property
    def cost_usd(self) -> Decimal:
        """Notional plus fees of a purchase."""
        return self.notional_usd + self.fee_usd


@dataclass(frozen=True, kw_only=True, slots=True)
class HedgeOutcome:
    """What a hedge of one cover does to the vault if the event happens, and if it does not, USD.

    `vault_payout_net_of_hedge_usd` (cover less payout) leaves out that the stake is spent either way; never
    show it without `economic_loss_in_event_usd`.
    """

    payout_usd: Decimal
    cost_usd: Decimal
    vault_payout_net_of_hedge_usd: Decimal
    economic_loss_in_event_usd: Decimal
    economic_loss_otherwise_usd: Decimal


def size_demand(
    *,
    coverage_usd: Decimal,
    hedge_ratio: Decimal,
    venue_share: Decimal = Decimal(1),
    mode: SizingMode,
    payout_cover_max: Decimal = Decimal(1),
) -> Demand:
    """What a product of `coverage_usd` wants from a venue with `venue_share` of its hedge.

    `payout_cover_max` is the most payout per dollar of cover (1 = insurable interest).
    """
    required = floor_micro(hedge_ratio * venue_share * coverage_usd)
    return demand_for(required, coverage_usd=coverage_usd, mode=mode, payout_cover_max=payout_cover_max)


def demand_for(
    required_usd: Decimal, *, coverage_usd: Decimal, mode: SizingMode, payout_cover_max: Decimal = Decimal(1)
) -> Demand:
    """The demand whose venue share of the hedge is already known, as `split_venues` gives it."""
    insurable = floor_micro(payout_cover_max * coverage_usd)
    if mode is SizingMode.PAYOUT:
        return Demand(required_usd=required_usd, budget_usd=None, size_max=min(required_usd, insurable))
    return Demand(required_usd=required_usd, budget_usd=required_usd, size_max=insurable)


def hedge_outcome(*, coverage_usd: Decimal, size: Decimal, cost_usd: Decimal) -> HedgeOutcome:
    """What `size` units that cost `cost_usd` mean for a cover of `coverage_usd`."""
    return HedgeOutcome(
        payout_usd=size,
        cost_usd=cost_usd,
        vault_payout_net_of_hedge_usd=coverage_usd - size,
        economic_loss_in_event_usd=coverage_usd - size + cost_usd,
        economic_loss_otherwise_usd=cost_usd,
    )


def walk_asks(
    book: Book,
    *,
    budget_usd: Decimal | None = None,
    size_max: Decimal | None = None,
    price_max: Decimal,
    slippage_bps_max: Decimal | int | None = None,
    participation: Decimal = Decimal(1),
    terms: InstrumentTerms,
) -> Walk:
    """Buy from the cheapest ask upwards until a bound is met.

    `budget_usd` bounds notional plus fees; `slippage_bps_max` bounds the average price against the best ask;
    `participation` (0..1] is the part of each level that may be taken. Raises ValueError for a participation
    outside.
    """
    within = _visible([level for level in book.asks if level.price <= price_max], participation)
    average_max = _average_limit(book.asks, slippage_bps_max, sign=1)
    taken: list[Level] = []
    bound = StoppedBy.PRICE_CAP if len(within) < len(book.asks) else StoppedBy.DEPTH
    notional, size, spent = Decimal(0), Decimal(0), Decimal(0)
    for price, available in within:
        unit = price + _unit_fee(price, terms)
        room = [(available, bound)]
        if size_max is not None:
            room.append((size_max - size, StoppedBy.SIZE))
        if budget_usd is not None:
            room.append((_DOWN.divide(budget_usd - spent, unit), StoppedBy.BUDGET))
        if average_max is not None and price > average_max:
            room.append(
                (_DOWN.divide(average_max * size - notional, price - average_max), StoppedBy.SLIPPAGE)
            )
        units, why = min(room, key=_tightest)
        if units > 0:
            taken.append(Level(price, units))
            notional, size, spent = notional + price * units, size + units, spent + unit * units
        if why is not bound:
            bound = why
            break
    return _summary(taken, stopped_by=bound, within=within, terms=terms)


def walk_bids(
    book: Book,
    *,
    size_max: Decimal,
    price_min: Decimal = Decimal(0),
    slippage_bps_max: Decimal | int | None = None,
    participation: Decimal = Decimal(1),
    terms: InstrumentTerms,
) -> Walk:
    """Sell into the highest bid downwards until `size_max` is sold or a bound is met; the mirror of `walk_asks`."""
    within = _visible([level for level in book.bids if level.price >= price_min], participation)
    average_min = _average_limit(book.bids, slippage_bps_max, sign=-1)
    taken: list[Level] = []
    bound = StoppedBy.PRICE_CAP if len(within) < len(book.bids) else StoppedBy.DEPTH
    notional, size = Decimal(0), Decimal(0)
    for price, available in within:
        room = [(available, bound), (size_max - size, StoppedBy.SIZE)]
        if average_min is not None and price < average_min:
            room.append(
                (_DOWN.divide(notional - average_min * size, average_min - price), StoppedBy.SLIPPAGE)
            )
        units, why = min(room, key=_tightest)
        if units > 0:
            taken.append(Level(price, units))
            notional, size = notional + price * units, size + units
        if why is not bound:
            bound = why
            break
    return _summary(taken, stopped_by=bound, within=within, terms=terms)


def _tightest(room: tuple[Decimal, StoppedBy]) -> tuple[Decimal, int]:
    """On a tie our own bounds explain a stop better than the end of a level does."""
    units, why = room
    return units, 1 if why in (StoppedBy.DEPTH, StoppedBy.PRICE_CAP) else 0


def _visible(levels: Iterable[Level], participation: Decimal) -> list[Level]:
    if not 0 < participation <= 1:
        raise ValueError(
            f"participation: take more than nothing and at most all of a level, not {participation}"
        )
    return [Level(level.price, level.size * participation) for level in levels]


def _average_limit(
    levels: tuple[Level, ...], slippage_bps_max: Decimal | int | None, *, sign: int
) -> Decimal | None:
    if slippage_bps_max is None or not levels:
        return None
    return levels[0].price * (1 + sign * Decimal(slippage_bps_max) / _BPS)


def _unit_fee(price: Decimal, terms: InstrumentTerms) -> Decimal:
    return unrounded_taker_fee_usd(
        Decimal(1), price=price, fee_rate=terms.fee_rate, fee_exponent=terms.fee_exponent
    )


def _summary(
    taken: list[Level], *, stopped_by: StoppedBy, within: list[Level], terms: InstrumentTerms
) -> Walk:
    """Round the walk down to what a venue takes: whole 0.01 units and whole cents."""
    depth = floor_micro(sum((price * size for price, size in within), Decimal(0)))
    parts = _floored(taken)
    size = sum((units for _, units in parts), Decimal(0)).quantize(_SIZE_STEP)
    exact = sum((price * units for price, units in parts), Decimal(0))
    notional = exact.quantize(_CENT, rounding=ROUND_FLOOR)
    if size <= 0 or notional <= 0:
        return Walk(
            size=Decimal("0.00"),
            notional_usd=Decimal("0.00"),
            fee_usd=ZERO,
            price_average=Decimal(0),
            price_worst=Decimal(0),
            levels_used=0,
            depth_usd_within_limit=depth,
            stopped_by=stopped_by,
        )
    fee = sum(
        (
            taker_fee_usd(units, price=price, fee_rate=terms.fee_rate, fee_exponent=terms.fee_exponent)
            for price, units in parts
        ),
        Decimal(0),
    )
    return Walk(
        size=size,
        notional_usd=notional,
        fee_usd=ceil_micro(fee),
        price_average=(exact / size).quantize(_PRICE_QUANTUM, rounding=ROUND_HALF_EVEN),
        price_worst=parts[-1].price,
        levels_used=len(parts),
        depth_usd_within_limit=depth,
        stopped_by=stopped_by,
    )


def _floored(taken: list[Level]) -> list[Level]:
    """The same levels with the total size cut down to whole 0.01 units, at the expense of the worst price."""
    parts = list(taken)
    excess = sum((units for _, units in parts), Decimal(0)) % _SIZE_STEP
    while parts and excess > 0:
        price, units = parts.pop()
        if units > excess:
            parts.append(Level(price, units - excess))
            break
        excess -= units
    return parts
