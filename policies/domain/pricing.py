"""What cover costs: the published yearly rates, pro rata by day.

    annual rate = base rate of the coverage type x multiplier of the chain + add-on of the coin
    premium     = coverage x annual rate x days / 365, to the cent, halves to the even cent (no side is
    favoured)

Source: the published product matrix (API v2). Golden value: $100,000, 30 days, depeg, USDC on Ethereum =
$65.75.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from policies.domain.catalogue import Chain, CoverageType, Stablecoin
from policies.domain.coverage import DURATION_DAYS_MAX, DURATION_DAYS_MIN
from tonsurance.kernel.errors import Refused

QUOTE_VALID_FOR = timedelta(seconds=30)
PREMIUM_TOLERANCE = Decimal("0.02")
DAYS_PER_YEAR = 365
_CENT = Decimal("0.01")

BASE_RATES: dict[CoverageType, Decimal] = {
    CoverageType.DEPEG: Decimal("0.008"),
    CoverageType.SMART_CONTRACT: Decimal("0.015"),
    CoverageType.ORACLE: Decimal("0.012"),
    CoverageType.BRIDGE: Decimal("0.020"),
    CoverageType.CEX_LIQUIDATION: Decimal("0.025"),
}
CHAIN_MULTIPLIERS: dict[Chain, Decimal] = {
    Chain.ETHEREUM: Decimal("1.0"),
    Chain.ARBITRUM: Decimal("1.1"),
    Chain.BASE: Decimal("1.1"),
    Chain.POLYGON: Decimal("1.2"),
    Chain.OPTIMISM: Decimal("1.1"),
    Chain.BITCOIN: Decimal("0.9"),
    Chain.SOLANA: Decimal("1.4"),
    Chain.TON: Decimal("1.0"),
}
_PUBLISHED_ADDONS: dict[Stablecoin, Decimal] = {
    Stablecoin.USDC: Decimal("0"),
    Stablecoin.USDT: Decimal("0.0005"),
    Stablecoin.DAI: Decimal("0.0002"),
    Stablecoin.FRAX: Decimal("0.0003"),
    Stablecoin.USDE: Decimal("0.0015"),
    Stablecoin.SUSDE: Decimal("0.0020"),
}
COINS_PUBLISHED = frozenset(_PUBLISHED_ADDONS)
# Not published for eight coins; 0.10 % lies between USDT, the dearest of the coins backed by reserves, and
# USDe. Each coin's add-on is a row of RateFactor that underwriters edit in admin.
COIN_ADDON_DEFAULT = Decimal("0.0010")
COIN_ADDONS: dict[Stablecoin, Decimal] = {
    coin: _PUBLISHED_ADDONS.get(coin, COIN_ADDON_DEFAULT) for coin in Stablecoin
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """The three factors of one product's price; rates are shares of the coverage per year."""

    base_rate: Decimal
    chain_multiplier: Decimal
    coin_addon: Decimal

    @property
    def annual_rate(self) -> Decimal:
        """Share of the coverage that a year costs."""
        return self.base_rate * self.chain_multiplier + self.coin_addon


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A price and how it came about; it stands until `valid_until`."""

    coverage_usd: Decimal
    duration_days: int
    rates: Rates
    premium_usd: Decimal
    quoted_at: datetime
    valid_until: datetime


def premium(coverage_usd: Decimal, *, rates: Rates, term: timedelta) -> Decimal:
    """US dollars to the cent for `coverage_usd` over `term`."""
    days = Decimal(term // timedelta(microseconds=1)) / Decimal(
        timedelta(days=1) // timedelta(microseconds=1)
    )
    exact = coverage_usd * rates.annual_rate * days / DAYS_PER_YEAR
    return exact.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def quote(coverage_usd: Decimal, *, duration_days: int, rates: Rates, now: datetime) -> Quote:
    """The published price. Raises Refused for a term outside 7..365 days."""
    if not DURATION_DAYS_MIN <= duration_days <= DURATION_DAYS_MAX:
        raise Refused(
            f"duration_days: {duration_days} is outside {DURATION_DAYS_MIN} to {DURATION_DAYS_MAX}",
            field="duration_days",
            remedy=f"choose a term of {DURATION_DAYS_MIN} to {DURATION_DAYS_MAX} days",
        )
    return Quote(
        coverage_usd=coverage_usd,
        duration_days=duration_days,
        rates=rates,
        premium_usd=premium(coverage_usd, rates=rates, term=timedelta(days=duration_days)),
        quoted_at=now,
        valid_until=now + QUOTE_VALID_FOR,
    )


def check_premium(offered_usd: Decimal, *, quoted_usd: Decimal) -> None:
    """Raises Refused when an offered premium is more than 2 % away from the price, either way."""
    if abs(offered_usd - quoted_usd) <= quoted_usd * PREMIUM_TOLERANCE:
        return
    raise Refused(
        f"premium_usd: {offered_usd} is more than 2 % away from the price of {quoted_usd}",
        code="premium_off_quote",
        field="premium_usd",
        remedy="ask for a new quote, or leave premium_usd out to pay the price",
    )
