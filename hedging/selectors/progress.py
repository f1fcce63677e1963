"""How far the orders of the newest cycle have come, for those who wait for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from hedging.models import Cycle, Fill, Intent, Order
from hedging.models.fills import PROVISIONAL
from hedging.models.orders import LIVE_STATES


@dataclass(frozen=True, slots=True)
class Progress:
    """`is_settled`: the cycle is done, its intents have ended, its orders are dead, its fills are final."""

    is_settled: bool
    is_failed: bool
    sentence: str


def cycle_progress(*, since: datetime) -> Progress:
    """The state of the first cycle that began at or after `since`."""
    cycle = Cycle.objects.filter(as_of__gte=since).exclude(mode=Cycle.Mode.DRY_RUN).order_by("pk").first()
    if cycle is None:
        return Progress(False, False, "no cycle has begun yet")
    if cycle.state == Cycle.State.FAILED:
        return Progress(True, True, f"cycle {cycle.pk} failed: {cycle.error}")
    intents = Intent.objects.filter(cycle=cycle).aggregate(all=Count("pk"), open=Count("pk", filter=Q(state__in=["OPEN", "PARKED"])))
    orders = Order.objects.filter(intent__cycle=cycle).aggregate(all=Count("pk"), live=Count("pk", filter=Q(state__in=LIVE_STATES)))
    fills = Fill.objects.filter(order__intent__cycle=cycle).aggregate(
        all=Count("pk"), provisional=Count("pk", filter=Q(settlement__in=PROVISIONAL))
    )
    sentence = (
        f"cycle {cycle.pk} {cycle.state}: {intents['all'] - intents['open']} of {intents['all']} intents ended,"
        f" {orders['all'] - orders['live']} of {orders['all']} orders ended,"
        f" {fills['all'] - fills['provisional']} of {fills['all']} fills settled"
    )
    settled = cycle.state == Cycle.State.DONE and not (intents["open"] or orders["live"] or fills["provisional"])
    return Progress(settled, False, sentence)
