"""Dividing fills among policies by largest remainder: NumPy in int64 against unbounded Python integers.

`policies` weights as the sample book has them: coverage in micro-dollars, spread evenly in magnitude from $1,000 to
$500,000, and products as popular as there. Once one fill is divided among all policies, once every product's fill
among its own. Both sides get the weights in the form that suits them (an int64 array, a list of ints) and must give
every policy the same units. CPU time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hedging.domain.attribution import attribute, attribute_exact
from policies.domain.catalogue import all_products
from policies.domain.sample import popularity
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import Paired, cpu, paired, peak_rss_forget, peak_rss_mib

NEEDS_DATABASE = False
ONE_FILL = Goal(name="one fill among all, times faster", at_least=50)
MANY_FILLS = Goal(name="a fill for every product, times faster", at_least=50)
GOALS = (ONE_FILL, MANY_FILLS)
FULL = BenchScale(policies=1_000_000, rounds=5)
SMALL = BenchScale(policies=50_000, rounds=3)

SEED = 7
# A fill's micro-units per policy that shares it; not a multiple of anything, so that remainders are left over.
MICRO_PER_POLICY = 80_000_003


def run(scale: BenchScale) -> BenchResult:
    """Divide one fill and 560 fills."""
    draw = np.random.default_rng(SEED)
    weights = (10 ** draw.uniform(9, np.log10(5e11), scale.policies)).astype(np.int64)
    ids = np.arange(1, scale.policies + 1, dtype=np.int64)
    sizes = _policies_per_product(scale.policies, draw=draw)
    cuts = np.cumsum(sizes)[:-1]
    peak_rss_forget()
    one = _measure([weights], [ids], rounds=scale.rounds)
    many = _measure(np.split(weights, cuts), np.split(ids, cuts), rounds=scale.rounds)
    return BenchResult(
        ratios={ONE_FILL.name: one.speed_up, MANY_FILLS.name: many.speed_up},
        figures=(
            Figure(name="one fill, NumPy", value=one.ours_s * 1000, unit="ms"),
            Figure(name="one fill, Python integers", value=one.baseline_s * 1000, unit="ms"),
            Figure(name=f"{len(sizes)} fills, NumPy", value=many.ours_s * 1000, unit="ms"),
            Figure(name=f"{len(sizes)} fills, Python integers", value=many.baseline_s * 1000, unit="ms"),
        ),
        notes=("every policy got the same units both ways",),
        peak_rss_mib=peak_rss_mib(),
    )


def _policies_per_product(policies: int, *, draw: np.random.Generator) -> NDArray[np.int64]:
    """How many policies each product has that has any."""
    popular = np.array([popularity(key) for key in all_products() if not key.invalid_reason], dtype=float)
    chosen = draw.choice(len(popular), size=policies, p=popular / popular.sum())
    counts = np.bincount(chosen)
    return counts[counts > 0]


def _measure(weights: list[NDArray[np.int64]], ids: list[NDArray[np.int64]], *, rounds: int) -> Paired:
    spelt = [part.tolist() for part in weights]
    totals = [len(part) * MICRO_PER_POLICY for part in weights]
    quick: list[NDArray[np.int64]] = []
    exact: list[list[int]] = []

    def ours() -> None:
        quick[:] = [
            attribute(total, part, own) for total, part, own in zip(totals, weights, ids, strict=True)
        ]

    def baseline() -> None:
        exact[:] = [attribute_exact(total, part) for total, part in zip(totals, spelt, strict=True)]

    measured = paired(rounds, ours=ours, baseline=baseline, clock=cpu)
    for number, (one, other) in enumerate(zip(quick, exact, strict=True)):
        if one.tolist() != other or sum(other) != totals[number]:
            raise WrongAnswer(f"fill {number} was divided in two different ways")
    return measured
