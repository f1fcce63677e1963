"""Folds exposure deltas into the 560 rows, so that reading stays a matter of milliseconds."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

FOLD_LIMIT = 50_000
# One folder at a time: with two, the minus of a policy could be folded and committed before its plus.
_TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('policies.exposure_fold'))"
_FOLD = """
    WITH moved AS (
        DELETE FROM policies_exposuredelta
        WHERE id IN (SELECT id FROM policies_exposuredelta ORDER BY id LIMIT %(limit)s)
        RETURNING product_id, coverage_usd, policies_count
    ), sums AS (
        SELECT product_id, sum(coverage_usd) AS coverage_usd, sum(policies_count)::bigint AS policies_count
        FROM moved GROUP BY product_id
    ), folded AS (
        INSERT INTO policies_exposure AS kept (product_id, coverage_usd, policies_count, updated_at)
        SELECT product_id, coverage_usd, policies_count, %(now)s FROM sums ORDER BY product_id
        ON CONFLICT (product_id) DO UPDATE SET
            coverage_usd = kept.coverage_usd + EXCLUDED.coverage_usd,
            policies_count = kept.policies_count + EXCLUDED.policies_count,
            updated_at = EXCLUDED.updated_at
    )
    SELECT count(*) FROM moved
"""


def exposure_fold(*, now: datetime, limit: int = FOLD_LIMIT) -> int:
    """Move at most `limit` deltas into the exposure rows; returns how many, 0 when another folder is at
    work.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TRY_LOCK)
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_FOLD, {"limit": limit, "now": now})
        return int(cursor.fetchone()[0])
