"""Says what a bench is: a module of this folder with goals and a `run` that measures and proves itself right.

A module `tests/benches/<name>.py` has, besides its docstring (whose first line `bench --list` shows):

    GOALS: tuple[Goal, ...]                       what must come out
    FULL, SMALL: BenchScale                       a full run, and one that fits into a test
    def run(scale: BenchScale) -> BenchResult     measures ours and the baseline in interleaved rounds

`run` finds an empty, migrated database behind Django's `connection` (also in os.environ["DATABASE_URL"], for child
processes) and an empty Valkey in REDIS_URL. It raises `WrongAnswer` when ours and the baseline do not agree.
`NEEDS_DATABASE = False` in a module leaves the database out. Clocks and rounds are in tests/benches/rounds.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class WrongAnswer(Exception):
    """What was measured did not do the work: ours and the baseline disagree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchScale:
    """How much work, and how often. `rounds` counts paired rounds; a bench says what `policies` means to it."""

    policies: int = 1_000_000
    rounds: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A ratio that must be `at_least` or `at_most` something. `name` is a few words, without a colon."""

    name: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.name}: a goal is either a least or a most")

    @property
    def words(self) -> str:
        """For people: `>= 100` or `<= 1.5`."""
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"

    def reserve(self, ratio: float) -> float:
        """How far inside the goal `ratio` lies: 1 is just met, 2 is twice as good, below 1 is missed."""
        if self.at_least is not None:
            return ratio / self.at_least
        assert self.at_most is not None
        return self.at_most / ratio if ratio > 0 else float("inf")

    def is_met(self, ratio: float) -> bool:
        """Whether `ratio` keeps the goal."""
        return self.reserve(ratio) >= 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One line of the table: a measured amount with its unit, and a word on what was measured."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchResult:
    """What a run found. `ratios` has one entry per goal, by the goal's name; `notes` are sentences for the reader."""

    ratios: Mapping[str, float]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    peak_rss_mib: float | None = field(default=None)


def decisive(goals: tuple[Goal, ...], result: BenchResult) -> tuple[Goal, float]:
    """The goal with the least reserve and its ratio. Raises WrongAnswer when a goal was not measured."""
    for goal in goals:
        if goal.name not in result.ratios:
            raise WrongAnswer(f"the goal {goal.name!r} was not measured")
    worst = min(goals, key=lambda goal: goal.reserve(result.ratios[goal.name]))
    return worst, result.ratios[worst.name]
