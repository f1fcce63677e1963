"""How fine a market's prices are: the tick becomes finer by itself when the price comes near 0 or 1.

Source: docs.polymarket.com/market-data/websocket/market-channel (tick_size_change: above 0.96 or below 0.04). This
exchange judges by the last trade, and does not go back.
"""

from __future__ import annotations

from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.units import PRICE_ONE_E4

COARSE_E4, FINE_E4 = 100, 10
EDGE_E4 = 400


def tick_follow(market: Market) -> None:
    """Make a tick of 0.01 one of 0.001 once the market has traded beyond 0.96 or 0.04. The caller saves."""
    is_at_edge = not EDGE_E4 <= market.last_price_e4 <= PRICE_ONE_E4 - EDGE_E4
    if market.tick_e4 == COARSE_E4 and is_at_edge:
        market.tick_e4 = FINE_E4
