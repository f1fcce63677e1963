"""Time enters at the doors: services and domain take `now` as an argument, doors call `utc_now`."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment, timezone-aware, UTC."""
    return datetime.now(UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of a timezone-aware moment. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be compared with a venue's clock")
    whole = int(moment.timestamp())
    return whole * 1000 + moment.microsecond // 1000


def monotonic_s() -> float:
    """Seconds on a clock that never steps back, for deadlines inside one process."""
    return time.monotonic()
