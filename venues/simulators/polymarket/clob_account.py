"""What a key's owner may ask of their account: orders, trades, balances (L2, nothing traded).
A trade names every maker it met, and a mint names the other token.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from aiohttp import web

from venues.simulators.polymarket.approvals import allowances_shown
from venues.simulators.polymarket.cancels import live_orders
from venues.simulators.polymarket.clob_markets import FEE_CAP_BPS
from venues.simulators.polymarket.config import CTF_PROTOCOL, POSITION_PROTOCOL
from venues.simulators.polymarket.records import (
    CANCELED,
    CANCELED_EXPIRED,
    DELAYED,
    KILLED,
    LIVE,
    Account,
    ApiKey,
    Leg,
    Order,
    Trade,
)
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import text_e4, text_e6
from venues.simulators.polymarket.wallets import deposit_wallets
from venues.simulators.polymarket.wire import (
    answer,
    faults_of,
    page_of,
    require_key,
    state_of,
)

PAGE = 500
SHOWN_CANCELED = (KILLED, CANCELED_EXPIRED)
"""Ends that the REST answer calls CANCELED; the user channel says more."""
SHARE_PROTOCOLS = {"CONDITIONAL": CTF_PROTOCOL, "CONDITIONAL-V2": POSITION_PROTOCOL}
HOUSE_KEY = str(uuid5(NAMESPACE_OID, "practice-exchange:house"))

routes = web.RouteTableDef()


@routes.get("/data/order/{order_id}")
async def order(request: web.Request) -> web.Response:
    """Show one of the caller's orders; 404 when the exchange has no such order."""
    state = state_of(request)
    key = await require_key(request)
    found = state.orders.get(request.match_info["order_id"].lower())
    faults = faults_of(request)
    if found is None or found.owner != key.key:
        raise Refusal(404, "order not found")
    if faults.is_hidden(found.created_at, now_ms=state.clock.now_ms()):
        raise Refusal(404, "order not found")
    if found.status not in (LIVE, DELAYED) and faults.is_on("order_null"):
        return answer(None)
    return answer(open_order(state, found))


@routes.get("/data/orders")
async def orders(request: web.Request) -> web.Response:
    """List the caller's resting orders."""
    state = state_of(request)
    key = await require_key(request)
    query, faults, now_ms = request.query, faults_of(request), state.clock.now_ms()
    rows = [
        open_order(state, row)
        for row in live_orders(state, key=key)
        if query.get("id") in (None, row.id)
        and query.get("market") in (None, row.condition_id)
        and query.get("asset_id") in (None, row.token_id)
        and not faults.is_hidden(row.created_at, now_ms=now_ms)
    ]
    page, cursor = page_of(rows, query.get("next_cursor"), limit=PAGE)
    return answer({"limit": PAGE, "count": len(page), "next_cursor": cursor, "data": page})


@routes.get("/data/trades")
async def trades(request: web.Request) -> web.Response:
    """List the caller's trades, newest first."""
    state = state_of(request)
    key = await require_key(request)
    rows = [
        row
        for trade in reversed(_trades_of(state, key, trade_id=request.query.get("id")))
        if _trade_wanted(trade, request)
        and not faults_of(request).is_hidden(trade.matched_at, now_ms=state.clock.now_ms())
        for row in trade_rows(state, trade, key=key)
        if _row_wanted(row, request)
    ]
    rows = faults_of(request).shuffled_trades(rows)
    page, cursor = page_of(rows, request.query.get("next_cursor"), limit=PAGE)
    return answer({"limit": PAGE, "count": len(page), "next_cursor": cursor, "data": page})


@routes.get("/balance-allowance")
async def balance_allowance(request: web.Request) -> web.Response:
    """Say a wallet's balance and its approvals, in base units, as the exchange last read them."""
    state = state_of(request)
    key = await require_key(request)
    account = _wallet(state, request, key=key)
    asset_type = request.query.get("asset_type", "")
    if asset_type == "COLLATERAL":
        balance = account.pusd_e6
    elif asset_type in SHARE_PROTOCOLS:
        balance = _shares(state, account, request.query.get("token_id", ""), asset_type=asset_type)
    else:
        raise Refusal(400, "invalid asset type")
    allowances = allowances_shown(account, asset_type=asset_type, config=state.config)
    return answer({"balance": str(balance), "allowances": allowances})


@routes.get("/balance-allowance/update")
async def balance_allowance_update(request: web.Request) -> web.Response:
    """Read a wallet from the chain again; the body is empty."""
    state = state_of(request)
    key = await require_key(request)
    account = _wallet(state, request, key=key)
    account.pusd_e6 += account.unseen_e6
    account.unseen_e6 = 0
    if account.address in state.accounts:
        state.save(account)
        state.store.commit()
    return web.Response(status=200)


def open_order(state: State, order: Order) -> dict[str, Any]:
    """Return an order as the venue prints it; a budget BUY's original size is its pUSD budget."""
    market = state.markets[order.condition_id]
    return {
        "id": order.id,
        "status": CANCELED if order.status in SHOWN_CANCELED else order.status,
        "owner": order.owner,
        "maker_address": order.maker,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "side": order.side,
        "original_size": text_e6(order.maker_amount if order.is_budget else order.size_e6),
        "size_matched": text_e6(order.matched_e6),
        "price": text_e4(order.price_e4),
        "outcome": market.outcomes[market.index(order.token_id)],
        "expiration": str(order.expiration),
        "order_type": order.order_type,
        "associate_trades": order.trade_ids,
        "created_at": order.created_at // 1000,
    }


def trade_rows(state: State, trade: Trade, *, key: ApiKey) -> list[dict[str, Any]]:
    """Return a trade as its taker sees it, or as each of the caller's maker orders sees it."""
    taker = trade.legs[0]
    if taker.owner == key.key:
        return [_trade_row(trade, taker, side="TAKER", shown=taker)]
    made = [leg for leg in trade.legs[1:] if leg.owner == key.key]
    return [_trade_row(trade, leg, side="MAKER", shown=taker) for leg in made[:1]]


def _trade_row(trade: Trade, own: Leg, *, side: str, shown: Leg) -> dict[str, Any]:
    return {
        "id": trade.id,
        "taker_order_id": trade.legs[0].order_id,
        "market": trade.condition_id,
        "asset_id": shown.token_id,
        "side": shown.side,
        "size": text_e6(shown.size_e6),
        "fee_rate_bps": str(FEE_CAP_BPS),
        "price": text_e4(shown.price_e4),
        "status": trade.status,
        "match_time": str(trade.matched_at // 1000),
        "last_update": str(trade.updated_at // 1000),
        "outcome": shown.outcome,
        "bucket_index": 0,
        "owner": own.owner,
        "maker_address": own.address,
        "transaction_hash": trade.transaction_hash,
        "trader_side": side,
        "maker_orders": [
            {
                "order_id": leg.order_id,
                "owner": leg.owner or HOUSE_KEY,
                "maker_address": leg.address,
                "matched_amount": text_e6(leg.size_e6),
                "price": text_e4(leg.price_e4),
                "fee_rate_bps": "0",
                "asset_id": leg.token_id,
                "outcome": leg.outcome,
                "side": leg.side,
            }
            for leg in trade.legs[1:]
        ],
    }


def _trades_of(state: State, key: ApiKey, *, trade_id: str | None) -> list[Trade]:
    if trade_id is not None:
        return [state.trades[trade_id]] if trade_id in state.trades else []
    wallets = {order.maker for order in state.orders_by_owner[key.key]}
    found = {trade.id: trade for wallet in wallets for trade in state.trades_by_address[wallet]}
    return sorted(found.values(), key=lambda trade: trade.sequence)


def _trade_wanted(trade: Trade, request: web.Request) -> bool:
    query = request.query
    if query.get("market") not in (None, trade.condition_id):
        return False
    try:
        after, before = int(query.get("after", 0)), int(query.get("before", 1 << 62))
    except ValueError as error:
        raise Refusal(400, "invalid time filter") from error
    return after <= trade.matched_at // 1000 <= before


def _row_wanted(row: dict[str, Any], request: web.Request) -> bool:
    query = request.query
    tokens = {row["asset_id"], *(maker["asset_id"] for maker in row["maker_orders"])}
    if "asset_id" in query and query["asset_id"] not in tokens:
        return False
    return query.get("maker_address", row["maker_address"]).lower() == str(row["maker_address"]).lower()


def _shares(state: State, account: Account, token_id: str, *, asset_type: str) -> int:
    """Return an account's shares of a token, if the token lives on the ledger that was asked about."""
    market = state.market_by_token.get(token_id)
    if market is None or market.version != SHARE_PROTOCOLS[asset_type]:
        return 0
    held = account.positions.get(token_id)
    return held.size_e6 if held else 0


def _wallet(state: State, request: web.Request, *, key: ApiKey) -> Account:
    """Return the wallet the venue derives from the caller's EOA and the signature type."""
    try:
        kind = int(request.query.get("signature_type", "0"))
    except ValueError as error:
        raise Refusal(400, "invalid signature type") from error
    if kind == 0:
        return state.account(key.address)
    for account in state.accounts.values():
        is_theirs = account.owner == key.address or key.address in account.sessions
        if account.signature_type == kind and is_theirs:
            return account
    derived = deposit_wallets(key.address) if kind == 3 else ()
    for wallet in derived:
        if wallet in state.accounts:
            return state.accounts[wallet]
    return Account(address=derived[0] if derived else key.address, owner=key.address, signature_type=kind)
