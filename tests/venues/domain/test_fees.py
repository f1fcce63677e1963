"""The venue's fee, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.domain.fees import floor_fee, taker_fee_usd, unrounded_taker_fee_usd

CENTS = st.decimals(min_value="0.0001", max_value="0.9999", places=4)
SIZES = st.decimals(min_value="0.01", max_value="999999", places=2)
RATES = st.decimals(min_value="0", max_value="0.1", places=6)


def test_the_published_example_of_a_crypto_share_at_two_cents() -> None:
    # 0.07 x 0.022 x 0.978 = 0.001506... a share, 6.8 % of what the share costs.
    fee = taker_fee_usd(Decimal(1000), price=Decimal("0.022"), fee_rate=Decimal("0.07"), fee_exponent=1)

    assert fee == Decimal("1.50612")


def test_a_fee_is_cut_to_five_places_and_the_smallest_vanishes() -> None:
    assert floor_fee(Decimal("0.000019999")) == Decimal("0.00001")
    assert taker_fee_usd(
        Decimal("0.01"), price=Decimal("0.01"), fee_rate=Decimal("0.07"), fee_exponent=1
    ) == Decimal("0.00000")


def test_exponents_zero_one_and_two() -> None:
    at = {"price": Decimal("0.5"), "fee_rate": Decimal("0.04")}

    assert taker_fee_usd(Decimal(100), fee_exponent=0, **at) == Decimal("4.00000")
    assert taker_fee_usd(Decimal(100), fee_exponent=1, **at) == Decimal("1.00000")
    assert taker_fee_usd(Decimal(100), fee_exponent=2, **at) == Decimal("0.25000")


def test_a_market_without_fees_charges_nothing() -> None:
    assert taker_fee_usd(Decimal(100), price=Decimal("0.5"), fee_rate=Decimal(0), fee_exponent=1) == 0


@given(size=SIZES, price=CENTS, rate=RATES)
def test_yes_and_no_at_complementary_prices_pay_the_same(
    size: Decimal, price: Decimal, rate: Decimal
) -> None:
    assert taker_fee_usd(size, price=price, fee_rate=rate, fee_exponent=1) == taker_fee_usd(
        size, price=1 - price, fee_rate=rate, fee_exponent=1
    )


@given(size=SIZES, price=CENTS, rate=RATES, exponent=st.integers(0, 4))
def test_the_charge_is_never_above_the_formula_nor_a_whole_quantum_below(
    size: Decimal, price: Decimal, rate: Decimal, exponent: int
) -> None:
    exact, charged = (
        fee(size, price=price, fee_rate=rate, fee_exponent=exponent)
        for fee in (unrounded_taker_fee_usd, taker_fee_usd)
    )

    assert charged <= exact < charged + Decimal("0.00001")


@pytest.mark.parametrize(
    ("size", "price", "rate", "exponent"),
    [("-1", "0.5", "0.07", 1), ("1", "1.01", "0.07", 1), ("1", "0.5", "-0.07", 1), ("1", "0.5", "0.07", 9)],
)
def test_absurd_inputs_are_errors(size: str, price: str, rate: str, exponent: int) -> None:
    with pytest.raises(ValueError, match="not"):
        taker_fee_usd(Decimal(size), price=Decimal(price), fee_rate=Decimal(rate), fee_exponent=exponent)
