"""Whose units we hold: what every product has, or may yet get, of every instrument, at worst case.

Units that no slice claims yet (a trade booked a moment ago) are shared by the products of the instrument in
proportion to their cover, so that they are never bought twice.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from hedging.domain.attribution import attribute
from hedging.domain.routes import Routes
from hedging.domain.views import Held, MarketView
from tonsurance.kernel.money import ZERO, ceil_micro, floor_micro, from_micro, to_micro
from venues.domain.instruments import InstrumentTerms


@dataclass(frozen=True, slots=True)
class Holding:
    """Units, their cost with fees, and what they are expected to pay in the insured event."""

    size: Decimal = ZERO
    cost_usd: Decimal = ZERO
    payout_usd: Decimal = ZERO


class Holdings:
    """Holdings by product and venue; policies that ended have no part in them."""

    def __init__(self, view: MarketView, routes: Routes) -> None:
        self._routes = routes
        self._at_venue: dict[tuple[int, str], Holding] = defaultdict(Holding)
        self._total: dict[int, Decimal] = defaultdict(lambda: ZERO)
        coverage = {item.product_id: item.coverage_usd for item in view.demands if item.coverage_usd > 0}
        for instrument_id in sorted(view.held):
            held = view.held[instrument_id]
            terms = routes.terms.get(instrument_id)
            if terms is None:
                continue
            for item in held.slices:
                self._add(item.product_id, terms, item.size, item.cost_usd)
            owners = sorted(routes.products_of(instrument_id) & coverage.keys())
            self._share_unclaimed(held, owners, coverage, terms)

    def at_venue(self, product_id: int, venue_code: str) -> Holding:
        """What the product has at a venue, on all its instruments together."""
        return self._at_venue[product_id, venue_code]

    def total_size(self, product_id: int) -> Decimal:
        """Units at all venues."""
        return self._total[product_id]

    def _add(self, product_id: int, terms: InstrumentTerms, size: Decimal, cost_usd: Decimal) -> None:
        before = self._at_venue[product_id, terms.venue_code]
        basis = self._routes.basis_probability(product_id, terms.instrument_id)
        self._at_venue[product_id, terms.venue_code] = Holding(
            before.size + size, before.cost_usd + cost_usd, before.payout_usd + floor_micro(size * basis)
        )
        self._total[product_id] += size

    def _share_unclaimed(
        self, held: Held, owners: list[int], coverage: dict[int, Decimal], terms: InstrumentTerms
    ) -> None:
        size = unclaimed_size(held)
        if size <= 0 or not owners:
            return
        cost = ceil_micro(held.worst_cost_usd * size / held.worst_size)
        ids = np.array(owners, dtype=np.int64)
        weights = np.array([to_micro(coverage[owner]) for owner in owners], dtype=np.int64)
        sizes = attribute(to_micro(ceil_micro(size)), weights, ids)
        costs = attribute(to_micro(cost), weights, ids)
        for owner, units, money in zip(owners, sizes.tolist(), costs.tolist(), strict=True):
            self._add(owner, terms, from_micro(units), from_micro(money))


def unclaimed_size(held: Held) -> Decimal:
    """Units at worst case that belong neither to a product's slice nor to policies that ended."""
    claimed = sum((item.size for item in held.slices), ZERO)
    return max(ZERO, held.worst_size - held.ended_size - claimed)
