"""Rows that a working book starts with: limits, breakers, and for a practice desk its mappings.

Run as often as you like: existing rows keep their values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from hedging.models import Breaker, Mapping, RiskBucket
from hedging.services.mappings import mapping_approve, mapping_propose
from policies.models import Product
from venues.models import Instrument
from venues.registry import gateway_for
from venues.services.instruments import instruments_store
from venues.services.seeding import venues_ensure

log = structlog.get_logger(__name__)

# The founding document's external capital: $2M, of which $800k each for the two exchanges and $400k for the reinsurer.
CAPS = {
    "global": Decimal(2_000_000),
    "venue:polymarket": Decimal(800_000),
    "venue:binance_futures": Decimal(800_000),
    "venue:allianz": Decimal(400_000),
}


def book_ensure() -> None:
    """Venues, limits and breakers."""
    venues_ensure()
    RiskBucket.objects.bulk_create([RiskBucket(code=code, cap_usd=cap) for code, cap in CAPS.items()], ignore_conflicts=True)
    Breaker.objects.bulk_create([Breaker(scope=code) for code in CAPS], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which market of the practice exchange is proposed for which products."""

    coverage_type: str
    query: str
    grade: str
    basis: Decimal
    pays_on: str


_PROXY_BASIS = Decimal("0.35")
RULES = [
    Rule("depeg", "{stablecoin} depeg", Mapping.Grade.DIRECT, Decimal(1), "{stablecoin} trading below $0.98 for 24 hours"),
    Rule("bridge", "{chain} bridge hack", Mapping.Grade.PROXY, _PROXY_BASIS, "a hack of a bridge of {chain}"),
    Rule("smart_contract", "crypto hack over $100M", Mapping.Grade.PROXY, _PROXY_BASIS, "any crypto hack of over $100M"),
    Rule("cex_liquidation", "major CEX insolvent", Mapping.Grade.PROXY, _PROXY_BASIS, "the insolvency of a major exchange"),
]


def practice_mappings_ensure(*, actor: str, now: datetime) -> int:
    """Search the practice exchange for a market per product family, propose and approve the mappings; return how many.

    A family without a market stays unmapped and is shown as unhedgeable. For practice only: on a real venue a person
    reads the wording and approves.
    """
    found: dict[str, Instrument | None] = {}
    made = 0
    for rule in RULES:
        for product in Product.objects.filter(coverage_type=rule.coverage_type, is_valid=True).order_by("pk"):
            words = {"stablecoin": product.stablecoin, "chain": product.get_chain_display()}
            query = rule.query.format(**words)
            if query not in found:
                found[query] = _first_market(query, now=now)
            instrument = found[query]
            if instrument is None:
                continue
            mapping, created = mapping_propose(
                product=product,
                instrument=instrument,
                grade=rule.grade,
                basis_probability=rule.basis,
                pays_on=rule.pays_on.format(**words),
            )
            if created:
                mapping_approve(mapping.pk, actor=actor, now=now)
                made += 1
    log.info("practice mappings", made=made, markets=sum(1 for row in found.values() if row))
    return made


def _first_market(query: str, *, now: datetime) -> Instrument | None:
    """The YES outcome of the first open market whose question holds every word of `query`."""
    words = query.lower().split()
    gateway = gateway_for("polymarket")
    for listing in gateway.search_markets(query):
        text = listing.question.lower().split()
        if listing.closed or not all(word in text for word in words):
            continue
        yes = [token for label, token in listing.outcomes if label.lower() == "yes"]
        terms = gateway.fetch_instruments(yes[:1])
        if terms:
            return instruments_store(terms, now=now)[0]
    return None
