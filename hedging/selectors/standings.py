"""Where intents stand: the decision, its live order, and what its orders have done so far. Two queries for many."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from hedging.models import Intent
from hedging.models.orders import LIVE_STATES

# What has traded counts as used up even when its settlement failed: the next cycle decides about that anew.
_ORDERS = """
    SELECT intent_id, max(generation) + 1, count(*) FILTER (WHERE state <> 'REJECTED'),
           sum(filled_usd), sum(filled_size),
           (array_agg(id) FILTER (WHERE state = ANY(%(live)s)))[1],
           (array_agg(state) FILTER (WHERE state = ANY(%(live)s)))[1],
           (array_agg(client_order_id) FILTER (WHERE state = ANY(%(live)s)))[1]
    FROM hedging_order WHERE intent_id = ANY(%(ids)s) GROUP BY intent_id"""


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """The one order of an intent that may still trade."""

    order_id: uuid.UUID
    state: str
    name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One intent. `generation` is its next order's; `tries` its orders that no pause of the venue turned away.

    `spent_usd` and `delivered` (units) are what its orders have traded.
    """

    intent: Intent
    live: LiveOrder | None = None
    generation: int = 0
    tries: int = 0
    spent_usd: Decimal = Decimal(0)
    delivered: Decimal = Decimal(0)

    @property
    def usd_left(self) -> Decimal:
        """Money that the decision may still use; what a sale has brought uses up nothing."""
        return self.intent.notional_usd - (self.spent_usd if self.intent.side == "BUY" else 0)

    @property
    def size_left(self) -> Decimal:
        return self.intent.size - self.delivered


def standings_read(intent_ids: Sequence[uuid.UUID]) -> list[Standing]:
    """The standings of these intents, in the order of the ids; an unknown id is left out."""
    rows = Intent.objects.select_related("instrument", "venue").in_bulk(list(intent_ids))
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, {"ids": list(rows), "live": LIVE_STATES})
        orders = {row[0]: row[1:] for row in cursor.fetchall()}
    found = []
    for intent_id in dict.fromkeys(intent_ids):
        if intent_id in rows:
            found.append(_standing(rows[intent_id], orders.get(intent_id)))
    return found


def _standing(intent: Intent, orders: tuple[object, ...] | None) -> Standing:
    if orders is None:
        return Standing(intent)
    generation, tries, spent, delivered, *live = orders
    one = LiveOrder(*live) if live[0] is not None else None  # type: ignore[arg-type]
    return Standing(intent, one, generation, tries, spent, delivered)  # type: ignore[arg-type]
