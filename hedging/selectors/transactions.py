"""Whether the wallet of a venue is busy: its transactions are numbered, so they go one after the other."""

from __future__ import annotations

from hedging.domain.orders import ADOPTED
from hedging.models import Intent, Order
from hedging.models.orders import IN_FLIGHT_STATES


def transaction_in_flight(besides: Intent) -> bool:
    """Whether another transaction of the same wallet is on its way: two could carry the same number."""
    rows = Order.objects.filter(venue_id=besides.venue_id, time_in_force="TX", state__in=IN_FLIGHT_STATES)
    return rows.exclude(intent=besides).exclude(client_order_id__startswith=ADOPTED).exists()
