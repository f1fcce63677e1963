"""Whether somebody looks after the book: an engine that comes to the end of its looks, cycles that run and end well."""

from __future__ import annotations

from datetime import datetime
from math import isinf

from hedging.models import Cycle
from hedging.selectors.diagnosis import cycle_newest, cycle_running_since, slot_holder
from hedging.services.config import config_read
from hedging.services.engine import HEARTBEAT
from tonsurance.kernel.findings import Finding, by_limits, fault, judged, ok, warning
from tonsurance.plumbing.slots import slot_age_s

ENGINE_S_WARNING, ENGINE_S_FAULT = 60.0, 300.0
# Three missed beats, as the home page says; twelve are an hour by default.
CYCLES_WARNING, CYCLES_FAULT = 3, 12
RUNNING_S_WARNING = 600.0
_START = "manage.py run_engine, in a unit that starts it again; it is the only one that works without Redis"


def engine_ask(*, now: datetime) -> list[Finding]:
    """When an engine last came to the end of a look at the table."""
    age_s = slot_age_s(HEARTBEAT, now=now)
    if isinf(age_s):
        return [
            fault("engine", "No engine has ever looked at this book", remedy=_START, runbook="engine-silent")
        ]
    sentence = f"The engine last finished a look {max(age_s, 0):.0f} s ago ({slot_holder(HEARTBEAT)})"
    level = by_limits(age_s, warning_at=ENGINE_S_WARNING, fault_at=ENGINE_S_FAULT)
    return [judged(level, "engine", sentence, remedy=_START, runbook="engine-silent")]


def cycle_ask(*, now: datetime) -> list[Finding]:
    """When the last cycle was, how it ended, whether one is stuck, and whether cycles send at all."""
    config = config_read()
    found = [_newest(cycle_newest(), every_s=config.cycle_every_seconds, now=now)]
    since = cycle_running_since()
    if since is not None and (now - since).total_seconds() >= RUNNING_S_WARNING:
        found.append(
            warning(
                "cycle_running",
                f"A cycle has been running for {(now - since).total_seconds() / 60:.0f} minutes",
                remedy="If its process is gone the next cycle takes over; else look what its venue reads wait for",
                runbook="cycle-stale",
            )
        )
    if config.enabled:
        return [*found, ok("trading_enabled", "Cycles send orders (enabled = true)")]
    return [
        *found,
        warning(
            "trading_enabled",
            "Trading is off (enabled = false): cycles only record, new cover stays unhedged",
            remedy="Configuration › enabled, when you mean to trade",
        ),
    ]


def _newest(cycle: Cycle | None, *, every_s: int, now: datetime) -> Finding:
    remedy = "manage.py hedge_orchestrator --once runs one here and now; then see why nobody rang"
    if cycle is None:
        return fault("cycle", "No cycle has ever run", remedy=remedy, runbook="cycle-stale")
    age_s = (now - cycle.as_of).total_seconds()
    if cycle.state == Cycle.State.FAILED:
        return fault(
            "cycle",
            f"The last cycle ({cycle.pk}, {age_s:.0f} s ago) failed: {cycle.error[:200]}",
            remedy="Its page has the error; the next cycle tries again by itself",
            runbook="cycle-stale",
        )
    level = by_limits(age_s, warning_at=CYCLES_WARNING * every_s, fault_at=CYCLES_FAULT * every_s)
    sentence = f"The last cycle ({cycle.pk}) ran {age_s:.0f} s ago; one is due every {every_s} s"
    return judged(level, "cycle", sentence, remedy=remedy, runbook="cycle-stale")
