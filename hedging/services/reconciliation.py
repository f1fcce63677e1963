"""Compares orders, fills and positions with what a venue says; heals by adding facts it proves, never by editing.

A difference in the making (a trade between match and settlement) is no discrepancy; a failed read proves nothing and is
recorded as the run's error.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from hedging.domain.reconciliation import Difference, compare_fills, compare_positions, foreign_orders
from hedging.models import Fill, Order, Position, ReconciliationRun
from hedging.models.fills import PROVISIONAL
from hedging.models.orders import LIVE_STATES
from hedging.services.discrepancies import discrepancies_heal, discrepancy_open
from hedging.services.fills import fills_ingest
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.apart import apart
from venues.domain.gateway import FillReport, LookupFailed, PositionReport
from venues.registry import gateway_for
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

KINDS = {"MISSING_FILL", "EXTRA_FILL", "FILL_MISMATCH", "FOREIGN_ORDER", "POSITION_DIFF"}
_MARGIN = timedelta(seconds=60)


def reconcile_venue(
    venue_code: str, *, now: datetime, window: timedelta | None = timedelta(days=2)
) -> ReconciliationRun:
    """One comparison over `window` (None = since the first order). Running it twice changes nothing."""
    run = ReconciliationRun.objects.create(venue_id=venue_code, started_at=now)
    try:
        differences = _compare(venue_code, run, now=now, window=window)
    except LookupFailed as error:
        run.error = str(error)[:2000]
        venue_heard(venue_code, now=now, error=run.error)
        differences = []
    else:
        seen = {(item.kind, item.subject) for item in differences}
        for item in differences:
            discrepancy_open(
                venue_code=venue_code,
                kind=item.kind,
                subject=item.subject,
                expected=item.ours,
                actual=item.theirs,
                now=now,
            )
        discrepancies_heal(venue_code=venue_code, still_open=seen, kinds=KINDS, now=now)
        venue_heard(venue_code, now=now)
    run.differences = len(differences)
    run.finished_at = utc_now()
    run.save()
    log.info("reconciled", venue=venue_code, fills=run.fills_compared, positions=run.positions_compared,
             differences=run.differences, error=run.error)  # fmt: skip
    return run


def _compare(
    venue_code: str, run: ReconciliationRun, *, now: datetime, window: timedelta | None
) -> list[Difference]:
    gateway = gateway_for(venue_code)
    # Redemptions are no trades of the book; their receipts were read, and the positions below speak of them.
    orders = Order.objects.filter(venue_id=venue_code, attempts__gte=1).exclude(time_in_force="TX")
    if window is not None:
        orders = orders.filter(created_at__gte=now - window)
    ours = {
        order.client_order_id: order
        for order in orders.only("client_order_id", "created_at", "instrument_id")
    }
    since = min((order.created_at for order in ours.values()), default=now) - _MARGIN
    asked_about = set(_fills(ours))
    reports = gateway.fetch_fills(since=since)
    _heal(ours, reports, now=now)
    # A trade that another process books while the venue answers is in our book and not yet in its answer.
    told = asked_about | {(item.client_order_id, item.venue_trade_id) for item in reports}
    fills = {key: values for key, values in _fills(ours).items() if key in told}
    open_ids = [report.client_order_id for report in gateway.fetch_open_orders()]
    differences = compare_fills(
        fills,
        [report for report in reports if report.client_order_id in ours],
    )
    known_here = set(ours) | set(
        Order.objects.filter(
            client_order_id__in=[item.client_order_id for item in reports] + open_ids
        ).values_list("client_order_id", flat=True)
    )
    differences += foreign_orders([item.client_order_id for item in reports] + open_ids, known_here)
    sizes, positions = _positions(venue_code)
    differences += compare_positions(sizes, positions)
    run.orders_compared, run.fills_compared, run.positions_compared = len(ours), len(fills), len(sizes)
    return differences


def _fills(ours: dict[str, Order]) -> dict[tuple[str, str], tuple[str, Decimal, Decimal]]:
    """Our fills of these orders: (order, trade) to (side, size, price)."""
    rows = Fill.objects.filter(order__in=list(ours.values()))
    return {
        (order_id, trade_id): (side, size, price)
        for order_id, trade_id, side, size, price in rows.values_list(
            "order__client_order_id", "venue_trade_id", "side", "size", "price"
        )
    }


def _heal(ours: dict[str, Order], reports: list[FillReport], *, now: datetime) -> None:
    """A fill that the venue proves and that we missed is simply taken in; one that does not fit stays a difference."""
    by_order: dict[str, list[FillReport]] = defaultdict(list)
    for report in reports:
        by_order[report.client_order_id].append(report)
    for client_order_id, mine in by_order.items():
        if client_order_id in ours:
            with apart("a trade that the venue reports cannot be booked", order=client_order_id):
                fills_ingest(ours[client_order_id].pk, mine, now=now)


def _positions(venue_code: str) -> tuple[dict[str, Decimal], list[PositionReport]]:
    """Our confirmed sizes and the venue's, for instruments on which nothing was under way while the venue was asked."""
    before = _quiet_sizes(venue_code)
    if not before:
        return {}, []
    reports = gateway_for(venue_code).fetch_positions(list(before))
    after = _quiet_sizes(venue_code)
    return {name: size for name, size in before.items() if after.get(name) == size}, reports


def _quiet_sizes(venue_code: str) -> dict[str, Decimal]:
    """Confirmed size per traded instrument without a live order and without a trade between match and settlement."""
    live = Order.objects.filter(venue_id=venue_code, state__in=LIVE_STATES).values("instrument_id")
    unsettled = Fill.objects.filter(venue_id=venue_code, settlement__in=PROVISIONAL).values("instrument_id")
    traded = (
        Order.objects.filter(venue_id=venue_code)
        .exclude(instrument_id__in=live)
        .exclude(instrument_id__in=unsettled)
        .values_list("instrument_id", "instrument__instrument_id")
        .distinct()
    )
    held = dict(Position.objects.filter(venue_id=venue_code).values_list("instrument_id", "size"))
    return {name: held.get(row, Decimal(0)) for row, name in traded}
