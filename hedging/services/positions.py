"""Adds a confirmed fill to the position it belongs to. Called inside the fill's own transaction."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hedging.domain.positions import Holding, apply_buy, apply_sell
from hedging.models import Fill, Position
from tonsurance.kernel.money import ZERO


def position_book(fill: Fill, *, now: datetime) -> Decimal | None:
    """Apply `fill` to its instrument's position and return the P&L that it realised (None for a purchase).

    Raises Broken when more would be sold than is held.
    """
    Position.objects.bulk_create(
        [
            Position(
                instrument_id=fill.instrument_id,
                venue_id=fill.venue_id,
                opened_at=fill.matched_at,
                updated_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    row = Position.objects.select_for_update().get(instrument_id=fill.instrument_id)
    before = Holding(size=row.size, cost_usd=row.cost_usd, realised_pnl_usd=row.realised_pnl_usd)
    act = apply_buy if fill.side == "BUY" else apply_sell
    after = act(before, size=fill.size, notional_usd=fill.notional_usd, fee_usd=fill.fee_usd)
    row.size, row.cost_usd, row.realised_pnl_usd = after.size, after.cost_usd, after.realised_pnl_usd
    row.fees_usd += fill.fee_usd
    row.updated_at = now
    row.save(update_fields=["size", "cost_usd", "realised_pnl_usd", "fees_usd", "updated_at"])
    return None if fill.side == "BUY" else after.realised_pnl_usd - before.realised_pnl_usd + ZERO
