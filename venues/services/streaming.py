"""Runs the lines of market data of one process: who streams what, and a write a second.

Its own process and its own event loop: no order ever waits for a message, and no message for an order. The database is
spoken to from one thread, so that a slow write does not stop the reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Refused
from venues.domain.streams import BookStream
from venues.services.streams import (
    StreamReport,
    instruments_streamable,
    stream_instruments_max,
    stream_open,
    streaming_begin,
    streaming_holds,
    streams_end,
    streams_forget,
    streams_refused,
    streams_store,
    streams_trim,
    user_stream_open,
    venues_streamed,
)

WRITE_EVERY_S = 1.0
WANTED_EVERY_S = 5.0
HINTS_MAX = 100
LINES_MAX = 25
"""Of one venue; instruments beyond are left to REST, and the log says so."""
STOP_S_MAX = 5.0

Answer = TypeVar("Answer")
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Line:
    """One stream with its task, and what it is to carry: the venue's name of an instrument -> row id."""

    name: str
    venue_code: str
    stream: BookStream
    task: asyncio.Task[None]
    carries: dict[str, int] = field(default_factory=dict)
    counted: int = 0
    is_user: bool = False


class Streaming:
    """All lines. `wanted` says which instruments (row ids) to stream, the most important first.

    `on_move` is called when a best price moved; `on_order`, where given, with a venue and its name of an order of ours
    that something happened to, and the lines that know of such things are opened. All are called in the database's
    thread.
    """

    def __init__(
        self,
        *,
        wanted: Callable[[], Sequence[int]],
        on_move: Callable[[], object],
        on_order: Callable[[str, str], object] | None = None,
    ) -> None:
        self._wanted = wanted
        self._on_move = on_move
        self._on_order = on_order
        self._told_orders: set[tuple[str, str]] = set()
        self._lines: dict[str, Line] = {}
        self._left_out: frozenset[str] = frozenset()
        self._refused: set[str] = set()
        self._stop = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="streams-database")
        self._wrote_s = monotonic_s()
        self._touches: dict[int, tuple[Decimal | None, Decimal | None]] = {}

    def stop(self) -> None:
        """End `run` soon. May be called from a signal handler."""
        self._stop.set()

    async def run(self) -> None:
        """Stream until `stop`. A database that is away is waited for; the lines stay up meanwhile."""
        is_ours, wanted_s = False, 0.0
        try:
            while not self._stop.is_set():
                try:
                    is_ours = await self._database(self._claim if not is_ours else streaming_holds)
                    if is_ours and monotonic_s() - wanted_s >= WANTED_EVERY_S:
                        await self._assign(await self._database(self._read_wanted))
                        wanted_s = monotonic_s()
                    if is_ours:
                        self._open_user_lines()
                        await self._write()
                except (DatabaseError, InterfaceError) as error:
                    is_ours, wanted_s = False, 0.0
                    log.warning("the database is away; the lines stay up", error=str(error))
                await self._sleep(WRITE_EVERY_S)
        finally:
            await self._end(is_ours=is_ours)

    async def _assign(self, wanted: dict[str, dict[str, int]]) -> None:
        """Give every wanted instrument a line; what has one keeps it."""
        for line in self._lines.values():
            still = wanted.get(line.venue_code, {})
            gone = [name for name in line.carries if name not in still]
            if gone:
                await self._database(partial(streams_forget, [line.carries.pop(name) for name in gone]))
        left_out = set()
        for venue_code, names in sorted(wanted.items()):
            carried = {name for line in self._lines_of(venue_code) for name in line.carries}
            for name in [name for name in names if name not in carried]:
                room = await self._room(venue_code)
                if room is None:
                    left_out.add(name)
                else:
                    room.carries[name] = names[name]
        for line in self._lines.values():
            line.stream.want(line.carries)
        await self._retire()
        if left_out and left_out != self._left_out:
            log.warning("more instruments than lines; the rest is read by REST", left_out=len(left_out))
        self._left_out = frozenset(left_out)

    def _open_user_lines(self) -> None:
        """One line a venue to what happens to our orders; without credentials there is none, and REST does all."""
        if self._on_order is None:
            return
        for venue_code in sorted(venues_streamed()):
            name = f"{venue_code}-user"
            if name in self._lines or name in self._refused:
                continue
            told = partial(self._order_told, venue_code)
            try:
                stream = user_stream_open(venue_code, name=name, on_order=told)
            except Refused as refused:
                self._refused.add(name)
                log.warning("orders are not streamed; they are looked up as before", why=str(refused))
                continue
            task = asyncio.create_task(stream.run())
            self._lines[name] = Line(name, venue_code, stream, task, is_user=True)

    def _order_told(self, venue_code: str, order_name: str) -> None:
        """Pass a hint on, once while it is under way; hints beyond HINTS_MAX are dropped: a look-up comes anyway."""
        hint = (venue_code, order_name)
        if self._on_order is None or hint in self._told_orders or len(self._told_orders) >= HINTS_MAX:
            return
        self._told_orders.add(hint)
        passed = asyncio.get_running_loop().run_in_executor(self._thread, self._on_order, *hint)
        passed.add_done_callback(lambda _done: self._told_orders.discard(hint))

    async def _room(self, venue_code: str) -> Line | None:
        lines = self._lines_of(venue_code)
        for line in lines:
            if len(line.carries) < stream_instruments_max(venue_code):
                return line
        if len(lines) >= LINES_MAX:
            return None
        taken = {line.name for line in lines}
        name = next(
            f"{venue_code}-{number}"
            for number in range(1, LINES_MAX + 1)
            if f"{venue_code}-{number}" not in taken
        )
        try:
            stream = stream_open(venue_code, name=name)
        except Refused as refused:
            await self._database(partial(streams_refused, venue_code, refused, now=utc_now()))
            return None
        line = Line(name, venue_code, stream, asyncio.create_task(stream.run()))
        self._lines[name] = line
        return line

    async def _retire(self) -> None:
        """End the lines that carry nothing, and start again those whose task fell over."""
        for line in list(self._lines.values()):
            if line.task.done():
                error = None if line.task.cancelled() else line.task.exception()
                log.error("a line fell over; starting it again", stream=line.name, error=repr(error))
                del self._lines[line.name]
            elif not line.carries and not line.is_user and len(self._lines_of(line.venue_code)) > 1:
                line.stream.stop()
                await asyncio.wait([line.task], timeout=STOP_S_MAX)
                del self._lines[line.name]
        names = list(self._lines)
        if names:
            await self._database(lambda: streams_trim(names))

    async def _write(self) -> None:
        now_s = monotonic_s()
        passed_s = max(now_s - self._wrote_s, 0.001)
        self._wrote_s = now_s
        reports = []
        for line in self._lines.values():
            health = line.stream.health()
            rate = Decimal(max(0, health.messages - line.counted)) / Decimal(passed_s)
            line.counted = health.messages
            reports.append(StreamReport(health, round(rate, 1), line.stream.changed()))
        if not reports:
            return
        row_ids = {name: row for line in self._lines.values() for name, row in line.carries.items()}
        await self._database(lambda: streams_store(reports, row_ids=row_ids, now=utc_now()))
        for line, report in zip(self._lines.values(), reports, strict=True):
            line.stream.written(report.books)
        if self._moved(reports, row_ids):
            await self._database(self._on_move)

    def _moved(self, reports: list[StreamReport], row_ids: dict[str, int]) -> bool:
        """Whether a best price is another one than when we last looked."""
        moved = False
        for report in reports:
            for book in report.books:
                row = row_ids.get(book.instrument_id)
                if row is None or not book.is_sound:
                    continue
                touch = (
                    book.bids[0].price if book.bids else None,
                    book.asks[0].price if book.asks else None,
                )
                moved |= self._touches.get(row, touch) != touch
                self._touches[row] = touch
        return moved

    async def _end(self, *, is_ours: bool) -> None:
        for line in self._lines.values():
            line.stream.stop()
        if self._lines:
            await asyncio.wait([line.task for line in self._lines.values()], timeout=STOP_S_MAX)
        try:
            if is_ours:
                await self._database(lambda: streams_end(now=utc_now(), why="the process was stopped"))
            await self._database(connection.close)
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database is away; the rows will grow old instead", error=str(error))
        self._thread.shutdown(wait=False)

    async def _database(self, act: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    def _claim(self) -> bool:
        close_old_connections()
        if streaming_begin(now=utc_now()):
            for line in self._lines.values():
                line.stream.unwritten()
            return True
        log.info("another process streams; waiting")
        return False

    def _read_wanted(self) -> dict[str, dict[str, int]]:
        return instruments_streamable(self._wanted())

    def _lines_of(self, venue_code: str) -> list[Line]:
        """The lines with books."""
        return [line for line in self._lines.values() if line.venue_code == venue_code and not line.is_user]

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
