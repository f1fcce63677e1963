"""Measures two ways of doing the same work in interleaved rounds, so that a busy machine slows both alike.

A ratio is the median of the rounds' own ratios, never a ratio of two medians taken at different times.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

Clock = Callable[[], float]

# For what waits (input, output, other processes), and for what only computes.
wall: Clock = time.perf_counter
cpu: Clock = time.thread_time

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Paired:
    """Seconds of ours and of the baseline, round by round."""

    ours: tuple[float, ...]
    baseline: tuple[float, ...]

    @property
    def ours_s(self) -> float:
        """Median seconds of ours."""
        return statistics.median(self.ours)

    @property
    def baseline_s(self) -> float:
        """Median seconds of the baseline."""
        return statistics.median(self.baseline)

    @property
    def cost(self) -> float:
        """Ours over the baseline: the median of the rounds' ratios."""
        return statistics.median(ours / base for ours, base in zip(self.ours, self.baseline, strict=True))

    @property
    def speed_up(self) -> float:
        """The baseline over ours: the median of the rounds' ratios."""
        return statistics.median(base / ours for ours, base in zip(self.ours, self.baseline, strict=True))


def paired(
    rounds: int, *, ours: Callable[[], object], baseline: Callable[[], object], clock: Clock = wall
) -> Paired:
    """Time both in each of `rounds` rounds; who goes first changes from round to round.

    Work that must not be timed does not belong into the two functions.
    """
    return paired_by({"": clock}, rounds, ours=ours, baseline=baseline)[""]


def paired_by(
    clocks: Mapping[str, Clock], rounds: int, *, ours: Callable[[], object], baseline: Callable[[], object]
) -> dict[str, Paired]:
    """The same on several clocks at once."""
    mine: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for number in range(rounds):
        sides = [(baseline, theirs), (ours, mine)]
        for work, seconds in sides if number % 2 == 0 else reversed(sides):
            began = {name: clock() for name, clock in clocks.items()}
            work()
            seconds.append({name: clock() - began[name] for name, clock in clocks.items()})
    return {
        name: Paired(tuple(row[name] for row in mine), tuple(row[name] for row in theirs)) for name in clocks
    }


def timed(work: Callable[[], object], *, clock: Clock = wall, times: int = 1) -> float:
    """Seconds that one call of `work` takes, as the mean of `times` calls in a row."""
    began = clock()
    for _ in range(times):
        work()
    return (clock() - began) / times


def backend_cpu() -> Clock:
    """A clock of the CPU that this thread and its database connection's server process use, together.

    The server must run on this machine. Parallel workers of a query are other processes and are not counted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    return lambda: time.thread_time() + process_cpu_s(pid)


def process_cpu_s(pid: int) -> float:
    """CPU seconds that the process's first thread has used so far; to the nanosecond where the kernel counts so."""
    exact = Path(f"/proc/{pid}/schedstat")
    if exact.exists():
        return int(exact.read_text().split()[0]) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def peak_rss_forget() -> None:
    """Let the peak count from now (Linux; elsewhere it stays the peak since the process began)."""
    clear = Path("/proc/self/clear_refs")
    if os.access(clear, os.W_OK):
        clear.write_text("5")


def peak_rss_mib() -> float:
    """The most memory this process held since it began or `peak_rss_forget` was called, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
