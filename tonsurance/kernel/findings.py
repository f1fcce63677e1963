"""What a check came to: a level, a stable word for machines, a sentence with the figures, and what to do about it.

Nobody may put a secret into a sentence: findings are printed, stored, and answered to monitoring.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """OK: as it should be. WARNING: a person should look today. FAULT: it does not work, or money is not guarded."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


_ORDER = (Level.OK, Level.WARNING, Level.FAULT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One answer. `code` never changes its meaning; `runbook` is the stem of a page in docs/runbooks ("" for none)."""

    level: Level
    code: str
    sentence: str
    remedy: str = ""
    runbook: str = ""


def ok(code: str, sentence: str) -> Finding:
    """As it should be."""
    return Finding(level=Level.OK, code=code, sentence=sentence)


def warning(code: str, sentence: str, *, remedy: str, runbook: str = "") -> Finding:
    """A person should look today."""
    return Finding(level=Level.WARNING, code=code, sentence=sentence, remedy=remedy, runbook=runbook)


def fault(code: str, sentence: str, *, remedy: str, runbook: str = "") -> Finding:
    """It does not work, or money is not guarded."""
    return Finding(level=Level.FAULT, code=code, sentence=sentence, remedy=remedy, runbook=runbook)


def worst(levels: Iterable[Level]) -> Level:
    """The worst of them; OK for none."""
    return max(levels, key=_ORDER.index, default=Level.OK)


def by_limits(value: float, *, warning_at: float, fault_at: float) -> Level:
    """The level of a figure that is worse the larger it is; a limit itself is already over it."""
    if value >= fault_at:
        return Level.FAULT
    return Level.WARNING if value >= warning_at else Level.OK


def judged(level: Level, code: str, sentence: str, *, remedy: str, runbook: str = "") -> Finding:
    """A finding whose level was measured; good news needs no remedy."""
    if level is Level.OK:
        return ok(code, sentence)
    return Finding(level=level, code=code, sentence=sentence, remedy=remedy, runbook=runbook)
