"""What the home page says of the lines of market data."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.safestring import SafeString

from tonsurance.plumbing import display
from venues.domain.streams import Standing, standing_of

if TYPE_CHECKING:
    from venues.models import StreamState

_STANDINGS = {
    Standing.UP: ("Up", "green"),
    Standing.DOWN: ("Down", "red"),
    Standing.DEAD: ("No process", "red"),
}
_SENTENCE_MAX = 200


def stream_alarms(streams: list[StreamState], *, now: datetime) -> list[tuple[str, str]]:
    """Lines that are not up, as (sentence, link). Cycles ask by REST meanwhile; prices wake nobody."""
    address = reverse("admin:venues_streamstate_changelist")
    dead = [row for row in streams if _standing_of(row, now=now) is Standing.DEAD]
    if dead:
        silent = display.ago_text(max(row.told_at for row in dead), now=now)
        return [(f"No process streams market data (last heard of {silent})", address)]
    down = [row for row in streams if row.instruments and _standing_of(row, now=now) is Standing.DOWN]
    if not down:
        return []
    return [(f"Market data is down: {down[0].error or 'no reason known'}"[:_SENTENCE_MAX], address)]


def stream_table(streams: list[StreamState], *, now: datetime) -> SafeString:
    """Every line with its health."""
    return display.table(
        ["Line", "Is", "Up since", "Last data", "Messages/s", "Books", ">Resynced", ">Gaps"],
        [
            (
                display.admin_link(row),
                display.badge(*_STANDINGS[_standing_of(row, now=now)]),
                display.ago(row.connected_since, now=now),
                display.ago(row.heard_at, now=now),
                f"{row.messages_per_s:,.1f}",
                f"{row.sound} of {row.instruments}" if row.instruments else display.NOTHING,
                display.count(row.resyncs),
                display.count(row.gaps),
            )
            for row in streams
        ],
        empty="Nothing is streamed: books are asked for when they are needed",
    )


def _standing_of(row: StreamState, *, now: datetime) -> Standing:
    return standing_of(connected_since=row.connected_since, told_at=row.told_at, now=now)
