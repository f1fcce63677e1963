"""Whether this machine and the database agree what time it is.

Orders are dated here, fenced by the database and judged by the venue: three clocks that must agree.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.findings import Finding, by_limits, judged

SKEW_S_WARNING = 1.0
SKEW_S_FAULT = 10.0


def clock_ask(*, now: datetime) -> list[Finding]:
    """The database's clock against ours, at the middle of the question."""
    before = utc_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    after = utc_now()
    return [skew_judge("clock_database", "The database", theirs, before=before, after=after)]


def skew_judge(
    code: str,
    who: str,
    theirs: datetime,
    *,
    before: datetime,
    after: datetime,
    resolution_s: float = 0.0,
    warning_s: float = SKEW_S_WARNING,
    fault_s: float = SKEW_S_FAULT,
) -> Finding:
    """How far `theirs` lies from our clock, less what the question's duration and their resolution can explain."""
    middle = before + (after - before) / 2
    apart_s = (theirs - middle).total_seconds()
    sure_s = max(0.0, abs(apart_s) - (after - before).total_seconds() / 2 - resolution_s)
    side = "ahead of" if apart_s > 0 else "behind"
    sentence = f"{who} and this machine agree within {max(abs(apart_s) - sure_s, 0.1):.1f} s"
    if sure_s >= warning_s:
        sentence = f"{who} is {abs(apart_s):.1f} s {side} this machine"
    return judged(
        by_limits(sure_s, warning_at=warning_s, fault_at=fault_s),
        code,
        sentence,
        remedy="Run a time service (chrony, systemd-timesyncd) on every machine and look which clock is wrong",
        runbook="clock",
    )
