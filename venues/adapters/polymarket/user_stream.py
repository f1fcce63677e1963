"""The private channel: which of our orders something happened to. A hint to look; REST says what happened.

It needs the API key, its secret and its passphrase, and no key that signs. Source of the messages:
docs.polymarket.com/market-data/websocket/user-channel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import aiohttp
import msgspec
import structlog

from tonsurance.kernel.clock import utc_now
from venues.adapters.polymarket.config import VENUE_CODE
from venues.adapters.polymarket.socket_line import (
    PONG,
    STALE_S,
    Lifeline,
    Pulse,
    Socket,
    line_open,
    read_frames,
)
from venues.adapters.polymarket.stream_config import UserStreamConfig
from venues.domain.streams import StreamedBook, StreamHealth

_FAULTS: Final = (aiohttp.ClientError, OSError, TimeoutError)
log = structlog.get_logger(__name__)


class MakerOrder(msgspec.Struct):
    order_id: str = ""


class UserEvent(msgspec.Struct):
    """An `order` (its id is the order's) or a `trade` (its id is the trade's). Lists may be null."""

    event_type: str
    id: str = ""
    taker_order_id: str = ""
    maker_orders: list[MakerOrder] | None = None


_decode = msgspec.json.Decoder(UserEvent | list[UserEvent]).decode


def orders_of(frame: bytes) -> list[str]:
    """The venue's names of the orders that a frame is about. Raises msgspec.MsgspecError for what is no event."""
    found = _decode(frame)
    names: list[str] = []
    for event in found if isinstance(found, list) else [found]:
        if event.event_type == "order":
            names.append(event.id)
        elif event.event_type == "trade":
            names += [event.taker_order_id, *(maker.order_id for maker in event.maker_orders or ())]
    return [name for name in dict.fromkeys(names) if name]


class UserStream:
    """One line to the private channel. `on_order` gets the venue's name of an order; it must not wait for anything."""

    def __init__(self, config: UserStreamConfig, *, name: str, on_order: Callable[[str], None]) -> None:
        self._config = config
        self._name = name
        self._on_order = on_order
        self._life = Lifeline()
        self._pulse = Pulse()
        self._session: aiohttp.ClientSession | None = None
        self._connected_since: datetime | None = None
        self._connections = 0
        self._messages = 0
        self._unreadable = 0
        self._error = ""

    def want(self, instrument_ids: Iterable[str]) -> None:
        """The channel is about orders in every market; there is nothing to choose."""

    def stop(self) -> None:
        """End `run` soon."""
        self._life.stop()

    async def run(self) -> None:
        """Keep the line until `stop`."""
        async with aiohttp.ClientSession(trust_env=not self._config.is_loopback) as self._session:
            await self._life.keep(self._try)

    def changed(self) -> Sequence[StreamedBook]:
        """This line carries no books."""
        return ()

    def written(self, books: Sequence[StreamedBook]) -> None:
        """This line carries no books."""

    def unwritten(self) -> None:
        """This line carries no books."""

    def health(self) -> StreamHealth:
        """How the line is."""
        is_up = self._connected_since is not None
        age = timedelta(seconds=max(0.0, time.monotonic() - self._pulse.heard_s))
        return StreamHealth(
            name=self._name,
            venue_code=VENUE_CODE,
            instruments=0,
            sound=0,
            connected_since=self._connected_since,
            heard_at=utc_now() - age if is_up else None,
            messages=self._messages,
            reconnects=max(0, self._connections - 1),
            resyncs=0,
            gaps=0,
            false_alarms=self._unreadable,
            error=self._error,
        )

    async def _try(self) -> bool:
        """One connection from its opening to its end; True when it lasted until it was heard."""
        opened_s = time.monotonic()
        try:
            await self._live()
        except _FAULTS as error:
            self._error = f"{type(error).__name__}: {error}"[:300]
        self._connected_since = None
        # Wrong credentials end a line at once, without a word: that must not be repeated every second.
        return time.monotonic() - opened_s > STALE_S

    async def _live(self) -> None:
        assert self._session is not None
        socket = await line_open(self._session, self._config.clob_user_ws_url)
        try:
            self._pulse.restart()
            self._connections += 1
            self._connected_since = utc_now()
            await socket.send_str(self._hello())
            await self._life.together(self._read(socket), self._beat(socket))
        finally:
            await socket.close()

    async def _read(self, socket: Socket) -> None:
        await read_frames(socket, hear=self._hear)
        self._error = "the venue ended the line; are the API key, secret and passphrase right?"

    def _hear(self, frame: bytes) -> None:
        if frame == PONG:
            self._pulse.pong_s = time.monotonic()
            return
        self._pulse.heard_s = time.monotonic()
        try:
            names = orders_of(frame)
        except msgspec.MsgspecError:
            self._unreadable += 1
            return
        self._messages += 1
        for name in names:
            self._on_order(name)

    async def _beat(self, socket: Socket) -> None:
        await self._pulse.beat(socket)
        self._error = f"nothing heard for {STALE_S:.0f} s, not even a PONG"

    def _hello(self) -> str:
        auth = {
            "apiKey": self._config.api_key,
            "secret": self._config.secret,
            "passphrase": self._config.passphrase,
        }
        return msgspec.json.encode({"type": "user", "auth": auth}).decode()
