"""The invented book: the same for the same seed, priced like the real one, and all in force."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.domain.catalogue import Chain, CoverageType, ProductKey, Stablecoin, all_products
from policies.domain.pricing import premium
from policies.domain.sample import premium_cents, rate_ppm, sample_lines
from tests.policies.conftest import NOW
from tests.policies.domain.test_pricing import rates_of


def _rows(count: int, seed: int) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(sample_lines(count, seed=seed, now=NOW)))))


def test_the_same_seed_gives_the_same_book_and_another_another() -> None:
    first = "".join(sample_lines(300, seed=1, now=NOW))

    assert "".join(sample_lines(300, seed=1, now=NOW + timedelta(hours=3))) == first
    assert "".join(sample_lines(300, seed=2, now=NOW)) != first


def test_every_policy_is_valid_in_force_and_within_its_limits() -> None:
    rows = _rows(5_000, seed=1)

    assert len({row["external_id"] for row in rows}) == 5_000
    for row in rows:
        key = ProductKey(
            coverage_type=CoverageType(row["coverage_type"]),
            chain=Chain(row["chain"]),
            stablecoin=Stablecoin(row["stablecoin"]),
        )
        start, end = datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["expires_at"])
        assert not key.invalid_reason
        assert start <= NOW < end
        assert timedelta(days=7) <= end - start <= timedelta(days=365)
        assert 1_000 <= Decimal(row["coverage_usd"]) <= 500_000
        assert Decimal(row["premium_usd"]) == premium(
            Decimal(row["coverage_usd"]), rates=rates_of(key), term=end - start
        )


def test_depeg_usdc_and_ethereum_lead_the_book() -> None:
    rows = _rows(5_000, seed=1)
    leaders = [
        Counter(row[name] for row in rows).most_common(1)[0][0]
        for name in ("coverage_type", "chain", "stablecoin")
    ]

    assert leaders == ["depeg", "ethereum", "USDC"]
    assert len({(row["coverage_type"], row["chain"], row["stablecoin"]) for row in rows}) > 300


@given(key=st.sampled_from(list(all_products())), usd=st.integers(1, 5_000_000), days=st.integers(7, 365))
def test_the_fast_premium_is_the_premium(key: ProductKey, usd: int, days: int) -> None:
    cents = premium_cents(np.array([usd]), rate_ppm=np.array([rate_ppm(key)]), days=np.array([days]))

    assert Decimal(int(cents[0])).scaleb(-2) == premium(
        Decimal(usd), rates=rates_of(key), term=timedelta(days=days)
    )


@pytest.mark.parametrize("count", [-1, 20_000_001])
def test_a_book_of_an_absurd_size_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="sample book"):
        next(sample_lines(count, seed=1, now=NOW))
