"""How much of each of a venue's rate limits is left, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tonsurance.plumbing.models import RateBucket
from venues.models import VenueLimit


@dataclass(frozen=True, slots=True)
class LimitState:
    """One limit: `tokens` of `capacity` left now, refilled at `rate` a second; none before `blocked_until`."""

    name: str
    tokens: Decimal
    capacity: Decimal
    rate: Decimal
    blocked_until: datetime | None
    tier: str
    warned_at: datetime | None


def limits_of(venue_code: str, *, now: datetime) -> list[LimitState]:
    """The limits that were used at least once, by name."""
    begins = f"{venue_code}: "
    said = {row.bucket: row for row in VenueLimit.objects.filter(venue_id=venue_code)}
    return [
        _state(row, name=row.name.removeprefix(begins), said=said.get(row.name.removeprefix(begins)), now=now)
        for row in RateBucket.objects.filter(name__startswith=begins).order_by("name")
    ]


def _state(row: RateBucket, *, name: str, said: VenueLimit | None, now: datetime) -> LimitState:
    waited_s = Decimal(max(0.0, (now - row.at).total_seconds()))
    return LimitState(
        name=name,
        tokens=min(row.capacity, row.tokens + row.rate * waited_s),
        capacity=row.capacity,
        rate=row.rate,
        blocked_until=row.at if row.at > now else None,
        tier=said.tier if said else "",
        warned_at=said.warned_at if said else None,
    )
