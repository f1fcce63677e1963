"""An invented book that looks like a real one: depeg, USDC, USDT and Ethereum lead, and every policy is in
force.

The same seed and day give the same book, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.domain.catalogue import Chain, CoverageType, ProductKey, Stablecoin, all_products
from policies.domain.intake import COLUMNS
from policies.domain.pricing import BASE_RATES, CHAIN_MULTIPLIERS, COIN_ADDONS, DAYS_PER_YEAR, Rates

POLICIES_MAX = 20_000_000
CHUNK = 50_000
_RATE_SCALE = 1_000_000
_SECONDS_A_DAY = 86_400

_COVERAGE_WEIGHTS = {
    CoverageType.DEPEG: 60,
    CoverageType.SMART_CONTRACT: 15,
    CoverageType.BRIDGE: 10,
    CoverageType.ORACLE: 5,
    CoverageType.CEX_LIQUIDATION: 10,
}
_CHAIN_WEIGHTS = dict.fromkeys(Chain, 4) | {
    Chain.ETHEREUM: 50,
    Chain.ARBITRUM: 12,
    Chain.BASE: 10,
    Chain.TON: 8,
}
_COIN_WEIGHTS = dict.fromkeys(Stablecoin, 2) | {
    Stablecoin.USDC: 36,
    Stablecoin.USDT: 26,
    Stablecoin.DAI: 8,
    Stablecoin.USDE: 8,
}


def sample_lines(count: int, *, seed: int, now: datetime) -> Iterator[str]:
    """The heading, then `count` policies, as CSV text in blocks of whole lines. `now` counts by its day
    only.
    """
    if not 0 <= count <= POLICIES_MAX:
        raise ValueError(f"a sample book has 0 to {POLICIES_MAX} policies, not {count}")
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    draw = np.random.default_rng(seed)
    keys = [key for key in all_products() if not key.invalid_reason]
    weights = np.array([popularity(key) for key in keys], dtype=float)
    yield ",".join(COLUMNS) + "\n"
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        yield _block(
            first, size, keys=keys, weights=weights / weights.sum(), seed=seed, draw=draw, today=today
        )


def premium_cents(
    coverage_usd: NDArray[np.int64], *, rate_ppm: NDArray[np.int64], days: NDArray[np.int64]
) -> NDArray[np.int64]:
    """domain/pricing.py's premium in cents for whole dollars and whole days, many at once, to the same
    cent.
    """
    exact = coverage_usd * 100 * rate_ppm * days
    divisor = DAYS_PER_YEAR * _RATE_SCALE
    cents, rest = np.divmod(exact, divisor)
    return cents + ((2 * rest > divisor) | ((2 * rest == divisor) & (cents % 2 == 1)))


def rate_ppm(key: ProductKey) -> int:
    """The published yearly rate in millionths of the coverage."""
    rates = Rates(
        base_rate=BASE_RATES[key.coverage_type],
        chain_multiplier=CHAIN_MULTIPLIERS[key.chain],
        coin_addon=COIN_ADDONS[key.stablecoin],
    )
    scaled = rates.annual_rate * _RATE_SCALE
    assert scaled == int(scaled)
    return int(scaled)


def popularity(key: ProductKey) -> int:
    """How often a product is sold, against the others."""
    return _COVERAGE_WEIGHTS[key.coverage_type] * _CHAIN_WEIGHTS[key.chain] * _COIN_WEIGHTS[key.stablecoin]


def _block(
    first: int,
    size: int,
    *,
    keys: list[ProductKey],
    weights: NDArray[np.float64],
    seed: int,
    draw: np.random.Generator,
    today: datetime,
) -> str:
    chosen = draw.choice(len(keys), size=size, p=weights)
    # Evenly spread in magnitude from $1,000 to $500,000, in whole hundreds.
    coverage = (10 ** draw.uniform(3, np.log10(500_000), size) // 100 * 100).astype(np.int64)
    days = draw.integers(7, 366, size)
    # Begun up to today, and at least two days still to run.
    age_s = (draw.random(size) * (days - 2) * _SECONDS_A_DAY).astype(np.int64)
    rates = np.array([rate_ppm(key) for key in keys], dtype=np.int64)
    cents = premium_cents(coverage, rate_ppm=rates[chosen], days=days)
    starts = np.datetime64(int(today.timestamp()), "s") - age_s.astype("timedelta64[s]")
    ends = starts + (days * _SECONDS_A_DAY).astype("timedelta64[s]")
    holders = draw.bytes(20 * size).hex()
    products = [f"{key.coverage_type},{key.chain},{key.stablecoin}" for key in keys]
    columns: tuple[Any, ...] = (chosen.tolist(), coverage.tolist(), cents.tolist(), starts, ends)
    return "".join(
        f"sample-{seed}-{first + at:08d},0x{holders[at * 40 : at * 40 + 40]},{products[product]},"
        f"{usd}.00,{premium // 100}.{premium % 100:02d},{start}Z,{end}Z,,\n"
        for at, (product, usd, premium, start, end) in enumerate(zip(*columns, strict=True))
    )
