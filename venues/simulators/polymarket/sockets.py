"""The two WebSocket channels, `/ws/market` and `/ws/user`, as the venue speaks them.

Source: docs.polymarket.com/market-data/websocket. Where it is silent this exchange does the following, and no client
should lean on it: a connection without a PING for 60 s is closed; a frame that is no subscription is answered
`INVALID OPERATION`; wrong credentials close the user channel; a reader that is 10,000 messages behind is cut.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Iterable
from typing import Any

from aiohttp import WSMsgType, web

from venues.simulators.polymarket.faults import FaultPlan
from venues.simulators.polymarket.sockets_line import Line
from venues.simulators.polymarket.sockets_market import MarketFeed
from venues.simulators.polymarket.sockets_user import UserFeed
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.wire import answer

ASSETS_MAX = 500
"""Ids of one connection that get a snapshot; further ones get none."""
PING_SECONDS_MAX = 60.0
FRAME_BYTES_MAX = 1 << 20
INVALID = "INVALID OPERATION"
MARKET, USER = "market", "user"

logger = logging.getLogger(__name__)


class Hub:
    """Every open connection, and what has been said on them."""

    def __init__(self, state: State, plan: FaultPlan) -> None:
        self.state = state
        self.ping_seconds_max = PING_SECONDS_MAX
        self.market = MarketFeed(state)
        self.user = UserFeed(state)
        self._plan = plan
        self._lines: set[Line] = set()

    def publish(self) -> None:
        """Tell every connection what has changed since the last time."""
        if not self._lines:
            self.user.drain()
            return
        readers = [line for line in self._lines if line.channel == MARKET]
        for event in self.market.changes({asset for line in readers for asset in line.assets}):
            for line in readers:
                if event.is_for(line.assets, custom=line.custom):
                    line.deliver(event.kind, event.body)
        for told in self.user.drain():
            for line in self._lines:
                if line.channel == USER and line.hears(told.owner, condition_id=told.condition_id):
                    line.deliver(told.kind, told.body)
        self.state.store.commit()

    def reset(self) -> None:
        """Begin a new history; connections stay open and hear of it as changes."""
        self.user.forget()
        self.publish()

    def body(self) -> list[dict[str, Any]]:
        """Every connection: its channel, how many ids it reads, and how many messages it was sent."""
        return [
            {"channel": line.channel, "ids": len(line.assets or line.markets), "sent": line.sent}
            for line in self._lines
        ]

    async def serve(self, request: web.Request, *, channel: str) -> web.WebSocketResponse:
        """Run one connection to its end."""
        socket = web.WebSocketResponse(max_msg_size=FRAME_BYTES_MAX, autoping=True)
        await socket.prepare(request)
        line = Line(
            socket,
            channel=channel,
            transport=request.transport,
            plan=self._plan,
            now_ms=self.state.clock.now_ms,
        )
        self._lines.add(line)
        writer = asyncio.ensure_future(line.write())
        try:
            await self._listen(socket, line)
        finally:
            self._lines.discard(line)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """End every connection; the exchange stops."""
        for line in list(self._lines):
            await line.close()

    async def _listen(self, socket: web.WebSocketResponse, line: Line) -> None:
        while True:
            try:
                message = await socket.receive(timeout=self.ping_seconds_max)
            except TimeoutError:
                await socket.close()
                return
            if message.type is not WSMsgType.TEXT:
                return
            if message.data == "PING":
                line.pong()
            elif not self._subscribe(line, message.data):
                await socket.close()
                return

    def _subscribe(self, line: Line, text: str) -> bool:
        """Act on a subscription; False when the connection has to end."""
        try:
            body = json.loads(text)
            ids = _names(body, "assets_ids" if line.channel == MARKET else "markets")
        except (ValueError, TypeError):
            line.say(INVALID)
            return True
        is_first = body.get("type") == line.channel and "operation" not in body
        operation = "subscribe" if is_first else body.get("operation")
        if operation not in ("subscribe", "unsubscribe"):
            line.say(INVALID)
            return True
        if line.channel == USER:
            return self._follow(line, body, markets=ids, operation=operation)
        line.custom = bool(body.get("custom_feature_enabled", line.custom))
        if operation == "unsubscribe":
            line.assets -= set(ids)
        else:
            self._read(line, ids, is_first=is_first)
        return True

    def _read(self, line: Line, ids: Iterable[str], *, is_first: bool) -> None:
        self.publish()
        fresh = []
        for asset in ids:
            if asset in line.assets or asset not in self.state.market_by_token:
                continue
            if len(line.assets) < ASSETS_MAX:
                fresh.append(asset)
            line.assets.add(asset)
        books = [self.market.snapshot(asset, is_stale=line.is_stale()) for asset in fresh]
        if is_first and books:
            line.deliver("book", books)
        elif not is_first:
            for book in books:
                line.deliver("book", book)
        self.state.store.commit()

    def _follow(self, line: Line, body: dict[str, Any], *, markets: list[str], operation: str) -> bool:
        if line.owner == "":
            told = body.get("auth")
            auth: dict[str, Any] = told if isinstance(told, dict) else {}
            key = self.state.keys.get(str(auth.get("apiKey")))
            if key is None or not key.active or not _matches(auth, key.secret, key.passphrase):
                return False
            line.owner, line.all_markets = key.key, not markets
        names = {name.lower() for name in markets}
        line.markets = line.markets | names if operation == "subscribe" else line.markets - names
        return True


HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
routes = web.RouteTableDef()


@routes.get("/ws/market")
async def market_channel(request: web.Request) -> web.WebSocketResponse:
    """The public channel: books by token id."""
    return await request.config_dict[HUB].serve(request, channel=MARKET)


@routes.get("/ws/user")
async def user_channel(request: web.Request) -> web.WebSocketResponse:
    """The private channel: the caller's own orders and trades."""
    return await request.config_dict[HUB].serve(request, channel=USER)


admin_routes = web.RouteTableDef()


@admin_routes.get("/sockets")
async def show_sockets(request: web.Request) -> web.Response:
    """Show the open connections."""
    hub = request.config_dict[HUB]
    return answer({"ping_seconds": hub.ping_seconds_max, "connections": hub.body()})


@admin_routes.post("/sockets")
async def set_sockets(request: web.Request) -> web.Response:
    """Change how many seconds a connection may be without a PING (`ping_seconds`)."""
    hub, body = request.config_dict[HUB], await request.json()
    seconds = float(body["ping_seconds"])
    if not 0 < seconds <= 3600:
        raise ValueError("ping_seconds must be above 0 and at most 3600")
    hub.ping_seconds_max = seconds
    return answer({"ping_seconds": seconds})


async def hang_up(app: web.Application) -> None:
    """End every connection before the exchange stops."""
    await app[HUB].close()


def _names(body: Any, field: str) -> list[str]:
    names = body.get(field, []) if isinstance(body, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(field)
    return names


def _matches(auth: dict[str, Any], secret: str, passphrase: str) -> bool:
    given = f"{auth.get('secret')}\n{auth.get('passphrase')}"
    return hmac.compare_digest(given.encode(), f"{secret}\n{passphrase}".encode())
