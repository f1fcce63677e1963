"""Whether kept exposure can be trusted: a few products are compared with their policies at every checkup."""

from __future__ import annotations

import random
from datetime import datetime

from policies.domain.exposure import differences
from policies.selectors.exposure import exposure_by_product, exposure_kept_and_scanned_of
from tonsurance.kernel.findings import Finding, fault, ok
from tonsurance.plumbing.checkups import Check

PRODUCTS_COMPARED = 8
# A scan of the whole book is `manage.py verify`; a checkup reads no more policies than this.
POLICIES_READ_MAX = 50_000


def exposure_ask(*, now: datetime) -> list[Finding]:
    """Kept exposure of some products, others each time, equals the sum of their policies in force."""
    kept = exposure_by_product()
    chosen = _chosen({product: row.policies_count for product, row in kept.items()})
    ours, scanned = exposure_kept_and_scanned_of(chosen)
    wrong = differences(ours, scanned=scanned)
    if wrong:
        return [
            fault(
                "exposure",
                f"{len(wrong)} of {len(chosen)} products compared keep a wrong exposure: {wrong[0]}",
                remedy="Stop trading, then `manage.py verify` names every product; hedges are sized by these figures",
                runbook="verify-failed",
            )
        ]
    return [
        ok("exposure", f"{len(chosen)} of {len(kept)} products with cover compared: kept equals the policies")
    ]


def _chosen(policies: dict[int, int]) -> list[int]:
    """Some products at random, as long as their policies are few enough to be read in a moment."""
    order = list(policies)
    random.shuffle(order)
    chosen: list[int] = []
    read = 0
    for product in order:
        if len(chosen) < PRODUCTS_COMPARED and read + policies[product] <= POLICIES_READ_MAX:
            chosen.append(product)
            read += policies[product]
    return chosen


CHECKS = (Check(name="exposure", group="Book", ask=exposure_ask),)
