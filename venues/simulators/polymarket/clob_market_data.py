"""What anyone may ask the CLOB: time, markets, books and prices (L0).

Shapes: docs.polymarket.com CLOB reference. Books run from the worst level to the best; the best is last.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.records import BUY, Market
from venues.simulators.polymarket.refusals import INVALID_PAYLOAD, NO_MARKET, Refusal
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import price_text, text_e4, text_e6
from venues.simulators.polymarket.wire import (
    answer,
    body_json,
    faults_of,
    market_of_token,
    page_of,
    state_of,
)

PAGE = 500
FEE_CAP_BPS = 1000
"""The contract's cap on a fee, which the venue prints as base fee; the charge is `fd` in `/clob-markets`."""

routes = web.RouteTableDef()


@routes.get("/")
@routes.get("/ok")
async def ok(request: web.Request) -> web.Response:
    """Say that the service is up."""
    return answer("OK")


@routes.get("/time")
async def server_time(request: web.Request) -> web.Response:
    """Say the exchange's time in epoch seconds."""
    return answer(state_of(request).clock.now_ms() // 1000)


@routes.get("/version")
async def version(request: web.Request) -> web.Response:
    """Say which order version is taken."""
    return answer({"version": 2})


@routes.get("/clob-markets/{condition_id}")
async def compact_market(request: web.Request) -> web.Response:
    """Say what an order needs to know of a market, in the compact form."""
    market = _market(request)
    body: dict[str, Any] = {
        "c": market.condition_id,
        "t": [{"t": token, "o": name} for token, name in zip(market.token_ids, market.outcomes, strict=True)],
        "mts": float(text_e4(market.tick_e4)),
        "mos": int(text_e6(market.min_size_e6)),
        "fd": {"r": float(market.fee_rate), "e": market.fee_exponent, "to": True},
        "mbf": FEE_CAP_BPS,
        "tbf": FEE_CAP_BPS,
        "ao": market.accepting_orders,
        "sd": 0,
    }
    if market.neg_risk:
        body["nr"] = True
    return answer(body)


@routes.get("/markets-by-token/{token_id}")
async def market_by_token(request: web.Request) -> web.Response:
    """Say which market a token belongs to."""
    market = state_of(request).market_by_token.get(request.match_info["token_id"])
    if market is None:
        raise Refusal(404, NO_MARKET)
    return answer(
        {
            "condition_id": market.condition_id,
            "primary_token_id": market.token_ids[0],
            "secondary_token_id": market.token_ids[1],
        }
    )


@routes.get("/markets")
@routes.get("/sampling-markets")
async def markets(request: web.Request) -> web.Response:
    """List markets in full, by pages."""
    state = state_of(request)
    return _market_page(request, [full_market(state, market) for market in _listed(request)])


@routes.get("/simplified-markets")
@routes.get("/sampling-simplified-markets")
async def simplified_markets(request: web.Request) -> web.Response:
    """List markets in short, by pages."""
    state = state_of(request)
    names = ("condition_id", "tokens", "rewards", "active", "closed", "archived", "accepting_orders")
    rows = [full_market(state, market) for market in _listed(request)]
    return _market_page(request, [{name: row[name] for name in names} for row in rows])


@routes.get("/markets/{condition_id}")
async def market(request: web.Request) -> web.Response:
    """Say everything of one market."""
    return answer(full_market(state_of(request), _market(request)))


@routes.get("/book")
async def book(request: web.Request) -> web.Response:
    """Show one token's book."""
    return answer(book_shown(request, request.query.get("token_id", "")))


@routes.post("/books")
async def books(request: web.Request) -> web.Response:
    """Show several books; unknown tokens are left out."""
    state = state_of(request)
    tokens = [token for token, _ in await _asked(request) if token in state.market_by_token]
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


@routes.get("/tick-size")
async def tick_size(request: web.Request) -> web.Response:
    """Say a token's tick."""
    market = market_of_token(state_of(request), request.query.get("token_id", ""))
    return answer({"minimum_tick_size": float(text_e4(market.tick_e4))})


@routes.get("/neg-risk")
async def neg_risk(request: web.Request) -> web.Response:
    """Say whether a token trades on the neg-risk exchange."""
    market = market_of_token(state_of(request), request.query.get("token_id", ""))
    return answer({"neg_risk": market.neg_risk})


@routes.get("/fee-rate")
async def fee_rate(request: web.Request) -> web.Response:
    """Say the contract's fee cap, which is not the charge."""
    market_of_token(state_of(request), request.query.get("token_id", ""))
    return answer({"base_fee": FEE_CAP_BPS})


@routes.get("/fees/builder-fees/{code}")
async def builder_fees(request: web.Request) -> web.Response:
    """Say that builders charge nothing here."""
    return answer({"builder_maker_fee_rate_bps": 0, "builder_taker_fee_rate_bps": 0})


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


def full_market(state: State, market: Market) -> dict[str, Any]:
    """Return a market as `/markets/{condition_id}` prints it."""
    winner = market.payout_e6 and max(market.payout_e6) == 1_000_000
    tokens = []
    for index, (token, name) in enumerate(zip(market.token_ids, market.outcomes, strict=True)):
        won = bool(winner and market.payout_e6[index])
        shown = float(text_e4(token_price_e4(state, market, token)))
        tokens.append({"token_id": token, "outcome": name, "price": shown, "winner": won})
    return {
        "enable_order_book": True,
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": market.accepting_orders,
        "accepting_order_timestamp": market.started_at,
        "minimum_order_size": int(text_e6(market.min_size_e6)),
        "minimum_tick_size": float(text_e4(market.tick_e4)),
        "condition_id": market.condition_id,
        "question_id": market.question_id,
        "question": market.question,
        "description": market.description,
        "market_slug": market.slug,
        "end_date_iso": market.ends_at,
        "game_start_time": None,
        "seconds_delay": 0,
        "fpmm": "",
        "maker_base_fee": FEE_CAP_BPS,
        "taker_base_fee": FEE_CAP_BPS,
        "notifications_enabled": True,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": market.neg_risk_market_id,
        "neg_risk_request_id": "",
        "icon": "",
        "image": "",
        "rewards": {"rates": None, "min_size": 0, "max_spread": 0},
        "is_50_50_outcome": market.payout_e6 == [500_000, 500_000],
        "tokens": tokens,
        "tags": market.tags,
    }


def token_price_e4(state: State, market: Market, token_id: str) -> int:
    """Return a token's shown price: its payout when resolved, else the midpoint, else the last trade."""
    if market.payout_e6:
        return market.payout_e6[market.index(token_id)] // 100
    bids, asks = state.books[market.condition_id].levels(token_id)
    if bids and asks:
        return (bids[0][0] + asks[0][0]) // 2
    last = market.last_price_e4
    return last if token_id == market.token_ids[0] else 10_000 - last


def book_body(state: State, token_id: str) -> dict[str, Any]:
    """Return a token's book; its hash is the SHA-1 of the compact body with an empty hash."""
    found = market_of_token(state, token_id)
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
        "timestamp": str(state.clock.now_ms()),
        "hash": "",
        "bids": printed(bids),
        "asks": printed(asks),
        "min_order_size": text_e6(found.min_size_e6),
        "tick_size": text_e4(found.tick_e4),
        "neg_risk": found.neg_risk,
        "last_trade_price": text_e4(last),
    }
    body["hash"] = hashlib.sha1(json.dumps(body, separators=(",", ":")).encode()).hexdigest()
    return body


def book_shown(request: web.Request, token_id: str) -> dict[str, Any]:
    """Return a token's book, or the frozen one while the rehearsal serves stale books."""
    return faults_of(request).stale_book(token_id, lambda: book_body(state_of(request), token_id))


def _market(request: web.Request) -> Market:
    found = state_of(request).markets.get(request.match_info["condition_id"])
    if found is None:
        raise Refusal(404, NO_MARKET)
    return found


def _listed(request: web.Request) -> list[Market]:
    found = list(state_of(request).markets.values())
    if "sampling" in request.path:
        found = [market for market in found if market.accepting_orders]
    return found


def _market_page(request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
    page, cursor = page_of(rows, request.query.get("next_cursor"), limit=PAGE)
    return answer({"limit": PAGE, "count": len(page), "next_cursor": cursor, "data": page})


async def _asked(request: web.Request) -> list[tuple[str, str]]:
    body = await body_json(request)
    if not isinstance(body, list) or len(body) > PAGE:
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
        raise Refusal(404, "No orderbook exists for the requested token id")
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
