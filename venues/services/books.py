"""Fetches a book and keeps it, so that every price we paid can be explained later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from venues.domain.books import Book
from venues.domain.gateway import Gateway
from venues.models import BookSnapshot, Instrument


@dataclass(frozen=True, slots=True)
class FetchedBook:
    """A book and the row that keeps it."""

    book: Book
    row: BookSnapshot


def book_fetch(instrument: Instrument, *, gateway: Gateway, now: datetime) -> FetchedBook:
    """Ask the venue for the book of `instrument` and store it. Raises LookupFailed without an answer."""
    book = gateway.fetch_book(instrument.instrument_id)
    return FetchedBook(book, book_keep(instrument, book, now=now))


def book_keep(instrument: Instrument, book: Book, *, now: datetime) -> BookSnapshot:
    """Store one book."""
    return BookSnapshot.objects.create(
        instrument=instrument,
        bids=[[str(level.price), str(level.size)] for level in book.bids],
        asks=[[str(level.price), str(level.size)] for level in book.asks],
        best_bid=book.best_bid.price if book.best_bid else None,
        best_ask=book.best_ask.price if book.best_ask else None,
        venue_at=book.taken_at,
        taken_at=now,
        book_hash=book.book_hash,
    )
