"""Runs checks that each app has registered: read-only, each in a thread of its own with a longest wait.

A check that fails or hangs is a finding about itself and stops no other. Without the database the checks that need it
are named as not asked; the others still answer.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Refused, TonsuranceError
from tonsurance.kernel.findings import Finding, Level, fault, worst
from tonsurance.plumbing.apart import database_is_away
from tonsurance.plumbing.models import Checkup

log = structlog.get_logger(__name__)

DATABASE = "database"
"""The check that all others with `needs_database` wait for."""
GROUPS = ("Settings", "Database", "Clock", "Workers", "Venues", "Markets", "Money", "Book", "Safety")
"""The order in which findings are shown: what carries the rest first."""
WAIT_S = 5.0
AT_ONCE_MAX = 4
CHECKUPS_KEPT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One question. `ask(now=...)` returns findings, changes nothing, and may raise; `wait_s` is its longest wait."""

    name: str
    group: str
    ask: Callable[..., Sequence[Finding]]
    wait_s: float = WAIT_S
    needs_database: bool = True
    asks_venue: bool = False
    after: str = ""
    """The check that must not have found faults alone: what does not answer at all is told once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one check found, or why it was not asked (`skipped`)."""

    check: str
    group: str
    findings: tuple[Finding, ...] = ()
    skipped: str = ""
    took_ms: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One run of the checks, group by group."""

    started_at: datetime
    took_ms: int
    is_quick: bool
    answers: tuple[Answer, ...] = field(default_factory=tuple)

    @property
    def findings(self) -> list[Finding]:
        return [finding for answer in self.answers for finding in answer.findings]

    @property
    def level(self) -> Level:
        return worst(finding.level for finding in self.findings)

    def count(self, level: Level) -> int:
        """How many findings have that level."""
        return sum(finding.level is level for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The run as machines read it."""
        return {
            "level": self.level.value,
            "started_at": self.started_at.isoformat(),
            "took_ms": self.took_ms,
            "is_quick": self.is_quick,
            "faults": self.count(Level.FAULT),
            "warnings": self.count(Level.WARNING),
            "checks": [
                {
                    "name": answer.check,
                    "group": answer.group,
                    "skipped": answer.skipped,
                    "took_ms": answer.took_ms,
                    "findings": [_finding_json(finding) for finding in answer.findings],
                }
                for answer in self.answers
            ],
        }


_checks: dict[str, Check] = {}


def checks_register(checks: Sequence[Check]) -> None:
    """Add an app's checks; a name that exists is replaced. Raises ValueError for a group that is not in GROUPS."""
    if strange := {check.group for check in checks} - set(GROUPS):
        raise ValueError(f"groups {sorted(strange)} are not among {GROUPS}")
    _checks.update({check.name: check for check in checks})


def checks_all() -> list[Check]:
    """Every check, group by group."""
    return sorted(_checks.values(), key=lambda check: GROUPS.index(check.group))


def checkup_run(*, only: Collection[str] = (), is_quick: bool = False) -> Diagnosis:
    """Ask the checks named in `only` (default: all); `is_quick` leaves out those that ask a venue.

    Raises Refused for a name that does not exist. Takes at most the longest waits of the checks, four at a time.
    """
    unknown = sorted(set(only) - set(_checks))
    if unknown:
        raise Refused(f"no check named {', '.join(unknown)}; checks are {', '.join(_checks)}", field="only")
    started_at, started_s = utc_now(), monotonic_s()
    chosen = [check for check in checks_all() if not only or check.name in only]
    answers = {check.name: _skipped(check, "venues are not asked in a quick run") for check in chosen
               if is_quick and check.asks_venue}  # fmt: skip
    asked = [check for check in chosen if check.name not in answers]
    if away := _without_database(asked, answers):
        asked = [check for check in asked if not check.needs_database]
        answers |= {check.name: _skipped(check, "the database does not answer") for check in away}
    asked = [check for check in asked if check.name not in answers]
    answers |= _ask_all([check for check in asked if not check.after])
    later = [check for check in asked if check.after]
    shut = {name for name, answer in answers.items() if _is_shut(answer)}
    answers |= {check.name: _skipped(check, f"see {check.after}") for check in later if check.after in shut}
    answers |= _ask_all([check for check in later if check.after not in shut])
    return Diagnosis(
        started_at=started_at,
        took_ms=_ms(since_s=started_s),
        is_quick=is_quick,
        answers=tuple(answers[check.name] for check in checks_all() if check.name in answers),
    )


def checkup_keep(diagnosis: Diagnosis, *, asked_by: str) -> Checkup:
    """Store a run for those who look at the page Health later; the oldest beyond 200 go."""
    with transaction.atomic():
        row = Checkup.objects.create(
            started_at=diagnosis.started_at,
            took_ms=diagnosis.took_ms,
            is_quick=diagnosis.is_quick,
            asked_by=asked_by[:150],
            level=diagnosis.level.value,
            faults_count=diagnosis.count(Level.FAULT),
            warnings_count=diagnosis.count(Level.WARNING),
            found=diagnosis.as_json(),
        )
        Checkup.objects.filter(pk__lte=row.pk - CHECKUPS_KEPT).delete()
    return row


def _without_database(asked: list[Check], answers: dict[str, Answer]) -> list[Check]:
    """The checks that cannot be asked because the database does not answer; its own answer is added to `answers`."""
    waiting = [check for check in asked if check.needs_database]
    gate = _checks.get(DATABASE)
    if not waiting or gate is None:
        return []
    answer = _ask_all([gate])[DATABASE]
    is_away = any(finding.code in {"database_unreachable", "check_too_slow"} for finding in answer.findings)
    if gate in asked or is_away:
        answers[DATABASE] = answer
    return [check for check in waiting if check.name != DATABASE] if is_away else []


def _ask_all(checks: Sequence[Check]) -> dict[str, Answer]:
    """Ask four at a time; whoever does not answer in time is given up, and its thread ends by its own time-outs."""
    told: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    waiting, until_s, answers = list(checks), dict[str, float](), dict[str, Answer]()
    by_name = {check.name: check for check in checks}
    while waiting or until_s:
        while waiting and len(until_s) < AT_ONCE_MAX:
            check = waiting.pop(0)
            until_s[check.name] = monotonic_s() + check.wait_s
            threading.Thread(
                target=_tell, args=(check, told), name=f"check {check.name}", daemon=True
            ).start()
        try:
            answer = told.get(timeout=max(0.01, min(until_s.values()) - monotonic_s()))
            if until_s.pop(answer.check, None) is not None:
                answers[answer.check] = answer
        except queue.Empty:
            for name in [name for name, moment_s in until_s.items() if monotonic_s() >= moment_s]:
                del until_s[name]
                answers[name] = _too_slow(by_name[name])
    return answers


def _tell(check: Check, told: queue.SimpleQueue[Answer]) -> None:
    started_s = monotonic_s()
    try:
        with _read_only(check):
            findings = tuple(check.ask(now=utc_now()))
    except Exception as error:  # noqa: BLE001  a check that fails is a finding, whatever it raised
        findings = (_failed(check, error),)
    finally:
        connection.close()
    told.put(Answer(check=check.name, group=check.group, findings=findings, took_ms=_ms(since_s=started_s)))


@contextmanager
def _read_only(check: Check) -> Iterator[None]:
    """The thread's own session, in which PostgreSQL itself refuses every write and every long statement."""
    if not check.needs_database or check.name == DATABASE:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        cursor.execute(f"SET statement_timeout = {int(check.wait_s * 1000)}")
    yield


def _failed(check: Check, error: Exception) -> Finding:
    if database_is_away(error):
        return fault(
            "database_unreachable",
            f"The database went away while {check.name} was asked",
            remedy="Bring PostgreSQL back",
            runbook="database-down",
        )
    log.exception("a check failed", check=check.name, exc_info=error)
    # Another library's words may quote what it was given; ours never hold a secret.
    words = error.message if isinstance(error, TonsuranceError) else type(error).__name__
    return fault(
        "check_failed",
        f"The check {check.name} itself failed: {words}",
        remedy="The log has the traceback; keep it for the developers",
        runbook="doctor",
    )


def _too_slow(check: Check) -> Answer:
    found = fault(
        "check_too_slow",
        f"No answer to {check.name} within {check.wait_s:g} s",
        remedy="What it asks hangs or is overloaded; see the other findings of its group",
        runbook="doctor",
    )
    return Answer(check=check.name, group=check.group, findings=(found,), took_ms=int(check.wait_s * 1000))


def _is_shut(answer: Answer) -> bool:
    return bool(answer.findings) and all(finding.level is Level.FAULT for finding in answer.findings)


def _skipped(check: Check, why: str) -> Answer:
    return Answer(check=check.name, group=check.group, skipped=why)


def _ms(*, since_s: float) -> int:
    return int((monotonic_s() - since_s) * 1000)


def _finding_json(finding: Finding) -> dict[str, str]:
    return {
        "level": finding.level.value,
        "code": finding.code,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
        "runbook": f"docs/runbooks/{finding.runbook}.md" if finding.runbook else "",
    }
