"""One decision to buy and one to sell, from which each test makes its orders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hedging.models import Intent
from tests import factories as make


@pytest.fixture
def wanted(db: None) -> Intent:
    """A decision to buy 1,000 for at most $80, at 10 cents or better."""
    return make.intent(make.instrument())


@pytest.fixture
def sale(db: None) -> Intent:
    """A decision to sell 1,000, at 4 cents or better."""
    return make.intent(
        make.instrument(), side="SELL", purpose="close", notional_usd=Decimal(40), price_limit=Decimal("0.04")
    )
