"""The cycle at three sizes of book, ten times apart: what each part costs, and how fast it grows.

The growth of a part is the slope of its cost over the number of policies, both as logarithms: 0 does not grow, 1 grows
like the book. What a cycle does until its orders are sent must not grow with the policies; the division of what was
bought among them may, but no faster than they do. docs/scaling.md says what follows from the figures.
"""

from __future__ import annotations

import statistics

import numpy as np

from policies.services.intake import policies_import
from tests.benches.book import fold_all, sample_file, vacuum
from tests.benches.cycle import PHASES, cycle_measure, quiet
from tests.benches.desk import book_clear, book_open, loopback_desk, ratios_set
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import peak_rss_forget, peak_rss_mib
from tonsurance.kernel.clock import utc_now

BEFORE = Goal(name="growth of the path to the last order", at_most=0.2)
WHOLE = Goal(name="growth of the whole cycle", at_most=1.1)
GOALS = (BEFORE, WHOLE)
FULL = BenchScale(policies=1_000_000, rounds=3)
SMALL = BenchScale(policies=20_000, rounds=1)

SIZES = 3
SHOWN = ("decided", "placed", "booked", "all")


def run(scale: BenchScale) -> BenchResult:
    """Measure the cycle at a hundredth, a tenth and the whole of `policies`, on one growing book."""
    now = utc_now()
    sizes = [scale.policies // 10**power for power in reversed(range(SIZES))]
    medians: list[dict[str, float]] = []
    peaks: list[float] = []
    with loopback_desk() as base, quiet():
        had = 0
        for seed, size in enumerate(sizes, start=1):
            with sample_file(size - had, now=now, seed=seed) as file:
                report = policies_import(file, file_name="sample.csv", actor="bench", now=now)
            if report.added != size - had:
                raise WrongAnswer(f"{report.added} of {size - had} policies were imported")
            had = size
            fold_all(now=now)
            vacuum("policies_policy", "policies_exposure", "policies_exposuredelta")
            if seed == 1:
                book_open(now=now)
            ratios_set()
            rounds = []
            peak_rss_forget()
            for number in range(scale.rounds + 1):
                book_clear(base)
                measured = cycle_measure()
                if number:
                    rounds.append(measured)
            peaks.append(peak_rss_mib())
            medians.append({key: statistics.median(row[key] for row in rounds) for key in PHASES})
    logs = np.log10(np.array(sizes, dtype=float))
    growth = {key: float(np.polyfit(logs, np.log10([row[key] for row in medians]), 1)[0]) for key in PHASES}
    return BenchResult(
        ratios={BEFORE.name: growth["sent"], WHOLE.name: growth["all"]},
        figures=(
            *(
                Figure(name=f"{size:,} policies: {PHASES[key].strip()}", value=1000 * row[key], unit="ms")
                for size, row in zip(sizes, medians, strict=True)
                for key in SHOWN
            ),
            *(
                Figure(name=f"growth: {PHASES[key].strip()}", value=growth[key], unit="")
                for key in (*SHOWN, "sent")
            ),
            *(
                Figure(name=f"{size:,} policies: peak memory", value=peak, unit="MiB")
                for size, peak in zip(sizes, peaks, strict=True)
            ),
        ),
        notes=("the smallest book has fewer products and so fewer orders; the growth contains that",),
        peak_rss_mib=max(peaks),
    )
