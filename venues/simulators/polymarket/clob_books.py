"""What the CLOB's books show: levels, best prices, midpoints, spreads, last trades (L0).

Levels run from the worst to the best; the best is last. Shapes: docs.polymarket.com CLOB reference.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.records import BUY
from venues.simulators.polymarket.refusals import INVALID_PAYLOAD, NO_BOOK, Refusal
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import price_text, text_e4, text_e6
from venues.simulators.polymarket.wire import (
    answer,
    body_json,
    faults_of,
    market_of_token,
    state_of,
)

TOKENS_MAX = 500

routes = web.RouteTableDef()


@routes.get("/book")
async def book(request: web.Request) -> web.Response:
    """Show one token's book."""
    return answer(book_shown(request, request.query.get("token_id", "")))


@routes.post("/books")
async def books(request: web.Request) -> web.Response:
    """Show several books; unknown tokens and those of closed markets are left out."""
    known = state_of(request).market_by_token
    tokens = [token for token, _ in await _asked(request) if token in known and not known[token].closed]
    return answer([book_shown(request, token) for token in tokens])


@routes.get("/price")
async def price(request: web.Request) -> web.Response:
    """Say the best price on one side of a token's book: BUY is the best bid."""
    value = _best(state_of(request), request.query.get("token_id", ""), side=request.query.get("side", BUY))
    return answer({"price": text_e4(value)})


@routes.post("/prices")
async def prices(request: web.Request) -> web.Response:
    """Say several best prices."""
    state = state_of(request)
    found: dict[str, dict[str, str]] = {}
    for token, side in await _asked(request):
        for wanted in [side] if side else ["BUY", "SELL"]:
            found.setdefault(token, {})[wanted] = text_e4(_best(state, token, side=wanted))
    return answer(found)


@routes.get("/midpoint")
async def midpoint(request: web.Request) -> web.Response:
    """Say the middle between best bid and best ask."""
    return answer({"mid": _midpoint(state_of(request), request.query.get("token_id", ""))})


@routes.post("/midpoints")
async def midpoints(request: web.Request) -> web.Response:
    """Say several midpoints."""
    return answer({token: _midpoint(state_of(request), token) for token, _ in await _asked(request)})


@routes.get("/spread")
async def spread(request: web.Request) -> web.Response:
    """Say the distance between best bid and best ask."""
    return answer({"spread": _spread(state_of(request), request.query.get("token_id", ""))})


@routes.post("/spreads")
async def spreads(request: web.Request) -> web.Response:
    """Say several spreads."""
    return answer({token: _spread(state_of(request), token) for token, _ in await _asked(request)})


@routes.get("/last-trade-price")
async def last_trade_price(request: web.Request) -> web.Response:
    """Say the last price a token traded at."""
    return answer(_last_trade(state_of(request), request.query.get("token_id", "")))


@routes.post("/last-trades-prices")
async def last_trade_prices(request: web.Request) -> web.Response:
    """Say several last prices."""
    state = state_of(request)
    return answer([{"token_id": token, **_last_trade(state, token)} for token, _ in await _asked(request)])


@routes.get("/prices-history")
async def prices_history(request: web.Request) -> web.Response:
    """Show what a token traded at, oldest first, in epoch seconds."""
    state = state_of(request)
    return answer({"history": price_points(state, request.query.get("market", ""))})


def price_points(state: State, token_id: str) -> list[dict[str, Any]]:
    """Return the trades of a token's market as (t, p) points; none when nothing traded."""
    found = market_of_token(state, token_id)
    points = []
    for trade in state.trades.values():
        if trade.condition_id == found.condition_id:
            leg = trade.legs[0]
            price_e4 = leg.price_e4 if leg.token_id == token_id else 10_000 - leg.price_e4
            points.append({"t": trade.matched_at // 1000, "p": float(text_e4(price_e4))})
    return sorted(points, key=lambda point: point["t"])


def book_body(state: State, token_id: str, *, with_closed: bool = False) -> dict[str, Any]:
    """Return a token's book; its hash is the SHA-1 of the compact body with an empty hash."""
    found = state.market_by_token[token_id] if with_closed else market_of_token(state, token_id)
    bids, asks = state.books[found.condition_id].levels(token_id)
    last = found.last_price_e4 if token_id == found.token_ids[0] else 10_000 - found.last_price_e4

    def printed(levels: list[tuple[int, int]]) -> list[dict[str, str]]:
        return [
            {"price": price_text(level, tick_e4=found.tick_e4), "size": text_e6(size)}
            for level, size in reversed(levels)
        ]

    body = {
        "market": found.condition_id,
        "asset_id": token_id,
        "timestamp": str(state.books[found.condition_id].changed_at),
        "hash": "",
        "bids": printed(bids),
        "asks": printed(asks),
        "min_order_size": text_e6(found.min_size_e6),
        "tick_size": text_e4(found.tick_e4),
        "neg_risk": found.neg_risk,
        "last_trade_price": text_e4(last),
    }
    compact = json.dumps(body, separators=(",", ":")).encode()
    body["hash"] = hashlib.sha1(compact, usedforsecurity=False).hexdigest()
    return body


def book_shown(request: web.Request, token_id: str) -> dict[str, Any]:
    """Return a token's book, or the frozen one while the rehearsal serves stale books."""
    return faults_of(request).stale_book(token_id, lambda: book_body(state_of(request), token_id))


async def _asked(request: web.Request) -> list[tuple[str, str]]:
    body = await body_json(request)
    if not isinstance(body, list) or len(body) > TOKENS_MAX:
        raise Refusal(400, INVALID_PAYLOAD)
    asked = []
    for row in body:
        if not isinstance(row, dict) or not isinstance(row.get("token_id"), str):
            raise Refusal(400, INVALID_PAYLOAD)
        asked.append((row["token_id"], str(row.get("side", ""))))
    return asked


def _best(state: State, token_id: str, *, side: str) -> int:
    if side not in ("BUY", "SELL"):
        raise Refusal(400, "Invalid side")
    found = market_of_token(state, token_id)
    bids, asks = state.books[found.condition_id].levels(token_id)
    levels = bids if side == BUY else asks
    return levels[0][0] if levels else 0


def _touch(state: State, token_id: str) -> tuple[int, int]:
    found = market_of_token(state, token_id)
    bids, asks = state.books[found.condition_id].levels(token_id)
    if not bids or not asks:
        raise Refusal(404, NO_BOOK)
    return bids[0][0], asks[0][0]


def _midpoint(state: State, token_id: str) -> str:
    bid, ask = _touch(state, token_id)
    return text_e6((bid + ask) * 50)


def _spread(state: State, token_id: str) -> str:
    bid, ask = _touch(state, token_id)
    return text_e4(ask - bid)


def _last_trade(state: State, token_id: str) -> dict[str, str]:
    found = market_of_token(state, token_id)
    last = found.last_price_e4 if token_id == found.token_ids[0] else 10_000 - found.last_price_e4
    return {"price": text_e4(last), "side": found.last_side}
