"""The venues of the founding document, with its 40/40/20 split. Existing rows keep their values."""

from __future__ import annotations

from decimal import Decimal

from venues.models import Venue

VENUES = [
    Venue(
        code="polymarket",
        name="Polymarket",
        kind=Venue.Kind.PREDICTION_MARKET,
        budget_share=Decimal("0.40"),
        position=1,
    ),
    Venue(
        code="binance_futures",
        name="Perpetuals",
        kind=Venue.Kind.PERPETUALS,
        budget_share=Decimal("0.40"),
        position=2,
    ),
    Venue(
        code="allianz",
        name="Allianz",
        kind=Venue.Kind.REINSURER,
        budget_share=Decimal("0.20"),
        position=3,
    ),
]


def venues_ensure() -> None:
    """Insert the venues that are missing."""
    Venue.objects.bulk_create(VENUES, ignore_conflicts=True)
