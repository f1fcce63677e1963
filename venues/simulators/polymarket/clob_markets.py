"""What markets the CLOB trades and on what terms: tick, minimum, fee, tokens (L0).

Shapes: docs.polymarket.com CLOB reference.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.refusals import NO_MARKET, Refusal
from venues.simulators.polymarket.resolution import payout_told
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import text_e4, text_e6
from venues.simulators.polymarket.wire import answer, market_of_token, page_of, state_of

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
        "sd": market.seconds_delay,
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


def full_market(state: State, market: Market) -> dict[str, Any]:
    """Return a market as `/markets/{condition_id}` prints it."""
    told = payout_told(state, market, source="clob")
    winner = told and max(told) == 1_000_000
    tokens = []
    for index, (token, name) in enumerate(zip(market.token_ids, market.outcomes, strict=True)):
        won = bool(winner and told[index])
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
        "seconds_delay": market.seconds_delay,
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
        "is_50_50_outcome": told == [500_000, 500_000],
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
