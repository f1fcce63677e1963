"""Whether work gets done: orders answered, decisions taken up, trades settled."""

from __future__ import annotations

from datetime import datetime, timedelta

from hedging.selectors.diagnosis import (
    Heap,
    fills_provisional,
    intents_overdue,
    intents_parked,
    orders_in_state,
)
from tonsurance.kernel.findings import Finding, by_limits, fault, judged, ok, warning

DOUBT_S_WARNING, DOUBT_S_FAULT = 300.0, 3_600.0
OVERDUE = timedelta(minutes=2)
OVERDUE_S_FAULT = 600.0
PARKED_S_FAULT = 86_400.0
SETTLING_S_WARNING, SETTLING_S_FAULT = 600.0, 3_600.0


def orders_ask(*, now: datetime) -> list[Finding]:
    """Orders that only a person may decide, and orders without a definitive answer."""
    return [
        _manual(orders_in_state("MANUAL"), now=now),
        _doubt(orders_in_state("SENDING", "UNKNOWN"), now=now),
    ]


def _manual(heap: Heap, *, now: datetime) -> Finding:
    if not heap.count:
        return ok("orders_manual", "No order waits for a person")
    age = _age(heap.oldest_s(now=now))
    return fault(
        "orders_manual",
        f"{_counted(heap.count, 'order')} can only be decided by a person; the oldest was sent {age} ago",
        remedy="Orders › needs eyes; its market gets no new order until then",
        runbook="manual-order",
    )


def _doubt(heap: Heap, *, now: datetime) -> Finding:
    if not heap.count:
        return ok("orders_in_doubt", "Every order sent has been answered")
    age_s = heap.oldest_s(now=now)
    return judged(
        by_limits(age_s, warning_at=DOUBT_S_WARNING, fault_at=DOUBT_S_FAULT),
        "orders_in_doubt",
        f"{_counted(heap.count, 'order')} without an answer; the oldest was sent {_age(age_s)} ago",
        remedy="Look-ups go on by themselves; see that the venue answers and that an engine runs",
        runbook="order-in-doubt",
    )


def intents_ask(*, now: datetime) -> list[Finding]:
    """Decisions that nobody takes up, and decisions parked for a person."""
    return [_overdue(intents_overdue(before=now - OVERDUE), now=now), _parked(intents_parked(), now=now)]


def _overdue(heap: Heap, *, now: datetime) -> Finding:
    if not heap.count:
        return ok("intents_overdue", "No decision waits to be taken up")
    age_s = heap.oldest_s(now=now)
    return judged(
        by_limits(age_s, warning_at=OVERDUE.total_seconds(), fault_at=OVERDUE_S_FAULT),
        "intents_overdue",
        f"{_counted(heap.count, 'decision')} should have been placed {_age(age_s)} ago and nobody has",
        remedy="Start manage.py run_engine and the venue's workers; too old decisions are made anew by the next cycle",
        runbook="engine-silent",
    )


def _parked(heap: Heap, *, now: datetime) -> Finding:
    if not heap.count:
        return ok("intents_parked", "No decision is parked")
    age_s = heap.oldest_s(now=now)
    make = fault if age_s >= PARKED_S_FAULT else warning
    return make(
        "intents_parked",
        f"{_counted(heap.count, 'decision')} parked until a person looks, the oldest for {_age(age_s)}",
        remedy="Intents › state Parked: the outcome says why; their markets get no new order until then",
        runbook="intent-parked",
    )


def fills_ask(*, now: datetime) -> list[Finding]:
    """Trades that matched and do not settle: no hedge until they do."""
    heap = fills_provisional()
    if not heap.count:
        return [ok("fills_settling", "Every trade has settled")]
    age_s = heap.oldest_s(now=now)
    return [
        judged(
            by_limits(age_s, warning_at=SETTLING_S_WARNING, fault_at=SETTLING_S_FAULT),
            "fills_settling",
            f"{_counted(heap.count, 'trade')} matched and not settled; the oldest {_age(age_s)} ago",
            remedy="manage.py reconcile asks again; several at once: look at the venue's status page and the chain",
            runbook="settlement-failed",
        )
    ]


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _age(seconds: float) -> str:
    """Words for a duration."""
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7_200 else f"{seconds / 3600:.0f} hours"
