"""Confirmed purchases that wait to be divided among policies, and which instruments' turn it is."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

# A decision's purchases are divided together: while it lives, or one of its trades is not final, more may come. What
# was divided among many policies a short while ago waits, unless a policy that it hedges has ended since.
_DUE = """
    SELECT w.instrument_id
    FROM (SELECT instrument_id, min(settled_at) AS since FROM hedging_fill
          WHERE attribution_id IS NULL AND side = 'BUY' AND settlement = 'confirmed' AND venue_id = %(venue)s
          GROUP BY instrument_id) w
    LEFT JOIN LATERAL (SELECT made_at, slices_count FROM hedging_attribution a
                       WHERE a.instrument_id = w.instrument_id ORDER BY a.id DESC LIMIT 1) last ON true
    WHERE (w.since < %(waited_before)s
           OR NOT EXISTS (SELECT FROM hedging_intent i
                          WHERE i.instrument_id = w.instrument_id AND i.state = 'OPEN' AND i.side = 'BUY')
          AND NOT EXISTS (SELECT FROM hedging_fill f
                          WHERE f.instrument_id = w.instrument_id AND f.side = 'BUY'
                            AND f.settlement IN ('matched', 'mined', 'retrying')))
      AND (last.made_at IS NULL OR last.slices_count <= %(policies_many)s OR last.made_at < %(made_before)s)
    ORDER BY w.since LIMIT %(limit)s"""

_WAITING = """
    SELECT f.id, f.instrument_id, f.venue_id, o.intent_id, i.policy_id, f.order_id, f.size, f.notional_usd, f.fee_usd,
           f.matched_at
    FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id JOIN hedging_intent i ON i.id = o.intent_id
    WHERE f.attribution_id IS NULL AND f.side = 'BUY' AND f.settlement = 'confirmed' AND f.instrument_id = ANY(%(rows)s)
    ORDER BY f.matched_at, f.id"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One confirmed trade that no policy owns yet. `policy_id` is set when it was decided for one policy alone."""

    fill_id: int
    instrument_id: int
    venue_id: str
    intent_id: uuid.UUID
    policy_id: int | None
    order_id: uuid.UUID
    size: Decimal
    notional_usd: Decimal
    fee_usd: Decimal
    matched_at: datetime


def instruments_due(
    venue_code: str, *, waited_before: datetime, made_before: datetime, policies_many: int, limit: int
) -> list[int]:
    """Instruments whose purchases can be divided now, the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE,
            {
                "venue": venue_code,
                "waited_before": waited_before,
                "made_before": made_before,
                "policies_many": policies_many,
                "limit": limit,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def waiting_of(instrument_rows: Collection[int]) -> list[Waiting]:
    """What waits of these instruments, in the order of the trades."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"rows": list(instrument_rows)})
        return [Waiting(*row) for row in cursor.fetchall()]
