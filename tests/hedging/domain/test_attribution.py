"""A trade divided among policies: exact, fair to one unit, the same whatever the order, and equal to plain integers."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.attribution import attribute, attribute_capped, attribute_exact, sum_exact


def units(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def ids(count: int) -> np.ndarray:
    return np.arange(1, count + 1, dtype=np.int64)


def test_the_whole_parts_come_first_and_the_rest_goes_to_the_largest_fractions() -> None:
    # Quotas 4.5, 3.6, 0.9 of 9 by weights 5:4:1.
    assert attribute(9, units(5, 4, 1), ids(3)).tolist() == [4, 4, 1]


def test_equal_fractions_go_to_the_smallest_id_wherever_it_stands() -> None:
    assert attribute(1, units(1, 1, 1), units(30, 10, 20)).tolist() == [0, 1, 0]
    assert attribute(2, units(1, 1, 1), units(30, 10, 20)).tolist() == [0, 1, 1]


def test_weight_zero_gets_nothing_even_of_the_rest() -> None:
    assert attribute(2, units(0, 1, 0, 1, 1), ids(5)).tolist() == [0, 1, 0, 1, 0]


def test_nothing_divided_is_nothing_for_everybody() -> None:
    assert attribute(0, units(0, 0), ids(2)).tolist() == [0, 0]
    assert attribute(0, units(), units()).tolist() == []


@pytest.mark.parametrize(
    "total, weights, keys, complaint",
    [
        (1, [], [], "nobody"),
        (1, [0, 0], [1, 2], "nobody"),
        (1, [1, -1], [1, 2], "negative"),
        (-1, [1], [1], "whole number"),
        (2**63, [1], [1], "whole number"),
        (1, [1], [1, 2], "1 weights for 2 ids"),
        (1, [1, 1], [7, 7], "once only"),
    ],
)
def test_bad_input_is_named(total: int, weights: list[int], keys: list[int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        attribute(total, units(*weights), units(*keys))


def test_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="never floats"):
        attribute(1, np.array([0.5, 0.5]), ids(2))


small = st.integers(0, 10**6)
# Small, typical (micro-dollars of cover) and beyond what 64 bits can multiply.
weight = st.one_of(small, st.integers(0, 10**13), st.integers(0, 2**62))
total = st.one_of(small, st.integers(0, 10**15), st.integers(0, 2**63 - 1))


@pytest.mark.parametrize(
    "traded, weights",
    [
        (2**61 + 12_345, [3, 5, 7]),  # quotas far beyond the digits of a float
        (2**50 - 1, [1, 2**50]),
        (2**62, [1, 1]),
        (10**15, [2**61, 2**61 + 1, 3]),
        (2**63 - 1, [2**62, 2**62, 2**62]),
        (1, [2**62 - 1, 2**62 - 1]),
        (1, [2**62, 2**62, 2**62]),
        (3, [(2**60 - 1) // 3, 2**60 - (2**60 - 1) // 3]),  # 1 - 2**-60 is 1.0 to a float
    ],
)
def test_at_the_edges_of_the_fast_way_it_is_still_exact(traded: int, weights: list[int]) -> None:
    assert attribute(traded, units(*weights), ids(len(weights))).tolist() == attribute_exact(traded, weights)


@given(total=total, weights=st.lists(weight, min_size=1, max_size=60).filter(any))
def test_it_equals_unbounded_integers(total: int, weights: list[int]) -> None:
    assert attribute(total, units(*weights), ids(len(weights))).tolist() == attribute_exact(total, weights)


@given(total=total, weights=st.lists(weight, min_size=1, max_size=60).filter(any))
def test_the_reference_is_exact_and_fair(total: int, weights: list[int]) -> None:
    parts = attribute_exact(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    for part, mine in zip(parts, weights, strict=True):
        assert total * mine // whole <= part <= total * mine // whole + 1
        assert mine > 0 or part == 0
    fractions = [Fraction(total * mine % whole, whole) for mine in weights]
    got = [f for part, mine, f in zip(parts, weights, fractions, strict=True) if part > total * mine // whole]
    missed = [
        f for part, mine, f in zip(parts, weights, fractions, strict=True) if part == total * mine // whole
    ]
    assert not got or not missed or min(got) >= max(missed)


@given(
    total=st.integers(0, 10**12),
    weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any),
    seed=st.integers(),
)
def test_the_order_of_policies_changes_nothing(total: int, weights: list[int], seed: int) -> None:
    keys = list(range(100, 100 + len(weights)))
    straight = dict(zip(keys, attribute(total, units(*weights), units(*keys)).tolist(), strict=True))
    shuffled = list(zip(keys, weights, strict=True))
    random.Random(seed).shuffle(shuffled)
    parts = attribute(total, units(*(w for _, w in shuffled)), units(*(k for k, _ in shuffled)))
    assert dict(zip((k for k, _ in shuffled), parts.tolist(), strict=True)) == straight


@given(
    fills=st.lists(st.integers(0, 10**9), max_size=12),
    weights=st.lists(st.integers(1, 10**9), min_size=1, max_size=20),
)
def test_partial_fills_divide_their_increment_and_together_the_total(
    fills: list[int], weights: list[int]
) -> None:
    given_so_far = np.zeros(len(weights), dtype=np.int64)
    for fill in fills:
        before = given_so_far.copy()
        given_so_far += attribute(fill, units(*weights), ids(len(weights)))
        assert bool(np.all(given_so_far >= before))
        assert int((given_so_far - before).sum()) == fill
    assert int(given_so_far.sum()) == sum(fills)


@given(slices=st.lists(st.integers(0, 10**12), min_size=1, max_size=40), share=st.integers(0, 100))
def test_a_sale_never_takes_more_of_a_slice_than_is_open(slices: list[int], share: int) -> None:
    sold = sum(slices) * share // 100
    parts = attribute_capped(sold, units(*slices), ids(len(slices)))
    assert int(parts.sum()) == sold
    assert bool(np.all(parts <= units(*slices)))


def test_selling_everything_closes_every_slice() -> None:
    assert attribute_capped(60, units(10, 20, 30), ids(3)).tolist() == [10, 20, 30]


def test_selling_more_than_is_open_is_refused() -> None:
    with pytest.raises(ValueError, match="61 units sold, but only 60 are open"):
        attribute_capped(61, units(10, 20, 30), ids(3))


@given(st.lists(st.integers(0, 2**63 - 1), max_size=20))
def test_sums_do_not_wrap(values: list[int]) -> None:
    assert sum_exact(units(*values)) == sum(values)


def test_a_million_policies_are_divided_exactly() -> None:
    generator = np.random.default_rng(20261121)
    weights = generator.integers(1, 2_000_000_000_000, size=1_000_000, dtype=np.int64)
    traded = 24_248_000_000
    parts = attribute(traded, weights, ids(len(weights)))
    assert int(parts.sum()) == traded
    whole = sum_exact(weights)
    for index in generator.integers(0, len(weights), size=2000).tolist():
        quota = int(weights[index]) * traded // whole
        assert quota <= int(parts[index]) <= quota + 1
