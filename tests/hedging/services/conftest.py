"""What the tests of the money path share: one mapped market with a known book, and trading switched on."""

from __future__ import annotations

import pytest

from tests.desk import Desk
from tests.trading import ASKS, BIDS, SETTINGS, SLUG, configure, map_market
from venues.models import Instrument


@pytest.fixture
def market(desk: Desk) -> Instrument:
    """The USDC depeg market: 1,000 shares at 4 cents, 1,000 at 5, bids at 2; mapped, approved, trading on."""
    desk.book(SLUG, bids=BIDS, asks=ASKS)
    configure(**SETTINGS)
    return map_market(desk).instrument
