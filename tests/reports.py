"""What a venue says of our orders, for tests that need no venue."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hedging.models import Order
from tests import factories
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import FillReport, Settlement, Side


def fill_report(
    of: Order, *, size: str, price: str = "0.04", fee_usd: str = "0", trade: str = "", **values: Any
) -> FillReport:
    """A confirmed trade of `of`."""
    stated = {
        "client_order_id": of.client_order_id,
        "venue_trade_id": trade or f"trade-{factories.number()}",
        "instrument_id": of.instrument.instrument_id,
        "side": Side(of.side),
        "size": Decimal(size),
        "price": Decimal(price),
        "notional_usd": Decimal(size) * Decimal(price),
        "fee_usd": Decimal(fee_usd),
        "settlement": Settlement.CONFIRMED,
        "matched_at": utc_now() - timedelta(seconds=5),
    }
    return FillReport(**{**stated, **values})
