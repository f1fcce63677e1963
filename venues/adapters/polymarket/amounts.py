"""The two whole amounts an order promises, rounded as the venue rounds, and every reason to refuse them.

A BUY that fills at once is a budget in pUSD: the exchange never takes more than `maker_amount`, and reads the
worst price as maker/taker. Shares are cut, so that price lies a hair above the limit, never as far as the
next price anybody can rest at: `_keeps_limit` proves it for each order, as the official client does.

An order that rests (GTD) is shares at exactly its price, on both sides: hundredths of a share, and the money they
cost, which always fits the market's decimal places.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import MICRO
from venues.adapters.polymarket.limits import FINEST_TICK, ORDER_SIZE_LIMIT, ROUNDING_BY_TICK, Rounding
from venues.domain.gateway import OrderRequest, Side, TimeInForce
from venues.domain.instruments import InstrumentTerms

_SIZE_PLACES_MAX = 8
_USD_PLACES_MAX = 6
_PRICE_UNITS = 10_000
# The official client rounds shares up at four places beyond the last one kept before it cuts them there.
_GUARD = 10**4


class Amounts(NamedTuple):
    """Base units (six decimals): a BUY gives pUSD and takes shares, a SELL gives shares and takes pUSD."""

    maker: int
    taker: int


def amounts_of(request: OrderRequest) -> Amounts:
    """What the order gives and takes. Raises Refused naming the field when the market's rules forbid it."""
    terms = request.terms
    _refuse_closed(terms)
    rounding = _rounding(terms)
    _refuse_price(request.price_limit, terms=terms, rounding=rounding)
    if request.side is Side.BUY and request.time_in_force is TimeInForce.GTD:
        return _resting_buy(request, rounding=rounding)
    if request.side is Side.BUY:
        return _buy(request, rounding=rounding)
    return _sell(request, rounding=rounding)


def _refused(field: str, message: str, *, code: str = "order_rules") -> Refused:
    return Refused(f"{field}: {message}", code=code, field=field)


def _refuse_closed(terms: InstrumentTerms) -> None:
    if terms.closed:
        raise _refused("instrument", "the market is closed; map another market", code="market_closed")
    if not terms.accepting_orders:
        raise _refused(
            "instrument",
            "the market accepts no orders now; refresh its terms and try again later",
            code="market_not_accepting",
        )


def _rounding(terms: InstrumentTerms) -> Rounding:
    rounding = ROUNDING_BY_TICK.get(terms.tick_size)
    if rounding is None:
        known = ", ".join(str(tick) for tick in ROUNDING_BY_TICK)
        raise _refused("tick_size", f"{terms.tick_size} is not a tick this code rounds for ({known})")
    return rounding


def _refuse_price(price: Decimal, *, terms: InstrumentTerms, rounding: Rounding) -> None:
    tick = terms.tick_size
    if not price.is_finite() or not tick <= price <= 1 - tick:
        raise _refused("price_limit", f"{price} is outside [{tick}, {1 - tick}]; keep the limit inside")
    if price != round(price, rounding.price):
        raise _refused(
            "price_limit", f"{price} has more than {rounding.price} decimal places; round to the tick {tick}"
        )
    if price % tick:
        raise _refused("price_limit", f"{price} is not a whole multiple of the tick {tick}; round it to one")


def _refuse_amount(value: Decimal, *, field: str, places_max: int) -> None:
    if not value.is_finite() or value <= 0:
        raise _refused(field, f"{value} must be more than zero")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places_max:
        raise _refused(field, f"{value} has more than {places_max} decimal places; round it first")


def _buy(request: OrderRequest, *, rounding: Rounding) -> Amounts:
    terms = request.terms
    _refuse_amount(request.notional_usd, field="notional_usd", places_max=_USD_PLACES_MAX)
    if request.notional_usd >= ORDER_SIZE_LIMIT:
        raise _refused(
            "notional_usd", f"{request.notional_usd} is not below {ORDER_SIZE_LIMIT} USD; split the order"
        )
    maker = _cut(request.notional_usd, places=rounding.size)
    if maker < terms.notional_usd_min * MICRO:
        raise _refused(
            "notional_usd",
            f"{request.notional_usd} is below the venue's minimum of {terms.notional_usd_min} USD for a BUY "
            "that fills at once; wait until more is wanted",
            code="below_minimum",
        )
    price_units = int(request.price_limit * _PRICE_UNITS)
    taker = _shares_bought(maker, price_units=price_units, places=rounding.amount)
    _refuse_size(taker, terms=terms)
    if not _keeps_limit(maker, taker, price_units=price_units):
        raise _refused(
            "notional_usd",
            f"{request.notional_usd} is too small to say {request.price_limit} exactly; raise the amount",
        )
    return Amounts(maker=maker, taker=taker)


def _resting_buy(request: OrderRequest, *, rounding: Rounding) -> Amounts:
    """As many shares as wanted, and no more than the money buys at the limit."""
    terms = request.terms
    _refuse_amount(request.size, field="size", places_max=_SIZE_PLACES_MAX)
    _refuse_amount(request.notional_usd, field="notional_usd", places_max=_USD_PLACES_MAX)
    price_units = int(request.price_limit * _PRICE_UNITS)
    affordable = int(request.notional_usd * MICRO) * _PRICE_UNITS // price_units
    step = MICRO // 10**rounding.size
    taker = min(_cut(request.size, places=rounding.size), affordable // step * step)
    _refuse_size(taker, terms=terms)
    maker = taker * price_units // _PRICE_UNITS
    if not request.post_only and maker < terms.notional_usd_min * MICRO:
        raise _refused(
            "notional_usd",
            f"{Decimal(maker) / MICRO} is below the venue's minimum of {terms.notional_usd_min} USD for a BUY "
            "that may fill at once; send it post-only, or wait until more is wanted",
            code="below_minimum",
        )
    return Amounts(maker=maker, taker=taker)


def _sell(request: OrderRequest, *, rounding: Rounding) -> Amounts:
    _refuse_amount(request.size, field="size", places_max=_SIZE_PLACES_MAX)
    maker = _cut(request.size, places=rounding.size)
    _refuse_size(maker, terms=request.terms)
    # Two places of shares times the tick's places of price fit the places of money: the price is exact.
    taker = maker * int(request.price_limit * _PRICE_UNITS) // _PRICE_UNITS
    return Amounts(maker=maker, taker=taker)


def _refuse_size(units: int, *, terms: InstrumentTerms) -> None:
    if units < terms.size_min * MICRO or units <= 0:
        size = Decimal(units) / MICRO
        raise _refused(
            "size",
            f"{size} shares is below the market's minimum of {terms.size_min}; wait until more is wanted",
            code="below_minimum",
        )
    if units >= ORDER_SIZE_LIMIT * MICRO:
        raise _refused("size", f"an order must stay below {ORDER_SIZE_LIMIT} shares; split it")


def _cut(value: Decimal, *, places: int) -> int:
    """`value` in base units, cut to `places` decimals in our favour: never more than asked for."""
    step = MICRO // 10**places
    return int(value * MICRO) // step * step


def _shares_bought(maker: int, *, price_units: int, places: int) -> int:
    """Base units of shares that `maker` buys at the limit, as the official client rounds them."""
    step = MICRO // 10**places
    guarded = -(-maker * _PRICE_UNITS * _GUARD // (price_units * step))
    return guarded // _GUARD * step


def _keeps_limit(maker: int, taker: int, *, price_units: int) -> bool:
    """Whether maker/taker is under the next price of the finest grid: then none above the limit matches."""
    finest = int(FINEST_TICK * _PRICE_UNITS)
    return maker * _PRICE_UNITS < taker * (price_units + finest)
