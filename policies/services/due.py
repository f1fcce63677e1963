"""What the clock does to policies: cover begins, cover ends; whole sets at a time, each with its events and
deltas.

A policy under an open claim stays in force until the claim is decided: the liability is still there, and so
must be the exposure and its hedges.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

BATCH = 10_000

_ACTIVATE = """
    WITH due AS (
        SELECT id FROM policies_policy WHERE status = 'scheduled' AND starts_at <= %(now)s
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), begun AS (
        UPDATE policies_policy SET status = 'active' FROM due WHERE policies_policy.id = due.id
        RETURNING policies_policy.id, product_id, coverage_usd
    ), told AS (
        INSERT INTO policies_policyevent (policy_id, kind, at, actor, detail)
        SELECT id, 'activated', %(now)s, %(actor)s, '{}'::jsonb FROM begun
    ), counted AS (
        INSERT INTO policies_exposuredelta (product_id, coverage_usd, policies_count)
        SELECT product_id, sum(coverage_usd), count(*) FROM begun GROUP BY product_id
    )
    SELECT count(*) FROM begun
"""
_EXPIRE = """
    WITH due AS (
        SELECT id FROM policies_policy WHERE status = 'active' AND expires_at <= %(now)s
            AND NOT EXISTS (
                SELECT FROM policies_claim
                WHERE policy_id = policies_policy.id AND policies_claim.status IN ('filed', 'approved'))
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), ended AS (
        UPDATE policies_policy SET status = 'expired', ended_at = %(now)s FROM due
        WHERE policies_policy.id = due.id
        RETURNING policies_policy.id, product_id, coverage_usd
    ), told AS (
        INSERT INTO policies_policyevent (policy_id, kind, at, actor, detail)
        SELECT id, 'expired', %(now)s, %(actor)s, '{}'::jsonb FROM ended
    ), counted AS (
        INSERT INTO policies_exposuredelta (product_id, coverage_usd, policies_count)
        SELECT product_id, -sum(coverage_usd), -count(*) FROM ended GROUP BY product_id
    )
    SELECT count(*) FROM ended
"""


def policies_activate_due(*, now: datetime, actor: str = "beat", limit: int = BATCH) -> int:
    """Begin at most `limit` scheduled policies whose start has come; returns how many."""
    return _run(_ACTIVATE, now=now, actor=actor, limit=limit)


def policies_expire_due(*, now: datetime, actor: str = "beat", limit: int = BATCH) -> int:
    """End at most `limit` active policies whose term is over; returns how many."""
    return _run(_EXPIRE, now=now, actor=actor, limit=limit)


def _run(statement: str, *, now: datetime, actor: str, limit: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"now": now, "actor": actor, "limit": limit})
        return int(cursor.fetchone()[0])
