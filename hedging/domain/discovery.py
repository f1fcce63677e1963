"""From a listing to a proposal: what it is about, which products it might hedge, which outcome pays, and how well.

Markets that pay on nothing of ours, or that lose when a policy pays, are graded none with the reason, and not proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from hedging.domain.comparisons import Comparison, MarketTerms, PolicyTerms, compare, span
from hedging.domain.outcomes import NO_OUTCOME, PayingOutcome, paying_outcome
from hedging.domain.perils import Subject, subject_of
from hedging.domain.views import Grade
from hedging.domain.wordings import (
    Condition,
    PriceTrigger,
    amount_usd_of,
    condition_of,
    dates_of,
    plain,
    price_trigger_of,
    source_of,
    window_s_of,
)
from policies.domain.catalogue import (
    COINS_WITHOUT_DEPEG_MARKET,
    Chain,
    CoverageType,
    ProductKey,
    Stablecoin,
    all_products,
    readable,
)
from policies.domain.coverage import trigger_for
from venues.domain.listings import MarketListing
from venues.domain.wording import wording_hash

TAGS: dict[CoverageType, tuple[str, ...]] = {
    CoverageType.DEPEG: ("stablecoins",),
    CoverageType.SMART_CONTRACT: ("hacks",),
    CoverageType.BRIDGE: ("bridges", "hacks"),
    CoverageType.ORACLE: ("hacks",),
    CoverageType.CEX_LIQUIDATION: ("exchanges",),
}
"""The venue's own shelves on which such markets lie; a shelf that does not exist is empty."""

_QUERIES: dict[CoverageType, tuple[str, ...]] = {
    CoverageType.SMART_CONTRACT: ("crypto hack", "smart contract exploit", "DeFi hack", "protocol hack"),
    CoverageType.BRIDGE: ("bridge hack", "bridge exploit", "Wormhole hack", "wrapped Bitcoin"),
    CoverageType.ORACLE: ("oracle manipulation", "oracle exploit"),
    CoverageType.CEX_LIQUIDATION: (
        "CEX insolvent",
        "exchange insolvent",
        "exchange bankrupt",
        "halt withdrawals",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Horizon:
    """Today, and when most policies in force of each coverage type have ended."""

    today: date
    policies_end_on: dict[CoverageType, date]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one listing would do for one coverage type. Without `products` it is not proposed, and `reasons` say why.

    `wording_hash` fingerprints the rules that were read; `pays_on` says in a sentence what the outcome pays on.
    """

    listing: MarketListing
    coverage_type: CoverageType
    grade: Grade
    reasons: tuple[str, ...]
    wording_hash: str
    outcome: PayingOutcome = NO_OUTCOME
    products: tuple[ProductKey, ...] = ()
    comparison: Comparison | None = None
    pays_on: str = ""

    @property
    def basis_probability(self) -> Decimal:
        return self.comparison.basis_probability if self.comparison else Decimal(0)

    def as_json(self) -> dict[str, Any]:
        """What a mapping keeps of the comparison."""
        return self.comparison.as_json() if self.comparison else {"reasons": list(self.reasons), "lines": []}


def queries_for(coverage_type: CoverageType) -> tuple[str, ...]:
    """What is typed into the venue's search to find markets on `coverage_type`."""
    if coverage_type is not CoverageType.DEPEG:
        return _QUERIES[coverage_type]
    coins = [coin for coin in Stablecoin if coin not in COINS_WITHOUT_DEPEG_MARKET]
    return (*(f"{coin.value} depeg" for coin in coins), "stablecoin depeg")


def find(listing: MarketListing, coverage_type: CoverageType, *, horizon: Horizon) -> list[Finding]:
    """What `listing` would do for `coverage_type`: one finding per insured subject, or one that says why nothing."""
    condition = condition_of(listing.description)
    clause = condition.clause if condition else ""
    price = price_trigger_of(clause) or price_trigger_of(listing.question)
    subject = subject_of(listing.question, clause, price=price)
    why_not = _why_not(listing, subject, coverage_type, horizon=horizon)
    if why_not:
        return [_nothing(listing, coverage_type, why_not)]
    outcome = paying_outcome(listing, coverage_type, condition=condition, price=price)
    if outcome.why_not:
        return [_nothing(listing, coverage_type, outcome.why_not)]
    findings = []
    for name, products, is_named in _insured(subject, coverage_type):
        findings.append(
            _finding(
                listing,
                coverage_type,
                terms=_terms(listing, subject, condition, price=price, place=name, is_place_named=is_named),
                outcome=outcome,
                subject=name,
                products=products,
                horizon=horizon,
            )
        )
    return findings


def _why_not(
    listing: MarketListing, subject: Subject, coverage_type: CoverageType, *, horizon: Horizon
) -> str:
    if subject.why_not:
        return subject.why_not
    if subject.coverage_type is not coverage_type:
        about = readable(subject.coverage_type) if subject.coverage_type else "nothing of ours"
        return f"it is about {about}, not {readable(coverage_type)}"
    if listing.closed or not listing.accepting_orders:
        return "it is closed or takes no orders"
    if listing.resolution_status:
        return f"its resolution has begun ({listing.resolution_status})"
    if listing.end_at is not None and listing.end_at.date() <= horizon.today:
        return f"it ended on {listing.end_at:%d %B %Y}"
    if not listing.condition_id:
        return "the venue does not name its condition"
    return ""


def _insured(subject: Subject, coverage_type: CoverageType) -> list[tuple[str, tuple[ProductKey, ...], bool]]:
    """(what is insured in words, the products, whether the market names it): a depeg per coin, others per chain."""
    if coverage_type is CoverageType.DEPEG:
        return [(coin.value, _products(coverage_type, coin=coin), True) for coin in subject.coins]
    if subject.chains and coverage_type is not CoverageType.CEX_LIQUIDATION:
        return [
            (f"{_PLACES[coverage_type]} {readable(chain)}", products, True)
            for chain in subject.chains
            if (products := _products(coverage_type, chain=chain))
        ]
    place = _PLACES[coverage_type]
    return [(f"{place} any chain" if place else "exchanges", _products(coverage_type), False)]


_PLACES = {
    CoverageType.SMART_CONTRACT: "contracts on",
    CoverageType.BRIDGE: "the bridges of",
    CoverageType.ORACLE: "oracles on",
    CoverageType.CEX_LIQUIDATION: "",
}


def _products(
    coverage_type: CoverageType, *, coin: Stablecoin | None = None, chain: Chain | None = None
) -> tuple[ProductKey, ...]:
    return tuple(
        key
        for key in all_products()
        if key.coverage_type is coverage_type
        and coin in (None, key.stablecoin)
        and chain in (None, key.chain)
        and not key.invalid_reason
    )


def _terms(
    listing: MarketListing,
    subject: Subject,
    condition: Condition | None,
    *,
    price: PriceTrigger | None,
    place: str,
    is_place_named: bool,
) -> MarketTerms:
    clause = condition.clause if condition else ""
    year = listing.end_at.year if listing.end_at else None
    dates = dates_of(clause, year=year)
    if dates.last is None:
        dates = dates_of(listing.question, year=year)
    return MarketTerms(
        event=plain(listing.question),
        price=price,
        window_s=window_s_of(clause),
        amount_usd=amount_usd_of(listing.question) or amount_usd_of(clause),
        source=source_of(listing.description),
        dates=dates,
        ends_on=listing.end_at.date() if listing.end_at else None,
        place=place if is_place_named else "anywhere",
        is_place_named=is_place_named,
    )


def _finding(
    listing: MarketListing,
    coverage_type: CoverageType,
    *,
    terms: MarketTerms,
    outcome: PayingOutcome,
    subject: str,
    products: tuple[ProductKey, ...],
    horizon: Horizon,
) -> Finding:
    policy = PolicyTerms(
        coverage_type=coverage_type,
        subject=subject,
        trigger=trigger_for(coverage_type, price=None, window_s=None),
        ends_on=horizon.policies_end_on[coverage_type],
        today=horizon.today,
    )
    comparison = compare(terms, policy)
    is_hedge = comparison.grade is not Grade.NONE
    return Finding(
        listing=listing,
        coverage_type=coverage_type,
        grade=comparison.grade,
        reasons=comparison.reasons,
        wording_hash=wording_hash(listing.question, listing.description),
        outcome=outcome,
        products=products if is_hedge else (),
        comparison=comparison,
        pays_on=pays_on(terms, coverage_type, subject=subject),
    )


def pays_on(terms: MarketTerms, coverage_type: CoverageType, *, subject: str) -> str:
    """What the paying outcome pays on, in one sentence from the figures that were read."""
    until = f" until {terms.dates.last:%d %B %Y}" if terms.dates.last else ""
    if coverage_type is CoverageType.DEPEG:
        price = f"below ${terms.price.price:f}" if terms.price else "off its peg"
        window = f" for {span(terms.window_s)}" if terms.window_s else ""
        return f"{subject} {price}{window}{until}"
    if coverage_type is CoverageType.CEX_LIQUIDATION:
        return f"the insolvency of a major exchange{until}"
    amount = f" of more than ${terms.amount_usd:,.0f}" if terms.amount_usd else ""
    where = f"from {terms.place}" if terms.is_place_named else "anywhere in crypto"
    peril = "an oracle exploit" if coverage_type is CoverageType.ORACLE else "a theft"
    return f"{peril}{amount} {where}{until}"


def _nothing(listing: MarketListing, coverage_type: CoverageType, why: str) -> Finding:
    return Finding(
        listing=listing,
        coverage_type=coverage_type,
        grade=Grade.NONE,
        reasons=(why,),
        wording_hash=wording_hash(listing.question, listing.description),
    )
