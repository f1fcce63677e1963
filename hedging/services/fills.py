"""Takes what a venue says of our trades into the book: each trade once, each settlement step once, in any order.

A fill, the position it changes and the slices that a sale closes are one transaction; a purchase is divided among
policies when its decision has ended (`attributions.py`). Only a confirmed trade changes a position; a failed one never
happened, and its exposure is simply unhedged again when the next cycle looks.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import IntegrityError, transaction

from hedging.domain.fills import SettlementNews, settlement_news
from hedging.domain.orders import DEAD, OrderStatus
from hedging.models import Fill, Order
from hedging.services.breakers import SYSTEM, breaker_trip
from hedging.services.discrepancies import discrepancy_open
from hedging.services.payouts import slices_redeem
from hedging.services.positions import position_book
from hedging.services.slices import slices_sell
from venues.domain.gateway import FillReport, Settlement, TimeInForce

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many trades were new, moved on, confirmed and failed."""

    new: int = 0
    moved: int = 0
    confirmed: int = 0
    failed: int = 0


def fills_ingest(order_id: uuid.UUID, reports: Sequence[FillReport], *, now: datetime) -> Ingested:
    """Record every report of one order. Repeating it, in any order, changes nothing."""
    counts = {"new": 0, "moved": 0, "confirmed": 0, "failed": 0}
    for report in sorted(reports, key=lambda item: (item.matched_at, item.venue_trade_id)):
        for word in _ingest_one(order_id, report, now=now):
            counts[word] += 1
    return Ingested(**counts)


def _ingest_one(order_id: uuid.UUID, report: FillReport, *, now: datetime) -> list[str]:
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update(of=("self",)).get(pk=order_id)
        fill = (
            Fill.objects.select_for_update(of=("self",))
            .filter(order=order, venue_trade_id=report.venue_trade_id)
            .first()
        )
        if fill is None:
            if order.state in DEAD and not _revive(order, report, now=now):
                return []
            fill = fill_of(order, report)
            fill.save()
            words = ["new"]
        elif not is_same_trade(fill, report):
            discrepancy_open(
                venue_code=order.venue_id,
                kind="FILL_MISMATCH",
                subject=report.venue_trade_id,
                expected=f"{fill.side} {fill.size} at {fill.price}",
                actual=f"{report.side} {report.size} at {report.price}",
                now=now,
            )
            return []
        else:
            news = settlement_news(Settlement(fill.settlement), report.settlement)
            if news is SettlementNews.CONTRADICTION:
                discrepancy_open(
                    venue_code=order.venue_id,
                    kind="SETTLEMENT_CONTRADICTED",
                    subject=report.venue_trade_id,
                    expected=fill.settlement,
                    actual=report.settlement.value,
                    now=now,
                )
            if news in (SettlementNews.NOTHING, SettlementNews.CONTRADICTION):
                return []
            fill.settlement = report.settlement.value
            fill.transaction_hash = report.transaction_hash or fill.transaction_hash
            words = ["moved"]
        return words + _settle(fill, now=now)


def _revive(order: Order, report: FillReport, *, now: datetime) -> bool:
    """A trade of an order that we held dead: truth is never refused, and never applied silently.

    The order goes to a person, its venue stops, and the trade is booked as what it is. False when the book cannot take
    it (a later order of the same intent is alive): then it stays a discrepancy with both sides as evidence.
    """
    discrepancy_open(
        venue_code=order.venue_id,
        kind="DEAD_ALIVE",
        subject=order.client_order_id,
        expected=f"{order.state}: {order.reason}",
        actual=f"{report.side} {report.size} at {report.price} ({report.settlement})",
        now=now,
    )
    breaker_trip(
        f"venue:{order.venue_id}",
        reason=f"order {order.client_order_id[:12]} was held {order.state} and has traded",
        actor=SYSTEM,
        now=now,
    )
    try:
        with transaction.atomic():
            order.state = OrderStatus.MANUAL.value
            order.reason = "it traded after we held it dead"
            order.save(update_fields=["state", "reason"])
    except IntegrityError:
        log.exception("a dead order traded and cannot be booked", order=order.client_order_id)
        return False
    return True


def fill_of(order: Order, report: FillReport) -> Fill:
    """The trade of `order` that `report` tells, not yet written."""
    return Fill(
        order=order,
        venue_id=order.venue_id,
        instrument_id=order.instrument_id,
        venue_trade_id=report.venue_trade_id,
        side=report.side.value,
        size=report.size,
        price=report.price,
        notional_usd=report.notional_usd,
        fee_usd=report.fee_usd,
        settlement=report.settlement.value,
        transaction_hash=report.transaction_hash,
        matched_at=report.matched_at,
    )


def is_same_trade(fill: Fill, report: FillReport) -> bool:
    """Whether a report tells the trade that we know, in what never changes of it."""
    return (fill.side, fill.size, fill.price) == (report.side.value, report.size, report.price)


def _close_slices(fill: Fill, *, now: datetime) -> int:
    """A sale closes what it was decided for; a redemption closes everything."""
    is_redemption = fill.order.time_in_force == TimeInForce.TX
    return slices_redeem(fill, now=now) if is_redemption else slices_sell(fill, now=now)


def _settle(fill: Fill, *, now: datetime) -> list[str]:
    """Book a fill that has just become final; save one that has moved."""
    words: list[str] = []
    if fill.settlement == Settlement.CONFIRMED:
        fill.settled_at = now
        fill.realised_pnl_usd = position_book(fill, now=now)
        slices = _close_slices(fill, now=now) if fill.side == "SELL" else 0
        log.info(
            "fill confirmed",
            fill=fill.pk,
            side=fill.side,
            size=str(fill.size),
            price=str(fill.price),
            slices_closed=slices,
        )
        words.append("confirmed")
    elif fill.settlement == Settlement.FAILED:
        fill.settled_at = now
        log.error(
            "settlement failed: the exposure is unhedged again", fill=fill.pk, trade=fill.venue_trade_id
        )
        words.append("failed")
    fill.save(update_fields=["settlement", "transaction_hash", "settled_at", "realised_pnl_usd"])
    return words
