"""What the user channel says: an order's placement, fills and end, and a trade's every settlement status.

Shapes: docs.polymarket.com/market-data/websocket/user-channel. A killed order is told as a CANCELLATION whose status
is `CANCELED_` and the refusal's own words; an expired one as `CANCELED_EXPIRED_ORDER`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from venues.simulators.polymarket.clob_account import open_order, trade_rows
from venues.simulators.polymarket.records import (
    CANCELED,
    CANCELED_EXPIRED,
    CANCELED_RESOLVED,
    KILLED,
    UNMATCHED,
    Order,
    Trade,
)
from venues.simulators.polymarket.refusals import FAK_KILLED, FOK_KILLED, POST_ONLY_CROSSES
from venues.simulators.polymarket.state import State

ENDED = (CANCELED, CANCELED_EXPIRED, CANCELED_RESOLVED, KILLED, UNMATCHED)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of one owner (an API key)."""

    owner: str
    condition_id: str
    kind: str
    body: dict[str, Any]


class UserFeed:
    """Notes what happens to orders and trades as it is saved, and turns it into messages."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._seen: dict[str, tuple[object, ...]] = {}
        self._waiting: list[Told] = []
        for order in state.orders.values():
            self._seen[order.id] = (order.status, order.matched_e6)
        for trade in state.trades.values():
            self._seen[trade.id] = (trade.status,)
        state.watchers.append(self._watch)

    def drain(self) -> list[Told]:
        """Return what has happened since the last time."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def forget(self) -> None:
        """Forget every order: the exchange begins anew."""
        self._seen, self._waiting = {}, []

    def _watch(self, record: object) -> None:
        if isinstance(record, Order) and record.owner:
            self._order(record)
        elif isinstance(record, Trade):
            self._trade(record)

    def _order(self, order: Order) -> None:
        before, now = self._seen.get(order.id), (order.status, order.matched_e6)
        if before == now:
            return
        self._seen[order.id] = now
        kind = "PLACEMENT" if before is None else "UPDATE"
        if order.status in ENDED:
            kind = "CANCELLATION"
        body = {
            "event_type": "order",
            **open_order(self._state, order),
            "status": self._status(order),
            "order_owner": order.owner,
            "associate_trades": list(order.trade_ids) or None,
            "timestamp": str(self._state.clock.now_ms()),
            "type": kind,
        }
        self._waiting.append(Told(order.owner, order.condition_id, "order", body))

    def _status(self, order: Order) -> str:
        if order.status == KILLED:
            words = {"FOK": FOK_KILLED, "FAK": FAK_KILLED}.get(order.order_type, POST_ONLY_CROSSES)
            return f"CANCELED_{words}"
        return order.status

    def _trade(self, trade: Trade) -> None:
        if self._seen.get(trade.id) == (trade.status, trade.attempts):
            return
        self._seen[trade.id] = (trade.status, trade.attempts)
        for owner in sorted({leg.owner for leg in trade.legs if leg.owner}):
            key = self._state.keys.get(owner)
            for row in trade_rows(self._state, trade, key=key) if key is not None else []:
                body = {
                    "event_type": "trade",
                    **row,
                    "type": "TRADE",
                    "trade_owner": owner,
                    "timestamp": str(self._state.clock.now_ms()),
                }
                self._waiting.append(Told(owner, trade.condition_id, "trade", body))
