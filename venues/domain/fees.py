"""What a venue charges for taking liquidity, exactly.

The fee is charged on top of what a BUY pays and out of what a SELL receives; makers pay none.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal

# Wide enough for any product of stored columns (28,8) x (24,10) x (9,6) to be exact before the one rounding.
_EXACT = Context(prec=90)
_FEE_QUANTUM = Decimal("0.00001")


def unrounded_taker_fee_usd(
    size: Decimal, *, price: Decimal, fee_rate: Decimal, fee_exponent: int
) -> Decimal:
    """`size * fee_rate * (price*(1-price))**fee_exponent` USD, exact. Raises ValueError for absurd inputs.

    Source: docs.polymarket.com/trading/fees.
    """
    if size < 0 or fee_rate < 0:
        raise ValueError(f"a fee needs a size and a rate of zero or more, not {size} and {fee_rate}")
    if not 0 <= price <= 1:
        raise ValueError(f"a share costs between 0 and 1 USD, not {price}")
    if not 0 <= fee_exponent <= 8:
        raise ValueError(f"a fee exponent is a whole number from 0 to 8, not {fee_exponent}")
    spread = _EXACT.multiply(price, _EXACT.subtract(Decimal(1), price))
    curve = _EXACT.power(spread, fee_exponent) if fee_exponent else Decimal(1)
    return _EXACT.multiply(_EXACT.multiply(size, fee_rate), curve)


def taker_fee_usd(size: Decimal, *, price: Decimal, fee_rate: Decimal, fee_exponent: int) -> Decimal:
    """The charge in USD for one fill of `size` units at `price`, as the venue rounds it.

    Five decimal places, rounded down: "the smallest fee charged is 0.00001; anything smaller rounds to zero"
    (docs.polymarket.com/trading/fees).
    """
    return floor_fee(unrounded_taker_fee_usd(size, price=price, fee_rate=fee_rate, fee_exponent=fee_exponent))


def floor_fee(fee_usd: Decimal) -> Decimal:
    """`fee_usd` as charged: cut to five decimal places, in the taker's favour."""
    return fee_usd.quantize(_FEE_QUANTUM, rounding=ROUND_FLOOR, context=_EXACT)
