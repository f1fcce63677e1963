"""Whether books reach us by themselves. Without streams every cycle asks for its books: slower, and never wrong."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tonsurance.kernel.findings import Finding, ok, warning
from venues.selectors.books import streams_all

if TYPE_CHECKING:
    from venues.models import StreamState

# The process writes its lines every second.
TOLD_S_WARNING = 30.0
SOUND_SHARE_WARNING = 0.9
_START = "manage.py stream_markets, in a unit that starts it again; cycles ask for books by REST meanwhile"


def streams_ask(*, now: datetime) -> list[Finding]:
    """One finding per line of market data."""
    rows = streams_all()
    if not rows:
        return [
            warning(
                "streams", "No process has ever streamed a book", remedy=_START, runbook="market-data-down"
            )
        ]
    return [_line(row, now=now) for row in rows]


def _line(row: StreamState, *, now: datetime) -> Finding:
    told_s = (now - row.told_at).total_seconds()
    if told_s >= TOLD_S_WARNING:
        return warning(
            "streams",
            f"{row.name}: its process last spoke {told_s:.0f} s ago",
            remedy=_START,
            runbook="market-data-down",
        )
    if row.connected_since is None:
        return warning(
            "streams",
            f"{row.name} is down: {row.error or 'no reason recorded'}",
            remedy="It connects again by itself; if it does not, look at the venue's status page and the network",
            runbook="market-data-down",
        )
    if row.sound < row.instruments * SOUND_SHARE_WARNING:
        return warning(
            "streams_doubt",
            f"{row.name}: {row.instruments - row.sound} of {row.instruments} books are in doubt",
            remedy="Each is read again by itself; if many stay in doubt, Market data says why",
            runbook="market-data-down",
        )
    up_s = (now - row.connected_since).total_seconds()
    return ok(
        "streams",
        f"{row.name}: {row.sound} of {row.instruments} books, {row.messages_per_s} messages a second,"
        f" up for {up_s / 60:.0f} minutes, {row.reconnects} reconnects",
    )
