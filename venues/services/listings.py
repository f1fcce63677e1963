"""Asks a venue's catalogue for markets; stores nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tonsurance.kernel.errors import Refused
from venues.domain.listings import MarketListing
from venues.registry import gateway_for


def listings_find(
    venue_code: str, *, queries: Iterable[str] = (), tags: Iterable[str] = ()
) -> dict[str, tuple[MarketListing, str]]:
    """Markets by condition id, each with the search that found it first.

    Raises Refused for a venue that cannot be searched, LookupFailed when it gives no answer: a part is not the whole.
    """
    gateway: Any = gateway_for(venue_code)
    if not hasattr(gateway, "search_markets"):
        raise Refused(f"venue: {venue_code} has no search; name the instrument by its id", field="venue")
    found: dict[str, tuple[MarketListing, str]] = {}
    for query in queries:
        for listing in gateway.search_markets(query):
            found.setdefault(listing.condition_id, (listing, f"search “{query}”"))
    for tag in tags:
        for listing in gateway.list_markets(tag):
            found.setdefault(listing.condition_id, (listing, f"tag “{tag}”"))
    return found
