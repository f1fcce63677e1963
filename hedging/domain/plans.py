"""What a cycle decided: a target per instrument, a leg per product and venue, each with its reason.

Nothing here is sent; a plan is written down, and intents are made of its targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tonsurance.kernel.money import MICRO, ZERO
from venues.domain.gateway import Side


class LegReason(StrEnum):
    """Why a product's share at a venue is what it is. HEDGE: all that was still wanted is bought now."""

    HEDGE = "HEDGE"
    ALREADY_HELD = "ALREADY_HELD"
    BUDGET_SPENT = "BUDGET_SPENT"
    FULLY_COVERED = "FULLY_COVERED"
    IN_FLIGHT = "IN_FLIGHT"
    CLOSING_FIRST = "CLOSING_FIRST"
    PRODUCT_NOT_HEDGED = "PRODUCT_NOT_HEDGED"
    NO_GATEWAY = "NO_GATEWAY"
    VENUE_DISABLED = "VENUE_DISABLED"
    UNMAPPED = "UNMAPPED"
    NOT_A_HEDGE = "NOT_A_HEDGE"
    MAPPING_NOT_APPROVED = "MAPPING_NOT_APPROVED"
    MAPPING_INACTIVE = "MAPPING_INACTIVE"
    MARKET_CLOSED = "MARKET_CLOSED"
    NO_BOOK = "NO_BOOK"
    STALE_BOOK = "STALE_BOOK"
    CROSSED_BOOK = "CROSSED_BOOK"
    PRICE_CAP = "PRICE_CAP"
    SLIPPAGE = "SLIPPAGE"
    DEPTH = "DEPTH"
    ORDER_LIMIT = "ORDER_LIMIT"
    INSTRUMENT_LIMIT = "INSTRUMENT_LIMIT"
    BELOW_MINIMUM = "BELOW_MINIMUM"


class LegOutcome(StrEnum):
    """What becomes of a share in this cycle: all, a part, nothing, or nothing to do."""

    HEDGED = "hedged"
    PARTLY = "partly hedged"
    UNHEDGED = "unhedged"
    NOTHING_TO_DO = "nothing to do"


SATISFIED: frozenset[LegReason] = frozenset(
    {LegReason.ALREADY_HELD, LegReason.BUDGET_SPENT, LegReason.FULLY_COVERED, LegReason.PRODUCT_NOT_HEDGED}
)
"""Reasons that leave nothing to hedge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One product's share at one venue.

    `required_usd` is venue share x hedge ratio x cover: money in BUDGET mode, payout in PAYOUT mode.
    `held_size` and `held_cost_usd` are at worst case (confirmed, pending, in flight); `planned_usd` includes
    fees; payouts are expected in the insured event (size x basis probability). `unfilled_usd` is the part of
    `required_usd` left unhedged, `unneeded_usd` the part of a budget that cover does not allow to spend.
    `reason` explains whatever is left.
    """

    product_id: int
    venue_code: str
    instrument_id: str | None
    mapping_id: int | None
    coverage_usd: Decimal
    required_usd: Decimal
    held_size: Decimal = ZERO
    held_cost_usd: Decimal = ZERO
    held_payout_usd: Decimal = ZERO
    planned_size: Decimal = ZERO
    planned_usd: Decimal = ZERO
    planned_payout_usd: Decimal = ZERO
    unfilled_usd: Decimal = ZERO
    unneeded_usd: Decimal = ZERO
    reason: LegReason
    sentence: str

    @property
    def outcome(self) -> LegOutcome:
        """The leg in two words."""
        if self.planned_size > 0:
            complete = self.reason in SATISFIED or self.reason is LegReason.HEDGE
            return LegOutcome.HEDGED if complete else LegOutcome.PARTLY
        return LegOutcome.NOTHING_TO_DO if self.reason in SATISFIED else LegOutcome.UNHEDGED


MAIN, RESTING = "main", "resting"
"""The lanes of an instrument: what takes from its book, and what rests in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DemandWeight:
    """A product's part of a purchase: payout wanted, in whole micro-dollars, by which its fills are divided."""

    product_id: int
    weight_micro: int

    @property
    def weight_usd(self) -> Decimal:
        return Decimal(self.weight_micro) / MICRO


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One parent order: all demand for one instrument bundled, or what is to be sold of it.

    A BUY may spend `notional_usd` plus `fee_usd` for `size` units, at `price_limit` or better each; its `demands` add
    up to `size`. On the lane RESTING it is a bid that rests at `price_limit`. A SELL delivers `size`: `ended_size` of
    policies that ended, `excess_size` above what cover allows. `reason` is what bounded the size; `inputs` what it was
    decided on, as strings.
    """

    venue_code: str
    instrument_id: str
    side: Side
    size: Decimal
    notional_usd: Decimal
    fee_usd: Decimal
    price_limit: Decimal
    price_average: Decimal
    leg: str = MAIN
    demands: tuple[DemandWeight, ...] = ()
    ended_size: Decimal = ZERO
    excess_size: Decimal = ZERO
    reason: LegReason
    sentence: str
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def cost_usd(self) -> Decimal:
        """Notional plus expected fees."""
        return self.notional_usd + self.fee_usd


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldBack:
    """Units that should be sold and cannot be sold now."""

    venue_code: str
    instrument_id: str
    size: Decimal
    reason: LegReason
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Legs in the order of products and venues, targets in the order of instruments: the same view, the same plan."""

    legs: tuple[Leg, ...]
    targets: tuple[Target, ...]
    held_back: tuple[HeldBack, ...] = ()

    @property
    def coverage_usd(self) -> Decimal:
        """Cover in force of all products, each counted once."""
        return sum({leg.product_id: leg.coverage_usd for leg in self.legs}.values(), ZERO)

    @property
    def required_usd(self) -> Decimal:
        return sum((leg.required_usd for leg in self.legs), ZERO)

    @property
    def planned_usd(self) -> Decimal:
        """To be spent by this plan, fees included."""
        return sum((leg.planned_usd for leg in self.legs), ZERO)

    @property
    def planned_payout_usd(self) -> Decimal:
        """Expected payoff of this plan's purchases in the insured events."""
        return sum((leg.planned_payout_usd for leg in self.legs), ZERO)

    @property
    def products_hedged(self) -> frozenset[int]:
        """Products with something held or planned."""
        return frozenset(leg.product_id for leg in self.legs if leg.held_size + leg.planned_size > 0)

    def unfilled_by_reason(self) -> dict[LegReason, Decimal]:
        """What stays unhedged, by the reason for it, largest first."""
        sums: dict[LegReason, Decimal] = {}
        for leg in self.legs:
            if leg.unfilled_usd > 0:
                sums[leg.reason] = sums.get(leg.reason, ZERO) + leg.unfilled_usd
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
