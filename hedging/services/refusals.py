"""What a venue's no means beyond the order it was said to: a pause, a fault of ours, or the end of the decision."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from hedging.domain.pauses import SECONDS, pause_of
from hedging.models import Intent, Order
from hedging.services.breakers import SYSTEM, breaker_trip, venue_pause
from hedging.services.intents import intent_finish, intents_postpone
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import LookupFailed, Rejected
from venues.registry import gateway_for
from venues.selectors.instruments import terms_of
from venues.services.instruments import instruments_refresh

CLOCK_OFFSET_S_MAX = 5


def refusals_follow(refusals: Mapping[uuid.UUID, Rejected], *, now: datetime) -> None:
    """What the venue's noes to orders, by order id, mean beyond these orders.

    A pause rests the venue and keeps the decisions, which go on when it ends; a fault of ours stops the venue until a
    person looks; any other no ends its intent. A market whose terms changed while the order travelled is nobody's
    fault.
    """
    if not refusals:
        return
    orders = Order.objects.select_related("instrument").defer("payload").in_bulk(list(refusals))
    paused = {key: refusal for key, refusal in refusals.items() if refusal.is_pause}
    if paused:
        _pause({key: orders[key] for key in paused}, paused, now=now)
    for key in refusals.keys() - paused.keys():
        _follow(orders[key], refusals[key], now=now)


def _pause(
    orders: Mapping[uuid.UUID, Order], refusals: Mapping[uuid.UUID, Rejected], *, now: datetime
) -> None:
    """Rest the venue once for all of them, as long as the longest says; the tries of their intents do not count."""
    longest = max(refusals.values(), key=lambda item: item.retry_after_s or SECONDS)
    venue_code = next(iter(orders.values())).venue_id
    until = now + timedelta(seconds=longest.retry_after_s or SECONDS)
    said = longest.message or longest.code
    venue_pause(venue_code, kind=pause_of(longest), reason=said, until=until, now=now)
    intents_postpone(
        [order.intent_id for order in orders.values()],
        until=until,
        why=f"{venue_code} rests: {said}",
        was_try=False,
    )


def _follow(order: Order, refusal: Rejected, *, now: datetime) -> None:
    said = refusal.message or refusal.code
    if refusal.is_ours and not _terms_moved(order, now=now):
        reason = f"the venue refuses our requests: {said}{_clock_hint(order.venue_id)}"
        breaker_trip(f"venue:{order.venue_id}", reason=reason, actor=SYSTEM, now=now)
    if order.state != "REJECTED":
        return
    outcome = f"{order.venue_id} refused: {said}"
    done = Intent.State.DONE if order.generation else Intent.State.ABANDONED
    intent_finish(order.intent_id, state=done, outcome=outcome, now=now)


def _terms_moved(order: Order, *, now: datetime) -> bool:
    """Read the market's terms again; whether its tick or a minimum is not what the order was cut by any more."""
    before = terms_of(order.instrument)
    try:
        rows = instruments_refresh(order.venue_id, now=now, instrument_ids=[before.instrument_id])
    except LookupFailed:
        return False
    terms = [terms_of(row) for row in rows]
    return any(
        (after.tick_size, after.size_min, after.notional_usd_min)
        != (before.tick_size, before.size_min, before.notional_usd_min)
        for after in terms
    )


def _clock_hint(venue_code: str) -> str:
    """A venue that finds our time stamps stale says "unauthorized"; tell the person when the clock is the reason."""
    try:
        offset_s = (gateway_for(venue_code).fetch_time() - utc_now()).total_seconds()
    except LookupFailed:
        return ""
    if abs(offset_s) < CLOCK_OFFSET_S_MAX:
        return ""
    return f"; the venue's clock is {offset_s:+.0f} s from ours: synchronise this machine (NTP), then reset the breaker"
