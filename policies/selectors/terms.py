"""When cover ends: for judging whether something that offsets it lasts long enough."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import connection

from policies.domain.catalogue import COVERAGE_TYPES, PRODUCTS_PER_COVERAGE, CoverageType

_ENDS = """
    SELECT product_id / %(per_coverage)s, percentile_disc(%(share)s) WITHIN GROUP (ORDER BY expires_at)
    FROM policies_policy WHERE status = 'active' GROUP BY 1
"""


def policies_end_by(share: Decimal) -> dict[CoverageType, datetime]:
    """The moment by which `share` (0..1) of the policies in force of each coverage type has ended; types with none are
    left out. Sorts all policies in force: about a second a million, so not for every page.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENDS, {"per_coverage": PRODUCTS_PER_COVERAGE, "share": float(share)})
        return {COVERAGE_TYPES[number]: ends_at for number, ends_at in cursor.fetchall()}
