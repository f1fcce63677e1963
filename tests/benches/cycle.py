"""The whole cycle: exposure to orders to every policy's slice, against the same work by hand in SQL and NumPy.

Over a book of `policies` and 560 markets: a cycle reads, plans and writes its decisions; they are placed in requests of
fifteen at a venue that answers at once; the trades are booked and divided among the policies. By hand: the same
exposure, orders, signatures, requests and division, with none of the rules, reasons and histories that a book keeps.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from hedging.models import Attribution, Fill, HedgePosition, Mapping, Order
from hedging.services.cycles import cycle_run
from hedging.services.executor import intents_place, portions_of
from hedging.services.settlements import settlements_watch
from hedging.services.verification import verify_book
from policies.models import Product
from tests.benches.book import book_sample, vacuum
from tests.benches.by_hand import ByHand
from tests.benches.desk import VENUE, book_clear, book_open, loopback_desk
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import peak_rss_forget, peak_rss_mib
from tonsurance.kernel.clock import utc_now
from venues.services.venues import venue_lines_preload

WHOLE = Goal(name="the whole cycle against the work by hand", at_most=3)
ORDERS = Goal(name="to the last order sent, of the venue's own least time", at_most=0.05)
MEMORY = Goal(name="peak memory of 1 GiB", at_most=1)
GOALS = (WHOLE, ORDERS, MEMORY)
FULL = BenchScale(policies=1_000_000, rounds=3)
SMALL = BenchScale(policies=20_000, rounds=1)

# A signer's standard bucket: docs.polymarket.com/api-reference/trading-rate-limits.
RATE, BURST = 40, 60
MIB = 1024
WATCHES_MAX = 20


def run(scale: BenchScale) -> BenchResult:
    """Book the policies, open the desk, then measure round by round, ours and by hand in turn."""
    now = utc_now()
    book_sample(scale.policies, now=now)
    # As workers and the engine do at their start.
    venue_lines_preload()
    with loopback_desk() as base, quiet():
        book_open(now=now)
        ratios = dict(Product.objects.values_list("pk", "hedge_ratio"))
        hand = ByHand(dict(settings.POLYMARKET), _markets(), ratios)
        ours: list[dict[str, float]] = []
        theirs: list[dict[str, float]] = []
        peak = 0.0
        for number in range(scale.rounds + 1):
            hand.clear()
            book_clear(base)
            theirs.append(hand.run())
            book_clear(base)
            vacuum("hedging_order", "hedging_intent", "hedging_fill", "hedging_position")
            peak_rss_forget()
            ours.append(cycle_measure())
            peak = max(peak, peak_rss_mib())
            _check(hand)
            if number == 0:
                # The first round warms caches and imports on both sides.
                ours.clear()
                theirs.clear()
        orders = Order.objects.count()
        slices = HedgePosition.objects.count()
    venue_s = (orders - BURST) / RATE
    return BenchResult(
        ratios={
            WHOLE.name: statistics.median(a["all"] / b["all"] for a, b in zip(ours, theirs, strict=True)),
            ORDERS.name: statistics.median(row["sent"] for row in ours) / venue_s,
            MEMORY.name: peak / MIB,
        },
        figures=(
            *(
                Figure(name=words, value=1000 * statistics.median(row[key] for row in ours), unit="ms")
                for key, words in PHASES.items()
            ),
            Figure(
                name="by hand: to the last order sent",
                value=1000 * statistics.median(row["sent"] for row in theirs),
                unit="ms",
            ),
            Figure(
                name="by hand: all", value=1000 * statistics.median(row["all"] for row in theirs), unit="ms"
            ),
            Figure(name="the venue's own least time for these orders", value=1000 * venue_s, unit="ms"),
            Figure(name="orders", value=orders, unit=""),
            Figure(name="slices written", value=slices, unit=""),
        ),
        notes=("all invariants hold, and every product's units equal the ones by hand",),
        peak_rss_mib=peak,
    )


PHASES = {
    "decided": "ours: exposure, books, plan and decisions",
    "placed": "  orders prepared, signed and sent",
    "sent": "ours: to the last order sent",
    "booked": "  trades booked and divided among policies",
    "all": "ours: all",
}


def cycle_measure() -> dict[str, float]:
    """Run one cycle to its end; seconds of each of PHASES."""
    began = time.perf_counter()
    result = cycle_run(cause="bench")
    if result is None:
        raise WrongAnswer("another cycle is running")
    decided = time.perf_counter()
    for venue_code, ids in portions_of(result.intents):
        intents_place(venue_code, ids, now=utc_now())
    sent = time.perf_counter()
    _until_divided()
    end = time.perf_counter()
    return {
        "decided": decided - began,
        "placed": sent - decided,
        "sent": sent - began,
        "booked": end - sent,
        "all": end - began,
    }


def _until_divided() -> None:
    """As the engine does; bounded, because a bench must end."""
    for _ in range(WATCHES_MAX):
        settlements_watch(VENUE, now=utc_now())
        if not Fill.objects.filter(attribution__isnull=True).exists() and Attribution.objects.exists():
            return
    raise WrongAnswer(f"after {WATCHES_MAX} looks purchases are not divided")


def _check(hand: ByHand) -> None:
    """Every order is filled, every unit has an owner, the book is sound, and both ways give products the same units."""
    states = set(Order.objects.values_list("state", flat=True))
    if states != {"FILLED"}:
        raise WrongAnswer(f"orders are {states}, not all filled")
    violations = verify_book()
    if violations:
        raise WrongAnswer(f"{violations[0].invariant}: {violations[0].detail}")
    rows = HedgePosition.objects.values_list("product_id").annotate(size=Sum("size")).order_by("product_id")
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT product, sum(s.size) FROM hand_slice s JOIN hand_fill f ON f.id = s.fill_id
               JOIN hand_order o ON o.name = f.name GROUP BY 1 ORDER BY 1"""
        )
        by_hand = dict(cursor.fetchall())
    ours = dict(rows)
    # The book rounds a budget to the venue's cents and hundredths of a share, order by order.
    wrong = [key for key, size in by_hand.items() if abs(size - ours.get(key, 0)) > 1]
    if wrong or len(ours) != len(by_hand):
        key = wrong[0] if wrong else None
        raise WrongAnswer(f"product {key}: {ours.get(key)} units in the book, {by_hand.get(key)} by hand")


def _markets() -> list[tuple[int, str]]:
    rows = Mapping.objects.select_related("instrument").order_by("instrument_id")
    return [(row.product_id, row.instrument.instrument_id) for row in rows]


@contextmanager
def quiet() -> Iterator[None]:
    """Logs of single fills and orders are written for people, and a bench has thousands."""
    configured = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**configured)
