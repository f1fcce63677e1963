"""The venues of the founding document, with its 40/40/20 split. Existing rows keep their values."""

from __future__ import annotations

from tonsurance.kernel.clock import utc_now
from venues.models import Venue
from venues.services.exchanges import exchanges_ensure

VENUES = [
    Venue(
        code="polymarket",
        name="Polymarket",
        kind=Venue.Kind.PREDICTION_MARKET,
        position=1,
    ),
    Venue(
        code="binance_futures",
        name="Perpetuals",
        kind=Venue.Kind.PERPETUALS,
        position=2,
    ),
    Venue(
        code="allianz",
        name="Allianz",
        kind=Venue.Kind.REINSURER,
        position=3,
    ),
]


def venues_ensure() -> None:
    """Insert the venues that are missing, and the contracts that their orders are signed for."""
    Venue.objects.bulk_create(VENUES, ignore_conflicts=True)
    exchanges_ensure(now=utc_now())
