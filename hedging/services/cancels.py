"""Asks a venue to cancel orders: on record before it is asked, with its answer after. The look-up says how each ended.

A cancel may be repeated, and "not cancelled" is ambiguous (filled, gone, never there): R8 of
docs/adr/0005-order-protocol.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction

from hedging.models import Order, OrderCancel
from tonsurance.kernel.errors import Refused
from venues.domain.budgets import BudgetKind
from venues.domain.gateway import LookupFailed
from venues.registry import gateway_for
from venues.services.budgets import budget_note, budget_take
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

CANCELLABLE = ("ACKED", "PARTIAL", "UNKNOWN")
"""States in which the venue may have the order. What was never sent needs no cancel; what is dead has nothing left."""

CANCELS_MAX = 100


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What the venue said of one order. False proves nothing: a look-up follows either way."""

    order_id: uuid.UUID
    is_cancelled: bool
    answer: str


def orders_cancel(
    order_ids: Sequence[uuid.UUID], *, venue_code: str, actor: str, reason: str, now: datetime
) -> list[Cancelled]:
    """Ask `venue_code` to cancel these of its orders; at most CANCELS_MAX.

    Raises Refused without an actor or a reason, for an order that the venue cannot have, in an environment that sends
    nothing, and while the venue's own limits grant no cancel.
    """
    if not actor.strip() or not reason.strip():
        raise Refused("reason: say who cancels the orders, and why", field="reason")
    if settings.TRADING_ENVIRONMENT == "PAPER":
        raise Refused("environment is PAPER: nothing is sent anywhere", code="paper")
    orders = _cancellable(order_ids[:CANCELS_MAX], venue_code)
    if not orders:
        return []
    gateway = gateway_for(venue_code)
    wait_s = budget_take(venue_code, BudgetKind.CANCEL, tokens=len(orders))
    if wait_s > 0:
        raise Refused(
            f"venue: {venue_code} grants the next cancel in {wait_s:.1f} s; try again then", code="budget"
        )
    rows = OrderCancel.objects.bulk_create(
        [
            OrderCancel(order=order, requested_by=actor[:150], reason=reason.strip()[:300], requested_at=now)
            for order in orders
        ]
    )
    try:
        report = gateway.cancel([order.client_order_id for order in orders])
        reasons, done, error = report.not_cancelled, set(report.cancelled), ""
    except LookupFailed as failure:
        reasons, done, error = {}, set(), f"no answer: {failure}"
    budget_note(venue_code, gateway, now=now)
    venue_heard(venue_code, error=error, now=now)
    said = []
    for order in orders:
        name = order.client_order_id
        answer = error or ("cancelled" if name in done else reasons.get(name, "not in the venue's answer"))
        said.append(Cancelled(order.pk, name in done, answer[:300]))
    _record(rows, said, had_answer=not error, now=now)
    log.info(
        "cancels asked", venue=venue_code, orders=len(orders), cancelled=len(done), actor=actor, why=reason
    )
    return said


def _cancellable(order_ids: Sequence[uuid.UUID], venue_code: str) -> list[Order]:
    found = Order.objects.filter(venue_id=venue_code).defer("payload").in_bulk(list(order_ids))
    missing = [str(key) for key in order_ids if key not in found]
    if missing:
        raise Refused(f"order: {venue_code} has no order {missing[0]}", field="order")
    for order in found.values():
        if order.state not in CANCELLABLE:
            raise Refused(
                f"order: {order.client_order_id[:12]} is {order.state}; only {', '.join(CANCELLABLE)} can be cancelled",
                field="order",
            )
    return list(found.values())


def _record(
    rows: Sequence[OrderCancel], said: Sequence[Cancelled], *, had_answer: bool, now: datetime
) -> None:
    """Write the answers, and let the resolver look at once."""
    with transaction.atomic():
        for row, item in zip(rows, said, strict=True):
            row.answer = item.answer
            row.answered_at = now if had_answer else None
            row.is_cancelled = item.is_cancelled if had_answer else None
        OrderCancel.objects.bulk_update(rows, ["answer", "answered_at", "is_cancelled"])
        live = Order.objects.filter(pk__in=[item.order_id for item in said], state__in=CANCELLABLE)
        live.update(next_check_at=now)
