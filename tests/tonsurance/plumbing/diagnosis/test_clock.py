"""Two clocks are apart only as far as the question's own duration cannot explain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.diagnosis.clock import clock_ask, skew_judge

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("theirs_s", "took_s", "resolution_s", "level", "sentence"),
    [
        (0.0, 0.0, 0.0, "ok", "The venue and this machine agree within 0.1 s"),
        (0.99, 0.0, 0.0, "ok", "The venue and this machine agree within 0.1 s"),
        (1.0, 0.0, 0.0, "warning", "The venue is 1.0 s ahead of this machine"),
        (-9.9, 0.0, 0.0, "warning", "The venue is 9.9 s behind this machine"),
        (-10.0, 0.0, 0.0, "fault", "The venue is 10.0 s behind this machine"),
        # An answer that took four seconds, or a clock of whole seconds, proves nothing finer.
        (2.9, 4.0, 0.0, "ok", "The venue and this machine agree within 2.0 s"),
        (1.9, 0.0, 1.0, "ok", "The venue and this machine agree within 1.0 s"),
    ],
)
def test_a_skew_is_judged(
    theirs_s: float, took_s: float, resolution_s: float, level: str, sentence: str
) -> None:
    half = timedelta(seconds=took_s / 2)
    found = skew_judge(
        "clock",
        "The venue",
        NOW + timedelta(seconds=theirs_s),
        before=NOW - half,
        after=NOW + half,
        resolution_s=resolution_s,
    )
    assert (found.level.value, found.sentence) == (level, sentence)


@pytest.mark.django_db
def test_the_database_of_this_machine_has_the_same_clock() -> None:
    (found,) = clock_ask(now=utc_now())
    assert (found.level.value, found.code) == ("ok", "clock_database")
