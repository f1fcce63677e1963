"""Lets our standing at a venue bear on what is sent: where we may only close, nothing is opened; closing still goes.

The venue's breaker carries it, so that the database refuses what we refuse. It is not latched: when the standing is in
order again, it closes by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from hedging.models import Breaker
from hedging.services.breakers import ACCOUNT, SYSTEM, account_reason, breaker_trip
from venues.services.accounts import account_read

if TYPE_CHECKING:
    from venues.models import AccountStanding

log = structlog.get_logger(__name__)


def account_watch(venue_code: str, *, now: datetime) -> AccountStanding:
    """Read our standing and apply it. What could not be read changes nothing."""
    standing = account_read(venue_code, now=now)
    scope = f"venue:{venue_code}"
    breaker = Breaker.objects.filter(scope=scope).first()
    is_ours = breaker is not None and breaker.state == "OPEN" and breaker.reason.startswith(ACCOUNT)
    if standing.opening_refusal:
        if not is_ours and not (breaker is not None and breaker.state == "OPEN"):
            breaker_trip(
                scope,
                reason=account_reason(standing.opening_refusal),
                actor=SYSTEM,
                now=now,
                effect=Breaker.Effect.REDUCE_ONLY,
                latched=False,
            )
    elif is_ours and breaker is not None and not breaker.latched and _is_known(standing):
        Breaker.objects.filter(scope=scope, state="OPEN", reason=breaker.reason, latched=False).update(
            state="CLOSED", reason="the account may open positions again", opened_at=None, changed_by=SYSTEM
        )
        log.warning("account may open again", venue=venue_code)
    return standing


def _is_known(standing: AccountStanding) -> bool:
    """Whether every cause that could forbid opening was really read; silence lifts nothing."""
    return (
        standing.is_geoblocked is False and standing.is_closed_only is False and standing.is_banned is False
    )
