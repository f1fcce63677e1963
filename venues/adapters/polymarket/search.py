"""Looking for markets by words, through the official client.

What is found is a suggestion for a person to read; nothing here is a term of trade.
"""

from __future__ import annotations

from polymarket import PolymarketError, PublicClient
from polymarket.models import Market

from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import environment_for
from venues.adapters.polymarket.markets import MarketListing
from venues.domain.gateway import LookupFailed

_PAGE_SIZE = 20
_LISTINGS_MAX = 200


class MarketSearch:
    """Gamma's search. The client is made at the first query and kept: making one costs 80 ms of certificates."""

    def __init__(self, config: PolymarketConfig) -> None:
        self._config = config
        self._client: PublicClient | None = None

    def listings(self, query: str) -> list[MarketListing]:
        """Markets of the first page of events that Gamma finds for `query`. Raises LookupFailed."""
        if not query.strip():
            return []
        if self._client is None:
            self._client = PublicClient(environment_for(self._config))
        try:
            page = self._client.search(q=query.strip(), page_size=_PAGE_SIZE).first_page()
        except PolymarketError as error:
            raise LookupFailed(f"search: {type(error).__name__}") from None
        found = [market for results in page.items for event in results.events for market in event.markets]
        return [_listing(market) for market in found[:_LISTINGS_MAX]]

    def close(self) -> None:
        """Close its connections, if it made any."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _listing(market: Market) -> MarketListing:
    outcomes = (market.outcomes.yes, market.outcomes.no)
    return MarketListing(
        market_id=str(market.id),
        condition_id=str(market.condition_id or ""),
        slug=market.slug or "",
        question=market.question or "",
        description=market.description or "",
        outcomes=tuple(
            (outcome.label, str(outcome.token_id or outcome.position_id or "")) for outcome in outcomes
        ),
        accepting_orders=market.state.accepting_orders is True,
        closed=market.state.closed is True,
        end_at=market.state.end_date,
    )
