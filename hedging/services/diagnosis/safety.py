"""Whether the switches let trading on, and whether the book was lately found equal to the venue and to itself."""

from __future__ import annotations

from datetime import datetime
from math import isinf

from hedging.models import Breaker
from hedging.selectors.diagnosis import (
    VERIFIED_SOUND,
    VERIFIED_VIOLATED,
    Heap,
    LastRun,
    breakers_all,
    discrepancies_heap,
    reconciliation_newest,
)
from tonsurance.kernel.findings import Finding, by_limits, fault, judged, ok, warning
from tonsurance.plumbing.slots import slot_age_s
from venues.registry import venues_with_gateway

RECONCILED_S_WARNING, RECONCILED_S_FAULT = 300.0, 1_800.0
DISCREPANCY_S_FAULT = 600.0
VERIFIED_S_WARNING = 86_400.0
PAUSE_OVER_S_FAULT = 120.0


def breakers_ask(*, now: datetime) -> list[Finding]:
    """Switches that stop something, and switches that are missing: without one nothing is sent either."""
    rows = breakers_all()
    wanted = {"global", *(f"venue:{code}" for code in venues_with_gateway())}
    missing = sorted(wanted - {row.scope for row in rows})
    found = [_open(row, now=now) for row in rows if row.state != Breaker.State.CLOSED]
    if missing:
        found.append(
            fault(
                "breakers_missing",
                f"There is no breaker for {', '.join(missing)}: nothing is sent there",
                remedy="manage.py migrate makes the missing ones",
                runbook="breaker-open",
            )
        )
    return found or [ok("breakers", f"All {len(rows)} breakers are closed: trading is allowed")]


def _open(row: Breaker, *, now: datetime) -> Finding:
    minutes = (now - row.opened_at).total_seconds() / 60 if row.opened_at else 0
    stops = (
        "only orders that make positions smaller" if row.effect == Breaker.Effect.REDUCE_ONLY else "nothing"
    )
    sentence = f"{row.scope}: {stops} sent for {minutes:.0f} minutes ({row.reason or 'no reason recorded'})"
    if row.resume_at is not None and (now - row.resume_at).total_seconds() < PAUSE_OVER_S_FAULT:
        left_s = max((row.resume_at - now).total_seconds(), 0)
        return warning(
            "breakers",
            f"{sentence}; it closes by itself in {left_s:.0f} s",
            remedy="Usually nothing; see the runbook if it is renewed again and again",
            runbook="venue-paused",
        )
    if row.resume_at is not None:
        return fault(
            "breakers",
            f"{sentence}; it should have closed by itself and nobody did it",
            remedy="Start manage.py run_engine: the engine ends pauses",
            runbook="engine-silent",
        )
    make = warning if row.effect == Breaker.Effect.REDUCE_ONLY else fault
    return make(
        "breakers",
        sentence,
        remedy="Breakers › its page says who and why; find out whether it is over before you allow trading",
        runbook="breaker-open",
    )


def reconciliation_ask(*, now: datetime) -> list[Finding]:
    """When each venue was last compared with the book, and what does not agree."""
    found = [_compared(code, reconciliation_newest(code), now=now) for code in sorted(venues_with_gateway())]
    return [*found, _differences(discrepancies_heap(), discrepancies_heap("FOREIGN_ORDER"), now=now)]


def _compared(venue_code: str, run: LastRun | None, *, now: datetime) -> Finding:
    remedy = f"manage.py reconcile {venue_code} compares now; then see why no worker does it every minute"
    if run is None or run.good_at is None:
        why = f" ({run.error[:150]})" if run and run.error else ""
        return fault(
            "reconciliation",
            f"The book was never compared with {venue_code}{why}",
            remedy=remedy,
            runbook="discrepancy",
        )
    age_s = (now - run.good_at).total_seconds()
    why = f"; the newest comparison failed: {run.error[:150]}" if run.error else ""
    return judged(
        by_limits(age_s, warning_at=RECONCILED_S_WARNING, fault_at=RECONCILED_S_FAULT),
        "reconciliation",
        f"The book was last compared with {venue_code} {age_s:.0f} s ago{why}",
        remedy=remedy,
        runbook="discrepancy",
    )


def _differences(every: Heap, foreign: Heap, *, now: datetime) -> Finding:
    if foreign.count:
        return fault(
            "discrepancies",
            f"{foreign.count} orders on our account are not ours: somebody else has the key",
            remedy="Act at once: Breakers › All venues › Stop trading, then find out who",
            runbook="discrepancy",
        )
    if not every.count:
        return ok("discrepancies", "No disagreement with a venue is open")
    age_s = every.oldest_s(now=now)
    make = fault if age_s >= DISCREPANCY_S_FAULT else warning
    return make(
        "discrepancies",
        f"{every.count} disagreements with a venue are open, the oldest for {age_s / 60:.0f} minutes",
        remedy="Discrepancies names them; one seen once may be a lagging read",
        runbook="discrepancy",
    )


def verify_ask(*, now: datetime) -> list[Finding]:
    """When `manage.py verify` last found the book sound."""
    sound_s, violated_s = slot_age_s(VERIFIED_SOUND, now=now), slot_age_s(VERIFIED_VIOLATED, now=now)
    # Within one second the bad news counts.
    if violated_s <= sound_s and not isinf(violated_s):
        return [
            fault(
                "verify",
                f"The last verify, {violated_s / 3600:.1f} h ago, found that the book contradicts itself",
                remedy="manage.py verify names what does not hold; stop trading until it is explained",
                runbook="verify-failed",
            )
        ]
    if isinf(sound_s) or sound_s >= VERIFIED_S_WARNING:
        when = "was never" if isinf(sound_s) else f"was last, {sound_s / 3600:.0f} h ago,"
        return [
            warning(
                "verify",
                f"The book {when} found equal to itself",
                remedy="manage.py verify, once a day (cron or a timer)",
                runbook="verify-failed",
            )
        ]
    return [ok("verify", f"The book was found equal to itself {max(sound_s, 0) / 60:.0f} minutes ago")]
