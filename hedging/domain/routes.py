"""Where each product can be hedged at each venue, or why it cannot.

Only an approved, active mapping that pays in the insured event is a route. Of several, the cheapest expected
payoff wins: best ask with fee, divided by the chance that it pays when the policy pays.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from hedging.domain.plans import LegReason
from hedging.domain.views import Grade, MappedInstrument, MarketView
from tonsurance.kernel.errors import Broken
from tonsurance.kernel.money import floor_micro
from venues.domain.fees import unrounded_taker_fee_usd
from venues.domain.instruments import InstrumentTerms


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way, in a word and in a sentence without a full stop."""

    reason: LegReason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """How one product reaches one venue. With an `obstacle` nothing may be bought on it."""

    instrument_id: str | None = None
    mapping_id: int | None = None
    basis_probability: Decimal = Decimal(0)
    obstacle: Obstacle | None = None


class Routes:
    """All routes of one view, found once."""

    def __init__(self, view: MarketView) -> None:
        self._view = view
        self._by_product: dict[int, list[MappedInstrument]] = defaultdict(list)
        self._products: dict[str, set[int]] = defaultdict(set)
        self._hedged_products: dict[str, set[int]] = defaultdict(set)
        self._basis: dict[tuple[int, str], Decimal] = {}
        self._coverage = {item.product_id: item.coverage_usd for item in view.demands}
        self.terms: dict[str, InstrumentTerms] = dict(view.terms)
        for mapping in view.mappings:
            instrument_id = mapping.terms.instrument_id
            self._by_product[mapping.product_id].append(mapping)
            self._products[instrument_id].add(mapping.product_id)
            if mapping_obstacle(mapping) is None:
                self._hedged_products[instrument_id].add(mapping.product_id)
                self._basis[mapping.product_id, instrument_id] = mapping.basis_probability
            self.terms[instrument_id] = mapping.terms
        self._market_obstacles = {
            instrument_id: market_obstacle(view, terms) for instrument_id, terms in self.terms.items()
        }

    def route(self, product_id: int, venue_code: str) -> Route:
        """The best way for `product_id` at `venue_code`, or the obstacle nearest to trading."""
        venue = self._view.venues.get(venue_code)
        if venue is None or not venue.has_gateway:
            return Route(obstacle=Obstacle(LegReason.NO_GATEWAY, "unhedged: no gateway"))
        mappings = [item for item in self._by_product[product_id] if item.terms.venue_code == venue_code]
        if not mappings:
            why = self._view.unmapped_because.get(
                product_id, f"no instrument at {venue.name} is mapped to it"
            )
            return Route(obstacle=Obstacle(LegReason.UNMAPPED, why))
        sound = [item for item in mappings if mapping_obstacle(item) is None]
        if not sound:
            return _nearest(mappings)
        best = min(sound, key=self._cost_of_payoff)
        obstacle = self._market_obstacles[best.terms.instrument_id]
        if not venue.is_enabled:
            obstacle = Obstacle(LegReason.VENUE_DISABLED, f"{venue.name} is switched off for new orders")
        return Route(
            instrument_id=best.terms.instrument_id,
            mapping_id=best.mapping_id,
            basis_probability=best.basis_probability,
            obstacle=obstacle,
        )

    def products_of(self, instrument_id: str) -> frozenset[int]:
        """Every product mapped to the instrument, approved or not."""
        return frozenset(self._products.get(instrument_id, ()))

    def basis_probability(self, product_id: int, instrument_id: str) -> Decimal:
        """The chance that the instrument pays when the product does; 0 where no approved mapping says so."""
        return self._basis.get((product_id, instrument_id), Decimal(0))

    def insurable_size(self, instrument_id: str) -> Decimal:
        """The most units that cover of the products hedged by this instrument allows to hold."""
        cover = sum(
            (self._coverage.get(item, Decimal(0)) for item in self._hedged_products[instrument_id]),
            Decimal(0),
        )
        return floor_micro(self._view.limits.payout_cover_max * cover)

    def _cost_of_payoff(self, mapping: MappedInstrument) -> tuple[int, Decimal, int]:
        """Tradable first, then cheapest per dollar of expected payoff, then the oldest mapping."""
        terms = mapping.terms
        if self._market_obstacles[terms.instrument_id] is not None:
            return 1, Decimal(0), mapping.mapping_id
        ask = self._view.books[terms.instrument_id].best_ask
        if ask is None:
            raise Broken(f"instrument {terms.instrument_id} has no ask and no obstacle")
        fee = unrounded_taker_fee_usd(
            Decimal(1), price=ask.price, fee_rate=terms.fee_rate, fee_exponent=terms.fee_exponent
        )
        return 0, (ask.price + fee) / mapping.basis_probability, mapping.mapping_id


_NEARNESS = (LegReason.MAPPING_INACTIVE, LegReason.MAPPING_NOT_APPROVED, LegReason.NOT_A_HEDGE)


def _nearest(mappings: list[MappedInstrument]) -> Route:
    """Of mappings that all have an obstacle, the one nearest to trading: suspended, then unapproved, then no hedge."""
    obstacles = [
        (_NEARNESS.index(found.reason), item.mapping_id, found)
        for item in mappings
        if (found := mapping_obstacle(item)) is not None
    ]
    _, mapping_id, obstacle = min(obstacles, key=lambda entry: entry[:2])
    return Route(mapping_id=mapping_id, obstacle=obstacle)


def mapping_obstacle(mapping: MappedInstrument) -> Obstacle | None:
    """Why a mapping may not be traded; wrong-way and unknown payoffs first, because no approval mends them."""
    if mapping.grade is Grade.NONE or mapping.basis_probability <= 0:
        detail = "the mapped instrument does not pay in the insured event"
        return Obstacle(LegReason.NOT_A_HEDGE, mapping.blocked_because or detail)
    if not mapping.approved:
        detail = mapping.blocked_because or "nobody has approved the mapping as the market is worded today"
        return Obstacle(LegReason.MAPPING_NOT_APPROVED, detail)
    if not mapping.active:
        return Obstacle(LegReason.MAPPING_INACTIVE, mapping.blocked_because or "the mapping is switched off")
    return None


def market_obstacle(view: MarketView, terms: InstrumentTerms) -> Obstacle | None:
    """Why nothing can be bought on a market now."""
    book = view.books.get(terms.instrument_id)
    if is_shut(view, terms):
        return Obstacle(LegReason.MARKET_CLOSED, "the market is closed or takes no orders")
    if book is None or book.best_ask is None:
        return Obstacle(LegReason.NO_BOOK, "nobody offers anything" if book else "its book could not be read")
    age = view.book_age(terms.instrument_id)
    if age > view.limits.book_max_age:
        return Obstacle(LegReason.STALE_BOOK, f"its book is {int(age.total_seconds())} s old")
    if book.best_bid is not None and book.best_bid.price >= book.best_ask.price:
        return Obstacle(
            LegReason.CROSSED_BOOK, f"its book is crossed: {book.best_bid.price} over {book.best_ask.price}"
        )
    if book.best_ask.price > view.limits.price_max:
        detail = f"the best ask of {book.best_ask.price} is above the price cap of {view.limits.price_max}"
        return Obstacle(LegReason.PRICE_CAP, detail)
    return None


def is_shut(view: MarketView, terms: InstrumentTerms) -> bool:
    """Whether the market takes no orders at all."""
    return (
        terms.closed
        or not terms.accepting_orders
        or (terms.end_at is not None and terms.end_at <= view.as_of)
    )
