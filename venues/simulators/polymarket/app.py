"""The practice exchange as one web application: every service of the venue under its own path prefix.

Each request first brings the exchange up to its own time, so settlement and expiry need no one watching; a
ticker does the same while nobody asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from venues.simulators.polymarket import (
    admin,
    chain,
    chain_levers,
    clob_account,
    clob_books,
    clob_keys,
    clob_markets,
    clob_trading,
    data_activity,
    data_api,
    gamma,
    relayer,
    sockets,
)
from venues.simulators.polymarket.budgets import Budgets
from venues.simulators.polymarket.config import Config
from venues.simulators.polymarket.faults import FaultPlan
from venues.simulators.polymarket.markets import markets_open
from venues.simulators.polymarket.recordings import recording_play, recording_resume
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.strikes import struck
from venues.simulators.polymarket.timeline import timeline_advance
from venues.simulators.polymarket.wire import BODY_BYTES_MAX, BUDGETS, FAULTS, STATE, answer

TICK_SECONDS = 0.2
ENGINE_CALLS = frozenset({"/clob/order", "/clob/orders", "/clob/cancel-all", "/clob/cancel-market-orders"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
logger = logging.getLogger(__name__)


def create_app(config: Config | None = None) -> web.Application:
    """Return the whole exchange, its state loaded and its markets open."""
    state = State(config or Config())
    plan = FaultPlan(state=state)
    plan.load()
    markets_open(state, now_ms=state.clock.now_ms())
    _play(state)
    timeline_advance(state)
    app = web.Application(middlewares=[_errors, _faults], client_max_size=BODY_BYTES_MAX)
    app[STATE] = state
    app[FAULTS] = plan
    app[BUDGETS] = Budgets(state)
    app[sockets.HUB] = sockets.Hub(state, plan)
    _mount(
        app,
        "/clob",
        clob_markets.routes,
        clob_books.routes,
        clob_keys.routes,
        clob_account.routes,
        clob_trading.routes,
    )
    _mount(app, "/gamma", gamma.routes)
    _mount(app, "/data", data_api.routes, data_activity.routes)
    _mount(app, "/relayer", relayer.routes)
    _mount(app, "/geo", chain.geo_routes)
    app.add_routes(chain.rpc_routes)
    app.add_routes(sockets.routes)
    door = web.Application(middlewares=[admin.loopback_only])
    door.add_routes(admin.routes)
    door.add_routes(chain_levers.routes)
    door.add_routes(sockets.admin_routes)
    door.router.add_post("/reset", _reset)
    app.add_subapp("/admin", door)
    app.cleanup_ctx.append(_ticker)
    app.on_shutdown.append(sockets.hang_up)
    return app


def _play(state: State) -> None:
    """Go on with a recording that was playing, or begin the one that the options name."""
    if state.settings.get("play"):
        recording_resume(state)
    elif state.config.play is not None:
        recording_play(
            state,
            now_ms=state.clock.now_ms(),
            path=str(state.config.play.resolve()),
            speed=state.config.play_speed,
            slug=state.config.play_as,
        )


def _mount(app: web.Application, prefix: str, *tables: web.RouteTableDef) -> None:
    service = web.Application()
    for table in tables:
        service.add_routes(table)
    app.add_subapp(prefix, service)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a refusal in the venue's words, and an unknown path as its gateway does."""
    state = request.config_dict[STATE]
    request["arrived_ms"] = state.clock.now_ms()
    response = await _answered(request, handler)
    if not response.prepared:
        response.headers.update(request.get("told", {}))
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer(refusal.body(), status=refusal.status, headers=refusal.headers)
    except web.HTTPException as error:
        return answer({"error": error.reason}, status=error.status)
    except Exception:
        logger.exception("%s %s broke the practice exchange", request.method, request.path)
        return answer({"error": "internal error"}, status=500)


@web.middleware
async def _faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the fault plan have its way before, instead of or after the handler."""
    state, plan = request.config_dict[STATE], request.config_dict[FAULTS]
    if request.path.startswith("/admin/"):
        timeline_advance(state)
        return await _told(request, handler)
    request.config_dict[BUDGETS].admit(request.remote or "", method=request.method, path=request.path)
    await request.read()
    rule = plan.strike(request.method, await _struck_path(request), now_ms=state.clock.now_ms())
    if rule is None:
        return await _handled(request, handler)
    state.store.commit()

    async def told(again: web.Request) -> web.StreamResponse:
        """Answer refusals too, so that a fault may swallow them like any other answer."""
        return await _answered(again, lambda once_more: _handled(once_more, handler))

    return await struck(request, told, rule=rule)


async def _struck_path(request: web.Request) -> str:
    """A transaction that is sent is struck by a path of its own, for every question to the node is a POST to `/rpc`."""
    is_send = request.path.startswith("/rpc") and b'"eth_sendRawTransaction"' in await request.read()
    return "/rpc/eth_sendRawTransaction" if is_send else request.path


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    timeline_advance(request.config_dict[STATE])
    if request.method != "GET" and request.path in ENGINE_CALLS:
        request.config_dict[FAULTS].require_engine()
    return await _told(request, handler)


async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handle a request, and tell the open connections what it changed."""
    try:
        return await handler(request)
    finally:
        request.config_dict[sockets.HUB].publish()


async def _reset(request: web.Request) -> web.Response:
    """Forget everything and open the seeded markets again, with another seed if one is given."""
    state, plan = request.config_dict[STATE], request.config_dict[FAULTS]
    body: Any = await request.json() if request.can_read_body else {}
    if "seed" in body:
        state.config = replace(state.config, seed=int(body["seed"]))
    state.reset()
    plan.clear()
    request.config_dict[BUDGETS].clear()
    markets_open(state, now_ms=state.clock.now_ms())
    state.store.commit()
    request.config_dict[sockets.HUB].reset()
    return answer({"seed": state.config.seed, "markets": len(state.markets)})


async def _ticker(app: web.Application) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                timeline_advance(app[STATE])
                app[sockets.HUB].publish()
            except Exception:
                logger.exception("the practice exchange could not advance")

    task = asyncio.ensure_future(tick())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    app[STATE].store.commit()
    app[STATE].store.close()
