"""Purchases are divided by decision, then product, then coverage: nothing lost, nothing invented."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.attribution import attribute_exact
from hedging.domain.purchases import Bought, Owners, split_purchases

MICRO = st.integers(1, 10**15)
POLICIES = st.lists(
    st.tuples(st.integers(1, 10**9), st.integers(0, 4), MICRO),
    max_size=30,
    unique_by=lambda row: row[0],
)
DECISIONS = st.lists(
    st.builds(Bought, st.integers(1, 10**14), st.dictionaries(st.integers(0, 4), MICRO, max_size=4)),
    min_size=1,
    max_size=5,
)


def owners_of(rows: list[tuple[int, int, int]]) -> Owners:
    """(policy id, product id, coverage in micro-dollars), in any order."""
    return Owners.of(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int16),
        np.array([row[2] for row in rows], dtype=np.int64),
    )


@given(rows=POLICIES, bought=DECISIONS, cost=st.integers(0, 10**14))
def test_every_unit_goes_where_the_exact_rule_says(
    rows: list[tuple[int, int, int]], bought: list[Bought], cost: int
) -> None:
    split = split_purchases(bought, cost, owners_of(rows))

    owned = {product for _, product, _ in rows}
    units: Counter[int] = Counter()
    ownerless = 0
    for decision in bought:
        products = sorted(set(decision.demand_micro) & owned)
        parts = (
            attribute_exact(decision.size_micro, [decision.demand_micro[p] for p in products])
            if products
            else []
        )
        units.update(dict(zip(products, parts, strict=True)))
        ownerless += 0 if products else decision.size_micro
    expected: dict[int, int] = {}
    for product, total in units.items():
        mine = sorted(row for row in rows if row[1] == product)
        parts = attribute_exact(total, [row[2] for row in mine])
        expected |= {row[0]: part for row, part in zip(mine, parts, strict=True) if part}
    got = dict(zip(split.policy_ids.tolist(), split.size_micro.tolist(), strict=True))
    assert got == expected
    assert split.ownerless_micro == ownerless
    given_units = sum(expected.values())
    whole = given_units + ownerless
    assert sum(split.cost_micro.tolist()) == (cost * given_units // whole if given_units else 0)
    products_of = {row[0]: row[1] for row in rows}
    assert split.product_ids.tolist() == [products_of[policy] for policy in split.policy_ids.tolist()]


def test_units_that_do_not_divide_go_to_the_smallest_policy_ids() -> None:
    owners = owners_of([(policy, 0, 5_000_000) for policy in (33, 11, 22)])

    split = split_purchases([Bought(1_000_001, {0: 1})], 40_000, owners)

    assert split.policy_ids.tolist() == [11, 22, 33]
    assert split.size_micro.tolist() == [333_334, 333_334, 333_333]
    assert split.cost_micro.tolist() == [13_334, 13_333, 13_333]


def test_a_product_without_an_owner_leaves_its_part_to_the_others_that_asked() -> None:
    split = split_purchases([Bought(100, {1: 1, 3: 9})], 7, owners_of([(5, 1, 1)]))

    assert (split.policy_ids.tolist(), split.size_micro.tolist(), split.ownerless_micro) == ([5], [100], 0)


def test_a_decision_without_any_owner_takes_its_part_of_the_cost_with_it() -> None:
    split = split_purchases([Bought(75, {1: 1}), Bought(25, {3: 1})], 1000, owners_of([(5, 1, 1)]))

    assert (split.size_micro.tolist(), split.cost_micro.tolist(), split.ownerless_micro) == ([75], [750], 25)


def test_owners_can_be_narrowed_to_one_policy() -> None:
    owners = owners_of([(5, 1, 10), (6, 1, 20), (7, 2, 30)])

    assert {product: rows[0].tolist() for product, rows in owners.only(6).by_product.items()} == {1: [6]}
    assert owners.only(8).by_product == {}
