from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.simulators.polymarket.units import exact_e4, exact_e6, fee_e6, price_text, text_e4, text_e6

CRYPTO = Decimal("0.07")


def test_a_fee_is_cut_to_five_decimals_never_rounded_up():
    assert fee_e6(1_000_000, price_e4=220, rate=CRYPTO, exponent=1) == 1500
    assert fee_e6(2_051_800_000, price_e4=240, rate=CRYPTO, exponent=1) == 3_364_290


def test_a_fee_is_charged_in_steps_of_a_thousandth_of_a_cent():
    assert fee_e6(10_000, price_e4=10, rate=CRYPTO, exponent=1) == 0
    assert fee_e6(200_000, price_e4=10, rate=CRYPTO, exponent=1) == 10
    assert fee_e6(1_000_000, price_e4=5000, rate=Decimal(0), exponent=1) == 0


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("1", 1_000_000), ("0.000001", 1), ("1234.5", 1_234_500_000)]
)
def test_amounts_are_read_and_printed_exactly(text, value):
    assert exact_e6(text) == value
    assert text_e6(value) == text


@pytest.mark.parametrize("text", ["0.0000001", "NaN", "Infinity", "x", ""])
def test_an_amount_that_is_not_exact_is_refused(text):
    with pytest.raises(ValueError):
        exact_e6(text)


def test_a_float_is_no_amount():
    with pytest.raises(TypeError):
        exact_e6(0.1)


def test_a_price_is_printed_with_the_decimals_of_its_tick():
    assert price_text(200, tick_e4=10) == "0.020"
    assert price_text(200, tick_e4=100) == "0.02"
    assert price_text(200, tick_e4=25) == "0.0200"


@given(st.integers(min_value=0, max_value=10**15))
def test_printing_and_reading_are_inverse(value):
    assert exact_e6(text_e6(value)) == value
    assert exact_e4(text_e4(value)) == value
