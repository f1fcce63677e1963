"""Books the ordinary trades of many orders in one transaction; whatever is not ordinary goes trade by trade.

Ordinary is a purchase of a living or filled order that the venue reports once, that we do not know or know less of. A
sale, a trade of an order that we hold dead, a contradiction: `fills.py` takes those, with its locks and discrepancies.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from hedging.domain.fills import SettlementNews, settlement_news
from hedging.models import Fill, Order
from hedging.models.fills import PROVISIONAL
from hedging.services.fills import fill_of, fills_ingest, is_same_trade
from tonsurance.plumbing.apart import apart
from venues.domain.gateway import FillReport, Settlement

log = structlog.get_logger(__name__)

ORDERS_AT_ONCE = 300
_LIVING = ("ACKED", "PARTIAL", "UNKNOWN", "FILLED")

_MOVE = """
    UPDATE hedging_fill f SET settlement = part.settlement, settled_at = part.at,
        transaction_hash = CASE part.hash WHEN '' THEN f.transaction_hash ELSE part.hash END
    FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[]) AS part (id, settlement, at, hash)
    WHERE f.id = part.id"""

# Purchases only add, so one statement per booking is enough; the row's lock makes a sale wait, and the other way round.
_POSITIONS = """
    INSERT INTO hedging_position (instrument_id, venue_id, size, cost_usd, realised_pnl_usd, fees_usd, opened_at,
                                  updated_at)
    SELECT instrument_id, min(venue_id), sum(size), sum(notional_usd + fee_usd), 0, sum(fee_usd), min(matched_at),
           %(now)s
    FROM hedging_fill WHERE id = ANY(%(fills)s) GROUP BY instrument_id ORDER BY instrument_id
    ON CONFLICT (instrument_id) DO UPDATE SET
        size = hedging_position.size + EXCLUDED.size, cost_usd = hedging_position.cost_usd + EXCLUDED.cost_usd,
        fees_usd = hedging_position.fees_usd + EXCLUDED.fees_usd, updated_at = EXCLUDED.updated_at"""


@dataclass(slots=True)
class _Batch:
    """What one transaction writes."""

    born: list[Fill]
    moved: list[Fill]

    def confirmed(self) -> list[int]:
        return [fill.pk for fill in (*self.born, *self.moved) if fill.settlement == Settlement.CONFIRMED]


def fills_book(reports: Mapping[uuid.UUID, Sequence[FillReport]], *, now: datetime) -> int:
    """Book every report, given by our order ids; return how many trades were new or moved. Repeating it adds nothing.

    An order whose trades cannot be booked is reported loudly and does not hold up the others.
    """
    changed = 0
    ids = sorted(reports)
    for start in range(0, len(ids), ORDERS_AT_ONCE):
        part = {key: reports[key] for key in ids[start : start + ORDERS_AT_ONCE]}
        booked, odd = _book_together(part, now=now)
        changed += booked
        for key in odd:
            with apart("a trade could not be booked", order=str(key)):
                counts = fills_ingest(key, part[key], now=now)
                changed += counts.new + counts.moved
    return changed


def _book_together(
    reports: Mapping[uuid.UUID, Sequence[FillReport]], *, now: datetime
) -> tuple[int, list[uuid.UUID]]:
    """Book what is ordinary, in one commit; the count, and the orders that are not ordinary."""
    odd: list[uuid.UUID] = []
    batch = _Batch([], [])
    with transaction.atomic(durable=True):
        orders = Order.objects.select_for_update(of=("self",)).filter(pk__in=list(reports)).order_by("pk")
        known: dict[uuid.UUID, dict[str, Fill]] = defaultdict(dict)
        living = {order.pk: order for order in orders.defer("payload")}
        fills = Fill.objects.filter(order_id__in=list(living)).order_by("pk")
        # Final ones change no more, and their division among policies locks them after the position.
        list(fills.filter(settlement__in=PROVISIONAL).select_for_update(of=("self",)))
        for fill in fills:
            known[fill.order_id][fill.venue_trade_id] = fill
        for key, said in reports.items():
            if not _take(living[key], said, known[key], batch, now=now):
                odd.append(key)
        _write(batch, now=now)
    return len(batch.born) + len(batch.moved), odd


def _take(
    order: Order, reports: Sequence[FillReport], known: Mapping[str, Fill], batch: _Batch, *, now: datetime
) -> bool:
    """Add the order's trades to the batch; False, with nothing added, when one of them is not ordinary."""
    is_known = all(report.venue_trade_id in known for report in reports)
    if order.side != "BUY" or not (is_known or order.state in _LIVING):
        return False
    if max(Counter(report.venue_trade_id for report in reports).values(), default=0) > 1:
        return False
    born, moved = [], []
    for report in reports:
        fill = known.get(report.venue_trade_id)
        news = settlement_news(Settlement(fill.settlement) if fill else None, report.settlement)
        if news is SettlementNews.CONTRADICTION or (fill is not None and not is_same_trade(fill, report)):
            return False
        if news is SettlementNews.NOTHING:
            continue
        final = now if news in (SettlementNews.HELD, SettlementNews.FAILED) else None
        if fill is None:
            fill = fill_of(order, report)
            fill.settled_at = final
            born.append(fill)
        else:
            fill.settlement, fill.settled_at = report.settlement.value, final
            fill.transaction_hash = report.transaction_hash
            moved.append(fill)
        if news is SettlementNews.FAILED:
            log.error("settlement failed: the exposure is unhedged again", trade=report.venue_trade_id)
    batch.born += born
    batch.moved += moved
    return True


def _write(batch: _Batch, *, now: datetime) -> None:
    Fill.objects.bulk_create(batch.born, batch_size=500)
    if batch.moved:
        columns: Iterable[tuple[object, ...]] = [
            (fill.pk, fill.settlement, fill.settled_at, fill.transaction_hash) for fill in batch.moved
        ]
        _run(_MOVE, [list(column) for column in zip(*columns, strict=True)])
    confirmed = batch.confirmed()
    if confirmed:
        _run(_POSITIONS, {"fills": confirmed, "now": now})
        log.info("fills confirmed", fills=len(confirmed))


def _run(statement: str, values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
