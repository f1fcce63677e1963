"""Watches for the answers of markets that matter to us: those that we hold, and those that we may buy.

Two of the venue's sources must agree before money moves on an answer; a contradiction is a discrepancy, and stays one
until they agree. A resolved market's mappings are suspended. `redemptions.py` turns held shares into their payout.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from hedging.domain.mappings import Suspension
from hedging.models import Discrepancy, Mapping, Position
from hedging.services.breakers import SYSTEM
from hedging.services.discrepancies import discrepancies_heal, discrepancy_open
from hedging.services.mappings import mapping_suspend
from tonsurance.plumbing.apart import apart
from venues.domain.gateway import LookupFailed
from venues.domain.resolutions import ResolutionReport, judge_resolution
from venues.registry import wallet_for
from venues.selectors.instruments import instruments_unresolved
from venues.services.resolutions import resolution_store
from venues.services.venues import venue_heard

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

RESOLUTIONS_EVERY_S = 60
CONDITIONS_MAX = 100
"""Markets asked about in one look; those that waited longest come first."""

CONFLICT = "RESOLUTION_CONFLICT"


def resolutions_watch(venue_code: str, *, now: datetime) -> int:
    """Ask about markets without a final answer; return how many outcomes got theirs. A failed read changes nothing."""
    waiting: dict[str, list[Instrument]] = defaultdict(list)
    for instrument in instruments_unresolved(venue_code, row_ids=_mattering(venue_code)):
        if instrument.condition_id and (instrument.condition_id in waiting or len(waiting) < CONDITIONS_MAX):
            waiting[instrument.condition_id].append(instrument)
    if not waiting:
        return 0
    try:
        reports = wallet_for(venue_code).fetch_resolutions(sorted(waiting))
    except LookupFailed as error:
        venue_heard(venue_code, now=now, error=str(error))
        return 0
    by_condition: dict[str, list[ResolutionReport]] = defaultdict(list)
    for report in reports:
        by_condition[report.condition_id.lower()].append(report)
    final = 0
    for condition_id, instruments in waiting.items():
        heard = by_condition.get(condition_id.lower())
        for instrument in instruments if heard else []:
            with apart("a market's answer could not be booked", instrument=str(instrument)):
                final += _book(instrument, heard or [], now=now)
    return final


def _mattering(venue_code: str) -> set[int]:
    """Row ids of instruments that we hold something of, or that a mapping names."""
    held = Position.objects.filter(venue_id=venue_code, size__gt=0).values_list("instrument_id", flat=True)
    mapped = Mapping.objects.filter(instrument__venue_id=venue_code).exclude(state="declined")
    return set(held) | set(mapped.values_list("instrument_id", flat=True))


def _book(instrument: Instrument, reports: list[ResolutionReport], *, now: datetime) -> int:
    judgement = judge_resolution(reports)
    row, is_new = resolution_store(instrument, judgement, reports, now=now)
    subject = f"{instrument.slug or instrument.condition_id} {instrument.outcome}"[:120]
    if row.conflict:
        discrepancy_open(
            venue_code=instrument.venue_id,
            kind=CONFLICT,
            subject=subject,
            expected="one answer from all sources",
            actual=row.conflict,
            now=now,
        )
    else:
        _heal(instrument.venue_id, subject, now=now)
    if is_new:
        _suspend(instrument, why=f"the market has resolved: pays {row.payout:f} per unit", now=now)
    return int(is_new)


def _heal(venue_code: str, subject: str, *, now: datetime) -> None:
    """Close this market's contradiction, and leave those of others as they are."""
    others = Discrepancy.objects.filter(venue_id=venue_code, kind=CONFLICT, state=Discrepancy.State.OPEN)
    still_open = {(CONFLICT, row.subject) for row in others if row.subject != subject}
    discrepancies_heal(venue_code=venue_code, still_open=still_open, kinds={CONFLICT}, now=now)


def _suspend(instrument: Instrument, *, why: str, now: datetime) -> None:
    """Nothing is bought of a market that has its answer."""
    for mapping_id in Mapping.objects.filter(instrument=instrument, state=Mapping.State.APPROVED).values_list(
        "pk", flat=True
    ):
        mapping_suspend(mapping_id, reason=why, actor=SYSTEM, now=now, kind=Suspension.CLOSED)
