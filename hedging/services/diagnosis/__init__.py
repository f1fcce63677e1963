"""The checks of the book: engine and cycles, orders and fills, safety, limits, mapped markets, money at the venues."""

from __future__ import annotations

from functools import partial

from hedging.services.diagnosis.limits import limits_ask
from hedging.services.diagnosis.markets import book_ask, coverage_ask, mappings_ask
from hedging.services.diagnosis.money import balances_ask, funds_ask
from hedging.services.diagnosis.pace import cycle_ask, engine_ask
from hedging.services.diagnosis.safety import breakers_ask, reconciliation_ask, verify_ask
from hedging.services.diagnosis.streams import streams_ask
from hedging.services.diagnosis.work import fills_ask, intents_ask, orders_ask
from tonsurance.plumbing.checkups import Check
from venues.registry import venues_with_gateway

VENUE_WAIT_S = 20.0


def book_checks() -> list[Check]:
    """Every check of this app; those of a venue once per venue."""
    return [
        Check(name="engine", group="Workers", ask=engine_ask),
        Check(name="cycle", group="Book", ask=cycle_ask),
        Check(name="orders", group="Book", ask=orders_ask),
        Check(name="intents", group="Book", ask=intents_ask),
        Check(name="fills", group="Book", ask=fills_ask),
        Check(name="limits", group="Safety", ask=limits_ask),
        Check(name="breakers", group="Safety", ask=breakers_ask),
        Check(name="reconciliation", group="Safety", ask=reconciliation_ask),
        Check(name="verify", group="Safety", ask=verify_ask),
        Check(name="coverage", group="Markets", ask=coverage_ask),
        Check(name="mappings", group="Markets", ask=mappings_ask),
        Check(name="streams", group="Markets", ask=streams_ask),
        Check(name="balances", group="Money", ask=balances_ask),
        *(check for code in sorted(venues_with_gateway()) for check in _of_venue(code)),
    ]


def _of_venue(venue_code: str) -> list[Check]:
    return [
        Check(
            name=f"{venue_code}.book",
            group="Markets",
            ask=partial(book_ask, venue_code),
            wait_s=VENUE_WAIT_S,
            asks_venue=True,
            after=f"{venue_code}.reach",
        ),
        Check(
            name=f"{venue_code}.funds",
            group="Money",
            ask=partial(funds_ask, venue_code),
            wait_s=VENUE_WAIT_S,
            asks_venue=True,
            after=f"{venue_code}.reach",
        ),
    ]
