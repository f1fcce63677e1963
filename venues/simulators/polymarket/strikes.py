"""How a struck request feels to its sender: silence, a cut line, somebody else's error page.

`after` faults let the exchange do its work first, so the sender cannot tell them from `before`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from venues.simulators.polymarket.faults import Rule
from venues.simulators.polymarket.makers import book_regrid
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import exact_e4
from venues.simulators.polymarket.wire import answer, state_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CLOUDFLARE_PAGE = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1><p>You are unable to access polymarket.com</p></body></html>"
)
TOKENS = re.compile(rb'"tokenId": ?"(\d{1,78})"')
TICK_E4_MAX = 1000
BACKGROUND: set[asyncio.Task[web.StreamResponse]] = set()


async def struck(request: web.Request, handler: Handler, *, rule: Rule) -> web.StreamResponse:
    """Answer a request as its fault says."""
    match rule.kind:
        case "timeout_before":
            return await _silence(request, rule.seconds)
        case "timeout_after":
            await handler(request)
            return await _silence(request, rule.seconds)
        case "reset_before":
            return _cut(request)
        case "reset_after":
            await handler(request)
            return _cut(request)
        case "late_accept":
            task = asyncio.ensure_future(_later(request, handler, seconds=rule.seconds))
            BACKGROUND.add(task)
            task.add_done_callback(BACKGROUND.discard)
            return _cut(request)
        case "twice":
            await handler(request)
            return await handler(request)
        case "tick_change":
            _change_tick(state_of(request), await request.read(), tick=rule.tick)
            return await handler(request)
        case "slow":
            await asyncio.sleep(rule.seconds)
            return await handler(request)
    return await _odd_answer(request, handler, rule=rule)


async def _odd_answer(request: web.Request, handler: Handler, *, rule: Rule) -> web.StreamResponse:
    match rule.kind:
        case "rate_limit":
            reset = state_of(request).clock.now_ms() // 1000 + 1
            limits = {"Retry-After": "1", "Poly-RateLimit-Remaining": "0", "Poly-RateLimit-Reset": str(reset)}
            headers = {**limits, "Poly-RateLimit-Tier": "standard"} if rule.headers else None
            return answer({"error": "Too Many Requests"}, status=429, headers=headers)
        case "server_error":
            return answer({"error": rule.text}, status=500)
        case "server_error_after":
            await handler(request)
            return answer({"error": rule.text}, status=500)
        case "cloudflare":
            return web.Response(
                text=CLOUDFLARE_PAGE, status=403, content_type="text/html", headers={"Server": "cloudflare"}
            )
        case "broken_json":
            await handler(request)
            return web.Response(text='{"success":true,"errorMsg":"","orde', content_type="application/json")
        case _:
            await handler(request)
            return web.Response(text="", content_type="application/json")


def _change_tick(state: State, body: bytes, *, tick: str) -> None:
    """Change the tick of every market that a body's orders name, after they were signed."""
    for token_id in sorted(set(TOKENS.findall(body))):
        market = state.market_by_token.get(token_id.decode())
        if market is None:
            continue
        market.tick_e4 = exact_e4(tick) if tick else min(market.tick_e4 * 10, TICK_E4_MAX)
        state.save(market)
        book_regrid(state, market, now_ms=state.clock.now_ms())


async def _later(request: web.Request, handler: Handler, *, seconds: float) -> web.StreamResponse:
    await asyncio.sleep(seconds)
    return await handler(request)


async def _silence(request: web.Request, seconds: float) -> web.StreamResponse:
    await asyncio.sleep(seconds)
    return _cut(request)


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
