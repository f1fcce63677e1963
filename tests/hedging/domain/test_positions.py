"""Average cost and realised profit, exact: what goes in comes out or is still there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.positions import Holding, apply_buy, apply_sell, closed_cost_usd
from tonsurance.kernel.errors import Broken
from tonsurance.kernel.money import from_micro

D = Decimal


def test_buys_add_up_with_their_fees() -> None:
    once = apply_buy(Holding(), size=D("1000"), notional_usd=D("21"), fee_usd=D("1.44"))
    twice = apply_buy(once, size=D("500"), notional_usd=D("11"), fee_usd=D("0.75"))
    assert twice == Holding(size=D("1500"), cost_usd=D("34.19"), realised_pnl_usd=D("0"))


def test_a_sale_takes_its_part_of_the_cost_at_the_average() -> None:
    holding = Holding(size=D("1500"), cost_usd=D("34.19"))
    sold = apply_sell(holding, size=D("600"), notional_usd=D("60"), fee_usd=D("0.5"))
    # 34.19 * 600 / 1500 = 13.676
    assert sold == Holding(size=D("900"), cost_usd=D("20.514"), realised_pnl_usd=D("45.824"))


def test_selling_the_rest_leaves_no_cost_behind() -> None:
    holding = Holding(size=D("3"), cost_usd=D("1.000000"))
    for _ in range(3):
        holding = apply_sell(holding, size=D("1"), notional_usd=D("0"), fee_usd=D("0"))
    assert holding == Holding(size=D("0"), cost_usd=D("0"), realised_pnl_usd=D("-1.000000"))


def test_selling_more_than_is_held_is_broken() -> None:
    with pytest.raises(Broken, match="only 3 are held"):
        apply_sell(Holding(size=D("3"), cost_usd=D("1")), size=D("3.01"), notional_usd=D("1"), fee_usd=D("0"))


@pytest.mark.parametrize(
    "size, notional, fee",
    [("0", "1", "0"), ("-1", "1", "0"), ("1", "-1", "0"), ("1", "1", "-0.1"), ("1", "0.0000001", "0")],
)
def test_impossible_amounts_are_refused(size: str, notional: str, fee: str) -> None:
    with pytest.raises(ValueError):
        apply_buy(Holding(), size=D(size), notional_usd=D(notional), fee_usd=D(fee))


def test_the_cost_of_a_slice_closed_in_parts_adds_up() -> None:
    steps = [closed_cost_usd(cost_usd=D("1"), size=D("3"), closed_size=D(part)) for part in (0, 1, 2, 3)]
    assert steps == [D("0"), D("0.333333"), D("0.666666"), D("1")]


def test_more_closed_than_there_is_is_broken() -> None:
    with pytest.raises(Broken):
        closed_cost_usd(cost_usd=D("1"), size=D("3"), closed_size=D("3.01"))


micro = st.integers(0, 10**12).map(from_micro)
trades = st.lists(
    st.tuples(
        st.booleans(), st.integers(1, 10**10).map(from_micro), micro, st.integers(0, 10**9).map(from_micro)
    ),
    max_size=30,
)


@given(trades)
def test_cost_held_less_profit_realised_is_the_cash_that_went_in(
    rows: list[tuple[bool, Decimal, Decimal, Decimal]],
) -> None:
    holding, cash_in, size = Holding(), D(0), D(0)
    for is_buy, traded, notional, fee in rows:
        if is_buy:
            holding = apply_buy(holding, size=traded, notional_usd=notional, fee_usd=fee)
            cash_in, size = cash_in + notional + fee, size + traded
        elif size > 0:
            part = min(traded, size)
            holding = apply_sell(holding, size=part, notional_usd=notional, fee_usd=fee)
            cash_in, size = cash_in - notional + fee, size - part
        assert holding.cost_usd - holding.realised_pnl_usd == cash_in
        assert holding.size == size
        assert holding.cost_usd >= 0
        assert holding.size > 0 or holding.cost_usd == 0
