"""Closes the slices of an instrument at its payout: a redemption pays all of them, whoever they belong to.

Called inside the redemption fill's own transaction, under the position's lock. One statement, however many slices.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F, Sum

from hedging.models import Fill, HedgePosition
from hedging.services.held_shares import ShareChange, shares_take

# Each slice takes the payout of its units, rounded down; the millionths that are left go one each to the oldest, so
# that the slices take exactly what the chain paid for them. Units without a slice keep their part on the position.
_CLOSE = """
    WITH open_slices AS (
        SELECT id, product_id, size - closed_size AS units,
               trunc((size - closed_size) * %(share)s::numeric, 6) AS units_closed,
               hedge_amount_usd - CASE WHEN closed_size = size THEN hedge_amount_usd
                                       ELSE trunc(hedge_amount_usd * closed_size / size, 6) END AS cost
        FROM hedging_hedgeposition WHERE instrument_id = %(instrument)s AND status = 'open'
    ), parts AS (
        SELECT *, trunc(units_closed * %(price)s::numeric, 6) AS money, row_number() OVER (ORDER BY id) AS place
        FROM open_slices WHERE units_closed > 0
    ), rest AS (
        SELECT LEAST(%(notional)s::numeric, trunc(sum(units_closed) * %(price)s::numeric, 6)) - sum(money) AS usd
        FROM parts
    ), closed AS (
        UPDATE hedging_hedgeposition h SET
            closed_size = h.closed_size + p.units_closed,
            proceeds_usd = h.proceeds_usd + p.money
                + CASE WHEN p.place <= r.usd * 1000000 THEN 0.000001 ELSE 0 END,
            realised_pnl_usd = h.proceeds_usd + p.money
                + CASE WHEN p.place <= r.usd * 1000000 THEN 0.000001 ELSE 0 END
                - CASE WHEN h.closed_size + p.units_closed = h.size THEN h.hedge_amount_usd
                       ELSE trunc(h.hedge_amount_usd * (h.closed_size + p.units_closed) / h.size, 6) END,
            status = CASE WHEN h.closed_size + p.units_closed = h.size THEN 'closed' ELSE h.status END,
            close_time = CASE WHEN h.closed_size + p.units_closed = h.size THEN %(now)s ELSE h.close_time END
        FROM parts p, rest r WHERE h.id = p.id
        RETURNING h.product_id, p.units_closed, p.cost,
            CASE WHEN h.closed_size = h.size THEN 0
                 ELSE h.hedge_amount_usd - trunc(h.hedge_amount_usd * h.closed_size / h.size, 6) END AS cost_left,
            CASE WHEN h.closed_size = h.size THEN 1 ELSE 0 END AS ended
    )
    SELECT product_id, sum(units_closed), sum(cost - cost_left), sum(ended), count(*) FROM closed GROUP BY product_id"""


def slices_redeem(fill: Fill, *, now: datetime) -> int:
    """Close the open slices of a redeemed instrument and return how many; a part of each if the chain held less."""
    slices = HedgePosition.objects.filter(instrument_id=fill.instrument_id, status=HedgePosition.Status.OPEN)
    units = slices.aggregate(units=Sum(F("size") - F("closed_size")))["units"]
    if not units:
        return 0
    share = min(Decimal(1), fill.size / units)
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE,
            {
                "instrument": fill.instrument_id,
                "share": share,
                "price": fill.price,
                "notional": fill.notional_usd,
                "now": now,
            },
        )
        rows = cursor.fetchall()
    shares_take(
        ShareChange(
            instrument_id=fill.instrument_id,
            product_id=product_id,
            size=-size,
            cost_usd=-cost,
            closed=ended,
        )
        for product_id, size, cost, ended, _ in rows
    )
    return sum(row[4] for row in rows)
