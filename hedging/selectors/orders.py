"""Orders by the names that others have for them."""

from __future__ import annotations

import uuid

from hedging.models import Order


def order_named(venue_code: str, client_order_id: str) -> uuid.UUID | None:
    """The id of our order that a venue knows by this name; None when it is not ours."""
    found = Order.objects.filter(venue_id=venue_code, client_order_id=client_order_id)
    return found.values_list("pk", flat=True).first()
