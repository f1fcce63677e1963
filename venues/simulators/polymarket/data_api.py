"""What wallets hold and did: the Data API, for audit rather than for the state of an order.

Envelope `{data, pagination}`; amounts are decimal numbers; `user` is the wallet, not its EOA.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from venues.simulators.polymarket.clob_books import price_points
from venues.simulators.polymarket.clob_markets import token_price_e4
from venues.simulators.polymarket.records import Account, Market, Position, Trade
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.resolution import payout_told, stage_of
from venues.simulators.polymarket.state import State, checksummed
from venues.simulators.polymarket.units import PRICE_ONE_E4, UNIT_E6, text_e4, text_e6
from venues.simulators.polymarket.wire import LAST_CURSOR, answer, page_of, state_of

PAGE_MAX = 1000

routes = web.RouteTableDef()


@routes.get("/v2/positions")
async def positions(request: web.Request) -> web.Response:
    """List a wallet's positions of one status (OPEN unless asked otherwise)."""
    state = state_of(request)
    account = _account(request)
    status = request.query.get("status", "OPEN")
    rows = []
    for token_id, position in (account.positions if account else {}).items():
        market = state.market_by_token[token_id]
        row = _position_body(state, account, market, token_id=token_id, position=position)
        if _is_wanted(row, request) and _has_status(row, market, token_id, status=status):
            rows.append(row)
    return _page(request, rows)


@routes.get("/v2/trades")
async def trades(request: web.Request) -> web.Response:
    """List mined trades, newest first, of one wallet or of all takers."""
    state = state_of(request)
    account = _account(request) if "user" in request.query else None
    mined = [trade for trade in state.trades.values() if trade.is_applied]
    rows = []
    for trade in sorted(mined, key=lambda row: -row.sequence):
        for leg in trade.legs if account else trade.legs[:1]:
            if account is None or leg.address == account.address:
                rows.append(_trade_body(state, trade, leg_index=trade.legs.index(leg)))
    return _page(request, [row for row in rows if _is_wanted(row, request)])


@routes.get("/v2/value")
async def value(request: web.Request) -> web.Response:
    """Say what a wallet's open shares are worth at shown prices."""
    state = state_of(request)
    account = _account(request)
    worth = 0
    for token_id, position in (account.positions if account else {}).items():
        market = state.market_by_token[token_id]
        worth += position.size_e6 * token_price_e4(state, market, token_id) // PRICE_ONE_E4
    user = checksummed(request.query["user"])
    return answer({"data": {"proxy_wallet": user, "value": text_e6(worth)}})


@routes.get("/v2/resolutions")
async def resolutions(request: web.Request) -> web.Response:
    """Say how markets resolved, or how far their answer is; markets without one are left out."""
    state = state_of(request)
    asked = {part for item in request.query.getall("condition_id", []) for part in item.split(",")}
    told = {row.condition_id: payout_told(state, row, source="data") for row in state.markets.values()}
    chosen = [
        row
        for row in state.markets.values()
        if row.condition_id in asked and (told[row.condition_id] or stage_of(state, row))
    ]
    return answer({"data": [_resolution(state, row, told[row.condition_id]) for row in chosen]})


@routes.get("/v2/prices-history")
async def prices_history(request: web.Request) -> web.Response:
    """Show what a token traded at."""
    token = request.query.get("token_id") or request.query.get("market", "")
    return answer({"data": price_points(state_of(request), token)})


def _position_body(
    state: State, account: Account | None, market: Market, *, token_id: str, position: Position
) -> dict[str, Any]:
    price_e4 = token_price_e4(state, market, token_id)
    worth = position.size_e6 * price_e4 // PRICE_ONE_E4
    unrealized = worth - position.cost_e6
    average = position.cost_e6 * UNIT_E6 // position.size_e6 if position.size_e6 else 0
    redeemable = bool(market.payout_e6 and position.size_e6)
    status = "REDEEMABLE" if redeemable else "OPEN" if position.size_e6 else "CLOSED"
    index = market.index(token_id)
    return {
        "proxy_wallet": account.address if account else "",
        "token_id": token_id,
        "condition_id": market.condition_id,
        "current_size": text_e6(position.size_e6),
        "avg_price": text_e6(average),
        "entry_cost_usdc": text_e6(position.cost_e6),
        "entry_fees_usdc": text_e6(position.fees_e6),
        "total_cost_usdc": text_e6(position.cost_e6 + position.fees_e6),
        "current_price": text_e4(price_e4),
        "current_value": text_e6(worth),
        "total_size": text_e6(position.bought_e6),
        "realized_pnl": text_e6(position.realized_e6),
        "unrealized_pnl": text_e6(unrealized),
        "total_pnl": text_e6(unrealized + position.realized_e6),
        "percent_pnl": "0",
        "percent_realized_pnl": "0",
        "status": status,
        "redeemable": redeemable,
        "mergeable": False,
        "negative_risk": market.neg_risk,
        "archived": False,
        "verified": True,
        "title": market.question,
        "slug": market.slug,
        "event_slug": market.event_slug,
        "event_id": market.event_id,
        "outcome": market.outcomes[index],
        "opposite_outcome": market.outcomes[1 - index],
        "outcome_index": index,
        "opposite_token_id": market.token_ids[1 - index],
        "end_date": market.ends_at[:10],
        "first_entry_at": position.first_at // 1000,
        "last_event_at": position.last_at // 1000,
    }


def _trade_body(state: State, trade: Trade, *, leg_index: int) -> dict[str, Any]:
    leg = trade.legs[leg_index]
    market = state.markets[trade.condition_id]
    return {
        "proxy_wallet": leg.address,
        "token_id": leg.token_id,
        "condition_id": trade.condition_id,
        "side": leg.side,
        "size": text_e6(leg.size_e6),
        "price": text_e4(leg.price_e4),
        "timestamp": trade.matched_at // 1000,
        "transaction_hash": trade.transaction_hash,
        "title": market.question,
        "slug": market.slug,
        "event_slug": market.event_slug,
        "outcome": leg.outcome,
        "outcome_index": market.index(leg.token_id),
    }


def _resolution(state: State, market: Market, told: list[int]) -> dict[str, Any]:
    if not told:
        stage = stage_of(state, market)
        return {
            "question_id": market.question_id,
            "condition_id": market.condition_id,
            "status": "proposed" if stage == "resolved" else stage,
            "extended_review": False,
            "was_disputed": stage == "disputed",
            "new_version_q": False,
            "price": None,
            "last_update_timestamp": state.clock.now_ms() // 1000,
            "market_type": "BINARY",
            "payouts": None,
        }
    return {
        "question_id": market.question_id,
        "condition_id": market.condition_id,
        "status": "resolved",
        "extended_review": False,
        "was_disputed": False,
        "new_version_q": False,
        "price": text_e6(told[0]),
        "last_update_timestamp": market.closed_at // 1000,
        "market_type": "BINARY",
        "payouts": [str(payout) for payout in told],
        "resolution_source": "reported",
        "reporter": "UMA_OO",
    }


def _account(request: web.Request) -> Account | None:
    try:
        user = checksummed(request.query["user"])
    except (KeyError, ValueError) as error:
        raise Refusal(400, "user must be an address") from error
    return state_of(request).accounts.get(user)


def _is_wanted(row: dict[str, Any], request: web.Request) -> bool:
    asked = {part for item in request.query.getall("condition_id", []) for part in item.split(",")}
    side = request.query.get("side")
    return (not asked or row["condition_id"] in asked) and side in (None, row.get("side"))


def _has_status(row: dict[str, Any], market: Market, token_id: str, *, status: str) -> bool:
    if status == "REDEEMABLE_LOST":
        return row["status"] == "REDEEMABLE" and market.payout_e6[market.index(token_id)] == 0
    return bool(row["status"] == status)


def _page(request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
    try:
        limit = min(int(request.query.get("limit", 100)), PAGE_MAX)
    except ValueError as error:
        raise Refusal(400, "limit must be a whole number") from error
    page, cursor = page_of(rows, request.query.get("cursor"), limit=max(limit, 1))
    following = None if cursor == LAST_CURSOR else cursor
    return answer({"data": page, "pagination": {"has_more": following is not None, "next_cursor": following}})
