"""A hedge divided among venues adds up to the micro-dollar."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.allocation import split_venues
from tests.hedging.domain.scenes import DOCUMENT_SHARES
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import from_micro, to_micro

D = Decimal


def test_the_founding_documents_split_of_12450000_at_20_percent() -> None:
    assert split_venues(D("12450000") * D("0.20"), DOCUMENT_SHARES) == {
        "polymarket": D("996000"),
        "binance_futures": D("996000"),
        "allianz": D("498000"),
    }


def test_the_micro_dollar_left_over_goes_to_the_largest_remainder() -> None:
    shares = {"a": D("0.3"), "b": D("0.3"), "c": D("0.4")}
    # 0.000002 * (0.3, 0.3, 0.4) = 0.6, 0.6, 0.8 micro-dollars.
    assert split_venues(D("0.000002"), shares) == {"a": D("0.000001"), "b": D("0"), "c": D("0.000001")}


def test_equal_remainders_go_by_alphabet_and_the_order_of_venues_is_kept() -> None:
    shares = {"zebra": D("0.5"), "ant": D("0.5")}
    assert split_venues(D("0.000001"), shares) == {"zebra": D("0"), "ant": D("0.000001")}
    assert list(split_venues(D("0.000001"), shares)) == ["zebra", "ant"]


@pytest.mark.parametrize("bad", [{"a": D("0.4"), "b": D("0.4")}, {"a": D("1.2"), "b": D("-0.2")}, {}])
def test_shares_that_are_no_division_are_refused(bad: dict[str, Decimal]) -> None:
    with pytest.raises(Refused) as refusal:
        split_venues(D("1"), bad)
    assert refusal.value.field == "venueShares"


def test_a_negative_hedge_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="negative"):
        split_venues(D("-1"), {"a": D("1")})


@st.composite
def shares_of_one(draw: st.DrawFn) -> dict[str, Decimal]:
    cuts = sorted(draw(st.lists(st.integers(0, 1_000_000), max_size=5)))
    edges = [0, *cuts, 1_000_000]
    return {f"v{i}": Decimal(b - a) / 1_000_000 for i, (a, b) in enumerate(itertools.pairwise(edges))}


@given(units=st.integers(0, 10**15), shares=shares_of_one())
def test_parts_add_up_and_stay_within_one_unit_of_the_quota(units: int, shares: dict[str, Decimal]) -> None:
    parts = split_venues(from_micro(units), shares)
    assert sum(to_micro(part) for part in parts.values()) == units
    for code, part in parts.items():
        assert abs(to_micro(part) - Fraction(shares[code]) * units) < 1
