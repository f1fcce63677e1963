"""When each job of the clock last ran, by the slots that its runs claimed."""

from __future__ import annotations

from datetime import datetime
from math import inf, isinf

from celery import current_app
from django.db import connection

from tonsurance.kernel.findings import Finding, Level, by_limits, fault, ok, warning

# Slots of jobs that the engine takes over when beat is silent may be so late before anybody is late.
LATE_S_MIN, DEAD_S_MIN = 300.0, 1_800.0
LATE_ROUNDS, DEAD_ROUNDS = 3, 10
_rarer: dict[str, float] = {}


def jobs_rarer(every_s: dict[str, float]) -> None:
    """Jobs that claim a slot less often than beat rings for them: job -> seconds of its slot."""
    _rarer.update(every_s)


def jobs_ask(*, now: datetime) -> list[Finding]:
    """One finding when every job is on time, else one for each kind of lateness."""
    ages = {job: _job_age_s(job, now=now) for job in jobs_scheduled()}
    # A job that never ran is as late as the book is old: on the first day some are not due yet.
    at_work_s = _oldest_slot_s(now=now)
    late = {
        job: _level(at_work_s if isinf(ages[job]) else ages[job], every_s=every_s)
        for job, every_s in jobs_scheduled().items()
    }
    dead = [job for job, level in late.items() if level is Level.FAULT]
    slow = [job for job, level in late.items() if level is Level.WARNING]
    remedy = "See that beat runs (celery -A tonsurance beat) and that a worker listens to the queue `default`"
    found = []
    if dead:
        words = f"{len(dead)} of {len(ages)} jobs do not run: {_told(dead, ages)}"
        found.append(fault("beat_jobs", words, remedy=remedy, runbook="beat-late"))
    if slow:
        words = f"{len(slow)} of {len(ages)} jobs are late: {_told(slow, ages)}"
        found.append(warning("beat_jobs", words, remedy=remedy, runbook="beat-late"))
    return found or [ok("beat_jobs", f"All {len(ages)} jobs of the clock are on time")]


def jobs_scheduled() -> dict[str, float]:
    """Job -> seconds between its runs, from the schedule: a job is named as its task, without the app."""
    schedule = current_app.conf.beat_schedule or {}
    jobs = {entry["task"].rsplit(".")[-1]: _seconds(entry["schedule"]) for entry in schedule.values()}
    return jobs | {job: every_s for job, every_s in _rarer.items() if job in jobs}


def _job_age_s(job: str, *, now: datetime) -> float:
    """Age of its newest slot; a job that is done per venue claims `job:venue`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(slot) FROM plumbing_jobslot WHERE job = %s OR starts_with(job, %s)", [job, f"{job}:"]
        )
        newest = cursor.fetchone()[0]
    return inf if newest is None else (now - newest).total_seconds()


def _oldest_slot_s(*, now: datetime) -> float:
    """Since when anything runs by the clock; infinity when nothing ever did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(slot) FROM plumbing_jobslot")
        oldest = cursor.fetchone()[0]
    return inf if oldest is None else (now - oldest).total_seconds()


def _seconds(schedule: object) -> float:
    """A plain number, or what the schedule object says it runs every; a day for calendar times."""
    if isinstance(schedule, (int, float)):
        return float(schedule)
    run_every = getattr(schedule, "run_every", None)
    return float(run_every.total_seconds()) if run_every is not None else 86_400.0


def _level(age_s: float, *, every_s: float) -> Level:
    return by_limits(
        age_s,
        warning_at=max(LATE_ROUNDS * every_s, LATE_S_MIN),
        fault_at=max(DEAD_ROUNDS * every_s, DEAD_S_MIN),
    )


def _told(jobs: list[str], ages: dict[str, float]) -> str:
    return ", ".join(
        f"{job} (never)" if isinf(ages[job]) else f"{job} ({ages[job]:.0f} s ago)" for job in jobs
    )
