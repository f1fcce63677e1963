"""What makes a mapping rest: the market as it is now against what was approved, the gravest cause first.

docs/adr/0010-suspended-mappings.md says which causes end by themselves and why the others need a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hedging.domain.mappings import PASSING, Suspension


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketState:
    """A market as last read. `is_listed`: the venue named it when it was last asked."""

    wording_hash: str
    closed: bool
    accepting_orders: bool
    end_at: datetime | None
    resolution_status: str
    is_listed: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why nothing may be bought, in a word and in a sentence without a full stop."""

    kind: Suspension
    sentence: str


def cause_of(
    market: MarketState, *, approved_wording_hash: str, days_before_end: int, now: datetime
) -> Cause | None:
    """The gravest reason why a mapping of `market` must rest; None when it may be traded through."""
    if market.wording_hash != approved_wording_hash:
        return Cause(
            kind=Suspension.WORDING,
            sentence="the market's rules are not worded as they were when they were approved; read them again",
        )
    if market.closed:
        return Cause(kind=Suspension.CLOSED, sentence="the market is closed")
    if market.resolution_status:
        return Cause(
            kind=Suspension.SETTLING, sentence=f"its resolution has begun: {market.resolution_status}"
        )
    if market.end_at is not None and market.end_at - now < timedelta(days=days_before_end):
        return Cause(
            kind=Suspension.ENDING,
            sentence=f"it ends on {market.end_at:%d %B %Y}, in less than {days_before_end} days",
        )
    if not market.is_listed:
        return Cause(kind=Suspension.UNLISTED, sentence="the venue does not name this market any more")
    if not market.accepting_orders:
        return Cause(kind=Suspension.PAUSED, sentence="the market takes no orders at the moment")
    return None


def is_graver(cause: Cause, *, than: Suspension) -> bool:
    """Whether a suspended mapping must rest for `cause` rather than for what it rests for: one that does not pass."""
    return than in PASSING and cause.kind != than and cause.kind not in PASSING
