"""Closes slices: by a confirmed sale, in proportion to what is open, or by release of what is too little to sell.

Called inside the sale's own transaction, under the position's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import numpy as np
from django.db import connection, transaction

from hedging.domain.attribution import attribute, attribute_capped
from hedging.domain.positions import closed_cost_usd
from hedging.models import Fill, HedgePosition, IntentSlice, Position
from hedging.services.held_shares import ShareChange, shares_take
from tonsurance.kernel.money import ZERO, from_micro, to_micro

LOT = Decimal("0.01")
"""Outcome tokens are sold in whole hundredths; less than that cannot be sold at all."""

_SAVE = """
    UPDATE hedging_hedgeposition h SET closed_size = part.closed, released_size = part.released,
        proceeds_usd = part.proceeds, realised_pnl_usd = part.pnl, status = part.status, close_time = part.at
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[], %s::timestamptz[])
        AS part (id, closed, released, proceeds, pnl, status, at)
    WHERE h.id = part.id"""


def slices_sell(fill: Fill, *, now: datetime) -> int:
    """Close slices of a confirmed sale's intent in proportion to what is still open of them; return how many."""
    parts = list(IntentSlice.objects.filter(intent_id=fill.order.intent_id).order_by("hedge_position_id"))
    rows = HedgePosition.objects.select_for_update(of=("self",)).select_related("policy")
    held = rows.in_bulk([part.hedge_position_id for part in parts])
    wanted = [(held[part.hedge_position_id], _wanted_micro(part, held)) for part in parts]
    wanted = [(row, units) for row, units in wanted if units > 0]
    if not wanted:
        return 0
    closing = _Closing([row for row, _ in wanted])
    units = np.array([part for _, part in wanted], dtype=np.int64)
    ids = np.array([row.pk for row, _ in wanted], dtype=np.int64)
    sold = attribute_capped(min(to_micro(fill.size), int(units.sum())), units, ids)
    # Slices take their part of the money; what was sold beyond them (an excess) keeps the rest on the position alone.
    money_micro = to_micro(fill.notional_usd - fill.fee_usd) * int(sold.sum()) // to_micro(fill.size)
    money = attribute(max(money_micro, 0), sold, ids)
    for (row, _), sold_micro, money_part in zip(wanted, sold.tolist(), money.tolist(), strict=True):
        _close_part(row, from_micro(sold_micro), from_micro(money_part), now=now)
    ended = [row for row, _ in wanted if row.policy.status != "active"]
    if sum((row.size - row.closed_size for row in ended), ZERO) < LOT:
        _release(ended, now=now)
    closing.save()
    return len(wanted)


def slices_release_unsellable(instrument_row: int, *, now: datetime) -> int:
    """Release the open slices of ended policies on an instrument, too few to sell; return how many."""
    with transaction.atomic():
        list(Position.objects.select_for_update().filter(instrument_id=instrument_row))
        rows = list(
            HedgePosition.objects.select_for_update(of=("self",))
            .filter(instrument_id=instrument_row, status=HedgePosition.Status.OPEN)
            .exclude(policy__status="active")
            .order_by("pk")
        )
        closing = _Closing(rows)
        _release(rows, now=now)
        closing.save()
    return len(rows)


class _Closing:
    """Slices as they were before, so that the kept sums lose exactly what the slices lose."""

    def __init__(self, rows: Sequence[HedgePosition]) -> None:
        self.rows = rows
        self.before = [(row.closed_size, row.status, _open_cost(row)) for row in rows]

    def save(self) -> None:
        changes = [
            ShareChange(
                instrument_id=row.instrument_id,
                product_id=row.product_id,
                size=closed - row.closed_size,
                cost_usd=_open_cost(row) - cost,
                closed=int(row.status != status),
            )
            for row, (closed, status, cost) in zip(self.rows, self.before, strict=True)
            if row.closed_size != closed
        ]
        if not changes:
            return
        columns = [
            (
                row.pk,
                row.closed_size,
                row.released_size,
                row.proceeds_usd,
                row.realised_pnl_usd,
                str(row.status),
                row.close_time,
            )
            for row in self.rows
        ]
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [list(column) for column in zip(*columns, strict=True)])
        shares_take(changes)


def _open_cost(row: HedgePosition) -> Decimal:
    if row.closed_size == row.size:
        return ZERO
    return row.hedge_amount_usd - closed_cost_usd(
        cost_usd=row.hedge_amount_usd, size=row.size, closed_size=row.closed_size
    )


def _release(rows: Sequence[HedgePosition], *, now: datetime) -> None:
    """Close what is left of `rows` without a sale: too small for the venue, the house keeps it for the others."""
    for row in rows:
        left = row.size - row.closed_size
        if left > 0:
            row.released_size += left
            _close_part(row, left, ZERO, now=now)


def _wanted_micro(part: IntentSlice, held: dict[int, HedgePosition]) -> int:
    """What of its part of a slice the sale has not closed yet."""
    row = held[part.hedge_position_id]
    unsold = part.size - (row.closed_size - part.closed_before)
    return to_micro(min(unsold, row.size - row.closed_size))


def _close_part(row: HedgePosition, size: Decimal, proceeds_usd: Decimal, *, now: datetime) -> None:
    row.closed_size += size
    row.proceeds_usd += proceeds_usd
    row.realised_pnl_usd = row.proceeds_usd - closed_cost_usd(
        cost_usd=row.hedge_amount_usd, size=row.size, closed_size=row.closed_size
    )
    if row.closed_size == row.size:
        row.status = HedgePosition.Status.CLOSED
        row.close_time = now
