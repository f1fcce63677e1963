"""The venue's trades as fills of our orders: one report per trade and order of ours in it.

A trade pairs one taking order with one or more resting ones. It names both, and which side of it we were on;
a match is not yet money: only CONFIRMED is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple

from tonsurance.kernel.money import round_micro
from venues.adapters.polymarket import wire
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.fees import floor_fee, unrounded_taker_fee_usd
from venues.domain.gateway import FillReport, Settlement, Side

_WIDE = Context(prec=60)
_PRICE_QUANTUM = Decimal("0.0000000001")
_SETTLEMENTS = {
    "MATCHED": Settlement.MATCHED,
    "MATCHED_NOT_BROADCASTED": Settlement.MATCHED,
    "MINED": Settlement.MINED,
    "RETRYING": Settlement.RETRYING,
    "CONFIRMED": Settlement.CONFIRMED,
    "FAILED": Settlement.FAILED,
}


class Us(NamedTuple):
    """How to recognise ourselves among the parties of a trade, in lower case."""

    wallet: str
    api_key: str


class FeeTerms(NamedTuple):
    """A market's fee curve, as `GET /clob-markets/{condition}` states it now."""

    rate: Decimal
    exponent: int


class Leg(NamedTuple):
    """`size` shares at `price` of the token that the taking order traded."""

    size: Decimal
    price: Decimal


def condition_of(trade: Mapping[str, Any]) -> str:
    return wire.text(trade.get("market"), name="market")


def fill_reports(trade: Mapping[str, Any], *, us: Us, fee_terms: FeeTerms) -> list[FillReport]:
    """Our fills in one trade, none when it has no order of ours. Raises Unreadable.

    The fee is computed from the market's curve, because a trade's `fee_rate_bps` is a cap and not the charge.
    It is wrong in so far as the venue changed the curve between the trade and this reading.
    """
    reports = []
    if _is_taker(trade, us=us):
        reports.append(_taking_fill(trade, fee_terms=fee_terms))
    for maker in wire.array(trade.get("maker_orders"), name="maker_orders"):
        if _is_party(wire.mapping(maker, name="maker order"), us=us):
            reports.append(_resting_fill(trade, maker))
    return reports


def _is_taker(trade: Mapping[str, Any], *, us: Us) -> bool:
    role = trade.get("trader_side")
    return role == "TAKER" or (role != "MAKER" and _is_party(trade, us=us))


def _is_party(entry: Mapping[str, Any], *, us: Us) -> bool:
    address, owner = str(entry.get("maker_address", "")).lower(), str(entry.get("owner", "")).lower()
    return address == us.wallet or (bool(us.api_key) and owner == us.api_key)


def _taking_fill(trade: Mapping[str, Any], *, fee_terms: FeeTerms) -> FillReport:
    size = _size(trade.get("size"))
    legs = _legs(trade, size=size)
    notional = _sum(_WIDE.multiply(leg.size, leg.price) for leg in legs)
    fee = _sum(
        unrounded_taker_fee_usd(
            leg.size, price=leg.price, fee_rate=fee_terms.rate, fee_exponent=fee_terms.exponent
        )
        for leg in legs
    )
    return _report(
        trade,
        order_id=wire.text(trade.get("taker_order_id"), name="taker_order_id"),
        token_id=wire.text(trade.get("asset_id"), name="asset_id"),
        side=_side(trade.get("side")),
        size=size,
        notional=notional,
        fee=floor_fee(fee),
    )


def _resting_fill(trade: Mapping[str, Any], maker: Mapping[str, Any]) -> FillReport:
    """Resting orders pay no fee (docs.polymarket.com/trading/fees)."""
    leg = _leg(maker)
    return _report(
        trade,
        order_id=wire.text(maker.get("order_id"), name="order_id"),
        token_id=wire.text(maker.get("asset_id"), name="asset_id"),
        side=_side(maker.get("side")),
        size=leg.size,
        notional=_WIDE.multiply(leg.size, leg.price),
        fee=Decimal(0),
    )


def _legs(trade: Mapping[str, Any], *, size: Decimal) -> list[Leg]:
    """What the taking order paid at each resting price; the trade's own price where the makers do not add up.

    A resting order for the market's other outcome pairs at one dollar: its price counts from the other end.
    """
    token_id = trade.get("asset_id")
    legs = []
    for entry in wire.array(trade.get("maker_orders"), name="maker_orders"):
        maker = wire.mapping(entry, name="maker order")
        leg = _leg(maker)
        is_same_token = maker.get("asset_id") == token_id
        legs.append(leg if is_same_token else Leg(size=leg.size, price=1 - leg.price))
    if legs and _sum(leg.size for leg in legs) == size:
        return legs
    return [Leg(size=size, price=_price(trade.get("price")))]


def _leg(maker: Mapping[str, Any]) -> Leg:
    return Leg(size=_size(maker.get("matched_amount")), price=_price(maker.get("price")))


def _size(value: object) -> Decimal:
    size = wire.exact(value, name="size")
    if not 0 < size < 10**12:
        raise Unreadable(f"a trade of {size} shares makes no sense")
    return size


def _price(value: object) -> Decimal:
    price = wire.exact(value, name="price")
    if not 0 <= price <= 1:
        raise Unreadable(f"a share costs between 0 and 1 USD, not {price}")
    return price


def _report(
    trade: Mapping[str, Any],
    *,
    order_id: str,
    token_id: str,
    side: Side,
    size: Decimal,
    notional: Decimal,
    fee: Decimal,
) -> FillReport:
    return FillReport(
        client_order_id=order_id.lower(),
        venue_trade_id=wire.text(trade.get("id"), name="trade id"),
        instrument_id=token_id,
        side=side,
        size=size,
        price=_WIDE.divide(notional, size).quantize(_PRICE_QUANTUM, rounding=ROUND_HALF_EVEN, context=_WIDE),
        notional_usd=round_micro(notional),
        fee_usd=fee,
        settlement=settlement_of(trade.get("status")),
        matched_at=_matched_at(trade),
        transaction_hash=str(trade.get("transaction_hash") or ""),
    )


def settlement_of(value: object) -> Settlement:
    """A word we do not know counts as matched: neither held nor gone, so that it stays open until known."""
    word = wire.text(value, name="status").upper().removeprefix("TRADE_STATUS_")
    return _SETTLEMENTS.get(word, Settlement.MATCHED)


def _side(value: object) -> Side:
    try:
        return Side(wire.text(value, name="side").upper())
    except ValueError as error:
        raise Unreadable("side is neither BUY nor SELL") from error


def _matched_at(trade: Mapping[str, Any]) -> datetime:
    return wire.moment(trade.get("match_time"), name="match_time")


def _sum(values: Any) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _WIDE.add(total, value)
    return total
