"""Folds exposure deltas into the 560 rows, so that reading stays a matter of milliseconds."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from tonsurance.kernel.errors import Broken

FOLD_LIMIT = 50_000
# A second folder could only wait for the rows of the first one and then find them gone; it goes home at once.
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
        UPDATE policies_exposure AS kept SET
            coverage_usd = kept.coverage_usd + sums.coverage_usd,
            policies_count = kept.policies_count + sums.policies_count,
            updated_at = %(now)s
        FROM sums WHERE kept.product_id = sums.product_id
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM sums), (SELECT count(*) FROM folded)
"""


def exposure_fold(*, now: datetime, limit: int = FOLD_LIMIT) -> int:
    """Move at most `limit` deltas into the exposure rows; returns how many, 0 when another folder is at work.

    Raises Broken, and moves nothing, when a product has no exposure row.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TRY_LOCK)
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_FOLD, {"limit": limit, "now": now})
        moved, products, folded = cursor.fetchone()
        if folded != products:
            raise Broken(
                f"exposure: {products - folded} products have deltas and no exposure row",
                remedy="manage.py migrate makes the missing rows",
            )
        return int(moved)
