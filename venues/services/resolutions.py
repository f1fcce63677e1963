"""Keeps how far the answer of each market is: the judgement, and each source's words whenever they change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from venues.domain.resolutions import Judgement, ResolutionReport, ResolutionState
from venues.models import Instrument, Resolution, ResolutionWord

log = structlog.get_logger(__name__)


def resolution_store(
    instrument: Instrument, judgement: Judgement, reports: Sequence[ResolutionReport], *, now: datetime
) -> tuple[Resolution, bool]:
    """Store what was heard of one outcome; (row, whether it has just become final).

    A final answer is never changed: what contradicts it later is kept in `conflict`.
    """
    for report in reports:
        _hear(instrument, report, now=now)
    with transaction.atomic():
        row, _ = Resolution.objects.select_for_update().get_or_create(
            instrument=instrument, defaults={"checked_at": now}
        )
        was_final = row.state == ResolutionState.RESOLVED
        payout = judgement.payouts.get(instrument.instrument_id)
        is_final = judgement.state is ResolutionState.RESOLVED and payout is not None
        row.checked_at = now
        row.conflict = judgement.conflict
        if was_final:
            if is_final and payout != row.payout:
                row.conflict = f"final at {row.payout}, now told {payout} by {', '.join(judgement.agreed)}"
        else:
            row.state = judgement.state if is_final or not judgement.payouts else ResolutionState.PROPOSED
            row.sentence = judgement.sentence[:300]
            row.payout, row.resolved_at = (payout, now) if is_final else (None, None)
            row.agreed_by = ", ".join(judgement.agreed) if is_final else ""
        row.save()
    if is_final and not was_final:
        log.warning("market resolved", instrument=str(instrument), payout=str(payout), agreed=row.agreed_by)
    return row, is_final and not was_final


def _hear(instrument: Instrument, report: ResolutionReport, *, now: datetime) -> None:
    """Append what a source says, unless it says what it said before."""
    before = (
        ResolutionWord.objects.filter(instrument=instrument, source=report.source).order_by("-pk").first()
    )
    payout = report.payouts.get(instrument.instrument_id)
    if before is not None and (before.state, before.payout, before.words) == (
        report.state.value,
        payout,
        report.words,
    ):
        return
    ResolutionWord.objects.create(
        instrument=instrument,
        source=report.source,
        state=report.state.value,
        payout=payout,
        words=report.words[:2000],
        heard_at=now,
    )
