"""One run per stretch of time: two beats, ten beats or a replayed message claim the same slot once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf

from django.db import connection

from tonsurance.kernel.processes import process_name

_CLAIM = """
    INSERT INTO plumbing_jobslot (job, slot, claimed_by, claimed_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (job, slot) DO NOTHING
"""
_PRUNE = "DELETE FROM plumbing_jobslot WHERE job = %s AND slot < %s"
SLOTS_KEPT = 1000


def slot_start(every_s: int, *, now: datetime) -> datetime:
    """The beginning of the `every_s` seconds long stretch of time that holds `now`, counted from 1970."""
    seconds = int(now.timestamp()) // every_s * every_s
    return datetime.fromtimestamp(seconds, tz=UTC)


def slot_claim(job: str, *, every_s: int, now: datetime) -> bool:
    """True for the one caller that may run `job` in this stretch of `every_s` seconds.

    Call it in the transaction of the job's first write: a run that fails gives its slot back. Slots more than
    1,000 stretches old are dropped on the way.
    """
    if every_s <= 0:
        raise ValueError(f"every_s must be positive, not {every_s}")
    slot = slot_start(every_s, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [job, slot, process_name(), now])
        if cursor.rowcount == 0:
            return False
        cursor.execute(_PRUNE, [job, slot - timedelta(seconds=every_s * SLOTS_KEPT)])
    return True


def slot_age_s(job: str, *, now: datetime) -> float:
    """Seconds since the start of the newest slot that ran `job`; infinity when it never ran."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(slot) FROM plumbing_jobslot WHERE job = %s", [job])
        newest = cursor.fetchone()[0]
    return inf if newest is None else (now - newest).total_seconds()
