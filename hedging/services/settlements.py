"""Follows our trades until the venue says CONFIRMED or FAILED, all of a venue in one reading.

What is bought and final is then divided among policies, orders whose trades add up to them are filled, and decisions
of which nothing is left are finished. Orders that the trades do not explain are the resolver's.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection

from hedging.services.attributions import attributions_make
from hedging.services.bookings import fills_book
from hedging.services.config import config_read
from tonsurance.plumbing.apart import apart
from venues.domain.gateway import FillReport, LookupFailed
from venues.registry import gateway_for
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

_OVERLAP = timedelta(seconds=60)
BACK_MAX = timedelta(days=1)
"""How far back one reading of all trades goes; what is older is asked for market by market."""

INSTRUMENTS_MAX = 200
ORDERS_MAX = 5_000

# Orders that the venue has, and orders of whose trades one is not final.
_FOLLOWED = """
    SELECT o.id, o.client_order_id, n.instrument_id, min(o.created_at)
    FROM hedging_order o JOIN venues_instrument n ON n.id = o.instrument_id
    JOIN hedging_intent i ON i.id = o.intent_id
    WHERE o.venue_id = %(venue)s AND i.purpose IN ('open', 'close')
      AND (o.state IN ('ACKED', 'PARTIAL')
           OR EXISTS (SELECT FROM hedging_fill f
                      WHERE f.order_id = o.id AND f.settlement IN ('matched', 'mined', 'retrying')))
    GROUP BY o.id, n.instrument_id ORDER BY 4 DESC LIMIT %(limit)s"""

# A cent is the venue's own rounding of a budget.
_FILLED = """
    UPDATE hedging_order SET state = 'FILLED', reason = 'its trades add up to it', next_check_at = %(now)s, checks = 0
    WHERE venue_id = %(venue)s AND state IN ('ACKED', 'PARTIAL') AND side = 'BUY' AND spends_budget
      AND filled_usd >= notional_usd - 0.01 AND filled_usd > 0"""

# Nothing that the venue would take is left to buy, and no order lives.
_COMPLETE = """
    UPDATE hedging_intent i SET state = 'DONE', finished_at = %(now)s,
        outcome = CASE WHEN o.usd >= i.notional_usd THEN 'complete'
                       ELSE format('complete but for $%%s, less than the venue''s minimum', i.notional_usd - o.usd) END
    FROM (SELECT intent_id, sum(filled_usd) AS usd,
                 bool_or(state NOT IN ('FILLED','REJECTED','NOT_PLACED','CANCELLED','EXPIRED','ABORTED')) AS lives
          FROM hedging_order WHERE venue_id = %(venue)s
            AND intent_id IN (SELECT id FROM hedging_intent WHERE state = 'OPEN' AND venue_id = %(venue)s)
          GROUP BY intent_id) o, venues_instrument n
    WHERE i.id = o.intent_id AND n.id = i.instrument_id AND i.state = 'OPEN' AND i.side = 'BUY' AND i.purpose = 'open'
      AND NOT o.lives AND i.notional_usd - o.usd < GREATEST(n.notional_usd_min, 0.01)"""


def settlements_watch(venue_code: str, *, now: datetime) -> int:
    """Book what the venue says of the trades that we follow; return how many were new or moved.

    A failed reading changes nothing.
    """
    followed = _rows(_FOLLOWED, {"venue": venue_code, "limit": ORDERS_MAX})
    moved = _book(venue_code, followed, now=now) if followed else 0
    with apart("trades could not be counted", venue=venue_code):
        _run(_FILLED, {"venue": venue_code, "now": now})
        _run(_COMPLETE, {"venue": venue_code, "now": now})
    with apart("purchases could not be divided", venue=venue_code):
        attributions_make(venue_code, now=now, every_s=config_read().attribution_every_seconds)
    return moved


def _book(venue_code: str, followed: list[tuple[uuid.UUID, str, str, datetime]], *, now: datetime) -> int:
    ours = {name: order_id for order_id, name, _, _ in followed}
    by_order: dict[uuid.UUID, list[FillReport]] = defaultdict(list)
    for report in _reports(venue_code, followed, now=now):
        if report.client_order_id in ours:
            by_order[ours[report.client_order_id]].append(report)
    return fills_book(by_order, now=now) if by_order else 0


def _reports(
    venue_code: str, followed: list[tuple[uuid.UUID, str, str, datetime]], *, now: datetime
) -> list[FillReport]:
    """All trades since the oldest of the young orders, and those of each old order's market."""
    gateway = gateway_for(venue_code)
    oldest = now - BACK_MAX
    young = [row for row in followed if row[3] > oldest]
    old = sorted({(row[2], row[3]) for row in followed if row[3] <= oldest})
    asked: list[tuple[str | None, datetime]] = [*old[:INSTRUMENTS_MAX]]
    if young:
        asked.append((None, min(row[3] for row in young)))
    reports: dict[tuple[str, str, str], FillReport] = {}
    for instrument_id, since in asked:
        try:
            for report in gateway.fetch_fills(since=since - _OVERLAP, instrument_id=instrument_id):
                key = (report.client_order_id, report.venue_trade_id, report.settlement.value)
                reports[key] = report
        except LookupFailed as error:
            venue_heard(venue_code, now=now, error=str(error))
    return list(reports.values())


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[uuid.UUID, str, str, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _run(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
