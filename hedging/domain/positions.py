"""What trades add up to: units held, what they cost, and the profit or loss already made. Average cost, exact.

Nothing is lost by rounding: cost still held less profit realised always equals the cash that went out less
the cash that came in, to the micro-dollar.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tonsurance.kernel.errors import Broken
from tonsurance.kernel.money import ZERO, floor_micro, round_micro, to_micro


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """`size` units held, `cost_usd` paid for them with fees, `realised_pnl_usd` made on what was sold before."""

    size: Decimal = ZERO
    cost_usd: Decimal = ZERO
    realised_pnl_usd: Decimal = ZERO


def apply_buy(holding: Holding, *, size: Decimal, notional_usd: Decimal, fee_usd: Decimal) -> Holding:
    """`holding` after a purchase; the fee is part of the cost. Raises ValueError for amounts that are not exact."""
    _check_amounts(size, notional_usd, fee_usd)
    return Holding(
        size=holding.size + size,
        cost_usd=holding.cost_usd + notional_usd + fee_usd,
        realised_pnl_usd=holding.realised_pnl_usd,
    )


def apply_sell(holding: Holding, *, size: Decimal, notional_usd: Decimal, fee_usd: Decimal) -> Holding:
    """`holding` after a sale; the fee comes off the proceeds.

    The units sold take their part of the cost at the average, rounded half to even at the micro-dollar; the
    rest keeps the rest. Raises Broken when more is sold than held.
    """
    _check_amounts(size, notional_usd, fee_usd)
    if size > holding.size:
        raise Broken(f"{size} units sold, but only {holding.size} are held")
    cost_sold = (
        holding.cost_usd if size == holding.size else round_micro(holding.cost_usd * size / holding.size)
    )
    return Holding(
        size=holding.size - size,
        cost_usd=holding.cost_usd - cost_sold,
        realised_pnl_usd=holding.realised_pnl_usd + notional_usd - fee_usd - cost_sold,
    )


def closed_cost_usd(*, cost_usd: Decimal, size: Decimal, closed_size: Decimal) -> Decimal:
    """The part of a slice's cost that belongs to its closed units, rounded down until the slice is closed whole.

    The cost of closing some more is the difference of two of these, so the parts add up to the cost.
    """
    if not 0 <= closed_size <= size:
        raise Broken(f"{closed_size} units closed of a slice of {size}")
    return cost_usd if closed_size == size else floor_micro(cost_usd * closed_size / size)


def _check_amounts(size: Decimal, notional_usd: Decimal, fee_usd: Decimal) -> None:
    if size <= 0:
        raise ValueError(f"a trade has a size above zero, not {size}")
    if notional_usd < 0 or fee_usd < 0:
        raise ValueError(f"a trade's notional and fee are not negative: {notional_usd}, {fee_usd}")
    to_micro(notional_usd)
    to_micro(fee_usd)
