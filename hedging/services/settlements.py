"""Follows matched trades until the venue says CONFIRMED or FAILED."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import structlog

from hedging.models import Fill
from hedging.models.fills import PROVISIONAL
from hedging.services.attributions import attributions_make
from hedging.services.config import config_read
from hedging.services.fills import fills_ingest
from tonsurance.plumbing.apart import apart
from venues.domain.gateway import FillReport, LookupFailed
from venues.registry import gateway_for
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

_OVERLAP = timedelta(seconds=60)
_INSTRUMENTS_MAX = 200


def settlements_watch(venue_code: str, *, now: datetime) -> int:
    """Ask the venue about every provisional fill; return how many moved. A failed read changes nothing.

    Then what was bought and is final is divided among policies.
    """
    waiting: dict[str, list[Fill]] = defaultdict(list)
    rows = Fill.objects.filter(venue_id=venue_code, settlement__in=PROVISIONAL).select_related(
        "order", "instrument"
    )
    for fill in rows.order_by("matched_at"):
        waiting[fill.instrument.instrument_id].append(fill)
    moved = 0
    for instrument_id, fills in list(waiting.items())[:_INSTRUMENTS_MAX]:
        try:
            reports = gateway_for(venue_code).fetch_fills(
                since=min(fill.matched_at for fill in fills) - _OVERLAP, instrument_id=instrument_id
            )
        except LookupFailed as error:
            venue_heard(venue_code, now=now, error=str(error))
            continue
        moved += _ingest(fills, reports, now=now)
    with apart("purchases could not be divided", venue=venue_code):
        attributions_make(venue_code, now=now, every_s=config_read().attribution_every_seconds)
    return moved


def _ingest(fills: list[Fill], reports: list[FillReport], *, now: datetime) -> int:
    by_order: dict[str, list[FillReport]] = defaultdict(list)
    for report in reports:
        by_order[report.client_order_id].append(report)
    moved = 0
    for order in {fill.order_id: fill.order for fill in fills}.values():
        with apart("a settlement could not be booked", order=order.client_order_id):
            counts = fills_ingest(order.pk, by_order.get(order.client_order_id, []), now=now)
            moved += counts.moved + counts.new
    return moved
