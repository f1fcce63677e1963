"""Reads mapped markets again, suspends mappings whose market is not what was approved, and lifts what passed.

A suspended mapping stops purchases only: what is held may be sold at any time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from hedging.domain.mappings import PASSING, Suspension
from hedging.domain.suspensions import MarketState, cause_of, is_graver
from hedging.models import Mapping
from hedging.services.breakers import SYSTEM
from hedging.services.config import config_read
from hedging.services.mappings import mapping_resume, mapping_suspend
from tonsurance.kernel.errors import Refused
from venues.domain.gateway import LookupFailed
from venues.services.instruments import instruments_refresh
from venues.services.venues import venue_codes_with_gateway, venue_heard

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

MAPPINGS_EVERY_S = 60
REFRESH_AFTER = timedelta(minutes=4)
"""Younger terms are judged as they are stored: another process has just read them."""
MARKETS_MAX = 50
"""Markets read again in one pass, the longest unread first: so many that are traded, and half as many that rest."""


@dataclass(slots=True)
class Watched:
    """What one pass did."""

    refreshed: int = 0
    suspended: list[int] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)


def mappings_watch(*, now: datetime, markets_max: int = MARKETS_MAX) -> Watched:
    """One pass over every approved or suspended mapping; safe at any time, from any number of processes.

    Every market is judged; at most `markets_max` are read again for it.
    """
    done = Watched()
    days = config_read().mapping_suspend_days_before_end
    asked: dict[int, bool] = {}
    for venue_code in sorted(venue_codes_with_gateway()):
        asked |= _refresh(venue_code, markets_max=markets_max, now=now)
    done.refreshed = sum(asked.values())
    rows = Mapping.objects.filter(state__in=[Mapping.State.APPROVED, Mapping.State.SUSPENDED])
    for row in (
        rows.select_related("instrument").defer("comparison", "instrument__description").order_by("pk")
    ):
        _judge(row, asked, days_before_end=days, now=now, done=done)
    if done.suspended or done.resumed:
        log.warning("mappings watched", suspended=len(done.suspended), resumed=len(done.resumed))
    return done


def _judge(
    row: Mapping, asked: dict[int, bool], *, days_before_end: int, now: datetime, done: Watched
) -> None:
    market, is_suspended = row.instrument, row.state == Mapping.State.SUSPENDED
    # Not asked in this pass: what the venue said last still stands.
    is_listed = asked.get(market.pk, row.suspended_kind != Suspension.UNLISTED)
    cause = cause_of(
        MarketState(
            wording_hash=market.wording_hash,
            closed=market.closed,
            accepting_orders=market.accepting_orders,
            end_at=market.end_at,
            resolution_status=market.resolution_status,
            is_listed=is_listed,
        ),
        approved_wording_hash=row.approved_wording_hash,
        days_before_end=days_before_end,
        now=now,
    )
    try:
        if cause is None and is_suspended and row.suspended_kind in PASSING:
            mapping_resume(row.pk, reason=f"over: {row.suspended_reason}"[:300], actor=SYSTEM, now=now)
            done.resumed.append(row.pk)
        elif cause is not None and (
            not is_suspended or is_graver(cause, than=Suspension(row.suspended_kind))
        ):
            mapping_suspend(row.pk, reason=cause.sentence, kind=cause.kind, actor=SYSTEM, now=now)
            done.suspended.append(row.pk)
    except Refused as error:
        # A person was at it meanwhile; the next pass judges what they left.
        log.info("mapping moved meanwhile", mapping=row.pk, why=str(error))


def _refresh(venue_code: str, *, markets_max: int, now: datetime) -> dict[int, bool]:
    """Read the longest unread terms again: whether the venue still names the market, by instrument row id."""
    rows = _stale(venue_code, [Mapping.State.APPROVED], count=markets_max, now=now)
    rows |= _stale(venue_code, [Mapping.State.SUSPENDED], count=max(1, markets_max // 2), now=now)
    if not rows:
        return {}
    try:
        named = instruments_refresh(venue_code, now=now, instrument_ids=list(rows))
    except (LookupFailed, Refused) as error:
        venue_heard(venue_code, now=now, error=str(error))
        return {}
    answered = {row.instrument_id for row in named}
    return {row.pk: name in answered for name, row in rows.items()}


def _stale(venue_code: str, states: Collection[str], *, count: int, now: datetime) -> dict[str, Instrument]:
    rows = (
        Mapping.objects.filter(
            state__in=states,
            instrument__venue_id=venue_code,
            instrument__closed=False,
            instrument__refreshed_at__lt=now - REFRESH_AFTER,
        )
        .select_related("instrument")
        .order_by("instrument__refreshed_at", "instrument_id")
        .distinct("instrument__refreshed_at", "instrument_id")[:count]
    )
    return {row.instrument.instrument_id: row.instrument for row in rows}
