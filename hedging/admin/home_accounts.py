"""What our standing at each venue asks of a person, for the overview."""

from __future__ import annotations

from django.contrib.admin.utils import quote
from django.urls import reverse

from venues.selectors.accounts import standings_newest


def account_alarms() -> list[tuple[str, str]]:
    """(sentence, link) for every fault of an account."""
    found = []
    for standing in standings_newest():
        link = reverse("admin:venues_venue_change", args=[quote(standing.venue_id)])
        found += [(f"{standing.venue.name}: {fault}", link) for fault in standing.faults]
    return found
