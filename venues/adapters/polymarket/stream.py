"""One WebSocket line to the market channel: kept alive, checked against REST, and opened anew after every fault.

The line is never believed: it may go silent without closing, and lose or swap messages (reported of the venue). What is
in doubt is shown to nobody until REST has decided. The process needs no key: it only reads.
Keep-alive and subscription: docs.polymarket.com/market-data/websocket/overview.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import msgspec
import structlog

from tonsurance.kernel.clock import utc_now
from venues.adapters.polymarket.book_checks import Checks, Pace
from venues.adapters.polymarket.book_stream import Doubt, KeptBook, KeptBooks, rest_books
from venues.adapters.polymarket.config import VENUE_CODE
from venues.adapters.polymarket.socket_line import (
    LOOK_S,
    PONG,
    STALE_S,
    Lifeline,
    Pulse,
    Socket,
    line_open,
    read_frames,
)
from venues.adapters.polymarket.stream_config import StreamConfig
from venues.domain.live_books import Misread
from venues.domain.streams import StreamedBook, StreamHealth

TOKENS_MAX: Final = 200
"""Ids of one line; the venue gives no snapshots beyond 500."""
REST_S_MAX: Final = 8.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAULTS: Final = (aiohttp.ClientError, OSError, TimeoutError, Misread)

log = structlog.get_logger(__name__)


class MarketStream:
    """The books of up to TOKENS_MAX tokens over one connection, within one event loop."""

    def __init__(self, config: StreamConfig, *, name: str, pace: Pace | None = None) -> None:
        self._config = config
        self._name = name
        self._kept = KeptBooks()
        self._checks = Checks(self._kept, pace=pace or Pace())
        self._written: dict[str, tuple[int, bool]] = {}
        self._pulse = Pulse()
        self._life = Lifeline()
        self._session: aiohttp.ClientSession | None = None
        self._connected_since: datetime | None = None
        self._connections = 0
        self._error = ""

    def want(self, instrument_ids: Iterable[str]) -> None:
        """Stream exactly these tokens. Raises ValueError for more than one line carries."""
        wanted = list(instrument_ids)
        if len(wanted) > TOKENS_MAX:
            raise ValueError(f"{len(wanted)} tokens are more than the {TOKENS_MAX} of one line")
        added, dropped = self._kept.want(wanted)
        for token in dropped:
            self._written.pop(token, None)
        if self._connected_since is not None:
            self._checks.added(added, now_s=time.monotonic())
            self._pulse.unsent += [
                _update(operation, ids)
                for operation, ids in (("subscribe", added), ("unsubscribe", dropped))
                if ids
            ]

    def stop(self) -> None:
        """End `run` soon."""
        self._life.stop()

    async def run(self) -> None:
        """Keep the line until `stop`."""
        async with aiohttp.ClientSession(trust_env=not self._config.is_loopback) as self._session:
            await self._life.keep(self._try)

    def changed(self) -> Sequence[StreamedBook]:
        """Books that are not as last written. A book in doubt is given once, without levels."""
        self._examine()
        true_at = self._wall(self._true_s)
        found = []
        for token, book in self._kept.books.items():
            if self._written.get(token) != (book.version, not book.doubt) and book.at_ms:
                found.append(_streamed(book, true_at=true_at))
        return found

    def written(self, books: Sequence[StreamedBook]) -> None:
        """These are stored: they are given again only when they change."""
        for book in books:
            if book.instrument_id in self._kept.books:
                self._written[book.instrument_id] = (book.version, book.is_sound)

    def unwritten(self) -> None:
        """Nothing is stored any more: every book is given again."""
        self._written.clear()

    def health(self) -> StreamHealth:
        """How the line is."""
        books = self._kept.books.values()
        is_up = self._connected_since is not None
        return StreamHealth(
            name=self._name,
            venue_code=VENUE_CODE,
            instruments=len(books),
            sound=sum(1 for book in books if not book.doubt),
            connected_since=self._connected_since,
            heard_at=self._wall(self._true_s) if is_up and self._true_s else None,
            messages=self._kept.messages,
            reconnects=max(0, self._connections - 1),
            resyncs=self._checks.resyncs,
            gaps=self._checks.gaps,
            false_alarms=self._checks.false_alarms,
            error=self._error,
        )

    async def _try(self) -> bool:
        """One connection from its opening to its end; True when it brought a book."""
        if not self._kept.books:
            await self._life.sleep(LOOK_S)
            return True
        heard = self._kept.messages
        try:
            await self._live()
        except _FAULTS as error:
            self._error = f"{type(error).__name__}: {error}"[:300]
        self._lost()
        return self._kept.messages > heard

    async def _live(self) -> None:
        assert self._session is not None
        socket = await line_open(self._session, self._config.clob_market_ws_url)
        try:
            self._opened()
            await socket.send_str(_initial(self._kept.books))
            await self._life.together(self._read(socket), self._beat(socket), self._check())
        finally:
            await socket.close()

    async def _read(self, socket: Socket) -> None:
        await read_frames(socket, hear=self._hear)
        self._error = "the venue ended the line"

    def _hear(self, frame: bytes) -> None:
        if frame == PONG:
            self._pulse.pong_s = time.monotonic()
            return
        self._pulse.heard_s = time.monotonic()
        self._kept.hear(frame)

    async def _beat(self, socket: Socket) -> None:
        await self._pulse.beat(socket)
        self._error = f"nothing heard for {STALE_S:.0f} s, not even a PONG"

    async def _check(self) -> None:
        """Ask REST about what is in doubt and, when the line is silent, about everything."""
        while True:
            self._examine()
            now_s = time.monotonic()
            asked = self._checks.due(now_s=now_s, heard_s=self._pulse.heard_s)
            if asked:
                try:
                    told = rest_books(await self._ask(asked))
                    self._checks.answered(asked, told, now_s=now_s)
                except _FAULTS as error:
                    self._error = f"REST books: {type(error).__name__}: {error}"[:300]
                    self._checks.failed(asked, now_s=now_s)
            if fault := self._checks.fault(now_s=time.monotonic(), heard_s=self._pulse.heard_s):
                self._error = fault
                return
            await asyncio.sleep(LOOK_S)

    async def _ask(self, tokens: Sequence[str]) -> bytes:
        assert self._session is not None
        body = [{"token_id": token} for token in tokens]
        timeout = aiohttp.ClientTimeout(total=REST_S_MAX)
        async with self._session.post(f"{self._config.clob_url}/books", json=body, timeout=timeout) as answer:
            answer.raise_for_status()
            return await answer.read()

    @property
    def _true_s(self) -> float:
        """When we last knew that the books without a doubt are the venue's: it spoke, or REST said the same."""
        return max(self._pulse.heard_s, self._checks.confirmed_s)

    def _opened(self) -> None:
        now_s = time.monotonic()
        self._pulse.restart()
        self._connections += 1
        self._connected_since = utc_now()
        self._checks.opened(now_s=now_s)

    def _lost(self) -> None:
        if self._connected_since is not None:
            log.info("market stream lost", stream=self._name, why=self._error)
        self._connected_since = None
        self._kept.forget()

    def _examine(self) -> None:
        with_hash = self._checks.trusts_hash(time.monotonic())
        for book in self._kept.books.values():
            book.examine(with_hash=with_hash)

    @staticmethod
    def _wall(moment_s: float) -> datetime:
        return utc_now() - timedelta(seconds=max(0.0, time.monotonic() - moment_s))


def _streamed(book: KeptBook, *, true_at: datetime) -> StreamedBook:
    bids, asks = ((), ()) if book.doubt else book.levels()
    return StreamedBook(
        instrument_id=book.instrument_id,
        version=book.version,
        is_sound=not book.doubt,
        doubt=str(book.doubt) if book.doubt is not Doubt.NONE else "",
        bids=bids,
        asks=asks,
        venue_at=_EPOCH + timedelta(milliseconds=book.at_ms),
        received_at=true_at,
        book_hash=book.book_hash,
    )


def _initial(tokens: Iterable[str]) -> str:
    return _frame({"type": "market", "assets_ids": sorted(tokens), "custom_feature_enabled": False})


def _update(operation: str, tokens: Sequence[str]) -> str:
    return _frame({"operation": operation, "assets_ids": list(tokens)})


def _frame(body: dict[str, object]) -> str:
    return msgspec.json.encode(body).decode()
