"""What cover costs: golden values by hand, rounding, and the band around a quote."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.domain.catalogue import Chain, CoverageType, ProductKey, Stablecoin, all_products
from policies.domain.pricing import (
    BASE_RATES,
    CHAIN_MULTIPLIERS,
    COIN_ADDONS,
    Rates,
    check_premium,
    premium,
    quote,
)
from tests.policies.conftest import NOW
from tonsurance.kernel.errors import Refused


def rates_of(key: ProductKey) -> Rates:
    """The published rates of one product."""
    return Rates(
        base_rate=BASE_RATES[key.coverage_type],
        chain_multiplier=CHAIN_MULTIPLIERS[key.chain],
        coin_addon=COIN_ADDONS[key.stablecoin],
    )


@pytest.mark.parametrize(
    ("coverage_type", "chain", "stablecoin", "usd", "days", "expected"),
    [
        # The published golden value.
        ("depeg", "ethereum", "USDC", 100_000, 30, "65.75"),
        # 100,000 x 0.8 % x 365 / 365
        ("depeg", "ethereum", "USDC", 100_000, 365, "800.00"),
        # 50,000 x (1.5 % x 1.1 + 0.05 %) x 90 / 365 = 209.589
        ("smart_contract", "base", "USDT", 50_000, 90, "209.59"),
        # 10,000 x (2.0 % x 1.4 + 0.20 %) x 7 / 365 = 5.7534
        ("bridge", "solana", "sUSDe", 10_000, 7, "5.75"),
        # 1,000,000 x (2.5 % x 0.9 + 0.10 %) x 180 / 365 = 11,589.041
        ("cex_liquidation", "bitcoin", "GHO", 1_000_000, 180, "11589.04"),
        # 100 x (1.2 % x 1.2 + 0.02 %) x 7 / 365 = 0.028
        ("oracle", "polygon", "DAI", 100, 7, "0.03"),
    ],
)
def test_the_published_table_priced_by_hand(
    coverage_type: str, chain: str, stablecoin: str, usd: int, days: int, expected: str
) -> None:
    key = ProductKey(
        coverage_type=CoverageType(coverage_type), chain=Chain(chain), stablecoin=Stablecoin(stablecoin)
    )

    told = quote(Decimal(usd), duration_days=days, rates=rates_of(key), now=NOW)

    assert told.premium_usd == Decimal(expected)
    assert told.valid_until - told.quoted_at == timedelta(seconds=30)


def test_a_half_cent_goes_to_the_even_cent() -> None:
    rates = Rates(base_rate=Decimal("0.365"), chain_multiplier=Decimal(1), coin_addon=Decimal(0))

    # 0.1 % of the coverage a day: 5.00 for a day is half a cent, 15.00 one and a half.
    assert premium(Decimal(5), rates=rates, term=timedelta(days=1)) == Decimal("0.00")
    assert premium(Decimal(15), rates=rates, term=timedelta(days=1)) == Decimal("0.02")
    assert premium(Decimal(25), rates=rates, term=timedelta(days=1)) == Decimal("0.02")


@given(
    key=st.sampled_from(list(all_products())),
    micro=st.integers(1, 5_000_000 * 10**6),
    days=st.integers(7, 365),
)
def test_a_premium_is_within_half_a_cent_of_the_exact_price(key: ProductKey, micro: int, days: int) -> None:
    rates = rates_of(key)
    coverage = Decimal(micro).scaleb(-6)

    told = premium(coverage, rates=rates, term=timedelta(days=days))

    exact = Fraction(coverage) * Fraction(rates.annual_rate) * days / 365
    assert abs(Fraction(told) - exact) <= Fraction(1, 200)


@pytest.mark.parametrize("days", [6, 366, 0, -1])
def test_a_term_outside_7_to_365_days_has_no_price(days: int) -> None:
    with pytest.raises(Refused) as caught:
        quote(Decimal(1000), duration_days=days, rates=rates_of(next(all_products())), now=NOW)
    assert caught.value.field == "duration_days"


@pytest.mark.parametrize(
    ("offered", "taken"), [("98", True), ("97.99", False), ("102", True), ("102.01", False)]
)
def test_a_premium_may_be_two_percent_off_either_way(offered: str, taken: bool) -> None:
    if taken:
        check_premium(Decimal(offered), quoted_usd=Decimal(100))
        return
    with pytest.raises(Refused) as caught:
        check_premium(Decimal(offered), quoted_usd=Decimal(100))
    assert (caught.value.code, caught.value.field) == ("premium_off_quote", "premium_usd")


def test_coins_without_a_published_addon_have_the_documented_default() -> None:
    unpublished = {coin for coin in Stablecoin if COIN_ADDONS[coin] == Decimal("0.0010")}

    assert unpublished == {"BUSD", "USDY", "PYUSD", "GHO", "LUSD", "crvUSD", "mkUSD", "USDP"}
