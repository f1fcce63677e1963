"""Instruments as the domain reads them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F

from tonsurance.kernel.errors import Broken
from venues.domain.instruments import InstrumentTerms
from venues.domain.resolutions import ResolutionState
from venues.models import Instrument, Resolution


def instruments_of(row_ids: Iterable[int]) -> dict[int, Instrument]:
    """The instruments with these row ids, by row id, in one query."""
    return Instrument.objects.in_bulk(list(row_ids))


def instruments_unresolved(venue_code: str, *, row_ids: Iterable[int]) -> list[Instrument]:
    """Those of a venue's instruments without a final answer, the one that was asked about longest ago first."""
    rows = Instrument.objects.filter(venue_id=venue_code, pk__in=list(row_ids)).exclude(
        resolution__state=ResolutionState.RESOLVED
    )
    return list(rows.order_by(F("resolution__checked_at").asc(nulls_first=True), "pk"))


def payout_of(row: Instrument) -> Decimal:
    """What a unit pays, of an instrument whose market has resolved. Raises Broken for any other."""
    payout = Resolution.objects.values_list("payout", flat=True).filter(pk=row.pk).first()
    if payout is None:
        raise Broken(f"{row} has not resolved")
    return payout


def terms_of(row: Instrument) -> InstrumentTerms:
    """The stored terms of one instrument."""
    return InstrumentTerms(
        venue_code=row.venue_id,
        instrument_id=row.instrument_id,
        condition_id=row.condition_id,
        market_id=row.market_id,
        slug=row.slug,
        question=row.question,
        description=row.description,
        outcome=row.outcome,
        tick_size=row.tick_size,
        size_min=row.size_min,
        notional_usd_min=row.notional_usd_min,
        fee_rate=row.fee_rate,
        fee_exponent=row.fee_exponent,
        neg_risk=row.neg_risk,
        exchange_domain=row.exchange_domain,
        accepting_orders=row.accepting_orders,
        closed=row.closed,
        end_at=row.end_at,
        resolution_status=row.resolution_status,
    )
