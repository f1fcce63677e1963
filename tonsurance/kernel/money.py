"""Money and sizes are exact decimals with six places, or whole micro-units; never floats.

One micro-unit is 10**-6 of a dollar or of a share, which is also the base unit of pUSD and of outcome tokens
on Polygon. Whoever rounds says in whose favour: `floor_micro` never gives away more than there is.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

MICRO = 1_000_000
ZERO = Decimal("0.000000")
_QUANTUM = Decimal("0.000001")


def exact_decimal(value: Decimal | int | str) -> Decimal:
    """The decimal that `value` spells. Raises TypeError for floats and bools, which cannot spell money exactly."""
    if isinstance(value, (float, bool)):
        raise TypeError(f"money must be a Decimal, int or str, not {type(value).__name__}: {value!r}")
    return value if isinstance(value, Decimal) else Decimal(value)


def to_micro(value: Decimal | int | str) -> int:
    """Whole micro-units of `value`. Raises ValueError when `value` has more than six decimal places."""
    scaled = exact_decimal(value) * MICRO
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(
            f"{value} has more than six decimal places; round it first, naming who bears the rounding"
        )
    return whole


def from_micro(units: int) -> Decimal:
    """The six-place decimal of a number of micro-units."""
    return (Decimal(units) / MICRO).quantize(_QUANTUM)


def floor_micro(value: Decimal) -> Decimal:
    """`value` rounded down to six places: what we may count on receiving or spending."""
    return value.quantize(_QUANTUM, rounding=ROUND_FLOOR)


def ceil_micro(value: Decimal) -> Decimal:
    """`value` rounded up to six places: what we must set aside."""
    return value.quantize(_QUANTUM, rounding=ROUND_CEILING)


def round_micro(value: Decimal) -> Decimal:
    """`value` rounded half to even at six places: for figures that are shown, not paid."""
    return value.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
