"""Whether what we promise can be hedged: products with cover have approved markets, and those are as approved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hedging.selectors.diagnosis import (
    MappingTrouble,
    TypeCover,
    covers_by_type,
    mapping_of_a_book,
    mappings_approved_trouble,
    mappings_proposed_count,
    mappings_suspended,
)
from hedging.services.config import config_read
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.findings import Finding, Level, fault, judged, ok, warning
from venues.domain.gateway import LookupFailed
from venues.registry import gateway_for

# So many days before the watch suspends it a market that ends is told, so that another can be mapped.
TOLD_DAYS_BEFORE = 14
READ_WITHIN = timedelta(hours=1)
_WORDS = {
    "wording": "a wording that changed after its approval",
    "closed": "a market that is closed or takes no orders",
    "ending": "a market that will soon be too near its end",
    "unread": "a market that was not read for an hour",
}
_REMEDIES = {
    "wording": "Read the market's page and approve it again, or suspend it; nothing is bought through it meanwhile",
    "closed": "Suspend it and map another market; what is held there waits for the resolution",
    "ending": "Map a later market before this one ends; what is held there is paid or lost at its end",
    "unread": "See that the worker of the queue `default` runs and that the venue answers",
}


def coverage_ask(*, now: datetime) -> list[Finding]:
    """Per coverage type: products with cover, and how many of them nothing approved can hedge."""
    covers = covers_by_type()
    if not covers:
        return [ok("coverage", "No product has cover in force")]
    return [_covered(cover) for cover in covers]


def _covered(cover: TypeCover) -> Finding:
    bare = cover.products_count - cover.mapped_count
    if not bare:
        return ok(
            "coverage", f"{cover.coverage_type}: all {cover.products_count} products with cover are mapped"
        )
    return judged(
        # Most products have no market anywhere; a whole type without one is something that a search can change.
        Level.OK if cover.mapped_count else Level.WARNING,
        "coverage",
        f"{cover.coverage_type}: {bare} of {cover.products_count} products with cover"
        f" (${cover.unmapped_usd:,.0f}) have no approved market",
        remedy="Search markets and approve a proposal (Mappings); until then the vault bears this risk",
        runbook="mapping-suspended",
    )


def mappings_ask(*, now: datetime) -> list[Finding]:
    """Mappings that rest and why, approved ones whose market changed, and proposals that nobody has read."""
    found = [*_suspended(mappings_suspended())]
    days = config_read().mapping_suspend_days_before_end + TOLD_DAYS_BEFORE
    trouble = mappings_approved_trouble(ends_before=now + timedelta(days=days), read_before=now - READ_WITHIN)
    found += [_troubled(kind, rows) for kind, rows in trouble.items() if rows]
    if waiting := mappings_proposed_count():
        found.append(
            warning(
                "mappings_proposed",
                f"{waiting} proposed mappings wait for somebody to read them",
                remedy="Mappings › state Proposed: approve or decline",
                runbook="mapping-suspended",
            )
        )
    return found or [ok("mappings", "No mapping is suspended, stale or waiting")]


def _suspended(kinds: dict[str, int]) -> list[Finding]:
    if not kinds:
        return []
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return [
        warning(
            "mappings_suspended",
            f"{sum(kinds.values())} mappings are suspended: {told}",
            remedy="Mappings › state Suspended gives each reason; a person approves it again",
            runbook="mapping-suspended",
        )
    ]


def _troubled(kind: str, rows: Sequence[MappingTrouble]) -> Finding:
    first = rows[0]
    return warning(
        f"mappings_{kind}",
        f"{len(rows)} approved mappings have {_WORDS[kind]}: {first.product} by {first.market}"
        + (f" and {len(rows) - 1} more" if len(rows) > 1 else ""),
        remedy=_REMEDIES[kind],
        runbook="mapping-suspended",
    )


def book_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """The venue gives the book of a market that we trade."""
    chosen = mapping_of_a_book(venue_code)
    if chosen is None:
        return [ok("venue_book", f"No market of {venue_code} is approved, so no book was asked for")]
    instrument_id, market = chosen
    try:
        book = gateway_for(venue_code).fetch_book(instrument_id)
    except (LookupFailed, Refused) as error:
        return [
            fault(
                "venue_book",
                f"{venue_code} gave no book of {market}: {error}",
                remedy="Without books nothing is bought; see the venue's other findings",
                runbook="venue-unreachable",
            )
        ]
    if book.best_ask is None:
        return [
            warning(
                "venue_book",
                f"Nobody offers shares of {market} at {venue_code}",
                remedy="One thin market is no fault; look at the books of the others (Instruments)",
            )
        ]
    return [ok("venue_book", f"{venue_code} gave the book of {market}: {len(book.asks)} levels offered")]
