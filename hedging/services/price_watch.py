"""Says whether a market has moved so far from the price of the last cycle that a new one is due.

The reference is the book that the last cycle planned with, so a cycle that a price woke sets the band anew. A market
that we have traded on since is left out: our own purchases move it, and a cycle that they woke would follow them up
the book, past the slippage that one decision may cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hedging.domain.price_watch import Prices, cause, moves
from hedging.models import Cycle, Fill, Mapping, Order, Position
from hedging.services.config import config_read
from tonsurance.plumbing.slots import slot_claim
from venues.selectors.books import Touch, kept_touches, streamed_touches

PRICES_EVERY_S = 5
REFERENCE_AGE_MAX = timedelta(minutes=10)
"""A cycle keeps its books while it runs; older ones belong to another."""
CAUSE = "price"


def price_moved(*, now: datetime) -> str:
    """What should wake a cycle now, as the cycle's cause; "" when nothing should.

    At most one answer in `priceWakeSeconds`, whoever asks.
    """
    config = config_read()
    if config.price_band_bps == 0 or config.stream_book_max_age_seconds == 0:
        return ""
    last = Cycle.objects.filter(state=Cycle.State.DONE).exclude(mode=Cycle.Mode.DRY_RUN).first()
    if last is None or last.finished_at is None:
        return ""
    age_max = timedelta(seconds=config.stream_book_max_age_seconds)
    # The book that the cycle planned with may have been so old: a purchase of then is not in it.
    traded = _traded(since=last.as_of - age_max)
    touches = streamed_touches(_watched() - traded, age_max=age_max, now=now)
    # What was true only before the last cycle's end is no news to it.
    after = _prices(touch for touch in touches if touch.true_at > last.finished_at)
    before = _prices(kept_touches(after.keys(), at=last.finished_at, within=REFERENCE_AGE_MAX).values())
    found = cause(moves(before, after, band_bps=config.price_band_bps))
    return found if found and _may_wake(now=now, every_s=config.price_wake_seconds) else ""


def _watched() -> set[int]:
    """Markets that a cycle could buy on, and those that we hold."""
    mapped = Mapping.objects.filter(is_active=True)
    held = Position.objects.filter(size__gt=0)
    return set(mapped.values_list("instrument_id", flat=True)) | set(
        held.values_list("instrument_id", flat=True)
    )


def _traded(*, since: datetime) -> set[int]:
    """Markets with an order of ours that was made, or has traded, since a moment."""
    made = Order.objects.filter(created_at__gte=since).values_list("instrument_id", flat=True)
    filled = Fill.objects.filter(matched_at__gte=since).values_list("order__instrument_id", flat=True)
    return set(made) | set(filled)


def _prices(touches: Iterable[Touch]) -> dict[int, Prices]:
    return {touch.row_id: Prices(name=touch.name, bid=touch.bid, ask=touch.ask) for touch in touches}


def _may_wake(*, now: datetime, every_s: int) -> bool:
    """Whether the last cycle that a price woke is long enough ago; the slot lets one of two askers hear yes."""
    is_recent = Cycle.objects.filter(cause=CAUSE, as_of__gt=now - timedelta(seconds=every_s)).exists()
    return not is_recent and slot_claim("price_wake", every_s=every_s, now=now)
