"""Rounding never spends above the budget and never reaches a price above the limit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polymarket._internal.actions.orders.limit import _compute_limit_order_amounts
from polymarket._internal.actions.orders.market import _compute_market_order_amounts

from tests.venues.adapters.polymarket.samples import request, terms
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.amounts import Amounts, amounts_of
from venues.adapters.polymarket.limits import ROUNDING_BY_TICK
from venues.domain.gateway import Side, TimeInForce

TICKS = sorted(ROUNDING_BY_TICK)
BUDGETS = st.decimals(min_value="1", max_value="9999.999999", places=6)
SIZES = st.decimals(min_value="5", max_value="99999.99999999", places=8)


@st.composite
def prices(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """(tick, price on its grid)."""
    tick = draw(st.sampled_from(TICKS))
    steps = draw(st.integers(1, int(1 / tick) - 1))
    return tick, tick * steps


def refusal(**changes: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        amounts_of(request(**changes))
    return caught.value


def test_a_budget_of_ten_dollars_at_three_cents_in_a_tenth_of_a_cent_market() -> None:
    assert amounts_of(request()) == Amounts(maker=10_000_000, taker=333_333_330)


def test_a_budget_is_cut_to_whole_cents() -> None:
    assert amounts_of(request(notional_usd=Decimal("10.009999"))).maker == 10_000_000


def test_a_sale_gives_whole_hundredths_of_a_share_at_exactly_the_limit() -> None:
    amounts = amounts_of(request(side=Side.SELL, size=Decimal("123.45999999"), price_limit=Decimal("0.021")))

    assert amounts == Amounts(maker=123_450_000, taker=2_592_450)


@given(grid=prices(), budget=BUDGETS)
def test_a_buy_never_spends_above_its_budget_nor_reaches_the_next_price(
    grid: tuple[Decimal, Decimal], budget: Decimal
) -> None:
    tick, price = grid
    try:
        maker, taker = amounts_of(
            request(terms=terms(tick_size=tick), notional_usd=budget, price_limit=price)
        )
    except Refused:
        assume(False)

    assert Decimal(maker).scaleb(-6) <= budget
    assert budget - Decimal(maker).scaleb(-6) < Decimal("0.01")
    assert maker % 10_000 == 0
    assert taker % 10 ** (6 - ROUNDING_BY_TICK[tick].amount) == 0
    # The best price the exchange may match at is the highest one of the finest grid at or below maker/taker.
    assert maker * 10_000 // taker == int(price * 10_000)


@given(grid=prices(), budget=BUDGETS)
def test_a_buy_rounds_to_the_unit_as_the_official_client_does(
    grid: tuple[Decimal, Decimal], budget: Decimal
) -> None:
    tick, price = grid
    try:
        ours = amounts_of(request(terms=terms(tick_size=tick), notional_usd=budget, price_limit=price))
    except Refused:
        assume(False)

    assert ours == _compute_market_order_amounts(amount=budget, price=price, side="BUY", tick_size=tick)


@given(grid=prices(), size=SIZES)
def test_a_sale_never_gives_more_than_asked_and_never_asks_less_than_the_limit(
    grid: tuple[Decimal, Decimal], size: Decimal
) -> None:
    tick, price = grid
    maker, taker = amounts_of(
        request(terms=terms(tick_size=tick), side=Side.SELL, size=size, price_limit=price)
    )

    assert 0 <= size - Decimal(maker).scaleb(-6) < Decimal("0.01")
    assert Decimal(taker) == Decimal(maker) * price
    assert (maker, taker) == _compute_market_order_amounts(
        amount=size, price=price, side="SELL", tick_size=tick
    )


RESTING = {"time_in_force": TimeInForce.GTD}


def test_a_resting_buy_is_shares_at_exactly_its_price() -> None:
    wanted = request(size=Decimal("100.019"), notional_usd=Decimal(10), **RESTING)

    assert amounts_of(wanted) == Amounts(maker=3_000_300, taker=100_010_000)


def test_a_resting_buy_never_costs_more_than_its_money() -> None:
    wanted = request(size=Decimal(1000), notional_usd=Decimal("10"), **RESTING)

    # 333.33 shares at three cents are 9.9999 dollars; 333.34 would be 10.0002.
    assert amounts_of(wanted) == Amounts(maker=9_999_900, taker=333_330_000)


def test_a_small_resting_buy_may_only_rest() -> None:
    small = {"size": Decimal(10), "notional_usd": Decimal(10), **RESTING}

    assert refusal(**small).code == "below_minimum"
    assert amounts_of(request(post_only=True, **small)) == Amounts(maker=300_000, taker=10_000_000)


@given(grid=prices(), size=SIZES, side=st.sampled_from(list(Side)))
def test_a_resting_order_rounds_to_the_unit_as_the_official_client_does(
    grid: tuple[Decimal, Decimal], size: Decimal, side: Side
) -> None:
    tick, price = grid
    ours = amounts_of(
        request(
            terms=terms(tick_size=tick),
            side=side,
            size=size,
            notional_usd=Decimal(999_999),
            price_limit=price,
            post_only=True,
            **RESTING,
        )
    )

    assert ours == _compute_limit_order_amounts(price=price, size=size, side=side.value, tick_size=tick)


@given(grid=prices(), size=SIZES, budget=BUDGETS)
def test_a_resting_buy_stays_within_size_and_money_at_exactly_the_limit(
    grid: tuple[Decimal, Decimal], size: Decimal, budget: Decimal
) -> None:
    tick, price = grid
    try:
        maker, taker = amounts_of(
            request(terms=terms(tick_size=tick), size=size, notional_usd=budget, price_limit=price, **RESTING)
        )
    except Refused:
        assume(False)

    assert Decimal(maker) == Decimal(taker) * price
    assert Decimal(maker).scaleb(-6) <= budget
    assert Decimal(taker).scaleb(-6) <= size
    one_more = Decimal(taker + 10_000).scaleb(-6)
    assert one_more > size or one_more * price > budget


def test_a_closed_market_is_refused() -> None:
    assert refusal(terms=terms(closed=True)).code == "market_closed"
    assert refusal(terms=terms(accepting_orders=False)).code == "market_not_accepting"


@pytest.mark.parametrize("price", ["0", "0.0009", "0.9991", "1", "-0.02", "NaN"])
def test_a_price_outside_the_ticks_range_is_refused(price: str) -> None:
    error = refusal(price_limit=Decimal(price))

    assert error.field == "price_limit"
    assert "outside [0.001, 0.999]" in error.message


def test_a_price_off_the_tick_is_refused() -> None:
    assert "more than 3 decimal places" in refusal(price_limit=Decimal("0.0305")).message
    assert (
        "whole multiple"
        in refusal(terms=terms(tick_size=Decimal("0.005")), price_limit=Decimal("0.031")).message
    )


def test_a_marketable_buy_below_one_dollar_is_refused() -> None:
    error = refusal(notional_usd=Decimal("0.999999"))

    assert (error.code, error.field) == ("below_minimum", "notional_usd")


def test_fewer_shares_than_the_market_minimum_are_refused_on_both_sides() -> None:
    assert refusal(notional_usd=Decimal("4.00"), price_limit=Decimal("0.900")).field == "size"
    assert refusal(side=Side.SELL, size=Decimal("4.999")).field == "size"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"notional_usd": Decimal("10.0000001")}, "notional_usd"),
        ({"notional_usd": Decimal("-1")}, "notional_usd"),
        ({"notional_usd": Decimal("Infinity")}, "notional_usd"),
        ({"notional_usd": Decimal("1000000")}, "notional_usd"),
        ({"notional_usd": Decimal("20000"), "price_limit": Decimal("0.001")}, "size"),
        ({"side": Side.SELL, "size": Decimal("10.123456789")}, "size"),
        ({"side": Side.SELL, "size": Decimal("0")}, "size"),
        ({"side": Side.SELL, "size": Decimal("1000000")}, "size"),
        ({"time_in_force": TimeInForce.GTD, "size": Decimal("10.123456789")}, "size"),
        ({"time_in_force": TimeInForce.GTD, "size": Decimal("4.999")}, "size"),
        ({"time_in_force": TimeInForce.GTD, "notional_usd": Decimal("0.99")}, "notional_usd"),
        ({"time_in_force": TimeInForce.GTD, "notional_usd": Decimal(0)}, "notional_usd"),
        ({"time_in_force": TimeInForce.GTD, "price_limit": Decimal("0.0305")}, "price_limit"),
        ({"terms": terms(tick_size=Decimal("0.002"))}, "tick_size"),
    ],
)
def test_what_the_rules_forbid_names_its_field(changes: dict[str, Any], field: str) -> None:
    error = refusal(**changes)

    assert error.field == field
    assert error.message.startswith(f"{field}: ")


def test_a_budget_too_small_to_say_its_price_is_refused() -> None:
    # 1 dollar at 70 cents is 1.428 shares when cut to three places: a price of 70.03 cents, past the next tick.
    error = refusal(
        terms=terms(tick_size=Decimal("0.1"), size_min=Decimal(0)),
        notional_usd=Decimal("1"),
        price_limit=Decimal("0.7"),
    )

    assert error.field == "notional_usd"
