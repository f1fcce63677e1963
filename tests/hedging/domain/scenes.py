"""Small markets, mappings and readings for tests of the pure part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hedging.domain.views import (
    Grade,
    Held,
    HeldSlice,
    MappedInstrument,
    MarketView,
    PlanLimits,
    ProductDemand,
    VenueView,
)
from policies.domain.catalogue import SizingMode
from venues.domain.books import Book, Level
from venues.domain.instruments import InstrumentTerms

D = Decimal
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FREE = D("0")
DOCUMENT_SHARES = {"polymarket": D("0.4"), "binance_futures": D("0.4"), "allianz": D("0.2")}


def terms_of(instrument_id: str = "YES-USDC", **changes: Any) -> InstrumentTerms:
    """An open market without fee, in ticks of 0.001, 5 shares and 1 USD at least."""
    terms = InstrumentTerms(
        venue_code="polymarket",
        instrument_id=instrument_id,
        condition_id=f"0x{instrument_id}",
        market_id="1",
        slug=instrument_id.lower(),
        question="USDC depeg by December 31?",
        description="",
        outcome="Yes",
        tick_size=D("0.001"),
        size_min=D("5"),
        notional_usd_min=D("1"),
        fee_rate=FREE,
        fee_exponent=1,
        neg_risk=False,
        exchange_domain="2",
        accepting_orders=True,
        closed=False,
        end_at=None,
    )
    return replace(terms, **changes)


def levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(D(price), D(size)) for price, size in pairs)


def book_of(
    *asks: tuple[str, str],
    bids: Iterable[tuple[str, str]] = (),
    instrument_id: str = "YES-USDC",
    age_s: int = 1,
) -> Book:
    return Book(
        instrument_id=instrument_id,
        asks=levels(*asks),
        bids=levels(*bids),
        taken_at=NOW - timedelta(seconds=age_s),
    )


def thin_book() -> Book:
    """20 levels a tick apart from 2.1 cents: 500 shares, and on each further one 15 % of those more, whole."""
    asks = tuple((f"0.0{21 + k}", str(int(500 * (1 + 0.15 * k)))) for k in range(20))
    return book_of(*asks)


def product(product_id: int = 0, **changes: Any) -> ProductDemand:
    """$100,000 of USDC depeg cover, a fifth of it to be hedged, by budget."""
    demand = ProductDemand(
        product_id=product_id,
        coverage_type="depeg",
        chain="ethereum",
        stablecoin="USDC",
        coverage_usd=D("100000"),
        policies_count=1,
        hedge_ratio=D("0.20"),
        sizing_mode=SizingMode.BUDGET,
    )
    return replace(demand, **changes)


def mapping(product_id: int = 0, mapping_id: int | None = None, **changes: Any) -> MappedInstrument:
    """An approved, direct mapping to YES-USDC."""
    found = MappedInstrument(
        mapping_id=mapping_id if mapping_id is not None else product_id + 1,
        product_id=product_id,
        terms=terms_of(),
        grade=Grade.DIRECT,
        basis_probability=D("1"),
        approved=True,
        active=True,
    )
    return replace(found, **changes)


def held(
    instrument_id: str = "YES-USDC", slices: Mapping[int, tuple[str, str]] | None = None, **changes: Any
) -> Held:
    """`slices`: product id -> (size, cost)."""
    parts = tuple(
        HeldSlice(product_id=key, size=D(size), cost_usd=D(cost))
        for key, (size, cost) in (slices or {}).items()
    )
    return replace(Held(instrument_id=instrument_id, slices=parts), **changes)


def limits_of(**changes: Any) -> PlanLimits:
    """The whole hedge on Polymarket, any price up to 60 cents, any slippage."""
    limits = PlanLimits(venue_shares={"polymarket": D("1")}, price_max=D("0.60"), slippage_bps_max=None)
    return replace(limits, **changes)


def view_of(
    *demands: ProductDemand,
    mappings: Iterable[MappedInstrument] | None = None,
    books: Iterable[Book] | None = None,
    holdings: Iterable[Held] = (),
    **changes: Any,
) -> MarketView:
    """One market with 100,000 shares at 50 cents, mapped to every product, unless told otherwise."""
    products = demands or (product(),)
    found = [book_of(("0.50", "100000"), bids=[("0.48", "100000")])] if books is None else list(books)
    view = MarketView(
        as_of=NOW,
        demands=products,
        mappings=tuple(mapping(item.product_id) for item in products)
        if mappings is None
        else tuple(mappings),
        books={item.instrument_id: item for item in found},
        held={item.instrument_id: item for item in holdings},
        venues={
            "polymarket": VenueView(code="polymarket", name="Polymarket", has_gateway=True),
            "binance_futures": VenueView(code="binance_futures", name="Binance futures", has_gateway=False),
            "allianz": VenueView(code="allianz", name="Parametric reinsurer", has_gateway=False),
        },
        limits=limits_of(),
    )
    return replace(view, **changes)
