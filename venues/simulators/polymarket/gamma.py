"""What markets exist and what they say: Gamma, the venue's catalogue.

Lists come by cursor or by offset; search finds events. Shapes: docs.polymarket.com's Gamma reference.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from venues.simulators.polymarket.catalogue import event_bodies, market_body, tag_body
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.wire import LAST_CURSOR, answer, page_of, state_of

MARKETS_PAGE_MAX = 100
EVENTS_PAGE_MAX = 500
SEARCH_PAGE_MAX = 50

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
    return answer([tag_body(name) for name in names])


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
