"""Jobs of the clock are late by their slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tonsurance.beat import SCHEDULE
from tonsurance.kernel.findings import Finding
from tonsurance.plumbing.diagnosis.beat import jobs_ask, jobs_scheduled
from tonsurance.plumbing.models import JobSlot

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def ran(job: str, *, ago_s: float) -> None:
    slot = NOW - timedelta(seconds=ago_s)
    JobSlot.objects.create(job=job, slot=slot, claimed_by="worker-1", claimed_at=slot)


def asked(**ago_s: float) -> list[Finding]:
    for job in jobs_scheduled():
        if ago_s.get(job, 5) >= 0:
            ran(job, ago_s=ago_s.get(job, 5))
    return jobs_ask(now=NOW)


def test_every_job_of_the_schedule_is_watched_under_the_name_of_its_slot() -> None:
    assert set(jobs_scheduled()) == {str(entry["task"]).split(".")[1] for entry in SCHEDULE.values()}
    assert jobs_scheduled()["orchestrate"] == 300


def test_jobs_on_time_are_one_good_finding() -> None:
    (found,) = asked()
    assert (found.level.value, found.sentence) == (
        "ok",
        f"All {len(jobs_scheduled())} jobs of the clock are on time",
    )


def test_a_job_that_never_ran_is_a_fault() -> None:
    ran("orchestrate", ago_s=1_800)
    (found,) = asked(reconcile=-1)
    assert (found.level.value, found.code) == ("fault", "beat_jobs")
    assert found.sentence == f"1 of {len(jobs_scheduled())} jobs do not run: reconcile (never)"


def test_a_job_that_is_done_per_venue_is_found_by_its_first_name() -> None:
    ran("wallet_jobs:polymarket", ago_s=5)
    (found,) = asked(wallet_jobs=-1)
    assert found.level.value == "ok"


def test_on_the_first_day_a_job_that_is_not_due_yet_is_not_late() -> None:
    for job in jobs_scheduled():
        if job != "find_markets":
            ran(job, ago_s=5)
    (found,) = jobs_ask(now=NOW)
    assert found.level.value == "ok"


def test_a_search_a_day_is_not_late_within_a_day() -> None:
    (found,) = asked(find_markets=86_000)
    assert found.level.value == "ok"
    late = {f.level.value for f in jobs_ask(now=NOW + timedelta(days=4))}
    assert "fault" in late


def test_a_late_job_is_a_warning_and_a_dead_one_a_fault() -> None:
    dead, late = asked(reconcile=1_800, watch_orders=301)
    assert (dead.level.value, late.level.value) == ("fault", "warning")
    assert dead.sentence.endswith("do not run: reconcile (1800 s ago)")
    assert late.sentence.endswith("are late: watch_orders (301 s ago)")
