"""What a stream of market data gives: books as they stand, and how well the line itself is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from venues.domain.books import Level


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedBook:
    """A book as a stream has it. Without `is_sound` it is in doubt and must not be used; levels are empty then.

    `venue_at` is the venue's time of the last change, `received_at` the last moment at which we know that it was true.
    `version` is for `BookStream.written`.
    """

    instrument_id: str
    version: int
    is_sound: bool
    doubt: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    venue_at: datetime
    received_at: datetime
    book_hash: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamHealth:
    """One line. `heard_at`: the last message with data, or the last time REST said the same as we have.

    Counts are since the process began: `messages` with data, `reconnects` after the first connection, `resyncs` books
    replaced by REST, `gaps` proven losses on the line, `false_alarms` doubts that REST dispelled.
    """

    name: str
    venue_code: str
    instruments: int
    sound: int
    connected_since: datetime | None
    heard_at: datetime | None
    messages: int
    reconnects: int
    resyncs: int
    gaps: int
    false_alarms: int
    error: str


class Standing(StrEnum):
    """How a line is, in a word."""

    UP = "up"
    DOWN = "down"
    DEAD = "dead"


DEAD_AFTER = timedelta(seconds=15)
"""A process that streams says so every second."""


def standing_of(*, connected_since: datetime | None, told_at: datetime, now: datetime) -> Standing:
    """Up, down (the process tries to come back), or dead: no process has spoken for it lately."""
    if now - told_at > DEAD_AFTER:
        return Standing.DEAD
    return Standing.UP if connected_since is not None else Standing.DOWN


class BookStream(Protocol):
    """One connection to a venue's market data."""

    def want(self, instrument_ids: Iterable[str]) -> None:
        """Stream exactly these books from now on."""

    async def run(self) -> None:
        """Connect, keep the books, come back after every fault, until `stop`."""

    def stop(self) -> None:
        """End `run` soon."""

    def changed(self) -> Sequence[StreamedBook]:
        """Books that differ from what was last `written`."""

    def written(self, books: Sequence[StreamedBook]) -> None:
        """These are stored: do not give them again before they change."""

    def unwritten(self) -> None:
        """Nothing is stored any more: every book is given again."""

    def health(self) -> StreamHealth:
        """How the line is."""
