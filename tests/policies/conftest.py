"""Sales as tests need them: a whole one, of which each test changes what it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from policies.models import Policy
from policies.services.policies import policy_record_sale

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def sale_terms(**changes: Any) -> dict[str, Any]:
    """The keyword arguments of an ordinary sale: $100,000 of USDC depeg on Ethereum for 30 days."""
    return {
        "external_id": "sale-1",
        "holder": "0xholder",
        "coverage_type": "depeg",
        "chain": "ethereum",
        "stablecoin": "USDC",
        "coverage_usd": Decimal(100_000),
        "duration_days": 30,
        "source": "test",
        "actor": "tester",
        "now": NOW,
    } | changes


@pytest.fixture
def now() -> datetime:
    """The moment at which these tests happen."""
    return NOW


@pytest.fixture
def sell(db: None) -> Callable[..., Policy]:
    """Books a sale; give the terms that differ from the ordinary one."""

    def booked(**changes: Any) -> Policy:
        return policy_record_sale(**sale_terms(**changes))[0]

    return booked
