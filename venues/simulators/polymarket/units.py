"""Amounts are integers: shares and pUSD in millionths (`_e6`), prices in ten-thousandths (`_e4`).

The wire carries decimal strings; nothing here is ever a float.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, InvalidOperation

UNIT_E6 = 1_000_000
PRICE_ONE_E4 = 10_000
LOT_E6 = 10_000
"""A hundredth of a share: every fill is a whole number of these, so size x price is exact in millionths."""

TICKS_E4 = (1000, 100, 50, 25, 10, 1)
"""The ticks the venue knows, coarsest first."""
FEE_STEP = Decimal("0.00001")


def text_e6(value_e6: int) -> str:
    """Return millionths as the shortest decimal string: 1500000 -> "1.5"."""
    return _shortest(Decimal(value_e6).scaleb(-6))


def text_e4(price_e4: int) -> str:
    """Return a price as the shortest decimal string: 220 -> "0.022"."""
    return _shortest(Decimal(price_e4).scaleb(-4))


def price_text(price_e4: int, *, tick_e4: int) -> str:
    """Return a price with as many decimals as its tick, as the venue's books print it; exactly when off it."""
    if price_e4 % tick_e4:
        return text_e4(price_e4)
    return f"{Decimal(price_e4).scaleb(-4):.{decimals(tick_e4)}f}"


def decimals(tick_e4: int) -> int:
    """Return how many decimal places a tick needs: 100 (0.01) -> 2."""
    return -int(Decimal(text_e4(tick_e4)).as_tuple().exponent)


def exact_e6(value: object) -> int:
    """Return a decimal string or integer as millionths; ValueError when it has more than six decimals."""
    return _exact(value, places=6)


def exact_e4(value: object) -> int:
    """Return a price as ten-thousandths; ValueError when it has more than four decimals."""
    return _exact(value, places=4)


def fee_e6(size_e6: int, *, price_e4: int, rate: Decimal, exponent: int) -> int:
    """Return the taker's fee in millionths of pUSD.

    shares x rate x (p(1-p))^exponent, cut to five decimals: docs.polymarket.com/trading/fees, and what Nautilus
    Trader's Polymarket adapter found the venue to charge (`compute_commission`).
    """
    price = Decimal(price_e4).scaleb(-4)
    raw = Decimal(size_e6).scaleb(-6) * rate * (price * (1 - price)) ** exponent
    return int(raw.quantize(FEE_STEP, rounding=ROUND_FLOOR).scaleb(6))


def _exact(value: object, *, places: int) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"expected a decimal string, got {value!r}")
    try:
        scaled = Decimal(value).scaleb(places)
    except InvalidOperation as error:
        raise ValueError(f"expected a decimal string, got {value!r}") from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{value!r} has more than {places} decimal places")
    return int(scaled)


def _shortest(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
