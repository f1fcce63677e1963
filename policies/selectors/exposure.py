"""Exposure per product: as kept (fast, for every cycle) and as scanned (slow, for the proof that they are
equal).
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.db import connection

from policies.domain.exposure import ProductExposure

# Rows and deltas in one statement: one snapshot, so a fold that commits meanwhile is seen whole or not at
# all.
_KEPT = """
    SELECT product_id, sum(coverage_usd), sum(policies_count)::bigint FROM (
        SELECT product_id, coverage_usd, policies_count FROM policies_exposure
        UNION ALL
        SELECT product_id, coverage_usd, policies_count FROM policies_exposuredelta
    ) AS kept
    WHERE %(all)s OR product_id = ANY(%(products)s)
    GROUP BY product_id HAVING sum(policies_count) <> 0 OR sum(coverage_usd) <> 0
    ORDER BY product_id
"""
_SCANNED = """
    SELECT product_id, sum(coverage_usd), count(*) FROM policies_policy
    WHERE status = 'active' GROUP BY product_id ORDER BY product_id
"""
_SAMPLED = """
    SELECT product_id, sum(kept_usd), sum(kept_count)::bigint, sum(scanned_usd), sum(scanned_count)::bigint FROM (
        SELECT product_id, coverage_usd AS kept_usd, policies_count AS kept_count, 0 AS scanned_usd, 0 AS scanned_count
            FROM policies_exposure WHERE product_id = ANY(%(products)s)
        UNION ALL
        SELECT product_id, coverage_usd, policies_count, 0, 0
            FROM policies_exposuredelta WHERE product_id = ANY(%(products)s)
        UNION ALL
        SELECT product_id, 0, 0, coverage_usd, 1
            FROM policies_policy WHERE product_id = ANY(%(products)s) AND status = 'active'
    ) AS both_sides GROUP BY product_id ORDER BY product_id
"""
_BOTH = f"""
    WITH kept (product_id, coverage_usd, policies_count) AS (
        SELECT product_id, sum(coverage_usd), sum(policies_count)::bigint FROM (
            SELECT product_id, coverage_usd, policies_count FROM policies_exposure
            UNION ALL
            SELECT product_id, coverage_usd, policies_count FROM policies_exposuredelta
        ) AS parts GROUP BY product_id
    ), scanned (product_id, coverage_usd, policies_count) AS ({_SCANNED})
    SELECT product_id, coalesce(kept.coverage_usd, 0), coalesce(kept.policies_count, 0),
        coalesce(scanned.coverage_usd, 0), coalesce(scanned.policies_count, 0)
    FROM kept FULL JOIN scanned USING (product_id) ORDER BY product_id
"""  # noqa: S608  both parts are constants of this file
_SCHEDULED = """
    SELECT coalesce(sum(coverage_usd), 0) FROM policies_policy
    WHERE status = 'scheduled' AND product_id = %(product)s
"""


def exposure_by_product(product_ids: Collection[int] | None = None) -> dict[int, ProductExposure]:
    """Coverage in force per product, now, in one query; products with none are left out."""
    chosen: dict[str, Any] = {"all": product_ids is None, "products": list(product_ids or [])}
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, chosen)
        return {
            product_id: ProductExposure(coverage_usd=coverage_usd, policies_count=count)
            for product_id, coverage_usd, count in cursor.fetchall()
        }


def exposure_scanned() -> dict[int, ProductExposure]:
    """The same from the policies themselves: a scan of the whole book."""
    with connection.cursor() as cursor:
        cursor.execute(_SCANNED)
        return {
            product_id: ProductExposure(coverage_usd=coverage_usd, policies_count=count)
            for product_id, coverage_usd, count in cursor.fetchall()
        }


def exposure_kept_and_scanned() -> tuple[dict[int, ProductExposure], dict[int, ProductExposure]]:
    """Both at one moment: one statement, so writers may go on while it runs."""
    kept, scanned = {}, {}
    with connection.cursor() as cursor:
        cursor.execute(_BOTH)
        for product_id, kept_usd, kept_count, scanned_usd, scanned_count in cursor.fetchall():
            kept[product_id] = ProductExposure(coverage_usd=kept_usd, policies_count=kept_count)
            scanned[product_id] = ProductExposure(coverage_usd=scanned_usd, policies_count=scanned_count)
    return kept, scanned


def exposure_kept_and_scanned_of(
    product_ids: Collection[int],
) -> tuple[dict[int, ProductExposure], dict[int, ProductExposure]]:
    """The same for a few products, by their policies alone, at one moment."""
    kept, scanned = {}, {}
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLED, {"products": list(product_ids)})
        for product_id, kept_usd, kept_count, scanned_usd, scanned_count in cursor.fetchall():
            kept[product_id] = ProductExposure(coverage_usd=kept_usd, policies_count=kept_count)
            scanned[product_id] = ProductExposure(coverage_usd=scanned_usd, policies_count=scanned_count)
    return kept, scanned


def scheduled_usd(product_id: int) -> Decimal:
    """Coverage of one product that is sold and not yet in force, USD."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULED, {"product": product_id})
        return Decimal(cursor.fetchone()[0])
