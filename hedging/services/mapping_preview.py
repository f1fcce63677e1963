"""What a person needs to judge a mapping: the rules as they are now, the book, the comparison, the cost.

Asks the venue while the page is made; where it does not answer, what was read last is shown with its age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hedging.domain.discovery import Finding, find
from hedging.domain.sizing import Walk, demand_for, walk_asks
from hedging.models import Mapping
from hedging.selectors.mappings import alike
from hedging.services.config import config_read
from hedging.services.discovery import horizon_assumed
from policies.domain.catalogue import CoverageType, SizingMode
from policies.selectors.exposure import exposure_by_product
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import ZERO, floor_micro
from venues.domain.books import Book, Level
from venues.domain.gateway import LookupFailed
from venues.domain.listings import MarketListing
from venues.registry import gateway_for
from venues.selectors.instruments import terms_of
from venues.services.books import book_fetch
from venues.services.instruments import instruments_refresh

if TYPE_CHECKING:
    from venues.models import BookSnapshot, Instrument


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """One moment's view. `silence`: why the venue did not answer ("" when it did): rules and book are old then.

    `required_usd` is the product's hedge at this venue, `walk` what the book gives for it within the operators' limits
    (None without a book or a requirement). `alike`: further proposals of the market that compare the same.
    """

    mapping: Mapping
    finding: Finding | None
    book: BookSnapshot | None
    silence: str
    coverage_usd: Decimal
    policies_count: int
    required_usd: Decimal
    walk: Walk | None
    alike: int

    @property
    def comparison(self) -> dict[str, Any]:
        """As it was stored when it was made on these words; made now where it was not."""
        stored = self.mapping.comparison
        if stored.get("lines") and self.mapping.read_wording_hash == self.mapping.instrument.wording_hash:
            return dict(stored)
        return self.finding.as_json() if self.finding else {}

    @property
    def wrong_way(self) -> str:
        """A sentence when the words say that another outcome pays in the insured event, or none does; else ""."""
        finding, market = self.finding, self.mapping.instrument
        if finding is None:
            return ""
        if not finding.outcome.label:
            return f"Read by its words it is no hedge: {finding.reasons[0]}."
        if finding.outcome.label.casefold() != market.outcome.casefold():
            return f"Read by its words the other outcome pays: {finding.outcome.label}, not {market.outcome}."
        return "" if finding.products else f"Read by its words it is no hedge: {finding.reasons[0]}."


def mapping_preview(mapping_id: int, *, now: datetime) -> Preview:
    """The view of one mapping. Writes the terms and the book that it read, and nothing else."""
    mapping = Mapping.objects.select_related("instrument", "product").get(pk=mapping_id)
    silence = _ask(mapping.instrument, now=now)
    mapping.instrument.refresh_from_db()
    book = mapping.instrument.books.order_by("-taken_at").first()
    coverage_usd, policies_count, required_usd = _exposure(mapping)
    return Preview(
        mapping=mapping,
        finding=_finding(mapping, now=now),
        book=book,
        silence=silence,
        coverage_usd=coverage_usd,
        policies_count=policies_count,
        required_usd=required_usd,
        walk=None if book is None else _walk(mapping, book_of(book), required_usd, coverage_usd),
        alike=alike(mapping).count(),
    )


def _ask(instrument: Instrument, *, now: datetime) -> str:
    """Read terms and book; the reason why not, or ""."""
    try:
        gateway = gateway_for(instrument.venue_id)
        named = instruments_refresh(instrument.venue_id, now=now, instrument_ids=[instrument.instrument_id])
        if not named:
            return "the venue does not name this market"
        book_fetch(instrument, gateway=gateway, now=now)
    except (LookupFailed, Refused) as error:
        return str(error)
    return ""


def book_of(row: BookSnapshot) -> Book:
    """A stored book as the domain reads it."""
    bids, asks = (
        tuple(Level(Decimal(price), Decimal(size)) for price, size in side) for side in (row.bids, row.asks)
    )
    return Book(
        instrument_id=row.instrument.instrument_id,
        bids=bids,
        asks=asks,
        taken_at=row.venue_at,
        book_hash=row.book_hash,
    )


def _exposure(mapping: Mapping) -> tuple[Decimal, int, Decimal]:
    kept = exposure_by_product([mapping.product_id]).get(mapping.product_id)
    if kept is None:
        return ZERO, 0, ZERO
    share = config_read().venue_shares.get(mapping.instrument.venue_id, ZERO)
    return (
        kept.coverage_usd,
        kept.policies_count,
        floor_micro(mapping.product.hedge_ratio * kept.coverage_usd * share),
    )


def _walk(mapping: Mapping, book: Book, required_usd: Decimal, coverage_usd: Decimal) -> Walk | None:
    if required_usd <= 0:
        return None
    config = config_read()
    demand = demand_for(
        required_usd,
        coverage_usd=coverage_usd,
        mode=SizingMode(mapping.product.sizing_mode),
        payout_cover_max=config.payout_cover_max,
    )
    return walk_asks(
        book,
        budget_usd=demand.budget_usd,
        size_max=demand.size_max,
        price_max=config.price_max,
        slippage_bps_max=config.slippage_bps_max,
        participation=config.depth_participation,
        terms=terms_of(mapping.instrument),
    )


def _finding(mapping: Mapping, *, now: datetime) -> Finding | None:
    """The market judged by its words as they are now; None for outcomes that are not a plain yes and no."""
    market = mapping.instrument
    other = {"yes": "No", "no": "Yes"}.get(market.outcome.casefold())
    if other is None:
        return None
    listing = MarketListing(
        market_id=market.market_id,
        condition_id=market.condition_id,
        slug=market.slug,
        question=market.question,
        description=market.description,
        outcomes=((market.outcome, market.instrument_id), (other, f"not {market.instrument_id}")),
        accepting_orders=True,
        closed=False,
        end_at=market.end_at,
    )
    findings = find(listing, CoverageType(mapping.product.coverage_type), horizon=horizon_assumed(now=now))
    of_product = [item for item in findings if mapping.product.key in item.products]
    judged = of_product or findings
    return judged[0] if judged else None
