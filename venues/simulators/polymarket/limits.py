"""Whether an order's numbers are ones the venue takes: tick, size, precision and dollar minimum.

Source: docs.polymarket.com/resources/error-codes and /trading/orders/create-order.
"""

from __future__ import annotations

from decimal import Decimal

from venues.simulators.polymarket.records import BUY, Market
from venues.simulators.polymarket.refusals import (
    INVALID_EXPIRATION,
    Refusal,
    below_one_dollar,
    imprecise,
    off_tick,
    too_small,
)
from venues.simulators.polymarket.requests import OrderRequest
from venues.simulators.polymarket.units import LOT_E6, PRICE_ONE_E4, UNIT_E6, decimals, text_e4, text_e6

GTD_SECONDS_MIN = 180
"""How far ahead a GTD's expiration must be: docs.polymarket.com/trading/place-orders."""
GTD_LEAD_SECONDS = 60
"""How long before its expiration a GTD order leaves the book (same page: the security threshold)."""


def limit_price_e4(request: OrderRequest, market: Market, *, order_id: str) -> int:
    """Return the worst price on the tick grid, or refuse one that is off it.

    A resting order's ratio must be on the grid exactly. A FAK or FOK rounds its share count down, so its
    ratio may sit a hair past its price: it is brought back to the grid on the side that favours its owner.
    """
    money, shares = _money_and_shares(request)
    scaled = money * PRICE_ONE_E4
    if request.order_type in ("GTC", "GTD"):
        price, rest = divmod(scaled, shares)
        on_grid = rest == 0 and price % market.tick_e4 == 0
    else:
        step = shares * market.tick_e4
        steps = scaled // step if request.side == BUY else -(-scaled // step)
        price, on_grid = steps * market.tick_e4, True
    if not on_grid or not market.tick_e4 <= price <= PRICE_ONE_E4 - market.tick_e4:
        shown = f"{(Decimal(money) / Decimal(shares)).normalize():f}"
        raise off_tick(order_id, price=shown, tick=text_e4(market.tick_e4))
    return price


def require_size(request: OrderRequest, market: Market, *, order_id: str) -> None:
    """Refuse a limit order below the minimum size, or a FAK or FOK with too many decimals."""
    _, shares = _money_and_shares(request)
    if request.order_type in ("GTC", "GTD"):
        if shares < market.min_size_e6:
            raise too_small(order_id, size=text_e6(shares), minimum=text_e6(market.min_size_e6))
        if shares % LOT_E6:
            raise imprecise(request.side, taker_decimals=2)
        return
    places = decimals(market.tick_e4) + 2
    step = 10 ** (6 - places)
    if request.fields.maker_amount % LOT_E6 or request.fields.taker_amount % step:
        raise imprecise(request.side, taker_decimals=places)


def require_dollar(request: OrderRequest) -> None:
    """Refuse a BUY that would trade at once for less than one dollar."""
    if request.side == BUY and request.fields.maker_amount < UNIT_E6:
        raise below_one_dollar(text_e6(request.fields.maker_amount))


def require_expiration(request: OrderRequest, *, now_ms: int) -> None:
    """Refuse a GTD that is too near, and an expiration on any other order type."""
    if request.order_type != "GTD":
        if request.expiration != 0:
            raise Refusal(400, INVALID_EXPIRATION)
        return
    if request.expiration * 1000 < now_ms + GTD_SECONDS_MIN * 1000:
        raise Refusal(400, INVALID_EXPIRATION)


def _money_and_shares(request: OrderRequest) -> tuple[int, int]:
    if request.side == BUY:
        return request.fields.maker_amount, request.fields.taker_amount
    return request.fields.taker_amount, request.fields.maker_amount
