"""What a cycle sees: everything that decisions depend on, read at one moment and frozen.

Money in USD, sizes in units that pay 1 USD each in the insured event. Whoever builds a view fills it from the
database; whoever thinks about it (`targets.py`) asks nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from policies.domain.catalogue import SizingMode
from venues.domain.books import Book
from venues.domain.instruments import InstrumentTerms


class Grade(StrEnum):
    """DIRECT: pays on the insured event. PROXY: on a related one. NONE: not a hedge, or one that loses when we pay."""

    DIRECT = "direct"
    PROXY = "proxy"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductDemand:
    """One product with policies in force. A product that is no longer sold (`life`) is hedged like any other."""

    product_id: int
    coverage_type: str
    chain: str
    stablecoin: str
    coverage_usd: Decimal
    policies_count: int
    hedge_ratio: Decimal
    sizing_mode: SizingMode
    life: str = "active"


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedInstrument:
    """One instrument that is said to offset one product.

    `basis_probability` is the chance that it pays given that the policy pays. `approved`: a person agreed to
    it as it is worded today. `blocked_because` explains a mapping that is not approved or not active.
    """

    mapping_id: int
    product_id: int
    terms: InstrumentTerms
    grade: Grade
    basis_probability: Decimal
    approved: bool
    active: bool
    blocked_because: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldSlice:
    """What of an instrument belongs, or is about to belong, to one product's policies in force; cost with fees."""

    product_id: int
    size: Decimal
    cost_usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What we have of one instrument, and what we may yet get.

    `confirmed_size` settled, `ended_size` of it belonging to policies that ended; `pending_size` matched and
    not settled; `in_flight_size` the most that live or unanswered orders and open intents may still buy.
    `cost_usd` was paid for confirmed and pending units, `in_flight_usd` the most that the rest may cost, both
    with fees. `slices` say whose the units are (confirmed of policies in force, pending and in flight by the
    weights of their intents); units in no slice are shared by the products in proportion to what they want.
    `has_live_intent`: the lane that takes is at work; `is_resting`: a bid of ours rests in the book.
    """

    instrument_id: str
    confirmed_size: Decimal = Decimal(0)
    pending_size: Decimal = Decimal(0)
    in_flight_size: Decimal = Decimal(0)
    in_flight_usd: Decimal = Decimal(0)
    cost_usd: Decimal = Decimal(0)
    ended_size: Decimal = Decimal(0)
    has_live_intent: bool = False
    is_resting: bool = False
    slices: tuple[HeldSlice, ...] = ()

    @property
    def worst_size(self) -> Decimal:
        """The most units that we may end up with."""
        return self.confirmed_size + self.pending_size + self.in_flight_size

    @property
    def worst_cost_usd(self) -> Decimal:
        """The most that they may cost."""
        return self.cost_usd + self.in_flight_usd


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueView:
    """One venue as the plan needs it."""

    code: str
    name: str
    has_gateway: bool
    is_enabled: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RestingLimits:
    """The operators' bounds on what rests in a book: the most money of one bid, and how long it rests."""

    notional_usd_max: Decimal
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanLimits:
    """The operators' bounds.

    `venue_shares` by venue code, adding up to 1, in the order of reports. `price_max` per unit;
    `slippage_bps_max` average price against the best; `participation` part of each level; `payout_cover_max`
    payout per dollar of cover; `notional_usd_max_per_order` and `cost_usd_max_per_instrument` with fees
    (None: no bound). `resting` None: nothing rests.
    """

    venue_shares: Mapping[str, Decimal]
    price_max: Decimal
    slippage_bps_max: Decimal | None
    participation: Decimal = Decimal(1)
    payout_cover_max: Decimal = Decimal(1)
    notional_usd_max_per_order: Decimal | None = None
    cost_usd_max_per_instrument: Decimal | None = None
    book_max_age: timedelta = timedelta(seconds=60)
    resting: RestingLimits | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketView:
    """One reading. `books`, `books_received_at`, `held` and `terms` by instrument id; `unmapped_because` by product id.

    `terms` are needed for instruments that are held and not mapped any more.
    """

    as_of: datetime
    demands: tuple[ProductDemand, ...]
    mappings: tuple[MappedInstrument, ...]
    books: Mapping[str, Book]
    held: Mapping[str, Held]
    venues: Mapping[str, VenueView]
    limits: PlanLimits
    books_received_at: Mapping[str, datetime] = field(default_factory=dict)
    unmapped_because: Mapping[int, str] = field(default_factory=dict)
    terms: Mapping[str, InstrumentTerms] = field(default_factory=dict)

    def held_of(self, instrument_id: str) -> Held:
        """What we have of an instrument; nothing when the view does not mention it."""
        return self.held.get(instrument_id) or Held(instrument_id=instrument_id)

    def book_age(self, instrument_id: str) -> timedelta:
        """How long ago we received the book; a quiet market's own time stamp may be old and still true."""
        received = self.books_received_at.get(instrument_id) or self.books[instrument_id].taken_at
        return self.as_of - received
