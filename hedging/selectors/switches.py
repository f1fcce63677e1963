"""The switches as they stand, so that work is not begun that the send gate would refuse. The gate has the last word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hedging.models import Breaker


@dataclass(frozen=True, slots=True)
class Stop:
    """Why something is held back. `resume_at`: when a venue's pause ends by itself (None: when a person says so)."""

    sentence: str
    resume_at: datetime | None


@dataclass(frozen=True, slots=True)
class Switches:
    """The open breakers of one venue and of everything."""

    breakers: tuple[Breaker, ...]

    def is_over(self, *, now: datetime) -> bool:
        """Whether one of them is a pause whose time has passed."""
        return any(row.resume_at is not None and row.resume_at <= now for row in self.breakers)

    def stop(self, *, is_reducing: bool, rests: bool) -> Stop | None:
        """What holds back an order that makes positions smaller, or that rests; None when nothing does."""
        for row in self.breakers:
            if row.effect == Breaker.Effect.REDUCE_ONLY and is_reducing:
                continue
            if row.effect == Breaker.Effect.POST_ONLY and rests:
                continue
            return Stop(f"breaker {row.scope} is open: {row.reason}", row.resume_at)
        return None


def switches_read(venue_code: str) -> Switches:
    """The breakers that are open for a venue's orders, in one query."""
    return Switches(
        tuple(
            Breaker.objects.filter(
                scope__in=["global", f"venue:{venue_code}"], state=Breaker.State.OPEN
            ).order_by("scope")
        )
    )
