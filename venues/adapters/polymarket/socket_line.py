"""What every WebSocket line to the venue has in common: opened, kept alive, given up when dead, opened again.

Keep-alive: a text PING every ten seconds, answered PONG (docs.polymarket.com/market-data/websocket/overview).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import aiohttp

PING_S: Final = 10.0
STALE_S: Final = 30.0
OPEN_S_MAX: Final = 10.0
CLOSE_S_MAX: Final = 1.0
LOOK_S: Final = 0.5
BACKOFF_S_FIRST, BACKOFF_S_MAX = 0.25, 30.0
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
PONG: Final = b"PONG"

Socket = aiohttp.ClientWebSocketResponse[Literal[False]]
"""A WebSocket whose text frames come as bytes: the decoder wants them so."""


async def line_open(session: aiohttp.ClientSession, url: str) -> Socket:
    """Open a WebSocket, within OPEN_S_MAX seconds."""
    async with asyncio.timeout(OPEN_S_MAX):
        return await session.ws_connect(
            url,
            max_msg_size=FRAME_BYTES_MAX,
            decode_text=False,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S_MAX),
        )


async def read_frames(socket: Socket, *, hear: Callable[[bytes], None]) -> None:
    """Give every text frame to `hear` until the line ends."""
    receive, text = socket.receive, aiohttp.WSMsgType.TEXT
    while True:
        message = await receive()
        if message.type is not text:
            return
        hear(message.data)


class Pulse:
    """When a line last answered (`pong_s`) and last had data (`heard_s`), monotonic; and what is to be said on it."""

    def __init__(self) -> None:
        self.pong_s = self.heard_s = 0.0
        self.unsent: list[str] = []

    def restart(self) -> None:
        """A line was opened."""
        self.pong_s = self.heard_s = time.monotonic()
        self.unsent = []

    async def beat(self, socket: Socket) -> None:
        """Say PING every PING_S seconds and whatever is unsent; end when nothing was heard for STALE_S seconds."""
        ping_s = 0.0
        while True:
            now_s = time.monotonic()
            unsent, self.unsent = self.unsent, []
            for frame in unsent:
                await socket.send_str(frame)
            if now_s - ping_s >= PING_S:
                ping_s = now_s
                await socket.send_str("PING")
            if now_s - max(self.pong_s, self.heard_s) > STALE_S:
                return
            await asyncio.sleep(LOOK_S)


class Lifeline:
    """Opens a line again and again until it is told to stop."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End `keep` soon."""
        self._stop.set()

    async def keep(self, live: Callable[[], Awaitable[bool]]) -> None:
        """Call `live` (True: the line was of use) again after a wait: longer each time it was not, with jitter."""
        failures = 0
        while not self._stop.is_set():
            failures = 0 if await live() else min(failures + 1, 10)
            wait_s = min(BACKOFF_S_MAX, BACKOFF_S_FIRST * 2**failures)
            await self.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  it spreads, it hides nothing

    async def together(self, *parts: Awaitable[None]) -> None:
        """Run the parts of a line until the first of them ends, or until `stop`. Raises what that one raised."""
        tasks = [asyncio.ensure_future(part) for part in (*parts, self._stopped())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond `stop`."""
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    async def _stopped(self) -> None:
        await self._stop.wait()
