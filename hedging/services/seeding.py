"""Rows that a working book starts with: limits, breakers, and for a practice desk its mappings.

Run as often as you like: existing rows keep their values.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import structlog

from hedging.models import Breaker, Mapping, RiskBucket
from hedging.services.discovery import FINDERS, findings_propose
from hedging.services.mappings import mappings_approve
from policies.domain.catalogue import CoverageType
from venues.services.seeding import venues_ensure

log = structlog.get_logger(__name__)

# The founding document's external capital: $2M, of which $800k each for the two exchanges and $400k for the reinsurer.
CAPS = {
    "global": Decimal(2_000_000),
    "venue:polymarket": Decimal(800_000),
    "venue:binance_futures": Decimal(800_000),
    "venue:allianz": Decimal(400_000),
}


def book_ensure() -> None:
    """Venues, limits and breakers."""
    venues_ensure()
    RiskBucket.objects.bulk_create(
        [RiskBucket(code=code, cap_usd=cap) for code, cap in CAPS.items()], ignore_conflicts=True
    )
    Breaker.objects.bulk_create([Breaker(scope=code) for code in CAPS], ignore_conflicts=True)


def practice_mappings_ensure(*, actor: str, now: datetime) -> int:
    """Search the practice exchange for every coverage type, propose what is a hedge and approve it; return how many.

    A product without a market stays unmapped and is shown as unhedgeable. For practice only: on a real venue a person
    reads the wording and approves, one market at a time.
    """
    found = [item for kind in CoverageType for item in FINDERS[kind](now=now)]
    proposals = findings_propose(found, now=now)
    waiting = Mapping.objects.filter(state=Mapping.State.PROPOSED).order_by("pk")
    approved = 0
    # One market at a time, as a person would; each round ends at least one proposal.
    for _ in range(len(found)):
        first = waiting.values_list("pk", flat=True).first()
        if first is None:
            break
        reason = "practice: approved as proposed"
        approved += len(mappings_approve(first, actor=actor, now=now, reason=reason, with_same=True))
    log.info("practice mappings", proposed=len(proposals.created), approved=approved)
    return approved
