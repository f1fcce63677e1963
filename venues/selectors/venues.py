"""The venues as every screen and every plan reads them."""

from __future__ import annotations

from venues.models import Venue


def venues_all() -> list[Venue]:
    """Every venue, in the order of screens and reports."""
    return list(Venue.objects.order_by("position", "code"))
