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
    "the slices of an attribution add up to it, in number, size and cost": """
        SELECT a.id, a.size, h.size FROM hedging_attribution a
        LEFT JOIN (SELECT attribution_id, count(*) n, sum(size) size, sum(hedge_amount_usd) usd
                   FROM hedging_hedgeposition GROUP BY attribution_id) h ON h.attribution_id = a.id
        WHERE a.size <> COALESCE(h.size, 0) OR a.cost_usd <> COALESCE(h.usd, 0)
           OR a.slices_count <> COALESCE(h.n, 0)""",
    "an attribution divides exactly what its trades brought": """
        SELECT a.id, a.size + a.ownerless_size, f.size FROM hedging_attribution a
        LEFT JOIN (SELECT attribution_id, count(*) n, sum(size) size, sum(notional_usd + fee_usd) usd
                   FROM hedging_fill WHERE attribution_id IS NOT NULL GROUP BY attribution_id) f
          ON f.attribution_id = a.id
        WHERE a.size + a.ownerless_size <> COALESCE(f.size, 0) OR a.fills_count <> COALESCE(f.n, 0)
           OR (a.ownerless_size = 0 AND a.cost_usd <> COALESCE(f.usd, 0))""",
    "every slice belongs to an attribution of its instrument": """
        SELECT h.id, h.attribution_id FROM hedging_hedgeposition h
        LEFT JOIN hedging_attribution a ON a.id = h.attribution_id
        WHERE a.id IS NULL OR a.instrument_id <> h.instrument_id""",
    "a confirmed purchase is divided among policies within two days": """
        SELECT id, settled_at FROM hedging_fill
        WHERE attribution_id IS NULL AND side = 'BUY' AND settlement = 'confirmed'
          AND settled_at < now() - interval '2 days'""",
    "the kept sums of slices equal the slices": """
        SELECT COALESCE(s.instrument_id, h.instrument_id), COALESCE(s.product_id, h.product_id), s.open_size, h.size
        FROM hedging_heldshare s FULL JOIN (
            SELECT instrument_id, product_id, COALESCE(sum(size - closed_size) FILTER (WHERE status = 'open'), 0) size,
                   COALESCE(sum(hedge_amount_usd - trunc(hedge_amount_usd * closed_size / size, 6))
                            FILTER (WHERE status = 'open'), 0) usd,
                   count(*) FILTER (WHERE status = 'open') opened, count(*) FILTER (WHERE status = 'closed') closed
            FROM hedging_hedgeposition GROUP BY 1, 2) h
          ON h.instrument_id = s.instrument_id AND h.product_id = s.product_id
        WHERE (s.open_size, s.open_cost_usd, s.open_count, s.closed_count)
              IS DISTINCT FROM (h.size, h.usd, h.opened, h.closed)""",
    "every ended policy with an open slice is noted": """
        SELECT h.id, h.policy_id FROM hedging_hedgeposition h JOIN policies_policy p ON p.id = h.policy_id
        LEFT JOIN hedging_endedpolicy e ON e.policy_id = h.policy_id
        WHERE h.status = 'open' AND p.status <> 'active' AND e.policy_id IS NULL""",
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
