"""Watches the bids that rest: withdraws those whose reason is gone, each with a sentence. Expiry is the venue's work.

A bid rests on a decision, an approved mapping, trading being on, closed switches, and a price near the rule's. A
venue's pause is none of these: it ends by itself, and the bid may stay.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db.models import F

from hedging.domain.config import HedgeSettings
from hedging.domain.resting import bid_has_drifted
from hedging.models import Cycle, CycleLeg, CycleTarget, IntentDemand, Order
from hedging.models import Mapping as ProductMapping
from hedging.selectors.switches import Switches, switches_read
from hedging.services.cancels import orders_cancel
from hedging.services.config import config_read
from hedging.services.executor import sending_refusal
from policies.selectors.exposure import exposure_by_product
from tonsurance.kernel.errors import Refused
from venues.domain.books import Book
from venues.domain.gateway import LookupFailed
from venues.registry import gateway_for
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

ACTOR = "resting bids"
REVIEWED_MAX = 200


@dataclass(frozen=True, slots=True)
class _World:
    """What the bids of one venue are judged by, read once."""

    config: HedgeSettings
    switches: Switches
    mapped: frozenset[int]
    selling: frozenset[int]
    shrunk: frozenset[uuid.UUID]
    books: Mapping[str, Book]


def resting_review(venue_code: str, *, now: datetime) -> int:
    """Withdraw every resting bid of a venue whose reason is gone; return how many were asked to be cancelled."""
    orders = list(
        Order.objects.filter(venue_id=venue_code, time_in_force="GTD", state__in=["ACKED", "PARTIAL"])
        .select_related("intent", "intent__venue", "instrument")
        .defer("payload")
        .order_by("created_at")[:REVIEWED_MAX]
    )
    if not orders:
        return 0
    world = _world(venue_code, orders, now=now)
    why: dict[str, list[uuid.UUID]] = defaultdict(list)
    for order in orders:
        reason = _withdrawn_because(order, world)
        if reason:
            why[reason].append(order.pk)
    asked = 0
    for reason, ids in why.items():
        try:
            asked += len(orders_cancel(ids, venue_code=venue_code, actor=ACTOR, reason=reason, now=now))
        except Refused as error:
            log.warning("resting bids stay for now", reason=reason, error=str(error))
    return asked


def _withdrawn_because(order: Order, world: _World) -> str:
    """Why a bid must not rest any longer; "" when it may."""
    refusal = sending_refusal(order.intent, config=world.config)
    if refusal:
        return refusal
    if not world.config.resting_enabled:
        return "resting is off: set `restingEnabled` in Configuration"
    stop = world.switches.stop(is_reducing=False, rests=True)
    if stop is not None and stop.resume_at is None:
        return stop.sentence
    if order.instrument_id not in world.mapped:
        return "no approved mapping of this market as it is worded now"
    if order.instrument_id in world.selling:
        return "the newest cycle sells what we hold of this market"
    if order.intent_id in world.shrunk:
        return "the cover that it was decided for has become less"
    book = world.books.get(order.instrument.instrument_id)
    if book is not None and bid_has_drifted(
        book,
        price=order.price_limit,
        size=order.size - order.filled_size,
        price_max=world.config.price_max,
        tick=order.instrument.tick_size,
        ticks_max=world.config.resting_drift_ticks,
    ):
        return f"the price moved away from ${order.price_limit.normalize():f}"
    return ""


def _world(venue_code: str, orders: Sequence[Order], *, now: datetime) -> _World:
    instruments = [order.instrument_id for order in orders]
    newest = (
        Cycle.objects.filter(state=Cycle.State.DONE)
        .exclude(mode=Cycle.Mode.DRY_RUN)
        .order_by("-as_of")
        .first()
    )
    return _World(
        config=config_read(),
        switches=switches_read(venue_code),
        mapped=frozenset(
            ProductMapping.objects.filter(
                instrument_id__in=instruments,
                state="approved",
                approved_wording_hash=F("instrument__wording_hash"),
            ).values_list("instrument_id", flat=True)
        ),
        selling=_selling(newest, orders),
        shrunk=_shrunk(orders),
        books=_books(venue_code, orders, now=now),
    )


def _selling(cycle: Cycle | None, orders: Sequence[Order]) -> frozenset[int]:
    """Instruments of which the newest cycle sells something, or would but for the bid."""
    if cycle is None:
        return frozenset()
    sold = CycleTarget.objects.filter(cycle=cycle, side="SELL").values_list("instrument_id", flat=True)
    kept = {item["instrument"] for item in cycle.held_back}
    return frozenset(sold) | {
        order.instrument_id for order in orders if order.instrument.instrument_id in kept
    }


def _shrunk(orders: Sequence[Order]) -> frozenset[uuid.UUID]:
    """Intents of which a product has less cover in force than when it was decided."""
    decided = {order.intent_id: order.intent.cycle_id for order in orders if order.intent.cycle_id}
    then = {
        (cycle_id, product_id): coverage
        for cycle_id, product_id, coverage in CycleLeg.objects.filter(
            cycle_id__in=set(decided.values()), venue_id=orders[0].venue_id
        ).values_list("cycle_id", "product_id", "coverage_usd")
    }
    now = exposure_by_product()
    demands = IntentDemand.objects.filter(intent_id__in=list(decided)).values_list("intent_id", "product_id")
    return frozenset(
        intent_id
        for intent_id, product_id in demands
        if product_id not in now
        or now[product_id].coverage_usd < then.get((decided[intent_id], product_id), 0)
    )


def _books(venue_code: str, orders: Sequence[Order], *, now: datetime) -> Mapping[str, Book]:
    """The books as they are; without an answer nothing has moved as far as we know."""
    try:
        return gateway_for(venue_code).fetch_books(
            sorted({order.instrument.instrument_id for order in orders})
        )
    except LookupFailed as error:
        venue_heard(venue_code, error=str(error), now=now)
        return {}
