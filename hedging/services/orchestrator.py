"""Decides what to hedge: one reading, one pure plan, one write. Sends nothing itself.

The names of the steps are the founding document's: `calculate_all_exposures`, `calculate_all_allocations`,
`execute_hedge_allocation`; its `close_policy_hedges` and `execute_depeg_hedge` are in `policy_hedges.py`.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import transaction

from hedging.domain.config import HedgeSettings
from hedging.domain.plans import RESTING, LegReason, Plan, Target
from hedging.domain.targets import make_plan
from hedging.domain.views import MarketView, ProductDemand
from hedging.models import Cycle, CycleLeg, CycleTarget
from hedging.selectors.market_view import Reading, exposures_read, reading_take, view_of
from hedging.selectors.slices import slices_to_close
from hedging.services.intents import Decision, intents_open
from hedging.services.slices import LOT, slices_release_unsellable
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Conflict, Refused
from tonsurance.kernel.money import round_micro
from tonsurance.plumbing.copying import copy_models
from venues.domain.gateway import LookupFailed, Side
from venues.registry import gateway_for, venues_with_gateway
from venues.services.books import FetchedBook, books_fetch, books_streamed
from venues.services.venues import venue_heard

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

_SENTENCE_MAX = 2000

BOOKS_AT_ONCE = 100
BOOKS_S_MAX = 60.0
"""Less than the life of a cycle, so that a slow venue costs books and not the cycle."""


@dataclass(frozen=True, slots=True)
class Allocations:
    """A plan with what it was made from: the view, and the rows behind it."""

    plan: Plan
    view: MarketView
    instruments: Mapping[str, Instrument]
    books: Mapping[int, FetchedBook]


@dataclass(frozen=True, slots=True)
class Written:
    """What a run wrote: its intents as (venue code, intent id)."""

    intents: list[tuple[str, uuid.UUID]] = field(default_factory=list)


def calculate_all_exposures() -> tuple[ProductDemand, ...]:
    """Cover in force per product, from kept exposure: no policy is scanned."""
    return exposures_read()


def calculate_all_allocations(*, now: datetime, config: HedgeSettings) -> Allocations:
    """Read the book and the markets, and think. Writes nothing but the books it fetched.

    A streamed book that is young enough saves asking. A market whose book cannot be had is planned without one, which
    leaves its demand unhedged with that reason; so is every further one when the venue has kept the cycle waiting for
    BOOKS_S_MAX.
    """
    reading = reading_take(venues_with_gateway())
    books = _books(reading, config=config, now=now)
    # Books age while further ones are fetched: the plan is made at this moment, not when the cycle began.
    view = view_of(reading, books, limits=config.plan_limits(), now=utc_now())
    by_name = {row.instrument_id: row for row in reading.instruments.values()}
    return Allocations(make_plan(view), view, by_name, books)


def _books(reading: Reading, *, config: HedgeSettings, now: datetime) -> dict[int, FetchedBook]:
    """A book for each market that may be traded, by row id: streamed, or asked for together, a venue at a time."""
    deadline_s = monotonic_s() + BOOKS_S_MAX
    by_venue: dict[str, list[Instrument]] = defaultdict(list)
    for instrument in reading.instruments.values():
        if reading.venues[instrument.venue_id].has_gateway and not instrument.closed:
            by_venue[instrument.venue_id].append(instrument)
    age_max = timedelta(seconds=config.stream_book_max_age_seconds)
    books = books_streamed(chain.from_iterable(by_venue.values()), age_max=age_max, now=utc_now())
    for venue_code, wanted in by_venue.items():
        instruments = [row for row in wanted if row.pk not in books]
        for start in range(0, len(instruments), BOOKS_AT_ONCE):
            if monotonic_s() > deadline_s:
                break
            asked = instruments[start : start + BOOKS_AT_ONCE]
            try:
                books |= books_fetch(asked, gateway=gateway_for(venue_code), now=utc_now())
            except (LookupFailed, Refused) as error:
                venue_heard(venue_code, now=now, error=str(error))
    return books


def execute_hedge_allocation(
    cycle: Cycle, allocations: Allocations, *, config: HedgeSettings, actor: str, now: datetime
) -> Written:
    """Write the plan and, when the cycle sends, one intent per target; all in one transaction.

    A lane whose previous intent still lives is left alone: the plan saw it, or lost a race against the process that
    made it, and the next cycle decides anew.

    Raises Conflict, and writes nothing, when the cycle was given up meanwhile: its reading is old, and what another
    cycle has bought since would be bought twice.
    """
    written = Written()
    with transaction.atomic(durable=True):
        _still_ours(cycle)
        _write_legs(cycle, allocations)
        rows = _write_targets(cycle, allocations)
        if cycle.mode == Cycle.Mode.SEND:
            intents = intents_open(
                [
                    _decision(target, row, rests_for=timedelta(seconds=config.resting_seconds))
                    for target, row in zip(allocations.plan.targets, rows, strict=True)
                ],
                valid_for=timedelta(seconds=config.intent_valid_seconds),
                actor=actor,
                now=now,
                cycle=cycle,
            )
            written.intents.extend((intent.venue_id, intent.pk) for intent in intents)
            _release(allocations, now=now)
        _finish(cycle, allocations, intents=len(written.intents), now=now)
    return written


def _still_ours(cycle: Cycle) -> None:
    row = Cycle.objects.select_for_update().get(pk=cycle.pk)
    if row.state != Cycle.State.RUNNING:
        raise Conflict(f"cycle {cycle.pk} took too long and was given up: {row.error}")


def _write_legs(cycle: Cycle, allocations: Allocations) -> None:
    rows = [
        CycleLeg(
            cycle=cycle,
            product_id=leg.product_id,
            venue_id=leg.venue_code,
            instrument=allocations.instruments.get(leg.instrument_id or ""),
            coverage_usd=leg.coverage_usd,
            required_usd=leg.required_usd,
            held_size=leg.held_size,
            held_payout_usd=round_micro(leg.held_payout_usd),
            planned_size=leg.planned_size,
            planned_usd=round_micro(leg.planned_usd),
            planned_payout_usd=round_micro(leg.planned_payout_usd),
            unfilled_usd=round_micro(leg.unfilled_usd),
            outcome=leg.outcome.value,
            reason=leg.reason.value,
            sentence=leg.sentence[:_SENTENCE_MAX],
        )
        for leg in allocations.plan.legs
    ]
    copy_models(rows)


def _write_targets(cycle: Cycle, allocations: Allocations) -> list[CycleTarget]:
    rows = []
    for target in allocations.plan.targets:
        instrument = allocations.instruments[target.instrument_id]
        fetched = allocations.books.get(instrument.pk)
        rows.append(
            CycleTarget(
                cycle=cycle,
                instrument=instrument,
                book=fetched.row if fetched else None,
                leg=target.leg,
                side=target.side.value,
                size=target.size,
                notional_usd=target.notional_usd,
                fee_usd=target.fee_usd,
                price_limit=target.price_limit,
                price_average=target.price_average,
                held=dict(target.inputs),
                reason=target.reason.value,
                sentence=target.sentence[:_SENTENCE_MAX],
            )
        )
    return CycleTarget.objects.bulk_create(rows, batch_size=500)


def _decision(target: Target, row: CycleTarget, *, rests_for: timedelta) -> Decision:
    opens = target.side == Side.BUY
    return Decision(
        instrument=row.instrument,
        side=target.side,
        size=target.size,
        notional_usd=target.notional_usd,
        price_limit=target.price_limit,
        target=row,
        leg=target.leg,
        rests_for=rests_for if target.leg == RESTING else None,
        demands={part.product_id: part.weight_usd for part in target.demands} if opens else {},
        slices=()
        if opens
        else slices_to_close(row.instrument.pk, ended=target.ended_size, excess=target.excess_size),
    )


def _release(allocations: Allocations, *, now: datetime) -> None:
    """Units of ended policies that are too few to sell pass to the house, so that nobody waits for them."""
    # A thin book is no reason: what it cannot take now is sold later.
    too_few = {
        item.instrument_id
        for item in allocations.plan.held_back
        if item.reason == LegReason.BELOW_MINIMUM
        and item.size < allocations.view.terms[item.instrument_id].size_min
    }
    too_few |= {name for name, held in allocations.view.held.items() if 0 < held.ended_size < LOT}
    for name in sorted(too_few):
        slices_release_unsellable(allocations.instruments[name].pk, now=now)


def _finish(cycle: Cycle, allocations: Allocations, *, intents: int, now: datetime) -> None:
    plan, view = allocations.plan, allocations.view
    cycle.state = Cycle.State.DONE
    cycle.finished_at = now
    cycle.policies_count = sum(demand.policies_count for demand in view.demands)
    cycle.products_count = len(view.demands)
    cycle.products_hedged_count = len(plan.products_hedged)
    cycle.coverage_usd = plan.coverage_usd
    cycle.required_usd = plan.required_usd
    cycle.planned_usd = round_micro(plan.planned_usd)
    cycle.planned_payout_usd = round_micro(plan.planned_payout_usd)
    cycle.intents_count = intents
    cycle.held_back = [
        {
            "venue": item.venue_code,
            "instrument": item.instrument_id,
            "size": str(item.size),
            "why": item.sentence,
        }
        for item in plan.held_back
    ]
    cycle.save()


def cycle_mode(config: HedgeSettings, *, dry_run: bool) -> str:
    """Whether a cycle sends orders, records what it would have sent, or was asked for a dry run."""
    if dry_run:
        return Cycle.Mode.DRY_RUN
    live_refused = settings.TRADING_ENVIRONMENT == "LIVE" and not settings.LIVE_TRADING_ALLOWED
    sends = config.enabled and settings.TRADING_ENVIRONMENT != "PAPER" and not live_refused
    return Cycle.Mode.SEND if sends else Cycle.Mode.RECORD
