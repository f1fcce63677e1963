"""The newest books from the streams, with their age, and how the streams are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from venues.domain.books import Book, Level
from venues.models import BookSnapshot, StreamBook, StreamState


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedNow:
    """A streamed book; `true_at` is the last moment at which the stream knew it to be the venue's."""

    book: Book
    true_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """The best prices of one instrument from a stream."""

    row_id: int
    name: str
    bid: Decimal | None
    ask: Decimal | None
    true_at: datetime


def true_at_of(row: StreamBook) -> datetime | None:
    """When the stream last knew a book to be true: its own last change, or anything the open line said since.

    None for a book in doubt. `row.stream` should be loaded.
    """
    if not row.is_sound:
        return None
    line = row.stream
    if line is None or line.connected_since is None or line.heard_at is None:
        return row.received_at
    return max(row.received_at, line.heard_at)


def streamed_books(row_ids: Collection[int], *, age_max: timedelta, now: datetime) -> dict[int, StreamedNow]:
    """The streamed books of these instruments that are not older than `age_max`, by row id; one query."""
    if not row_ids or age_max <= timedelta(0):
        return {}
    rows = StreamBook.objects.filter(pk__in=list(row_ids), is_sound=True).select_related(
        "stream", "instrument"
    )
    found = {}
    for row in rows:
        true_at = true_at_of(row)
        if true_at is None or now - true_at > age_max:
            continue
        book = Book(
            instrument_id=row.instrument.instrument_id,
            bids=_levels(row.bids),
            asks=_levels(row.asks),
            taken_at=row.venue_at,
            book_hash=row.book_hash,
        )
        found[row.pk] = StreamedNow(book=book, true_at=true_at)
    return found


def streamed_touches(row_ids: Collection[int], *, age_max: timedelta, now: datetime) -> list[Touch]:
    """The best prices of these instruments where the stream's book is not older than `age_max`; one query."""
    rows = StreamBook.objects.filter(pk__in=list(row_ids), is_sound=True).select_related(
        "stream", "instrument"
    )
    touches = []
    for row in rows.defer("bids", "asks"):
        true_at = true_at_of(row)
        if true_at is not None and now - true_at <= age_max:
            touches.append(_touch(row, true_at))
    return touches


def kept_touches(row_ids: Collection[int], *, at: datetime, within: timedelta) -> dict[int, Touch]:
    """The best prices of the last kept books that were true no later than `at` and less than `within` before.

    One query. The last kept, not the youngest: a streamed book is as old as the stream's last word.
    """
    rows = (
        BookSnapshot.objects.filter(instrument__in=list(row_ids), taken_at__lte=at, taken_at__gt=at - within)
        .select_related("instrument")
        .defer("bids", "asks")
        .order_by("instrument_id", "-id")
        .distinct("instrument_id")
    )
    return {row.instrument_id: _touch(row, row.taken_at) for row in rows}


def streams_all() -> list[StreamState]:
    """Every line, by name."""
    return list(StreamState.objects.select_related("venue").order_by("name"))


def _levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(size)) for price, size in rows)


def _touch(row: StreamBook | BookSnapshot, true_at: datetime) -> Touch:
    name = row.instrument.slug or row.instrument.instrument_id[:12]
    return Touch(row_id=row.instrument_id, name=name, bid=row.best_bid, ask=row.best_ask, true_at=true_at)
