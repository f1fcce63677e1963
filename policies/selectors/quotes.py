"""The published price of cover on a product as it stands now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from policies.domain import coverage, pricing
from policies.domain.catalogue import ProductKey
from policies.selectors.products import product_for_sale, product_rates


def quote_of(
    key: ProductKey, *, coverage_amount: Decimal, duration_days: int, now: datetime
) -> pricing.Quote:
    """A quote that stands for 30 s. Raises Refused where a sale on these terms would be refused."""
    product = product_for_sale(key)
    coverage.check_coverage(
        coverage_amount,
        least=product.coverage_usd_min,
        most=product.coverage_usd_max,
        field="coverage_amount",
    )
    return pricing.quote(coverage_amount, duration_days=duration_days, rates=product_rates(product), now=now)
