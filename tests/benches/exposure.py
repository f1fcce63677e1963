"""Exposure per product, kept by deltas: reading it against the grouped scan, and what it costs the sale.

Over a book of `policies`: (1) reading the kept exposure (folded, as the beat leaves it) against GROUP BY over all
policies in force, in CPU of client and database, the scan without parallel workers, whose CPU is not seen here; (2)
one sale after another through the sale's own service with the exposure delta and without, on the wall's clock and in
CPU; (3) eight processes that sell one product at once, with and without, by the sales they get done. At the end the
kept exposure must equal the scan for every product, to the micro-unit.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from datetime import datetime

from django.db import connection

from policies.selectors.exposure import exposure_by_product, exposure_kept_and_scanned, exposure_scanned
from tests.benches.book import book_sample, fold_all
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import Paired, backend_cpu, paired_by, timed, wall
from tests.benches.sellers import Sellers, Way, catch_up, exposure_kept, seller
from tonsurance.kernel.clock import utc_now

READING = Goal(name="reading, times faster than the scan", at_least=100)
SALE_WALL = Goal(name="a sale against one without exposure, wall", at_most=1.5)
SALE_CPU = Goal(name="a sale against one without exposure, CPU", at_most=1.5)
HOT = Goal(name="throughput of a hot product against none kept", at_least=0.9)
GOALS = (READING, SALE_WALL, SALE_CPU, HOT)
FULL = BenchScale(policies=1_000_000, rounds=9)
SMALL = BenchScale(policies=20_000, rounds=3)

READS = 20
SALES, BLOCKS = 25, 4
WRITERS = 8
HOT_S = 2.0
HOT_S_SMALL = 0.4
WORDS: dict[Way, str] = {"none": "none kept", "delta": "deltas", "row": "one row updated by all"}


def run(scale: BenchScale) -> BenchResult:
    """Book `policies`, then measure the three parts."""
    now = utc_now()
    book_sample(scale.policies, now=now)
    _check_equal()
    reading = _reading(scale.rounds)
    sale = _sales(scale.rounds * BLOCKS, now=now)
    hot = _hot(scale, now=now)
    unfolded_s = statistics.median(timed(exposure_by_product) for _ in range(READS))
    catch_up()
    _check_equal()
    fold_all(now=now)
    _check_equal()
    per_sale_ms = 1000 / SALES
    return BenchResult(
        ratios={
            READING.name: reading["cpu"].speed_up * READS,
            SALE_WALL.name: sale["wall"].cost,
            SALE_CPU.name: sale["cpu"].cost,
            HOT.name: statistics.median(
                ours / none for ours, none in zip(hot["delta"], hot["none"], strict=True)
            ),
        },
        figures=(
            Figure(name="reading, kept, CPU", value=reading["cpu"].ours_s / READS * 1000, unit="ms"),
            Figure(name="  grouped scan, CPU", value=reading["cpu"].baseline_s * 1000, unit="ms"),
            Figure(name="reading, kept, wall", value=reading["wall"].ours_s / READS * 1000, unit="ms"),
            Figure(name="  grouped scan, wall", value=reading["wall"].baseline_s * 1000, unit="ms"),
            Figure(name="  times faster, wall", value=reading["wall"].speed_up * READS, unit=""),
            Figure(
                name="reading, before the sales below are folded, wall", value=unfolded_s * 1000, unit="ms"
            ),
            Figure(name="a sale, wall", value=sale["wall"].ours_s * per_sale_ms, unit="ms"),
            Figure(name="  without exposure", value=sale["wall"].baseline_s * per_sale_ms, unit="ms"),
            Figure(
                name="a sale, CPU of client and database", value=sale["cpu"].ours_s * per_sale_ms, unit="ms"
            ),
            Figure(name="  without exposure", value=sale["cpu"].baseline_s * per_sale_ms, unit="ms"),
            *(
                Figure(name=f"{WRITERS} sellers of one product, {WORDS[way]}", value=rate, unit="sales/s")
                for way, rate in ((way, statistics.median(rates)) for way, rates in hot.items())
            ),
        ),
        notes=("kept and scanned exposure are equal to the micro-unit, before and after the sales",),
    )


def _reading(rounds: int) -> dict[str, Paired]:
    """READS readings of the kept exposure against one scan."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    measured = paired_by(
        {"cpu": backend_cpu(), "wall": wall},
        rounds,
        ours=lambda: timed(exposure_by_product, times=READS),
        baseline=exposure_scanned,
    )
    with connection.cursor() as cursor:
        cursor.execute("RESET max_parallel_workers_per_gather")
    return measured


def _sales(rounds: int, *, now: datetime) -> dict[str, Paired]:
    """Rounds of SALES sales each way, on the wall's clock and in CPU."""
    connection.ensure_connection()
    with_delta = seller("delta", prefix="one-delta", now=now)
    without = seller("none", prefix="one-none", now=now)

    def several(way: Way, sell: Callable[[], None]) -> None:
        with exposure_kept(way):
            for _ in range(SALES):
                sell()

    return paired_by(
        {"wall": wall, "cpu": backend_cpu()},
        rounds,
        ours=lambda: several("delta", with_delta),
        baseline=lambda: several("none", without),
    )


def _hot(scale: BenchScale, *, now: datetime) -> dict[Way, list[float]]:
    """Sales a second of WRITERS processes, each way in turn, round by round."""
    seconds = HOT_S if scale.policies >= FULL.policies else HOT_S_SMALL
    ways: tuple[Way, ...] = ("none", "delta", "row")
    rates: dict[Way, list[float]] = {way: [] for way in ways}
    sellers = Sellers(WRITERS, now=now)
    try:
        for number in range(scale.rounds):
            for way in ways if number % 2 == 0 else reversed(ways):
                rates[way].append(sellers.sales_per_s(way, seconds=seconds))
    finally:
        sellers.close()
    return rates


def _check_equal() -> None:
    kept, scanned = exposure_kept_and_scanned()
    differing = [product for product in kept if kept[product] != scanned[product]]
    if differing:
        product = differing[0]
        raise WrongAnswer(
            f"the exposure of {len(differing)} products differs; product {product} is kept as {kept[product]} "
            f"and scanned as {scanned[product]}"
        )
