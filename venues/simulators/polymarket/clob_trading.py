"""The calls that move money or take it off the book: post and cancel (L2)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from venues.simulators.polymarket.cancels import live_orders, orders_cancel
from venues.simulators.polymarket.matching import order_place
from venues.simulators.polymarket.records import ApiKey, Order
from venues.simulators.polymarket.refusals import INVALID_ORDER_ID, INVALID_PAYLOAD, Refusal
from venues.simulators.polymarket.requests import parse_order
from venues.simulators.polymarket.wire import (
    answer,
    body_json,
    charge,
    charge_after,
    faults_of,
    require_key,
    state_of,
)

POST_BATCH_MAX = 15
CANCEL_BATCH_MAX = 3000

routes = web.RouteTableDef()


@routes.post("/order")
async def post_order(request: web.Request) -> web.Response:
    """Take one order."""
    state = state_of(request)
    key = await require_key(request)
    charge(request, key, bucket="order", cost=1)
    body = await body_json(request)
    faults_of(request).require_trading([body], now_ms=state.clock.now_ms())
    try:
        placed = _placed(request, body, key=key)
    finally:
        state.store.commit()
    return answer(placed)


@routes.post("/orders")
async def post_orders(request: web.Request) -> web.Response:
    """Take up to fifteen orders, one after the other; each has its own result."""
    state = state_of(request)
    key = await require_key(request)
    body = await body_json(request)
    if not isinstance(body, list) or not body:
        raise Refusal(400, INVALID_PAYLOAD)
    if len(body) > POST_BATCH_MAX:
        raise Refusal(400, f"Too many orders in payload: {len(body)}, max allowed: {POST_BATCH_MAX}")
    charge(request, key, bucket="order", cost=len(body))
    faults_of(request).require_trading(body, now_ms=state.clock.now_ms())
    try:
        results = [_place_leg(request, row, key=key) for row in body]
    finally:
        state.store.commit()
    return answer(results)


@routes.delete("/order")
async def cancel_order(request: web.Request) -> web.Response:
    """Cancel one order."""
    key = await require_key(request)
    body = await body_json(request)
    order_id = body.get("orderID") if isinstance(body, dict) else None
    if not _is_order_id(order_id):
        raise Refusal(400, INVALID_ORDER_ID)
    charge(request, key, bucket="cancel", cost=1)
    return answer(_canceled(request, [str(order_id)], key=key))


@routes.delete("/orders")
async def cancel_orders(request: web.Request) -> web.Response:
    """Cancel many orders by id."""
    key = await require_key(request)
    body = await body_json(request)
    if not isinstance(body, list) or not body or len(body) > CANCEL_BATCH_MAX:
        raise Refusal(400, INVALID_PAYLOAD)
    if not all(_is_order_id(row) for row in body):
        raise Refusal(400, INVALID_ORDER_ID)
    charge(request, key, bucket="cancel", cost=len(body))
    return answer(_canceled(request, body, key=key))


@routes.delete("/cancel-all")
async def cancel_all(request: web.Request) -> web.Response:
    """Cancel every order of the caller."""
    key = await require_key(request)
    return _canceled_found(request, live_orders(state_of(request), key=key), key=key)


@routes.delete("/cancel-market-orders")
async def cancel_market_orders(request: web.Request) -> web.Response:
    """Cancel the caller's orders of one market or one token."""
    key = await require_key(request)
    body = await body_json(request)
    if not isinstance(body, dict) or not (body.get("market") or body.get("asset_id")):
        raise Refusal(400, INVALID_PAYLOAD)
    chosen = [
        order
        for order in live_orders(state_of(request), key=key)
        if body.get("market") in (None, "", order.condition_id)
        and body.get("asset_id") in (None, "", order.token_id)
    ]
    return _canceled_found(request, chosen, key=key)


def _placed(request: web.Request, body: Any, *, key: ApiKey) -> dict[str, Any]:
    state = state_of(request)
    return order_place(
        state, parse_order(body), key=key, now_ms=state.clock.now_ms(), delay=faults_of(request).delay()
    )


def _place_leg(request: web.Request, row: Any, *, key: ApiKey) -> dict[str, Any]:
    """Return one leg's answer; in post-only mode the legs that would take are refused one by one."""
    try:
        faults_of(request).require_trading([row], now_ms=state_of(request).clock.now_ms())
        return _placed(request, row, key=key)
    except Refusal as refusal:
        quirk = faults_of(request).is_on("batch_empty_id")
        return {
            "success": quirk,
            "errorMsg": refusal.error,
            "orderID": "",
            "status": "",
            "makingAmount": "",
            "takingAmount": "",
            "tradeIDs": [],
            "transactionsHashes": [],
        }


def _canceled(request: web.Request, order_ids: list[str], *, key: ApiKey) -> dict[str, Any]:
    state = state_of(request)
    result = orders_cancel(state, order_ids, key=key)
    state.store.commit()
    return result


def _canceled_found(request: web.Request, orders: list[Order], *, key: ApiKey) -> web.Response:
    """Cancel what a request means without naming it: one token, and one more for each order it hit."""
    charge(request, key, bucket="cancel", cost=1)
    result = _canceled(request, [order.id for order in orders], key=key)
    charge_after(request, key, bucket="cancel", cost=len(result["canceled"]))
    return answer(result)


def _is_order_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == 66 and value.startswith("0x")
