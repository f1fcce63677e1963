"""How the demand of several products for one instrument becomes one order, and what part of it each of them gets.

Every product is bounded by its own money and its own cover. All of them pay the same average price, which
depends on how much they take together; the pool is the largest size that all of them can afford at the price
it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import numpy as np

from hedging.domain.attribution import attribute
from hedging.domain.plans import LegReason
from hedging.domain.sizing import StoppedBy, Walk, walk_asks
from hedging.domain.views import PlanLimits
from tonsurance.kernel.money import ZERO, ceil_micro, floor_micro, from_micro, to_micro
from venues.domain.books import Book
from venues.domain.instruments import InstrumentTerms

_STEP = Decimal("0.01")
# Sizes are below 10**12 units of 0.01, so that many halvings find any of them.
_HALVINGS_MAX = 60

_WalkOf: TypeAlias = Callable[[Decimal, Decimal | None], Walk]


@dataclass(frozen=True, kw_only=True, slots=True)
class Want:
    """What one product still wants of an instrument: at most `size_max` units, for at most `budget_usd` with fees."""

    product_id: int
    budget_usd: Decimal | None
    size_max: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What a product gets of a pool, of the `wanted_size` that it could afford at the pool's price.

    `at_cover`: what it wants is bounded by its cover, its budget would buy more.
    """

    size: Decimal
    cost_usd: Decimal
    wanted_size: Decimal
    at_cover: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """One bundled purchase. `bound` is what kept it from being larger; HEDGE when everything wanted is in it."""

    walk: Walk
    parts: dict[int, Part]
    bound: LegReason

    @property
    def is_sent(self) -> bool:
        """Whether it is large enough to become an order."""
        return any(part.size > 0 for part in self.parts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolCap:
    """The operators' bounds on one purchase, fees included, and the units that cover of all products still allows."""

    order_usd: Decimal | None
    instrument_usd: Decimal | None
    size: Decimal

    def money(self) -> tuple[Decimal | None, LegReason]:
        """The tighter of the two money bounds, and its name."""
        if self.instrument_usd is not None and (
            self.order_usd is None or self.instrument_usd < self.order_usd
        ):
            return self.instrument_usd, LegReason.INSTRUMENT_LIMIT
        return self.order_usd, LegReason.ORDER_LIMIT


def fill_pool(
    wants: Sequence[Want], book: Book, terms: InstrumentTerms, *, limits: PlanLimits, cap: PoolCap
) -> Pool:
    """Bundle `wants` (at least one, each above zero) into one purchase from `book` within `limits` and `cap`."""
    money_max, money_reason = cap.money()
    size_max = min(sum((want.size_max for want in wants), Decimal(0)), cap.size)

    def walk(size: Decimal, budget: Decimal | None) -> Walk:
        return walk_asks(
            book,
            budget_usd=budget,
            size_max=size,
            price_max=limits.price_max,
            slippage_bps_max=limits.slippage_bps_max,
            participation=limits.participation,
            terms=terms,
        )

    largest = walk(size_max, money_max)
    if largest.size > 0 and _affordable(wants, largest) < largest.size:
        chosen, met = _walk_within_budgets(wants, walk, largest=largest, money_max=money_max), True
    else:
        chosen, met = largest, False
    bound = LegReason.HEDGE if met else _bound(chosen, wants, size_max=size_max, money_reason=money_reason)
    if chosen.size > 0 and (chosen.size < terms.size_min or chosen.notional_usd < terms.notional_usd_min):
        return Pool(walk=chosen, parts=_nothing(wants), bound=LegReason.BELOW_MINIMUM)
    if chosen.size <= 0:
        # Less than one step of 0.01 units, or less than a cent, is wanted or can be paid for.
        bound = LegReason.BELOW_MINIMUM if bound is LegReason.HEDGE else bound
        return Pool(walk=chosen, parts=_nothing(wants), bound=bound)
    return Pool(walk=chosen, parts=_divide(wants, chosen), bound=bound)


def _bound(walk: Walk, wants: Sequence[Want], *, size_max: Decimal, money_reason: LegReason) -> LegReason:
    if walk.stopped_by is StoppedBy.BUDGET:
        return money_reason
    if walk.stopped_by is not StoppedBy.SIZE:
        return LegReason(walk.stopped_by.value)
    is_whole = size_max == sum((want.size_max for want in wants), Decimal(0))
    return LegReason.HEDGE if is_whole else LegReason.FULLY_COVERED


def _nothing(wants: Sequence[Want]) -> dict[int, Part]:
    return {
        want.product_id: Part(size=ZERO, cost_usd=ZERO, wanted_size=ZERO, at_cover=False) for want in wants
    }


def _affordable(wants: Sequence[Want], walk: Walk) -> Decimal:
    """The units that all products together can take at the walk's average price with fees."""
    return sum((_wanted(want, unit=_unit_cost(walk)) for want in wants), Decimal(0))


def _wanted(want: Want, *, unit: Decimal) -> Decimal:
    return want.size_max if want.budget_usd is None else min(want.budget_usd / unit, want.size_max)


def _unit_cost(walk: Walk) -> Decimal:
    return walk.price_average + walk.fee_usd / walk.size


def _walk_within_budgets(
    wants: Sequence[Want], walk: _WalkOf, *, largest: Walk, money_max: Decimal | None
) -> Walk:
    """The largest walk whose size all products can afford. Budgets alone decide in one step, a mixture by halving."""
    budgets = [want.budget_usd for want in wants if want.budget_usd is not None]
    if len(budgets) == len(wants):
        money = sum(budgets, Decimal(0))
        pooled = walk(largest.size, money if money_max is None else min(money, money_max))
        if pooled.size > 0:
            unit = _unit_cost(pooled)
            if all(want.budget_usd is not None and want.budget_usd <= unit * want.size_max for want in wants):
                return pooled
    low, high = 0, int(largest.size / _STEP)
    for _ in range(_HALVINGS_MAX):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        tried = walk(middle * _STEP, money_max)
        if tried.size > 0 and _affordable(wants, tried) >= tried.size:
            low = middle
        else:
            high = middle
    return walk(low * _STEP, money_max)


def _divide(wants: Sequence[Want], walk: Walk) -> dict[int, Part]:
    """Size in proportion to what each product can take at this price, cost in proportion to size; both exact."""
    unit = _unit_cost(walk)
    wanted = {want.product_id: _wanted(want, unit=unit) for want in wants}
    # Rounded up, so that the parts wanted never add up to less than the size bought; nobody passes the own bound by it.
    weights = [
        min(to_micro(ceil_micro(wanted[want.product_id])), to_micro(floor_micro(want.size_max)))
        for want in wants
    ]
    ids = np.array([want.product_id for want in wants], dtype=np.int64)
    sizes = attribute(to_micro(walk.size), np.array(weights, dtype=np.int64), ids)
    costs = attribute(to_micro(walk.cost_usd), sizes, ids)
    return {
        want.product_id: Part(
            size=from_micro(size),
            cost_usd=from_micro(cost),
            wanted_size=from_micro(weight),
            at_cover=want.budget_usd is not None and wanted[want.product_id] >= want.size_max,
        )
        for want, size, cost, weight in zip(wants, sizes.tolist(), costs.tolist(), weights, strict=True)
    }
