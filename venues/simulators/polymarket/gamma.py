"""What markets exist and what they say: Gamma, the venue's catalogue.

Outcomes, prices and token ids are JSON inside JSON strings, as docs.polymarket.com's Gamma reference shows.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.clob_markets import token_price_e4
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import text_e4, text_e6
from venues.simulators.polymarket.wire import LAST_CURSOR, answer, page_of, state_of

MARKETS_PAGE_MAX = 100
EVENTS_PAGE_MAX = 500
SEARCH_PAGE_MAX = 50
LEVEL_WORTH = 10_000

routes = web.RouteTableDef()


@routes.get("/markets/keyset")
async def markets_keyset(request: web.Request) -> web.Response:
    """List markets by cursor."""
    return _keyset(request, "markets", _markets(request), page_max=MARKETS_PAGE_MAX)


@routes.get("/events/keyset")
async def events_keyset(request: web.Request) -> web.Response:
    """List events by cursor."""
    return _keyset(request, "events", _events(request), page_max=EVENTS_PAGE_MAX)


@routes.get("/markets")
async def markets(request: web.Request) -> web.Response:
    """List markets by offset."""
    return answer(_sliced(request, _markets(request), page_max=EVENTS_PAGE_MAX))


@routes.get("/events")
async def events(request: web.Request) -> web.Response:
    """List events by offset."""
    return answer(_sliced(request, _events(request), page_max=EVENTS_PAGE_MAX))


@routes.get("/markets/slug/{slug}")
async def market_by_slug(request: web.Request) -> web.Response:
    """Show one market by slug."""
    return answer(_one_market(request, lambda market: market.slug == request.match_info["slug"]))


@routes.get("/markets/{id}")
async def market_by_id(request: web.Request) -> web.Response:
    """Show one market by id."""
    return answer(_one_market(request, lambda market: market.gamma_id == request.match_info["id"]))


@routes.get("/events/slug/{slug}")
async def event_by_slug(request: web.Request) -> web.Response:
    """Show one event by slug."""
    return answer(_one_event(request, "slug", request.match_info["slug"]))


@routes.get("/events/{id}")
async def event_by_id(request: web.Request) -> web.Response:
    """Show one event by id."""
    return answer(_one_event(request, "id", request.match_info["id"]))


@routes.get("/tags")
async def tags(request: web.Request) -> web.Response:
    """List tags."""
    names = sorted({tag for market in state_of(request).markets.values() for tag in market.tags})
    return answer([_tag(name) for name in names])


@routes.get("/public-search")
async def search(request: web.Request) -> web.Response:
    """Find events whose title or markets carry every word of the query."""
    words = request.query.get("q", "").lower().split()
    if not words:
        raise Refusal(422, "q is required")
    page = _whole_number(request, "page", 1)
    size = min(_whole_number(request, "limit_per_type", 10) or 10, SEARCH_PAGE_MAX)
    found = [row for row in event_bodies(state_of(request), with_closed=True) if _mentions(row, words)]
    start = (max(page, 1) - 1) * size
    rows = found[start : start + size]
    more = {"hasMore": start + size < len(found), "totalResults": len(found)}
    return answer({"events": rows, "tags": [], "profiles": [], "pagination": more})


def market_body(state: State, market: Market, *, with_event: bool = True) -> dict[str, Any]:
    """Return a market as Gamma prints it."""
    yes, no = market.token_ids
    prices = [text_e4(token_price_e4(state, market, token)) for token in (yes, no)]
    bids, asks = state.books[market.condition_id].levels(yes)
    worth = sum(price * size // LEVEL_WORTH for price, size in (*bids, *asks))
    last_e4, volume = market.last_price_e4, text_e6(market.volume_e6)
    body: dict[str, Any] = {
        "id": market.gamma_id,
        "version": "v1",
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
        "clobTokenIds": json.dumps(market.token_ids),
        "positionIds": [],
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
        "secondsDelay": 0,
        "feesEnabled": market.fee_rate != "0",
        "feeType": "crypto_15_min" if market.fee_rate == "0.07" else "",
        "feeSchedule": {
            "rate": float(market.fee_rate),
            "exponent": market.fee_exponent,
            "takerOnly": True,
            "rebateRate": 0.2,
        },
        "bestBid": float(text_e4(bids[0][0])) if bids else None,
        "bestAsk": float(text_e4(asks[0][0])) if asks else None,
        "spread": float(text_e4(asks[0][0] - bids[0][0])) if bids and asks else None,
        "lastTradePrice": float(text_e4(last_e4)),
        "volume": volume,
        "volumeNum": float(volume),
        "volumeClob": float(volume),
        "liquidity": text_e6(worth),
        "liquidityNum": float(text_e6(worth)),
        "liquidityClob": float(text_e6(worth)),
        "umaResolutionStatus": "resolved" if market.closed else "",
        "resolvedBy": "",
        "tags": [_tag(name) for name in market.tags],
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
        "version": "v1",
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
        "tags": [_tag(name) for name in first.tags],
    }


def _markets(request: web.Request) -> list[dict[str, Any]]:
    state, query = state_of(request), request.query
    kept = []
    for market in state.markets.values():
        wanted = (
            _listed(request, "id", market.gamma_id)
            and _listed(request, "slug", market.slug)
            and _listed(request, "condition_ids", market.condition_id)
            and any(_listed(request, "clob_token_ids", token) for token in market.token_ids)
            and _is_truth(query.get("closed"), market.closed)
            and _is_truth(query.get("active"), True)
            and query.get("tag_slug", market.tags[0] if market.tags else "") in (*market.tags, "")
        )
        if wanted:
            kept.append(market_body(state, market))
    return _ordered(request, kept)


def _events(request: web.Request) -> list[dict[str, Any]]:
    title = request.query.get("title_search", "").lower()
    rows = [
        row
        for row in event_bodies(state_of(request), with_closed=True)
        if _listed(request, "id", row["id"])
        and _listed(request, "slug", row["slug"])
        and _is_truth(request.query.get("closed"), row["closed"])
        and title in row["title"].lower()
        and request.query.get("tag_slug", row["tags"][0]["slug"]) in [tag["slug"] for tag in row["tags"]]
    ]
    return _ordered(request, rows)


def _ordered(request: web.Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    name = request.query.get("order")
    if name and all(row.get(name) is not None for row in rows):
        return sorted(rows, key=lambda row: row[name], reverse=request.query.get("ascending") != "true")
    return rows


def _keyset(request: web.Request, name: str, rows: list[dict[str, Any]], *, page_max: int) -> web.Response:
    limit = min(_whole_number(request, "limit", 20) or 20, page_max)
    page, cursor = page_of(rows, request.query.get("after_cursor"), limit=limit)
    body: dict[str, Any] = {name: page}
    if cursor != LAST_CURSOR:
        body["next_cursor"] = cursor
    return answer(body)


def _sliced(request: web.Request, rows: list[dict[str, Any]], *, page_max: int) -> list[dict[str, Any]]:
    offset = _whole_number(request, "offset", 0)
    return rows[offset : offset + min(_whole_number(request, "limit", 20), page_max)]


def _one_market(request: web.Request, wanted: Any) -> dict[str, Any]:
    state = state_of(request)
    for market in state.markets.values():
        if wanted(market):
            return market_body(state, market)
    raise Refusal(404, "id not found", type="not found error")


def _one_event(request: web.Request, name: str, value: str) -> dict[str, Any]:
    for row in event_bodies(state_of(request), with_closed=True):
        if row[name] == value:
            return row
    raise Refusal(404, "id not found", type="not found error")


def _listed(request: web.Request, name: str, value: str) -> bool:
    asked = request.query.getall(name, [])
    return not asked or value in {part for item in asked for part in item.split(",")}


def _is_truth(asked: str | None, value: bool) -> bool:
    return asked is None or (asked.lower() == "true") == value


def _mentions(row: dict[str, Any], words: list[str]) -> bool:
    text = " ".join([row["title"], *(market["question"] for market in row["markets"])]).lower()
    return all(word in text for word in words)


def _whole_number(request: web.Request, name: str, default: int) -> int:
    try:
        value = int(request.query.get(name, default))
    except ValueError as error:
        raise Refusal(422, f"{name} must be a whole number") from error
    if value < 0:
        raise Refusal(422, f"{name} must not be negative")
    return value


def _tag(name: str) -> dict[str, str]:
    return {"id": str(1000 + sum(name.encode())), "slug": name, "label": name.capitalize()}


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
