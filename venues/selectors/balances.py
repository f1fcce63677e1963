"""What we had at each venue when it was last asked."""

from __future__ import annotations

from venues.models import BalanceSnapshot


def balances_newest() -> list[BalanceSnapshot]:
    """The newest snapshot of each venue and currency."""
    rows = BalanceSnapshot.objects.order_by("venue_id", "currency", "-taken_at", "-pk")
    return list(rows.distinct("venue_id", "currency"))
