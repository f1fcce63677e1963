"""How the services are reached over HTTP: the keys of the application, JSON in and out, cursors.

Every handler is synchronous between reading the request and answering, and commits before it answers.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from aiohttp import web

from venues.simulators.polymarket.budgets import Budgets
from venues.simulators.polymarket.credentials import authenticate
from venues.simulators.polymarket.faults import FaultPlan
from venues.simulators.polymarket.records import ApiKey, Market
from venues.simulators.polymarket.refusals import INVALID_PAYLOAD, NO_BOOK, Refusal
from venues.simulators.polymarket.state import State

STATE: web.AppKey[State] = web.AppKey("state", State)
FAULTS: web.AppKey[FaultPlan] = web.AppKey("faults", FaultPlan)
BUDGETS: web.AppKey[Budgets] = web.AppKey("budgets", Budgets)

FIRST_CURSOR = "MA=="
LAST_CURSOR = "LTE="
BODY_BYTES_MAX = 1 << 20

T = TypeVar("T")


def state_of(request: web.Request) -> State:
    """Return the exchange behind a request."""
    return request.config_dict[STATE]


def faults_of(request: web.Request) -> FaultPlan:
    """Return the fault plan behind a request."""
    return request.config_dict[FAULTS]


def charge(request: web.Request, key: ApiKey, *, bucket: str, cost: int) -> None:
    """Take tokens from a signer's bucket; the answer carries the headers, whatever it will be."""
    request["told"] = request.config_dict[BUDGETS].charge(key.address, bucket=bucket, cost=cost)


def charge_after(request: web.Request, key: ApiKey, *, bucket: str, cost: int) -> None:
    """Take what a request turned out to cost on top."""
    headers = request.config_dict[BUDGETS].charge_after(key.address, bucket=bucket, cost=cost)
    request["told"] = {**request.get("told", {}), **headers}


def arrived_ms(request: web.Request) -> int:
    """Return when the request arrived, in the exchange's time; a late accept is judged by its arrival."""
    return int(request.get("arrived_ms", 0)) or state_of(request).clock.now_ms()


def answer(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a compact JSON answer."""
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


async def body_json(request: web.Request) -> Any:
    """Return the request's JSON body, or refuse it."""
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, INVALID_PAYLOAD) from error


async def require_key(request: web.Request) -> ApiKey:
    """Return the API key of an L2 request, or refuse 401."""
    prefix, _, rest = request.path.removeprefix("/").partition("/")
    path = f"/{rest}" if prefix == "clob" else request.path
    return authenticate(
        state_of(request),
        request.headers,
        method=request.method,
        path=path,
        body=await request.read(),
        now_ms=arrived_ms(request),
    )


def market_of_token(state: State, token_id: str) -> Market:
    """Return the open market of a token, or refuse 404."""
    market = state.market_by_token.get(token_id)
    if market is None or market.closed:
        raise Refusal(404, NO_BOOK)
    return market


def page_of(rows: Sequence[T], cursor: str | None, *, limit: int) -> tuple[list[T], str]:
    """Return one page and the next cursor (base64 of an offset; `LTE=` is -1, the end)."""
    start = 0
    if cursor:
        try:
            start = int(base64.b64decode(cursor, validate=True))
        except (binascii.Error, ValueError) as error:
            raise Refusal(400, "invalid next_cursor") from error
    if start < 0:
        return [], LAST_CURSOR
    page = list(rows[start : start + limit])
    end = start + limit
    return page, base64.b64encode(str(end).encode()).decode() if end < len(rows) else LAST_CURSOR
