"""Notes when a venue last answered, and what it last complained about."""

from __future__ import annotations

from datetime import datetime

from venues.models import BalanceSnapshot, Venue
from venues.registry import gateway_for, gateways_preload, venues_with_gateway


def venue_heard(venue_code: str, *, now: datetime, error: str = "") -> None:
    """Record a sign of life, or (with `error`) the lack of one."""
    if error:
        Venue.objects.filter(pk=venue_code).update(last_error=error[:2000], last_error_at=now)
    else:
        Venue.objects.filter(pk=venue_code).update(last_seen_at=now)


def balances_refresh(venue_code: str, *, now: datetime) -> list[BalanceSnapshot]:
    """Append what the venue says our balances are. Raises LookupFailed without an answer."""
    reports = gateway_for(venue_code).fetch_balances()
    return BalanceSnapshot.objects.bulk_create(
        [
            BalanceSnapshot(venue_id=venue_code, currency=item.currency, total=item.total, taken_at=now)
            for item in reports
        ]
    )


def venue_lines_preload() -> None:
    """Load the adapters' client libraries before the first order needs them."""
    gateways_preload()


def venue_codes_with_gateway() -> frozenset[str]:
    """Codes of the venues that orders can be sent to, for the doors, which do not ask the registry."""
    return venues_with_gateway()
