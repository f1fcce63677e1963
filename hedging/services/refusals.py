"""What a venue's no means beyond the order it was said to: a pause, a fault of ours, or the end of the decision."""

from __future__ import annotations

from datetime import datetime

from hedging.models import Intent, Order
from hedging.services.breakers import SYSTEM, breaker_trip, venue_pause
from hedging.services.intents import intent_finish
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import LookupFailed, Rejected
from venues.registry import gateway_for
from venues.selectors.instruments import terms_of
from venues.services.instruments import instruments_refresh

PAUSE_S = 30
CLOCK_OFFSET_S_MAX = 5


def refusal_follow(order: Order, refusal: Rejected, *, now: datetime) -> None:
    """What a no means beyond its order.

    A pause rests the venue and keeps the decision; a fault of ours stops the venue until a person looks; any other no
    ends the intent. A market whose terms changed while the order travelled is nobody's fault.
    """
    said = refusal.message or refusal.code
    if refusal.is_pause:
        venue_pause(order.venue_id, reason=said, seconds=refusal.retry_after_s or PAUSE_S, now=now)
        return
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
