"""One connection: what it reads, and how its messages reach it once the fault plan has had its way.

Messages are queued and written by one task, so a slow reader delays nobody; one that is too far behind is cut.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.faults import SOCKET_KINDS, FaultPlan

BACKLOG_MAX = 10_000
REORDER_SECONDS = 1.0
"""A message held back for reordering goes out alone when nothing follows for so long."""


class Line:
    """One WebSocket of one client."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        *,
        channel: str,
        transport: asyncio.Transport | None,
        plan: FaultPlan,
        now_ms: Callable[[], int],
    ) -> None:
        self.channel = channel
        self.assets: set[str] = set()
        self.custom = False
        self.owner = ""
        self.markets: set[str] = set()
        self.all_markets = False
        self.sent = 0
        self._socket = socket
        self._transport = transport
        self._plan = plan
        self._now_ms = now_ms
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._held: str | None = None
        self._silent_until = 0
        self._dead_until = 0

    def hears(self, owner: str, *, condition_id: str) -> bool:
        """Whether an event of the user channel is for this connection."""
        return owner == self.owner and (self.all_markets or condition_id.lower() in self.markets)

    def is_stale(self) -> bool:
        """Whether the next snapshot is to be an old one."""
        return self._strike("snapshot", only="socket_stale") is not None

    def pong(self) -> None:
        """Answer a PING; a silent connection still does, a dead one does not."""
        if self._now_ms() >= self._dead_until:
            self.say("PONG")

    def deliver(self, kind: str, body: Any) -> None:
        """Queue one message, or let a fault lose, double, delay or drown it."""
        text = json.dumps(body, separators=(",", ":"))
        now_ms = self._now_ms()
        if now_ms < max(self._silent_until, self._dead_until):
            return
        struck = self._strike(kind)
        held, self._held = self._held, None
        match struck.kind if struck else "":
            case "socket_gap":
                pass
            case "socket_drop":
                self.cut()
            case "socket_silence":
                self._silent_until = now_ms + round(struck.seconds * 1000) if struck else 0
            case "socket_dead":
                self._dead_until = now_ms + round(struck.seconds * 1000) if struck else 0
            case "socket_duplicate":
                self.say(text)
                self.say(text)
            case "socket_reorder":
                self._held = text
                asyncio.get_running_loop().call_later(REORDER_SECONDS, self._release, text)
            case _:
                self.say(text)
        if held is not None:
            self.say(held)

    def say(self, text: str) -> None:
        """Queue a frame as it is."""
        if self._queue.qsize() >= BACKLOG_MAX:
            self.cut()
            return
        self._queue.put_nowait(text)

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while not self._socket.closed:
            text = await self._queue.get()
            try:
                await self._socket.send_str(text)
            except (ConnectionError, RuntimeError):
                return
            self.sent += 1

    def cut(self) -> None:
        """End the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """End the connection properly."""
        await self._socket.close()

    def _release(self, text: str) -> None:
        if self._held == text:
            self._held = None
            self.say(text)

    def _strike(self, kind: str, *, only: str = "") -> Any:
        kinds = frozenset({only}) if only else SOCKET_KINDS - {"socket_stale"}
        return self._plan.strike("WS", f"/ws/{self.channel}/{kind}", now_ms=self._now_ms(), kinds=kinds)
