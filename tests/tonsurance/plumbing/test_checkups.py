"""Checks answer side by side, each for so long; none stops another, none writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from tonsurance.kernel.clock import monotonic_s
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.findings import Finding, Level, by_limits, fault, ok, warning, worst
from tonsurance.plumbing import checkups
from tonsurance.plumbing.checkups import Answer, Check, Diagnosis, checks_register, checkup_keep, checkup_run
from tonsurance.plumbing.models import Checkup, JobSlot

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_checks() -> Iterator[None]:
    """Only the checks that a test registers."""
    kept = dict(checkups._checks)
    checkups._checks.clear()
    yield
    checkups._checks.clear()
    checkups._checks.update(kept)


def fine(*, now: datetime) -> list[Finding]:
    return [ok("fine", "All is well")]


def bad(*, now: datetime) -> list[Finding]:
    return [fault("bad", "It is broken", remedy="Mend it", runbook="doctor")]


def check(name: str, ask: object = fine, **values: object) -> Check:
    return Check(**{"name": name, "group": "Book", "ask": ask, "needs_database": False, **values})  # type: ignore[arg-type]


def codes(diagnosis: Diagnosis) -> dict[str, list[str]]:
    return {answer.check: [finding.code for finding in answer.findings] for answer in diagnosis.answers}


def test_every_check_answers_and_the_worst_level_is_the_whole_s() -> None:
    checks_register([check("one"), check("two", bad)])
    diagnosis = checkup_run()
    assert codes(diagnosis) == {"one": ["fine"], "two": ["bad"]}
    assert (diagnosis.level, diagnosis.count(Level.FAULT), diagnosis.count(Level.OK)) == (Level.FAULT, 1, 1)


def test_a_check_that_hangs_is_a_finding_after_its_longest_wait_and_holds_nobody_up() -> None:
    release = threading.Event()

    def hang(*, now: datetime) -> list[Finding]:
        release.wait(30)
        return []

    checks_register([check("hangs", hang, wait_s=0.3), *(check(f"fine {n}") for n in range(8))])
    started = monotonic_s()
    diagnosis = checkup_run()
    took_s = monotonic_s() - started
    release.set()
    assert codes(diagnosis)["hangs"] == ["check_too_slow"]
    assert diagnosis.findings[0].sentence == "No answer to hangs within 0.3 s"
    assert took_s < 2
    assert sum(found == ["fine"] for found in codes(diagnosis).values()) == 8


def test_a_check_that_raises_is_a_finding_and_no_word_of_another_library_is_repeated() -> None:
    def breaks(*, now: datetime) -> list[Finding]:
        raise ValueError("the key is hunter2")

    checks_register([check("breaks", breaks), check("after")])
    diagnosis = checkup_run()
    assert codes(diagnosis) == {"breaks": ["check_failed"], "after": ["fine"]}
    assert diagnosis.findings[0].sentence == "The check breaks itself failed: ValueError"


def test_our_own_refusals_are_repeated() -> None:
    def refuses(*, now: datetime) -> list[Finding]:
        raise Refused("cap_usd: give US dollars")

    checks_register([check("refuses", refuses)])
    (finding,) = checkup_run().findings
    assert finding.sentence == "The check refuses itself failed: cap_usd: give US dollars"


def test_postgresql_itself_refuses_a_check_that_writes() -> None:
    def writes(*, now: datetime) -> list[Finding]:
        JobSlot.objects.create(job="doctor", slot=NOW, claimed_by="doctor", claimed_at=NOW)
        return [ok("fine", "It wrote")]

    checks_register([check("writes", writes, needs_database=True)])
    (finding,) = checkup_run().findings
    assert finding.code == "check_failed"
    assert not JobSlot.objects.exists()


def test_a_statement_ends_with_the_wait_of_its_check() -> None:
    ended = threading.Event()

    def sleeps(*, now: datetime) -> list[Finding]:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(30)")
        finally:
            ended.set()
        return []

    checks_register([check("sleeps", sleeps, needs_database=True, wait_s=0.5)])
    assert codes(checkup_run()) == {"sleeps": ["check_too_slow"]} or ended.is_set()
    assert ended.wait(3)


def test_without_the_database_the_others_still_answer() -> None:
    def away(*, now: datetime) -> list[Finding]:
        return [fault("database_unreachable", "It does not answer", remedy="Bring it back")]

    checks_register(
        [check("database", away, needs_database=True), check("book", needs_database=True), check("broker")]
    )
    diagnosis = checkup_run()
    assert codes(diagnosis) == {"database": ["database_unreachable"], "book": [], "broker": ["fine"]}
    assert [answer.skipped for answer in diagnosis.answers] == ["", "the database does not answer", ""]


def test_what_does_not_answer_at_all_is_told_once() -> None:
    def half(*, now: datetime) -> list[Finding]:
        return [*fine(now=now), *bad(now=now)]

    checks_register([check("dead", bad), check("late", half)])
    checks_register([check("behind dead", after="dead"), check("behind late", after="late")])
    diagnosis = checkup_run()
    assert codes(diagnosis) == {
        "dead": ["bad"],
        "late": ["fine", "bad"],
        "behind dead": [],
        "behind late": ["fine"],
    }
    assert [answer.skipped for answer in diagnosis.answers] == ["", "", "see dead", ""]
    # Asked for by name it is asked, whatever stands before it.
    assert codes(checkup_run(only=["behind dead"])) == {"behind dead": ["fine"]}


def test_one_named_check_is_asked_alone_and_the_database_only_tells_when_it_is_away() -> None:
    checks_register(
        [check("database", needs_database=True), check("book", needs_database=True), check("broker")]
    )
    assert codes(checkup_run(only=["book"])) == {"book": ["fine"]}


def test_a_name_that_does_not_exist_is_refused_with_those_that_do() -> None:
    checks_register([check("one"), check("two")])
    with pytest.raises(Refused, match=r"no check named three; checks are one, two"):
        checkup_run(only=["three"])


def test_a_quick_run_asks_no_venue() -> None:
    checks_register([check("here"), check("there", bad, asks_venue=True)])
    diagnosis = checkup_run(is_quick=True)
    assert codes(diagnosis) == {"here": ["fine"], "there": []}
    assert diagnosis.answers[1].skipped == "venues are not asked in a quick run"
    assert diagnosis.level is Level.OK


def test_answers_come_group_by_group_whoever_registered_first() -> None:
    checks_register([check("late", group="Safety"), check("early", group="Settings")])
    assert [answer.check for answer in checkup_run().answers] == ["early", "late"]
    with pytest.raises(ValueError, match="Strange"):
        checks_register([check("x", group="Strange")])


def test_a_run_as_machines_read_it() -> None:
    answer = Answer(check="two", group="Book", findings=tuple(bad(now=NOW)), took_ms=7)
    diagnosis = Diagnosis(started_at=NOW, took_ms=9, is_quick=True, answers=(answer,))
    assert diagnosis.as_json() == {
        "level": "fault",
        "started_at": "2026-11-21T12:00:00+00:00",
        "took_ms": 9,
        "is_quick": True,
        "faults": 1,
        "warnings": 0,
        "checks": [
            {
                "name": "two",
                "group": "Book",
                "skipped": "",
                "took_ms": 7,
                "findings": [
                    {
                        "level": "fault",
                        "code": "bad",
                        "sentence": "It is broken",
                        "remedy": "Mend it",
                        "runbook": "docs/runbooks/doctor.md",
                    }
                ],
            }
        ],
    }


def test_kept_runs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkups, "CHECKUPS_KEPT", 3)
    for _ in range(5):
        checkup_keep(Diagnosis(started_at=NOW, took_ms=9, is_quick=False), asked_by="risk.officer")
    assert Checkup.objects.count() == 3


def test_levels_are_judged_at_their_limits() -> None:
    assert [by_limits(value, warning_at=1, fault_at=2) for value in (0.99, 1, 1.99, 2)] == [
        Level.OK,
        Level.WARNING,
        Level.WARNING,
        Level.FAULT,
    ]
    assert worst([]) is Level.OK
    assert worst([Level.WARNING, Level.OK]) is Level.WARNING
    assert warning("w", "s", remedy="r").level is Level.WARNING
