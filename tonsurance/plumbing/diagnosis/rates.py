"""Whether a rate limit is used up: whoever asks a venue then has to wait."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from tonsurance.kernel.findings import Finding, ok, warning

SHARE_LEFT_WARNING = 0.1
# The same sum as taking a token makes (plumbing/buckets.py), without taking one.
_LEFT = """
    SELECT name, LEAST(capacity, tokens + rate * GREATEST(0, extract(epoch FROM clock_timestamp() - at)))::float8,
        capacity::float8, GREATEST(0, extract(epoch FROM at - clock_timestamp()))::float8
    FROM plumbing_ratebucket ORDER BY name
"""


def rates_ask(*, now: datetime) -> list[Finding]:
    """One finding for all budgets with room, one for each without."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT)
        rows = cursor.fetchall()
    found = [_scarce(*row) for row in rows if row[1] < row[2] * SHARE_LEFT_WARNING]
    if not rows:
        return [ok("rate_budgets", "No rate budget has been used yet")]
    return found or [ok("rate_budgets", f"All {len(rows)} rate budgets have room")]


def _scarce(name: str, left: float, capacity: float, closed_s: float) -> Finding:
    until = f", closed for another {closed_s:.0f} s" if closed_s else ""
    return warning(
        "rate_budgets",
        f"{name}: {left:.0f} of {capacity:.0f} requests left{until}",
        remedy="It refills by itself; one that stays empty means a second user of the account, or a program gone wild",
        runbook="venue-paused",
    )
