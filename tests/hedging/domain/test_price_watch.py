"""When a price has left its band, and how that is said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.price_watch import Prices, cause, moves


def prices(bid: str | None, ask: str | None, name: str = "usdc-depeg") -> Prices:
    return Prices(
        name=name,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
    )


def said(before: Prices, after: Prices, *, band_bps: int = 1_000) -> str:
    return cause(moves({1: before}, {1: after}, band_bps=band_bps))


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            prices("0.02", "0.03"),
            prices("0.02", "0.033"),
            "price: usdc-depeg, ask up from 0.03 to 0.033",
        ),
        (prices("0.02", "0.03"), prices("0.02", "0.0329"), ""),
        (
            prices("0.020", "0.030"),
            prices("0.010", "0.030"),
            "price: usdc-depeg, middle down from 0.025 to 0.02",
        ),
        (prices("0.02", "0.03"), prices(None, None), ""),
        (prices("0.02", "0.03"), prices("0.02", None), ""),
        (prices("0.02", None), prices("0.02", "0.5"), "price: usdc-depeg has an ask again, 0.5"),
        (
            prices(None, "0.50"),
            prices(None, "0.40"),
            "price: usdc-depeg, ask down from 0.5 to 0.4",
        ),
    ],
)
def test_a_move_is_measured_from_where_the_last_cycle_saw_the_price(before, after, sentence):
    assert said(before, after) == sentence


def test_the_widest_move_is_named_and_the_others_counted():
    before = {1: prices("0.02", "0.03", "a"), 2: prices("0.02", "0.03", "b"), 3: prices("0.02", "0.03", "c")}
    after = {1: prices("0.02", "0.04", "a"), 2: prices("0.02", "0.06", "b"), 3: prices("0.02", "0.03", "c")}
    assert cause(moves(before, after, band_bps=1_000)) == "price: b, ask up from 0.03 to 0.06, and 1 more"


def test_a_market_that_the_last_cycle_did_not_see_has_not_moved():
    assert moves({}, {1: prices("0.02", "0.03")}, band_bps=1) == []


@given(st.integers(1, 9_999), st.integers(1, 9_999), st.integers(1, 100_000))
def test_a_move_counts_exactly_when_it_is_as_wide_as_the_band(before, after, band_bps):
    old, new = Decimal(before).scaleb(-4), Decimal(after).scaleb(-4)
    found = moves(
        {1: Prices(name="a", bid=None, ask=old)}, {1: Prices(name="a", bid=None, ask=new)}, band_bps=band_bps
    )
    assert bool(found) == (abs(after - before) * 10_000 >= band_bps * before)
