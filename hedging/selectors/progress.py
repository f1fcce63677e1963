"""How far the book has come since a bell was rung, for those who wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hedging.models import Cycle, CycleLeg, Fill, Intent, Order
from hedging.models.fills import PROVISIONAL
from hedging.models.orders import LIVE_STATES


@dataclass(frozen=True, slots=True)
class Progress:
    """`is_settled`: the cycle is done, and no intent, order or fill of the book is under way.

    `left_in_flight`: the cycle left markets alone because orders of an earlier one were at work there.
    """

    is_settled: bool
    is_failed: bool
    left_in_flight: bool
    sentence: str


def cycle_progress(*, since: datetime) -> Progress:
    """The state of the newest cycle that began at or after `since`, and of the whole book."""
    cycle = Cycle.objects.filter(as_of__gte=since).exclude(mode=Cycle.Mode.DRY_RUN).order_by("-pk").first()
    if cycle is None:
        return Progress(False, False, False, "no cycle has begun yet")
    if cycle.state == Cycle.State.FAILED:
        return Progress(True, True, False, f"cycle {cycle.pk} failed: {cycle.error}")
    open_intents = Intent.objects.filter(state__in=["OPEN", "PARKED"]).count()
    live_orders = Order.objects.filter(state__in=LIVE_STATES).count()
    provisional = Fill.objects.filter(settlement__in=PROVISIONAL).count()
    intents = Intent.objects.filter(cycle=cycle).count()
    sentence = (
        f"cycle {cycle.pk} {cycle.state}, {intents} intents; in the whole book {open_intents} intents open,"
        f" {live_orders} orders alive, {provisional} fills not settled"
    )
    settled = cycle.state == Cycle.State.DONE and not (open_intents or live_orders or provisional)
    in_flight = CycleLeg.objects.filter(cycle=cycle, reason="IN_FLIGHT").exists()
    return Progress(settled, False, in_flight, sentence)
