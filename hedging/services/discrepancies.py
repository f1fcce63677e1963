"""Opens and heals discrepancies: one open row per venue, kind and subject, seen again counts again."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db.models import F

from hedging.models import Discrepancy

log = structlog.get_logger(__name__)


def discrepancy_open(
    *, venue_code: str, kind: str, subject: str, expected: str, actual: str, now: datetime
) -> None:
    """Record that our row and the venue's report disagree. The oldest sighting keeps its date."""
    seen = Discrepancy.objects.filter(
        venue_id=venue_code, kind=kind, subject=subject, state=Discrepancy.State.OPEN
    ).update(last_seen_at=now, occurrences=F("occurrences") + 1, expected=expected, actual=actual)
    if seen:
        return
    Discrepancy.objects.bulk_create(
        [
            Discrepancy(
                venue_id=venue_code,
                kind=kind,
                subject=subject,
                expected=expected,
                actual=actual,
                first_seen_at=now,
                last_seen_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    log.error("discrepancy", venue=venue_code, kind=kind, subject=subject, expected=expected, actual=actual)


def discrepancies_heal(
    *, venue_code: str, still_open: set[tuple[str, str]], kinds: set[str], now: datetime
) -> int:
    """Close the open rows of `kinds` that the newest comparison no longer found; return how many."""
    healed = 0
    for row in Discrepancy.objects.filter(venue_id=venue_code, state=Discrepancy.State.OPEN, kind__in=kinds):
        if (row.kind, row.subject) not in still_open:
            row.state = Discrepancy.State.HEALED
            row.last_seen_at = now
            row.closed_by = "reconciliation"
            row.save(update_fields=["state", "last_seen_at", "closed_by"])
            healed += 1
    return healed
