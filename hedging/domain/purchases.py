"""Divides the confirmed purchases of one instrument among policies: by decision first, then product, then coverage.

Each decision's units go to the products that asked for it, by the payout that each wanted; a product's units go to its
policies by coverage; the money follows the units. Nothing is lost and nothing invented, to the micro-unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedging.domain.attribution import Units, attribute, attribute_exact

_NOBODY: Units = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Bought:
    """Units that one decision brought, micro-units, and the payout that each product wanted of it, micro-dollars."""

    size_micro: int
    demand_micro: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Owners:
    """The policies that may own something, by product: ids (ascending) and coverage in micro-dollars."""

    by_product: Mapping[int, tuple[NDArray[np.int64], NDArray[np.int64]]]

    @classmethod
    def of(
        cls, ids: NDArray[np.int64], products: NDArray[np.int16], coverage_micro: NDArray[np.int64]
    ) -> Owners:
        """Sorted once, however many purchases are divided among them."""
        if len(ids) == 0:
            return cls({})
        order = np.lexsort((ids, products))
        ids, products, coverage_micro = ids[order], products[order], coverage_micro[order]
        starts = np.flatnonzero(np.diff(products, prepend=products[0] - 1))
        ends = np.append(starts[1:], len(ids))
        return cls(
            {
                int(products[start]): (ids[start:end], coverage_micro[start:end])
                for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            }
        )

    def without(self, policy_ids: Sequence[int]) -> Owners:
        """The same without some policies; a product that is left with nobody is left out."""
        left = {}
        for product, (ids, coverage) in self.by_product.items():
            stays = ~np.isin(ids, np.asarray(policy_ids, dtype=np.int64))
            if bool(stays.any()):
                left[product] = (ids, coverage) if bool(stays.all()) else (ids[stays], coverage[stays])
        return Owners(left)

    def only(self, policy_id: int) -> Owners:
        """The same with one policy alone."""
        mine = {}
        for product, (ids, coverage) in self.by_product.items():
            at = np.searchsorted(ids, policy_id)
            if at < len(ids) and ids[at] == policy_id:
                mine[product] = (ids[at : at + 1], coverage[at : at + 1])
        return Owners(mine)


@dataclass(frozen=True, slots=True)
class Split:
    """Who gets what: parallel arrays, micro-units. `ownerless_micro` units found nobody in force."""

    policy_ids: Units
    product_ids: Units
    size_micro: Units
    cost_micro: Units
    ownerless_micro: int = 0


def split_purchases(purchases: Sequence[Bought], cost_micro: int, owners: Owners) -> Split:
    """Divide `purchases`, which cost `cost_micro` together, among `owners`.

    A product without an owner gets nothing, and the others that asked share its part; units of a decision that none of
    its products has an owner for are ownerless, and so is their part of the cost.
    """
    units_of: dict[int, int] = defaultdict(int)
    ownerless = 0
    for purchase in purchases:
        products = sorted(set(purchase.demand_micro) & set(owners.by_product))
        if not products:
            ownerless += purchase.size_micro
            continue
        parts = attribute_exact(purchase.size_micro, [purchase.demand_micro[product] for product in products])
        for product, part in zip(products, parts, strict=True):
            units_of[product] += part
    given = sum(units_of.values())
    if given == 0:
        return Split(_NOBODY, _NOBODY, _NOBODY, _NOBODY, ownerless)
    return _among_policies(units_of, cost_micro * given // (given + ownerless), owners, ownerless)


def _among_policies(units_of: Mapping[int, int], cost_micro: int, owners: Owners, ownerless: int) -> Split:
    ids, products, sizes = [], [], []
    for product, units in sorted(units_of.items()):
        policy_ids, coverage = owners.by_product[product]
        parts = attribute(units, coverage, policy_ids)
        got = np.flatnonzero(parts)
        ids.append(policy_ids[got])
        sizes.append(parts[got])
        products.append(np.full(len(got), product, dtype=np.int64))
    all_ids, all_sizes = np.concatenate(ids), np.concatenate(sizes)
    costs = attribute(cost_micro, all_sizes, all_ids)
    return Split(all_ids, np.concatenate(products), all_sizes, costs, ownerless)
