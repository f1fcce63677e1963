"""Reads instruments from their venue and keeps the terms current; a changed wording or a closed market is seen here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from venues.domain.instruments import InstrumentTerms
from venues.domain.wording import wording_hash
from venues.models import Instrument
from venues.registry import gateway_for

_COLUMNS = (
    "condition_id", "market_id", "slug", "question", "description", "outcome",
    "tick_size", "size_min", "notional_usd_min", "fee_rate", "fee_exponent",
    "neg_risk", "exchange_domain", "accepting_orders", "closed", "end_at", "resolution_status",
)  # fmt: skip


def instruments_refresh(
    venue_code: str, *, now: datetime, instrument_ids: Sequence[str] | None = None
) -> list[Instrument]:
    """Ask the venue for the terms of `instrument_ids` (default: all that we know there) and store them.

    Raises LookupFailed without an answer; nothing is changed then.
    """
    wanted = list(instrument_ids) if instrument_ids is not None else _known(venue_code)
    return instruments_store(gateway_for(venue_code).fetch_instruments(wanted), now=now) if wanted else []


def instruments_store(terms: Sequence[InstrumentTerms], *, now: datetime) -> list[Instrument]:
    """Insert or update one row per instrument; return the rows in the given order."""
    rows = []
    for item in terms:
        values = {name: getattr(item, name) for name in _COLUMNS}
        values |= {"wording_hash": wording_hash(item.question, item.description), "refreshed_at": now}
        row, _ = Instrument.objects.update_or_create(
            venue_id=item.venue_code, instrument_id=item.instrument_id, defaults=values
        )
        rows.append(row)
    return rows


def instruments_known(venue_code: str, *, instrument_ids: Sequence[str]) -> dict[str, Instrument]:
    """The stored instruments of that venue, by its names for them."""
    rows = Instrument.objects.filter(venue_id=venue_code, instrument_id__in=list(instrument_ids))
    return {row.instrument_id: row for row in rows}


def _known(venue_code: str) -> list[str]:
    return list(
        Instrument.objects.filter(venue_id=venue_code, closed=False)
        .order_by("pk")
        .values_list("instrument_id", flat=True)
    )
