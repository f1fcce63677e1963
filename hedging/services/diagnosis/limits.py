"""Whether the caps on money at risk exist and have room."""

from __future__ import annotations

from datetime import datetime

from hedging.selectors.dashboard import LimitUse, limits_used
from tonsurance.kernel.findings import Finding, by_limits, fault, judged, ok
from venues.registry import venues_with_gateway

SHARE_WARNING, SHARE_FAULT = 0.9, 1.0


def limits_ask(*, now: datetime) -> list[Finding]:
    """One finding for all caps with room, one for each without, one for those that are missing."""
    uses = limits_used()
    wanted = {"global", *(f"venue:{code}" for code in venues_with_gateway())}
    missing = sorted(wanted - {use.code for use in uses})
    found = [_tight(use) for use in uses if use.share >= SHARE_WARNING or use.cap_usd == 0 < use.at_risk_usd]
    if missing:
        found.append(
            fault(
                "limits_missing",
                f"There is no limit for {', '.join(missing)}: nothing is bought there",
                remedy="manage.py migrate makes the missing ones",
                runbook="limit-reached",
            )
        )
    if found:
        return found
    fullest = max(uses, key=lambda use: use.share, default=None)
    words = (
        f"; the fullest is {fullest.code} at {fullest.share:.0%} of ${fullest.cap_usd:,.0f}"
        if fullest
        else ""
    )
    return [ok("limits", f"All {len(uses)} limits have room{words}")]


def _tight(use: LimitUse) -> Finding:
    share = float(use.share) if use.cap_usd else SHARE_FAULT
    return judged(
        by_limits(share, warning_at=SHARE_WARNING, fault_at=SHARE_FAULT),
        "limits",
        f"{use.code}: ${use.at_risk_usd:,.2f} at risk of ${use.cap_usd:,.2f}, {share:.0%}",
        remedy="Limits shows what uses it; resolving orders in doubt makes room, raising it is its owner's decision",
        runbook="limit-reached",
    )
