"""Exposure: the sum of coverage in force per product, and how it is compared with what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductExposure:
    """What is in force of one product: US dollars and number of policies."""

    coverage_usd: Decimal
    policies_count: int


NO_EXPOSURE = ProductExposure(coverage_usd=Decimal("0.000000"), policies_count=0)


def differences(kept: Mapping[int, ProductExposure], *, scanned: Mapping[int, ProductExposure]) -> list[str]:
    """One sentence per product whose kept exposure is not what its policies add up to; else empty."""
    return [
        f"product {product_id}: kept ${k.coverage_usd} over {k.policies_count} policies, "
        f"but its policies in force are ${s.coverage_usd} over {s.policies_count}"
        for product_id in sorted(kept.keys() | scanned.keys())
        if (k := kept.get(product_id, NO_EXPOSURE)) != (s := scanned.get(product_id, NO_EXPOSURE))
    ]
