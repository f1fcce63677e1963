"""The figures of the status report and of the home page, one function per group. docs/metrics.md defines each.

Only confirmed trades count as held, and only what pays in the insured event counts as hedged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection

from hedging.domain.allocation import split_venues
from hedging.domain.plans import LegReason
from hedging.domain.report import ReportFigures, TruthFigures, VenueAllocation
from hedging.models import Cycle
from hedging.selectors.market_view import exposures_read
from tonsurance.kernel.money import ZERO, floor_micro


@dataclass(frozen=True, kw_only=True, slots=True)
class ExposureFigures:
    """What we promised now, and how much of it is to be hedged: sum of hedge ratio x coverage, USD.

    `hedge_ratio` is None where products differ in it. `allocated_usd` is the requirement by venue code, split product
    by product as a cycle splits it.
    """

    products_count: int = 0
    policies_count: int = 0
    coverage_usd: Decimal = ZERO
    required_usd: Decimal = ZERO
    hedge_ratio: Decimal | None = None
    allocated_usd: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueShare:
    """One venue's part of the requirement, and what is really held there."""

    code: str
    name: str
    share: Decimal
    allocated_usd: Decimal
    payout_usd: Decimal
    cost_usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionFigures:
    """Slices of policies (open and closed), products with an open one, and what is held at the venues.

    `payout_usd` is what the units held pay in the insured events, each weighted with the lowest chance that any product
    mapped to it gives; `face_usd` what they pay if all their markets pay. `cost_usd` was paid for them, fees included.
    """

    open_count: int = 0
    closed_count: int = 0
    products_hedged_count: int = 0
    realised_pnl_usd: Decimal = ZERO
    payout_usd: Decimal = ZERO
    face_usd: Decimal = ZERO
    cost_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class UncertainFigures:
    """What may still become a hedge or not. Money is the worst case, fees included.

    In doubt: orders UNKNOWN or MANUAL. In flight: SENDING, ACKED, PARTIAL. Provisional: matched trades not yet settled.
    """

    doubt_count: int = 0
    doubt_usd: Decimal = ZERO
    flight_count: int = 0
    flight_usd: Decimal = ZERO
    provisional_count: int = 0
    provisional_usd: Decimal = ZERO
    provisional_size: Decimal = ZERO


@dataclass(frozen=True, kw_only=True, slots=True)
class UnhedgedReason:
    """What the last finished cycle left unhedged at one venue for one reason."""

    venue_code: str
    venue_name: str
    reason: str
    products_count: int
    unhedged_usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class LastCycle:
    """The newest finished run, failed or not; `planned_products_count` are the products it gave an allocation to."""

    id: int | None = None
    state: str = ""
    mode: str = ""
    environment: str = ""
    as_of: datetime | None = None
    finished_at: datetime | None = None
    intents_count: int = 0
    planned_usd: Decimal = ZERO
    planned_payout_usd: Decimal = ZERO
    planned_products_count: int = 0
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookFigures:
    """Everything that the report says, at one moment."""

    exposure: ExposureFigures
    venues: list[VenueShare]
    positions: PositionFigures
    uncertain: UncertainFigures
    cycle: LastCycle
    unhedged: list[UnhedgedReason] = field(default_factory=list)

    @property
    def hedged_share(self) -> Decimal:
        """Confirmed payout / required."""
        required = self.exposure.required_usd
        return self.positions.payout_usd / required if required else Decimal(0)


_HELD = """
    WITH weighted AS (
        SELECT instrument_id, min(CASE grade WHEN 'none' THEN 0 ELSE basis_probability END) AS basis
        FROM hedging_mapping WHERE state IN ('approved', 'suspended') GROUP BY instrument_id
    ), held AS (
        SELECT p.venue_id, sum(p.size) AS face, sum(p.size * coalesce(w.basis, 0)) AS payout,
            sum(p.cost_usd) AS cost, sum(p.fees_usd) AS fees, sum(p.realised_pnl_usd) AS pnl
        FROM hedging_position p LEFT JOIN weighted w USING (instrument_id) GROUP BY p.venue_id
    )
    SELECT v.code, v.name, v.kind = 'prediction_market',
        coalesce(h.face, 0), coalesce(h.payout, 0), coalesce(h.cost, 0), coalesce(h.fees, 0), coalesce(h.pnl, 0)
    FROM venues_venue v LEFT JOIN held h ON h.venue_id = v.code ORDER BY v.position, v.code
"""
# From the kept sums: the slices themselves are millions.
_SLICES = """
    SELECT coalesce(sum(open_count), 0)::bigint, coalesce(sum(closed_count), 0)::bigint,
        count(DISTINCT product_id) FILTER (WHERE open_count > 0)
    FROM hedging_heldshare
"""
_LIVE = """
    SELECT state IN ('UNKNOWN', 'MANUAL') AS in_doubt, count(*), sum(notional_usd + fee_usd_max)
    FROM hedging_order WHERE state IN ('SENDING', 'UNKNOWN', 'MANUAL', 'ACKED', 'PARTIAL') GROUP BY in_doubt
"""
_PROVISIONAL = """
    SELECT count(*), coalesce(sum(notional_usd + fee_usd), 0), coalesce(sum(size), 0)
    FROM hedging_fill WHERE side = 'BUY' AND settlement IN ('matched', 'mined', 'retrying')
"""
_UNHEDGED = """
    SELECT v.code, v.name, l.reason, count(*), sum(l.unfilled_usd)
    FROM hedging_cycleleg l JOIN venues_venue v ON v.code = l.venue_id
    WHERE l.cycle_id = %s AND l.unfilled_usd > 0
    GROUP BY v.code, v.name, l.reason ORDER BY sum(l.unfilled_usd) DESC, v.code, l.reason
"""
_PLANNED = "SELECT count(DISTINCT product_id) FROM hedging_cycleleg WHERE cycle_id = %s AND planned_usd > 0"


def exposure_figures(venue_shares: Mapping[str, Decimal]) -> ExposureFigures:
    """Coverage in force, the requirement that follows from each product's own hedge ratio, and its split by venue."""
    demands = exposures_read()
    allocated = dict.fromkeys(venue_shares, ZERO)
    required_usd = ZERO
    for demand in demands:
        required = floor_micro(demand.hedge_ratio * demand.coverage_usd)
        required_usd += required
        for code, part in split_venues(required, venue_shares).items():
            allocated[code] += part
    ratios = {demand.hedge_ratio for demand in demands}
    return ExposureFigures(
        products_count=len(demands),
        policies_count=sum(demand.policies_count for demand in demands),
        coverage_usd=sum((demand.coverage_usd for demand in demands), ZERO),
        required_usd=required_usd,
        hedge_ratio=ratios.pop() if len(ratios) == 1 else None,
        allocated_usd=allocated,
    )


def held_figures(
    exposure: ExposureFigures, venue_shares: Mapping[str, Decimal]
) -> tuple[PositionFigures, list[VenueShare]]:
    """What is held, in total and per venue.

    Units count towards the payout only where a unit pays 1 USD in the insured event: on prediction markets.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        rows = cursor.fetchall()
        cursor.execute(_SLICES)
        slices = cursor.fetchone()
    venues = [
        VenueShare(
            code=code,
            name=name,
            share=venue_shares.get(code, Decimal(0)),
            allocated_usd=exposure.allocated_usd.get(code, ZERO),
            payout_usd=floor_micro(payout) if pays_units else ZERO,
            cost_usd=cost,
        )
        for code, name, pays_units, _face, payout, cost, _fees, _pnl in rows
    ]
    figures = PositionFigures(
        open_count=slices[0],
        closed_count=slices[1],
        products_hedged_count=slices[2],
        payout_usd=sum((venue.payout_usd for venue in venues), ZERO),
        face_usd=floor_micro(sum((row[3] for row in rows if row[2]), ZERO)),
        cost_usd=sum((row[5] for row in rows), ZERO),
        fees_usd=sum((row[6] for row in rows), ZERO),
        realised_pnl_usd=sum((row[7] for row in rows), ZERO),
    )
    return figures, venues


def uncertain_figures() -> UncertainFigures:
    """Orders whose end is open and trades whose settlement is."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE)
        live = {in_doubt: (count, usd) for in_doubt, count, usd in cursor.fetchall()}
        cursor.execute(_PROVISIONAL)
        provisional_count, provisional_usd, provisional_size = cursor.fetchone()
    doubt_count, doubt_usd = live.get(True, (0, ZERO))
    flight_count, flight_usd = live.get(False, (0, ZERO))
    return UncertainFigures(
        doubt_count=doubt_count,
        doubt_usd=doubt_usd,
        flight_count=flight_count,
        flight_usd=flight_usd,
        provisional_count=provisional_count,
        provisional_usd=provisional_usd,
        provisional_size=provisional_size,
    )


def last_cycle() -> tuple[LastCycle, list[UnhedgedReason]]:
    """The newest finished cycle; and of the newest that succeeded (dry runs apart), what stayed unhedged."""
    newest = (
        Cycle.objects.exclude(state=Cycle.State.RUNNING)
        .exclude(mode=Cycle.Mode.DRY_RUN)
        .order_by("-id")
        .first()
    )
    if newest is None:
        return LastCycle(), []
    done = newest
    if newest.state != Cycle.State.DONE:
        done = (
            Cycle.objects.filter(state=Cycle.State.DONE)
            .exclude(mode=Cycle.Mode.DRY_RUN)
            .order_by("-id")
            .first()
            or newest
        )
    with connection.cursor() as cursor:
        cursor.execute(_PLANNED, [done.pk])
        planned_products = cursor.fetchone()[0]
        cursor.execute(_UNHEDGED, [done.pk])
        unhedged = [
            UnhedgedReason(
                venue_code=code, venue_name=name, reason=reason, products_count=count, unhedged_usd=usd
            )
            for code, name, reason, count, usd in cursor.fetchall()
        ]
    figures = LastCycle(
        id=newest.pk,
        state=newest.state,
        mode=newest.mode,
        environment=newest.environment,
        as_of=newest.as_of,
        finished_at=newest.finished_at,
        intents_count=newest.intents_count,
        planned_usd=newest.planned_usd,
        planned_payout_usd=newest.planned_payout_usd,
        planned_products_count=planned_products,
        error=newest.error,
    )
    return figures, unhedged


def book_figures(venue_shares: Mapping[str, Decimal]) -> BookFigures:
    """Every group, in nine queries. `venue_shares` by venue code, adding up to 1."""
    exposure = exposure_figures(venue_shares)
    positions, venues = held_figures(exposure, venue_shares)
    cycle, unhedged = last_cycle()
    return BookFigures(
        exposure=exposure,
        venues=venues,
        positions=positions,
        uncertain=uncertain_figures(),
        cycle=cycle,
        unhedged=unhedged,
    )


def report_figures(book: BookFigures) -> ReportFigures:
    """The book as the status report's lines need it (hedging/domain/report.py)."""
    exposure, positions, uncertain = book.exposure, book.positions, book.uncertain
    without_gateway = {
        row.venue_name: row.unhedged_usd for row in book.unhedged if row.reason == LegReason.NO_GATEWAY
    }
    others: dict[str, Decimal] = {}
    for row in book.unhedged:
        if row.reason != LegReason.NO_GATEWAY:
            words = row.reason.replace("_", " ").lower()
            others[words] = others.get(words, ZERO) + row.unhedged_usd
    return ReportFigures(
        products_with_exposure=exposure.products_count,
        coverage_usd=exposure.coverage_usd,
        required_usd=exposure.required_usd,
        hedge_ratio=exposure.hedge_ratio,
        products_hedged=positions.products_hedged_count,
        allocations=tuple(
            VenueAllocation(name=venue.name, share=venue.share, allocated_usd=venue.allocated_usd)
            for venue in book.venues
        ),
        open_positions=positions.open_count,
        closed_positions=positions.closed_count,
        realised_pnl_usd=positions.realised_pnl_usd,
        truth=TruthFigures(
            hedged_payout_usd=positions.payout_usd,
            cost_usd=positions.cost_usd,
            fees_usd=positions.fees_usd,
            provisional_count=uncertain.provisional_count,
            provisional_usd=uncertain.provisional_usd,
            doubt_count=uncertain.doubt_count,
            doubt_usd=uncertain.doubt_usd,
            unhedged_usd=others,
            no_gateway_usd=without_gateway,
        ),
    )
