"""Reads the contracts that a venue's orders are signed for."""

from __future__ import annotations

from datetime import datetime

from venues.domain.exchanges import ExchangeDomain, PositionIds
from venues.models import ExchangeContract


def exchange_domains(venue_code: str, *, chain_id: int, now: datetime) -> tuple[ExchangeDomain, ...]:
    """Every row of the venue on one chain, the newest first; those that are retired or not valid yet as inactive.

    Empty when the table has no row for that chain at all.
    """
    rows = ExchangeContract.objects.filter(venue_id=venue_code, chain_id=chain_id)
    return tuple(domain_of_row(row, now=now) for row in rows.order_by("-valid_from", "-id"))


def domain_of_row(row: ExchangeContract, *, now: datetime) -> ExchangeDomain:
    """The signing domain that a row describes."""
    return ExchangeDomain(
        version=row.domain_version,
        neg_risk=row.neg_risk,
        contract=row.contract,
        name=row.domain_name,
        position_ids=PositionIds(row.position_ids),
        market_version=row.market_version,
        is_active=row.is_active and row.valid_from <= now,
    )
