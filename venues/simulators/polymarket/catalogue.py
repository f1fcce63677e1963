"""How the catalogue prints a market, an event and a tag.

Outcomes, prices and token ids are JSON inside JSON strings, as docs.polymarket.com's Gamma reference shows.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from venues.simulators.polymarket.clob_markets import token_price_e4
from venues.simulators.polymarket.config import POSITION_PROTOCOL
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.resolution import payout_told, stage_of
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import PRICE_ONE_E4, text_e4, text_e6


def market_body(state: State, market: Market, *, with_event: bool = True) -> dict[str, Any]:
    """Return a market as Gamma prints it."""
    is_v2 = market.version == POSITION_PROTOCOL
    yes, no = market.token_ids
    told = payout_told(state, market, source="gamma")
    shown = [payout // 100 for payout in told] or [
        token_price_e4(state, market, token) for token in (yes, no)
    ]
    prices = [text_e4(price_e4) for price_e4 in shown]
    bids, asks = state.books[market.condition_id].levels(yes)
    body: dict[str, Any] = {
        "id": market.gamma_id,
        "version": market.version,
        "slug": market.slug,
        "conditionId": market.condition_id,
        "questionID": market.question_id,
        "question": market.question,
        "groupItemTitle": market.group_title,
        "description": market.description,
        "resolutionSource": market.resolution_source,
        "category": "Crypto",
        "outcomes": json.dumps(market.outcomes),
        "outcomePrices": json.dumps(prices),
        "clobTokenIds": "[]" if is_v2 else json.dumps(market.token_ids),
        "positionIds": market.token_ids if is_v2 else [],
        "active": True,
        "closed": market.closed,
        "archived": False,
        "acceptingOrders": market.accepting_orders,
        "enableOrderBook": True,
        "restricted": True,
        "negRisk": market.neg_risk,
        "negRiskMarketID": market.neg_risk_market_id,
        "negRiskRequestID": "",
        "startDate": market.started_at,
        "endDate": market.ends_at,
        "closedTime": _iso(market.closed_at) if market.closed_at else None,
        "orderMinSize": int(text_e6(market.min_size_e6)),
        "orderPriceMinTickSize": float(text_e4(market.tick_e4)),
        "secondsDelay": market.seconds_delay,
        "feesEnabled": market.fee_rate != "0",
        "feeType": "crypto_15_min" if market.fee_rate == "0.07" else "",
        "feeSchedule": {
            "rate": float(market.fee_rate),
            "exponent": market.fee_exponent,
            "takerOnly": True,
            "rebateRate": 0.2,
        },
        **_quotes(market, bids=bids, asks=asks),
        "umaResolutionStatus": "" if is_v2 else stage_of(state, market),
        "resolutionStatus": ("resolved" if market.closed else "active") if is_v2 else None,
        "resolvedBy": "",
        "tags": [tag_body(name) for name in market.tags],
    }
    if with_event:
        body["events"] = [{"id": market.event_id, "slug": market.event_slug, "title": market.event_title}]
    return body


def event_bodies(state: State, *, with_closed: bool) -> list[dict[str, Any]]:
    """Return every event with its markets."""
    grouped: dict[str, list[Market]] = {}
    for market in state.markets.values():
        grouped.setdefault(market.event_slug, []).append(market)
    bodies = [_event_body(state, members) for members in grouped.values()]
    return [body for body in bodies if with_closed or not body["closed"]]


def _event_body(state: State, members: list[Market]) -> dict[str, Any]:
    first = members[0]
    return {
        "id": first.event_id,
        "version": first.version,
        "slug": first.event_slug,
        "ticker": first.event_slug,
        "title": first.event_title,
        "description": first.description,
        "resolutionSource": first.resolution_source,
        "startDate": first.started_at,
        "endDate": first.ends_at,
        "active": True,
        "closed": all(market.closed for market in members),
        "archived": False,
        "restricted": True,
        "enableOrderBook": True,
        "negRisk": first.neg_risk,
        "negRiskMarketID": first.neg_risk_market_id,
        "volume": float(text_e6(sum(market.volume_e6 for market in members))),
        "markets": [market_body(state, market, with_event=False) for market in members],
        "tags": [tag_body(name) for name in first.tags],
    }


def tag_body(name: str) -> dict[str, str]:
    """Return a tag as Gamma prints it."""
    return {"id": str(1000 + sum(name.encode())), "slug": name, "label": name.capitalize()}


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _quotes(market: Market, *, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> dict[str, Any]:
    worth = text_e6(sum(price * size // PRICE_ONE_E4 for price, size in (*bids, *asks)))
    volume = text_e6(market.volume_e6)
    return {
        "bestBid": float(text_e4(bids[0][0])) if bids else None,
        "bestAsk": float(text_e4(asks[0][0])) if asks else None,
        "spread": float(text_e4(asks[0][0] - bids[0][0])) if bids and asks else None,
        "lastTradePrice": float(text_e4(market.last_price_e4)),
        "volume": volume,
        "volumeNum": float(volume),
        "volumeClob": float(volume),
        "liquidity": worth,
        "liquidityNum": float(worth),
        "liquidityClob": float(worth),
    }
