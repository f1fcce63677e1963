"""Orders that wait: a marketable order of a market with a delay is answered `delayed` and meets the book afterwards.

While it waits it reserves what it may spend and cannot be cancelled. What finds no match then is UNMATCHED, unless
it may rest. Source: docs.polymarket.com/concepts/order-lifecycle (statuses delayed and unmatched).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from venues.simulators.polymarket.book import Plan
from venues.simulators.polymarket.ledger import require_funds
from venues.simulators.polymarket.records import (
    CANCELED_RESOLVED,
    DELAYED,
    LIVE,
    MATCHED,
    UNMATCHED,
    Market,
    Order,
)
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.settlement import fees_of, trades_record
from venues.simulators.polymarket.state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Delay:
    """How long a marketable order waits beside its market's own delay, and whether it then fails."""

    seconds: float = 0.0
    fails: bool = False


NO_DELAY = Delay()


def order_delay(state: State, order: Order, *, until_ms: int, fails: bool) -> dict[str, Any]:
    """Let an accepted order wait and return the venue's answer; `fails` makes it end unmatched."""
    order.status, order.delayed_until, order.fails_delay = DELAYED, until_ms, fails
    state.index_order(order)
    state.save(order)
    return {
        "success": True,
        "errorMsg": "",
        "orderID": order.id,
        "status": "delayed",
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    }


def delays_advance(state: State, *, now_ms: int) -> None:
    """Let every order whose wait is over meet the book, oldest first."""
    due = [order for order in state.delayed.values() if order.delayed_until <= now_ms]
    for order in sorted(due, key=lambda row: (row.delayed_until, row.sequence)):
        del state.delayed[order.id]
        _release(state, order, state.markets[order.condition_id])


def _release(state: State, order: Order, market: Market) -> None:
    if market.closed:
        order.status = CANCELED_RESOLVED
        state.save(order)
        return
    plan = state.books[market.condition_id].plan(order)
    may_rest = order.order_type in ("GTC", "GTD")
    is_killed = (order.order_type == "FOK" and not plan.is_complete) or not (plan.fills or may_rest)
    if order.fails_delay or is_killed or not _can_pay(state, order, market, plan):
        order.status = UNMATCHED
        state.save(order)
        return
    order.status = LIVE if may_rest and not plan.is_complete else MATCHED
    if order.status == LIVE:
        state.rest_order(order)
    state.save(order)
    trades_record(state, order, market, fills=plan.fills, now_ms=order.delayed_until)


def _can_pay(state: State, order: Order, market: Market, plan: Plan) -> bool:
    amount = order.maker_amount + (fees_of(market, plan.fills) if order.side == "BUY" else 0)
    account = state.account(order.maker)
    try:
        require_funds(state, account, side=order.side, token_id=order.token_id, amount_e6=amount)
    except Refusal:
        return False
    return True
