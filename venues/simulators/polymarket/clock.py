"""What time the exchange thinks it is: the machine's clock plus an offset the rehearsal may move."""

from __future__ import annotations

import time


class Clock:
    """Epoch milliseconds; `offset_ms` is added to the machine's clock."""

    def __init__(self, offset_ms: int = 0) -> None:
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        """Return the exchange's time in epoch milliseconds."""
        return time.time_ns() // 1_000_000 + self.offset_ms
