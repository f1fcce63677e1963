"""Rows that a working book starts with: limits, breakers, and for a practice desk its mappings.

Run as often as you like: existing rows keep their values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog

from hedging.models import Breaker, Mapping, RiskBucket
from policies.selectors.products import products_insurable
from venues.services.instruments import instrument_find
from venues.services.seeding import venues_ensure

if TYPE_CHECKING:
    from venues.models import Instrument

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
    RiskBucket.objects.bulk_create(
        [RiskBucket(code=code, cap_usd=cap) for code, cap in CAPS.items()], ignore_conflicts=True
    )
    Breaker.objects.bulk_create([Breaker(scope=code) for code in CAPS], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which market of the practice exchange is proposed for the products of one coverage type."""

    query: str
    grade: str
    basis: Decimal
    pays_on: str


_PROXY_BASIS = Decimal("0.35")
RULES = {
    "depeg": Rule(
        "{stablecoin} depeg",
        Mapping.Grade.DIRECT,
        Decimal(1),
        "{stablecoin} trading below $0.98 for 24 hours",
    ),
    "bridge": Rule(
        "{chain} hacked over $10M",
        Mapping.Grade.PROXY,
        _PROXY_BASIS,
        "a hack of over $10M of a bridge of {chain}",
    ),
    "smart_contract": Rule(
        "crypto hack over $100M", Mapping.Grade.PROXY, _PROXY_BASIS, "any crypto hack of over $100M"
    ),
    "cex_liquidation": Rule(
        "major CEX insolvent", Mapping.Grade.PROXY, _PROXY_BASIS, "the insolvency of a major exchange"
    ),
}


def practice_mappings_ensure(*, actor: str, now: datetime) -> int:
    """Search the practice exchange for a market per product family, propose and approve the mappings; return how many.

    A family without a market stays unmapped and is shown as unhedgeable. For practice only: on a real venue a person
    reads the wording and approves, one mapping at a time.
    """
    mapped = set(Mapping.objects.values_list("product_id", flat=True))
    found: dict[str, Instrument | None] = {}
    made = []
    for product in products_insurable():
        rule = RULES.get(product.coverage_type)
        if rule is None or product.pk in mapped:
            continue
        words = {"stablecoin": product.stablecoin, "chain": product.get_chain_display()}
        query = rule.query.format(**words)
        if query not in found:
            found[query] = instrument_find("polymarket", words=query, now=now)
        instrument = found[query]
        if instrument is not None:
            made.append(
                Mapping(
                    product=product,
                    instrument=instrument,
                    grade=rule.grade,
                    basis_probability=rule.basis,
                    pays_on=rule.pays_on.format(**words),
                    approved_by=actor,
                    approved_at=now,
                    approved_wording_hash=instrument.wording_hash,
                )
            )
    Mapping.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    log.info("practice mappings", made=len(made), markets=sum(1 for row in found.values() if row))
    return len(made)
