"""How resting orders leave the book without a trade: by request, by expiry, by a silent heartbeat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from venues.simulators.polymarket.limits import GTD_LEAD_SECONDS
from venues.simulators.polymarket.records import CANCELED, CANCELED_EXPIRED, LIVE, ApiKey, Order
from venues.simulators.polymarket.state import State

ALREADY_GONE = "already canceled or matched"
HEARTBEAT_GRACE_MS = 15_000
"""Ten seconds between heartbeats and five of grace: docs.polymarket.com, send heartbeat."""


def orders_cancel(state: State, order_ids: Iterable[str], *, key: ApiKey) -> dict[str, Any]:
    """Cancel a key's own live orders; anything else is reported with its reason."""
    canceled: list[str] = []
    refused: dict[str, str] = {}
    for order_id in order_ids:
        order = state.orders.get(order_id)
        if order is None or order.owner != key.key or order.status != LIVE:
            refused[order_id] = ALREADY_GONE
            continue
        order_withdraw(state, order, status=CANCELED)
        canceled.append(order_id)
    return {"canceled": canceled, "not_canceled": refused}


def order_withdraw(state: State, order: Order, *, status: str) -> None:
    """Take a live order off the book for good; a quote of the house that never traded leaves no trace."""
    state.unrest(order)
    order.status = status
    if order.synthetic and not order.trade_ids:
        state.forget_order(order)
        return
    state.save(order)


def live_orders(state: State, *, key: ApiKey) -> list[Order]:
    """Return a key's resting orders, oldest first."""
    return [order for order in state.orders_by_owner[key.key] if order.status == LIVE]


def expired_cancel(state: State, *, now_ms: int) -> None:
    """Pull GTD orders a minute before their expiration, and all orders of keys whose heartbeat stopped."""
    due = [
        order for order in state.expiring.values() if (order.expiration - GTD_LEAD_SECONDS) * 1000 <= now_ms
    ]
    for order in due:
        order_withdraw(state, order, status=CANCELED_EXPIRED)
    for key in state.keys.values():
        if key.heartbeat_at and key.heartbeat_at + HEARTBEAT_GRACE_MS <= now_ms:
            key.heartbeat_at, key.heartbeat_id = 0, ""
            for order in live_orders(state, key=key):
                order_withdraw(state, order, status=CANCELED)
            state.save(key)
