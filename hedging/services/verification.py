"""The standing invariants as questions to the database: each must have no answer."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from policies.services.verification import verify_exposure


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold, and one row that shows it."""

    invariant: str
    detail: str


_QUESTIONS: dict[str, str] = {
    "an order's filled amounts equal the sum of its fills": """
        SELECT o.client_order_id, o.filled_size, COALESCE(f.size, 0) FROM hedging_order o
        LEFT JOIN (SELECT order_id, sum(size) size, sum(notional_usd) usd FROM hedging_fill GROUP BY order_id) f
          ON f.order_id = o.id
        WHERE o.filled_size <> COALESCE(f.size, 0) OR o.filled_usd <> COALESCE(f.usd, 0)""",
    "a position's size equals confirmed purchases less confirmed sales": """
        SELECT p.instrument_id, p.size, COALESCE(f.size, 0) FROM hedging_position p
        LEFT JOIN (SELECT instrument_id, sum(CASE side WHEN 'BUY' THEN size ELSE -size END) size FROM hedging_fill
                   WHERE settlement = 'confirmed' GROUP BY instrument_id) f USING (instrument_id)
        WHERE p.size <> COALESCE(f.size, 0)""",
    "every confirmed fill has a position": """
        SELECT f.id FROM hedging_fill f LEFT JOIN hedging_position p USING (instrument_id)
        WHERE f.settlement = 'confirmed' AND p.instrument_id IS NULL""",
    "a position's cost and realised P&L equal the cash that went in and out": """
        SELECT p.instrument_id, p.cost_usd - p.realised_pnl_usd, COALESCE(f.cash, 0) FROM hedging_position p
        LEFT JOIN (SELECT instrument_id, sum(CASE side WHEN 'BUY' THEN notional_usd + fee_usd
                                                        ELSE fee_usd - notional_usd END) cash
                   FROM hedging_fill WHERE settlement = 'confirmed' GROUP BY instrument_id) f USING (instrument_id)
        WHERE p.cost_usd - p.realised_pnl_usd <> COALESCE(f.cash, 0)""",
    "the slices of a confirmed purchase add up to it, in size and in cost": """
        SELECT f.id, f.size, h.size FROM hedging_fill f
        JOIN (SELECT fill_id, sum(size) size, sum(hedge_amount_usd) usd FROM hedging_hedgeposition GROUP BY fill_id) h
          ON h.fill_id = f.id
        WHERE f.size <> h.size OR f.notional_usd + f.fee_usd <> h.usd""",
    "only confirmed purchases are attributed": """
        SELECT h.id FROM hedging_hedgeposition h JOIN hedging_fill f ON f.id = h.fill_id
        WHERE f.settlement <> 'confirmed' OR f.side <> 'BUY'""",
    "open slices never exceed the position": """
        SELECT p.instrument_id, p.size, h.size FROM hedging_position p
        JOIN (SELECT instrument_id, sum(size - closed_size) size FROM hedging_hedgeposition WHERE status = 'open'
              GROUP BY instrument_id) h USING (instrument_id)
        WHERE h.size > p.size""",
    "a finished intent has no live order": """
        SELECT i.id FROM hedging_intent i JOIN hedging_order o ON o.intent_id = i.id
        WHERE i.state IN ('DONE', 'ABANDONED')
          AND o.state IN ('PREPARED', 'SENDING', 'UNKNOWN', 'ACKED', 'PARTIAL')""",
    "orders of an intent never exceed it": """
        SELECT i.id FROM hedging_intent i
        JOIN (SELECT intent_id, sum(filled_usd) usd, sum(filled_size) size, bool_or(spends_budget) budget
              FROM hedging_order GROUP BY intent_id) o ON o.intent_id = i.id
        WHERE (o.budget AND o.usd > i.notional_usd + 0.01) OR (NOT o.budget AND o.size > i.size + 0.01)""",
    "an order's last event is its state": """
        SELECT o.id, o.state, e.new FROM hedging_order o
        JOIN LATERAL (SELECT new FROM hedging_orderevent WHERE order_id = o.id ORDER BY id DESC LIMIT 1) e ON true
        WHERE e.new <> o.state""",
    "every sent order has as many attempt rows as attempts": """
        SELECT o.id, o.attempts, COALESCE(a.n, 0) FROM hedging_order o
        LEFT JOIN (SELECT order_id, count(*) n FROM hedging_orderattempt GROUP BY order_id) a ON a.order_id = o.id
        WHERE o.attempts <> COALESCE(a.n, 0)""",
    "no order is stuck in SENDING": """
        SELECT id, sent_at FROM hedging_order WHERE state = 'SENDING' AND sent_at < now() - interval '5 minutes'""",
    "what is at risk stays within each limit": """
        SELECT r.code, r.cap_usd, p.cost FROM hedging_riskbucket r
        JOIN LATERAL (SELECT sum(cost_usd) cost FROM hedging_position p
                      WHERE r.code = 'global' OR r.code = 'venue:' || p.venue_id) p ON true
        WHERE p.cost > r.cap_usd""",
}

ROWS_SHOWN = 5


def verify_book() -> list[Violation]:
    """Every violated invariant of exposure and hedges, with up to five rows each. Empty when the book is sound."""
    found = [Violation("kept exposure equals the scan", line) for line in verify_exposure()]
    with connection.cursor() as cursor:
        for invariant, question in _QUESTIONS.items():
            cursor.execute(f"{question} LIMIT {ROWS_SHOWN}")
            found.extend(
                Violation(invariant, ", ".join(str(value) for value in row)) for row in cursor.fetchall()
            )
    return found


def invariants_count() -> int:
    """How many invariants `verify_book` asks about."""
    return len(_QUESTIONS) + 1
