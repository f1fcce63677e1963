"""Fetches a book, or takes a streamed one, and keeps it, so that every price we paid can be explained later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from venues.domain.books import Book, Level
from venues.domain.gateway import Gateway
from venues.models import BookSnapshot, Instrument
from venues.selectors.books import streamed_books


@dataclass(frozen=True, slots=True)
class FetchedBook:
    """A book and the row that keeps it."""

    book: Book
    row: BookSnapshot


def book_fetch(instrument: Instrument, *, gateway: Gateway, now: datetime) -> FetchedBook:
    """Ask the venue for the book of `instrument` and store it. Raises LookupFailed without an answer."""
    book = gateway.fetch_book(instrument.instrument_id)
    return FetchedBook(book, book_keep(instrument, book, now=now))


def books_fetch(
    instruments: Sequence[Instrument], *, gateway: Gateway, now: datetime
) -> dict[int, FetchedBook]:
    """Ask for many books at once and store them; by row id, without those that the venue did not give.

    Raises LookupFailed when the venue gave no answer at all.
    """
    books = gateway.fetch_books([row.instrument_id for row in instruments])
    given = [(row, books[row.instrument_id]) for row in instruments if row.instrument_id in books]
    kept = BookSnapshot.objects.bulk_create([_snapshot(row, book, now=now) for row, book in given])
    return {row.pk: FetchedBook(book, snapshot) for (row, book), snapshot in zip(given, kept, strict=True)}


_KEEP = """
    COPY venues_booksnapshot (instrument_id, bids, asks, best_bid, best_ask, venue_at, taken_at, book_hash)
    FROM STDIN"""


def books_ask(instruments: Sequence[Instrument], *, gateway: Gateway, now: datetime) -> dict[int, Book]:
    """As `books_fetch`, for those who need the books and not their rows; stored in one COPY."""
    books = gateway.fetch_books([row.instrument_id for row in instruments])
    given = {row.pk: books[row.instrument_id] for row in instruments if row.instrument_id in books}
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(_KEEP) as copy:
        for key, book in given.items():
            bid, ask = book.best_bid, book.best_ask
            best = (bid.price if bid else None, ask.price if ask else None)
            sides = (json.dumps(_levels(book.bids)), json.dumps(_levels(book.asks)))
            copy.write_row((key, *sides, *best, book.taken_at, now, book.book_hash))
    return given


def _levels(levels: Sequence[Level]) -> list[list[str]]:
    return [[str(level.price), str(level.size)] for level in levels]


def books_streamed(
    instruments: Iterable[Instrument], *, age_max: timedelta, now: datetime
) -> dict[int, FetchedBook]:
    """The streamed books of `instruments` that are not older than `age_max`, stored, by row id; two queries for all.

    `taken_at` of a row is the last moment at which the stream knew the book to be true. Good enough to plan with; an
    order is priced from a book that is fetched for it, because a line can be silent for seconds before it shows.
    """
    by_id = {row.pk: row for row in instruments}
    found = streamed_books(by_id.keys(), age_max=age_max, now=now)
    kept = BookSnapshot.objects.bulk_create(
        [_snapshot(by_id[key], item.book, now=item.true_at) for key, item in found.items()]
    )
    return {row.instrument_id: FetchedBook(found[row.instrument_id].book, row) for row in kept}


def book_keep(instrument: Instrument, book: Book, *, now: datetime) -> BookSnapshot:
    """Store one book."""
    snapshot = _snapshot(instrument, book, now=now)
    snapshot.save()
    return snapshot


def _snapshot(instrument: Instrument, book: Book, *, now: datetime) -> BookSnapshot:
    return BookSnapshot(
        instrument=instrument,
        bids=_levels(book.bids),
        asks=_levels(book.asks),
        best_bid=book.best_bid.price if book.best_bid else None,
        best_ask=book.best_ask.price if book.best_ask else None,
        venue_at=book.taken_at,
        taken_at=now,
        book_hash=book.book_hash,
    )
