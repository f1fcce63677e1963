"""Looking for markets in the catalogue, by words and by tag, a bounded number of pages each.

What is found is a suggestion for a person to read; nothing here is a term of trade. One market that cannot be read is
left out with a warning and hides no other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from venues.adapters.polymarket import markets, wire
from venues.adapters.polymarket.questions import Questions, authoritative
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.listings import MarketListing

logger = logging.getLogger(__name__)

SEARCH_PAGE_SIZE = 50
SEARCH_PAGES_MAX = 4
TAG_PAGE_SIZE = 100
TAG_PAGES_MAX = 5
LISTINGS_MAX = 1000


class MarketSearch:
    """Gamma's search and lists. They raise LookupFailed without an answer."""

    def __init__(self, ask: Questions) -> None:
        self._ask = ask

    def listings(self, query: str) -> list[MarketListing]:
        """Markets of the events that Gamma finds for `query`, the first pages of them."""
        if not query.strip():
            return []
        with authoritative("search"):
            return _listings(self._found(query.strip()))

    def tagged(self, tag: str) -> list[MarketListing]:
        """Open markets on one of Gamma's shelves, the first pages of them."""
        with authoritative("list"):
            return _listings(self._shelved(tag))

    def _found(self, query: str) -> Iterator[Any]:
        for page in range(1, SEARCH_PAGES_MAX + 1):
            params = {"q": query, "limit_per_type": SEARCH_PAGE_SIZE, "page": page}
            answer = wire.mapping(self._ask.gamma("/public-search", params), name="search")
            yield from wire.array(answer.get("events"), name="events")
            if wire.mapping(answer.get("pagination") or {}, name="pagination").get("hasMore") is not True:
                return

    def _shelved(self, tag: str) -> Iterator[Any]:
        params: dict[str, Any] = {"tag_slug": tag, "closed": "false", "limit": TAG_PAGE_SIZE}
        for _ in range(TAG_PAGES_MAX):
            answer = wire.mapping(self._ask.gamma("/events/keyset", params), name="list")
            yield from wire.array(answer.get("events"), name="events")
            following = answer.get("next_cursor")
            if not following or following == params.get("after_cursor"):
                return
            params["after_cursor"] = wire.text(following, name="next_cursor")


def _listings(events: Iterator[Any]) -> list[MarketListing]:
    found: list[MarketListing] = []
    for event in events:
        row = wire.mapping(event, name="event")
        tags = [
            str(tag.get("slug")) for tag in wire.array(row.get("tags"), name="tags") if isinstance(tag, dict)
        ]
        for market in wire.array(row.get("markets"), name="markets"):
            try:
                found.append(markets.listing_of(market, tags=tags))
            except Unreadable as error:
                logger.warning("a market of event %s cannot be read: %s", row.get("slug"), error)
            if len(found) >= LISTINGS_MAX:
                return found
    return found
