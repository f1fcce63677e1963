"""Stores what the streams have: each changed book and each line once a second, in one statement each.

Nothing here is history. A process killed at any moment leaves rows that grow old, and whoever reads them asks how old.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from tonsurance.kernel.errors import Refused
from venues.domain.streams import BookStream, StreamedBook, StreamHealth
from venues.models import Instrument, StreamBook, StreamState
from venues.registry import stream_for, stream_size_max, user_stream_for, venues_with_stream

# One streaming process at a time: two would overwrite each other's lines. Any constant of our own will do.
_LOCK = 7_301_114
_BOOK_FIELDS = [
    "stream_id", "bids", "asks", "best_bid", "best_ask", "is_sound", "doubt", "venue_at", "received_at", "book_hash",
]  # fmt: skip
_STATE_FIELDS = [
    "venue_id", "instruments", "sound", "connected_since", "heard_at", "told_at", "messages", "messages_per_s",
    "reconnects", "resyncs", "gaps", "false_alarms", "error", "process",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What one line has to say at one moment."""

    health: StreamHealth
    messages_per_s: Decimal
    books: Sequence[StreamedBook]


def stream_open(venue_code: str, *, name: str) -> BookStream:
    """A new line to `venue_code`, not yet running. Raises Refused for a venue without one, or faulty settings."""
    return stream_for(venue_code, name=name)


def user_stream_open(venue_code: str, *, name: str, on_order: Callable[[str], None]) -> BookStream:
    """A new line to what happens to our own orders, not yet running. Raises Refused like `stream_open`."""
    return user_stream_for(venue_code, name=name, on_order=on_order)


def stream_instruments_max(venue_code: str) -> int:
    """How many books one line of `venue_code` carries."""
    return stream_size_max(venue_code)


def venues_streamed() -> frozenset[str]:
    """Codes of the venues whose books can be streamed."""
    return venues_with_stream()


def streaming_begin(*, now: datetime) -> bool:
    """Claim the work for this process and disown what an earlier one left; False while another is at it.

    The claim is the database connection's: it ends with it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        claimed: bool = cursor.fetchone()[0]
    if not claimed:
        return False
    # An old book must not look young because a new line speaks: it counts again when this process has it.
    StreamBook.objects.update(is_sound=False, doubt="not heard since the stream was started", stream=None)
    StreamState.objects.update(connected_since=None, told_at=now, error="not started yet")
    return True


def streaming_holds() -> bool:
    """Whether this process's claim still stands on this connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE locktype = 'advisory' AND objid = %s AND pid = pg_backend_pid() AND granted)",
            [_LOCK],
        )
        holds: bool = cursor.fetchone()[0]
    return holds


def instruments_streamable(row_ids: Sequence[int]) -> dict[str, dict[str, int]]:
    """Of these instruments the open ones at venues with streams: venue code -> the venue's name of it -> row id.

    In the order given.
    """
    rows = Instrument.objects.filter(pk__in=row_ids, venue__in=venues_streamed(), closed=False)
    names = {row_id: named for row_id, *named in rows.values_list("pk", "venue_id", "instrument_id")}
    found: dict[str, dict[str, int]] = {}
    for row_id in row_ids:
        if row_id in names:
            venue_code, name = names[row_id]
            found.setdefault(venue_code, {})[name] = row_id
    return found


def streams_store(reports: Sequence[StreamReport], *, row_ids: Mapping[str, int], now: datetime) -> int:
    """Write every line and the books that changed, in two statements of one transaction; return the books written.

    `row_ids`: the venue's name of an instrument -> its row id; a book of another is passed over.
    """
    books = [
        _book_row(book, report.health.name, row_id=row_ids[book.instrument_id])
        for report in reports
        for book in report.books
        if book.instrument_id in row_ids
    ]
    with transaction.atomic():
        StreamState.objects.bulk_create(
            [_state_row(report, now=now) for report in reports],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=_STATE_FIELDS,
        )
        StreamBook.objects.bulk_create(
            books, update_conflicts=True, unique_fields=["instrument_id"], update_fields=_BOOK_FIELDS
        )
    return len(books)


def streams_forget(row_ids: Collection[int]) -> None:
    """Drop the books of instruments that are not streamed any more."""
    StreamBook.objects.filter(pk__in=list(row_ids)).delete()


def streams_trim(names: Collection[str]) -> None:
    """Drop the lines that do not exist any more."""
    StreamState.objects.exclude(name__in=list(names)).delete()


def streams_end(*, now: datetime, why: str) -> None:
    """Say that no line is up any more."""
    StreamState.objects.update(connected_since=None, told_at=now, error=why[:300])


def streams_refused(venue_code: str, refused: Refused, *, now: datetime) -> None:
    """Show on the lines' page why a venue cannot be streamed."""
    StreamState.objects.update_or_create(
        name=f"{venue_code}-1",
        defaults={
            "venue_id": venue_code,
            "told_at": now,
            "connected_since": None,
            "error": str(refused)[:300],
        },
    )


def _book_row(book: StreamedBook, stream: str, *, row_id: int) -> StreamBook:
    return StreamBook(
        instrument_id=row_id,
        stream_id=stream,
        bids=[[_plain(level.price), _plain(level.size)] for level in book.bids],
        asks=[[_plain(level.price), _plain(level.size)] for level in book.asks],
        best_bid=book.bids[0].price if book.bids else None,
        best_ask=book.asks[0].price if book.asks else None,
        is_sound=book.is_sound,
        doubt=book.doubt,
        venue_at=book.venue_at,
        received_at=book.received_at,
        book_hash=book.book_hash[:80],
    )


def _state_row(report: StreamReport, *, now: datetime) -> StreamState:
    health = report.health
    return StreamState(
        name=health.name,
        venue_id=health.venue_code,
        instruments=health.instruments,
        sound=health.sound,
        connected_since=health.connected_since,
        heard_at=health.heard_at,
        told_at=now,
        messages=health.messages,
        messages_per_s=report.messages_per_s,
        reconnects=health.reconnects,
        resyncs=health.resyncs,
        gaps=health.gaps,
        false_alarms=health.false_alarms,
        error=health.error,
        process=f"{socket.gethostname()[:60]} {os.getpid()}",
    )


def _plain(value: Decimal) -> str:
    return f"{value:f}"
