"""How a match becomes money: MATCHED, then MINED, then CONFIRMED, or RETRYING, or FAILED.

Nothing moves before MINED; FAILED releases what the match had reserved, and the fill never happened. A trade
follows its script, which the rehearsal may write beforehand.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from uuid import NAMESPACE_OID, uuid5

from eth_utils.crypto import keccak

from venues.simulators.polymarket.book import Fill, cash_e6
from venues.simulators.polymarket.ledger import trade_apply
from venues.simulators.polymarket.records import (
    LIVE,
    MATCHED,
    TRADE_CONFIRMED,
    TRADE_FAILED,
    TRADE_MATCHED,
    TRADE_MINED,
    TRADE_RETRYING,
    Leg,
    Market,
    Order,
    Trade,
)
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.ticks import tick_follow
from venues.simulators.polymarket.units import PRICE_ONE_E4, fee_e6

PLAIN_SCRIPT = (TRADE_MINED, TRADE_CONFIRMED)
FAULTY_SCRIPTS = {
    "ghost_fills": (TRADE_FAILED,),
    "retrying_fills": (TRADE_RETRYING, TRADE_MINED, TRADE_CONFIRMED),
}
STEPS_MAX = 10_000
"""Settlement steps taken in one go; the rest waits for the next tick."""


def fees_of(market: Market, fills: Sequence[Fill]) -> int:
    """Return the taker's fees in millionths of pUSD: rounded once per trade, and a price is a trade."""
    return sum(_fee(market, list(group)) for _, group in groupby(fills, key=lambda fill: fill.price_e4))


def trades_record(
    state: State, order: Order, market: Market, *, fills: Sequence[Fill], now_ms: int
) -> list[Trade]:
    """Turn an order's fills into trades, one per price, and take the makers' shares off the book."""
    return [
        _trade_record(state, order, market, fills=list(group), price_e4=price_e4, now_ms=now_ms)
        for price_e4, group in groupby(fills, key=lambda fill: fill.price_e4)
    ]


def settlement_advance(state: State, *, now_ms: int) -> int:
    """Take every settlement step that is due; return how many were taken."""
    for count in range(STEPS_MAX):
        if not state.due or state.due[0][0] > now_ms:
            return count
        _, trade_id = heapq.heappop(state.due)
        _step(state, state.trades[trade_id])
    return STEPS_MAX


def script_validate(script: Sequence[str]) -> list[str]:
    """Return a settlement script; ValueError unless it is RETRYING*, then FAILED or MINED, CONFIRMED."""
    body = [str(status) for status in script]
    tail = body[body.count(TRADE_RETRYING) :]
    if any(status != TRADE_RETRYING for status in body[: body.count(TRADE_RETRYING)]):
        raise ValueError("RETRYING comes before every other status")
    if tail not in (list(PLAIN_SCRIPT), [TRADE_FAILED]):
        raise ValueError("a script ends in MINED, CONFIRMED or in FAILED")
    return body


def _trade_record(
    state: State, order: Order, market: Market, *, fills: list[Fill], price_e4: int, now_ms: int
) -> Trade:
    size_e6 = sum(fill.size_e6 for fill in fills)
    taker = _leg(order, market, size_e6=size_e6, price_e4=price_e4)
    taker.fee_e6 = _fee(market, fills)
    legs = [taker]
    for fill in fills:
        resting = fill.resting
        same_token = resting.token_id == order.token_id
        own_price = price_e4 if same_token else PRICE_ONE_E4 - price_e4
        legs.append(_leg(resting, market, size_e6=fill.size_e6, price_e4=own_price))
    sequence = state.next_sequence()
    trade = Trade(
        id=_trade_id(order.id, sequence),
        condition_id=market.condition_id,
        legs=legs,
        status=TRADE_MATCHED,
        matched_at=now_ms,
        updated_at=now_ms,
        due_at=now_ms + round(float(state.settings["mined_seconds"]) * 1000),
        sequence=sequence,
        script=_next_script(state),
    )
    for leg in legs:
        _order_fill(state, state.orders[leg.order_id], leg, trade_id=trade.id)
    market.last_price_e4, market.last_side = price_e4, order.side
    market.volume_e6 += taker.cash_e6
    tick_follow(market)
    state.books[market.condition_id].touch()
    state.index_trade(trade)
    state.save(trade, market)
    return trade


def _step(state: State, trade: Trade) -> None:
    trade.status = trade.script.pop(0)
    trade.updated_at = trade.due_at
    if trade.status == TRADE_RETRYING:
        trade.attempts += 1
    elif trade.status == TRADE_MINED:
        trade.transaction_hash = "0x" + keccak(text=f"{trade.id}:{trade.attempts}").hex()
        trade_apply(state, trade)
    if trade.is_open:
        name = "confirmed_seconds" if trade.status == TRADE_MINED else "mined_seconds"
        trade.due_at += round(float(state.settings[name]) * 1000)
        heapq.heappush(state.due, (trade.due_at, trade.id))
    else:
        for leg in trade.legs:
            state.open_trades[leg.address].pop(trade.id, None)
    state.save(trade)


def _order_fill(state: State, order: Order, leg: Leg, *, trade_id: str) -> None:
    order.matched_e6 += leg.size_e6
    order.cash_e6 += leg.cash_e6
    order.trade_ids.append(trade_id)
    if order.status == LIVE and order.remaining_e6 <= 0 and not order.is_budget:
        order.status = MATCHED
        state.unrest(order)
    state.save(order)


def _leg(order: Order, market: Market, *, size_e6: int, price_e4: int) -> Leg:
    return Leg(
        order_id=order.id,
        address=order.maker,
        owner=order.owner,
        token_id=order.token_id,
        outcome=market.outcomes[market.index(order.token_id)],
        side=order.side,
        size_e6=size_e6,
        price_e4=price_e4,
        cash_e6=cash_e6(size_e6, price_e4),
    )


def _fee(market: Market, fills: list[Fill]) -> int:
    size_e6 = sum(fill.size_e6 for fill in fills)
    return fee_e6(
        size_e6, price_e4=fills[0].price_e4, rate=Decimal(market.fee_rate), exponent=market.fee_exponent
    )


def _next_script(state: State) -> list[str]:
    scripts: list[list[str]] = state.settings["scripts"]
    if not scripts:
        return _faulty_script(state)
    script = list(scripts.pop(0))
    state.save_settings()
    return script


def _faulty_script(state: State) -> list[str]:
    """Return how the next trade ends: as the fault plan's modes say, else MINED and CONFIRMED."""
    plan = state.settings.get("faults") or {}
    now_ms = state.clock.now_ms()
    for mode in plan.get("modes", []):
        script = FAULTY_SCRIPTS.get(mode["kind"])
        if script is None or (mode["until_ms"] and mode["until_ms"] <= now_ms):
            continue
        dice = random.Random(f"{plan['seed']}:{mode['kind']}:{state.sequence}")  # noqa: S311 - replayable
        if dice.random() < mode["probability"]:
            return list(script)
    return list(PLAIN_SCRIPT)


def _trade_id(order_id: str, sequence: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{order_id}:{sequence}"))
