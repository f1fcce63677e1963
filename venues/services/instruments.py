"""Reads instruments from their venue and keeps the terms current; a changed wording or a closed market is seen here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from tonsurance.kernel.errors import Refused
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


def instrument_find(venue_code: str, *, words: str, now: datetime) -> Instrument | None:
    """Store and return the YES outcome of the first open market whose question holds all of `words`; None without one.

    Raises Refused for a venue that cannot be searched.
    """
    search = getattr(gateway_for(venue_code), "search_markets", None)
    if search is None:
        raise Refused(f"venue: {venue_code} has no search; name the instrument by its id", field="venue")
    wanted = _words(words)
    for listing in search(words):
        if listing.closed or not wanted <= _words(listing.question):
            continue
        yes = [token for label, token in listing.outcomes if label.lower() == "yes"]
        terms = gateway_for(venue_code).fetch_instruments(yes[:1])
        if terms:
            return instruments_store(terms, now=now)[0]
    return None


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w$]+", text.lower()))


def _known(venue_code: str) -> list[str]:
    return list(
        Instrument.objects.filter(venue_id=venue_code, closed=False)
        .order_by("pk")
        .values_list("instrument_id", flat=True)
    )
