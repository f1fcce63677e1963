"""From a sale's commit to its order's acknowledgement, at five sales a second, by the processes of a real machine.

Ours: the sale rings, a Celery worker runs a whole cycle over every product and market, another places what it decided,
under every rule of the book. Compared with the bare floor (one commit and one POST) and with one plain Celery task per
policy that signs with the venue's client and keeps no book. All on one loopback venue that answers at once.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import redis
from django.conf import settings
from django.db import connection, transaction

from hedging.models import Mapping as ProductMapping
from hedging.models import Order
from policies.models import Policy
from policies.services.policies import policy_record_sale
from tests.benches.book import book_sample
from tests.benches.cycle import cycle_measure, quiet
from tests.benches.desk import VENUE, book_open, loopback_desk
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.bells import ring
from venues.adapters.polymarket.client import PolymarketClient
from venues.adapters.polymarket.config import SETTING_NAMES, config_from

FLOOR = Goal(name="p50 of commit and POST", at_most=7)
TAIL = Goal(name="p99 of p50", at_most=3)
PLAIN = Goal(name="faster than a plain task per policy", at_least=4)
GOALS = (FLOOR, TAIL, PLAIN)
FULL = BenchScale(policies=100_000, rounds=4)
SMALL = BenchScale(policies=2_000, rounds=1)

SALES_A_ROUND = 25
SALES_PER_S = 5
COVERAGE_USD = Decimal(50_000)
ANSWERED_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class Sale:
    """One policy, its market, and when its commit returned."""

    policy_id: int
    instrument_id: int
    token_id: str
    sold_at: datetime


def run(scale: BenchScale) -> BenchResult:
    """Hedge a book of `policies`, then sell on: a round of ours, a round of plain tasks, a round of the floor."""
    now = utc_now()
    book_sample(scale.policies, now=now)
    with loopback_desk(), quiet():
        book_open(now=now)
        cycle_measure()
        # The hedged products, each of which is sold once: an instrument decides on one thing at a time.
        markets = list(
            ProductMapping.objects.select_related("product", "instrument").order_by("product_id", "pk")
        )
        sellable = iter({row.product_id: row for row in markets}.values())
        ours: list[dict[str, float]] = []
        plain: list[float] = []
        floor: list[float] = []
        with _workers():
            for number in range(scale.rounds + 1):
                parts = _ours([next(sellable) for _ in range(SALES_A_ROUND)], number)
                tasks = _plain([next(sellable) for _ in range(SALES_A_ROUND)], number)
                bare = _floor(SALES_A_ROUND)
                # The first round warms the workers' lines and imports.
                if number:
                    ours, plain, floor = ours + parts, plain + tasks, floor + bare
    totals = [row["all"] for row in ours]
    p50, p99 = statistics.median(totals), _percentile(totals, 0.99)
    return BenchResult(
        ratios={
            FLOOR.name: p50 / statistics.median(floor),
            TAIL.name: p99 / p50,
            PLAIN.name: statistics.median(plain) / p50,
        },
        figures=(
            Figure(name="ours: p50", value=1000 * p50, unit="ms"),
            Figure(name="ours: p99", value=1000 * p99, unit="ms"),
            *(
                Figure(name=f"  {words}", value=1000 * statistics.median(row[key] for row in ours), unit="ms")
                for key, words in PARTS.items()
            ),
            Figure(name="plain task: p50", value=1000 * statistics.median(plain), unit="ms"),
            Figure(name="commit and POST: p50", value=1000 * statistics.median(floor), unit="ms"),
            Figure(name="sales of each kind", value=len(totals), unit=""),
        ),
        notes=(
            "every sale was hedged by exactly one order of the first cycle that saw it",
            f"a cycle reads {len({row.product_id for row in markets})} products and {len(markets)} markets: "
            "sales that come during one are hedged by the next",
        ),
    )


PARTS = {
    "bell": "sale to the beginning of its cycle (bell, worker, a cycle that was running)",
    "cycle": "the cycle: exposure, books, plan, decisions",
    "prepare": "to the order prepared (second bell, worker, book, signature)",
    "send": "to the commit to send",
    "wire": "to the answer",
}


def _ours(markets: Sequence[ProductMapping], number: int) -> list[dict[str, float]]:
    sales = []
    for row in _paced(markets):
        sale = _sell(row, f"ours-{number}")
        ring("hedging.orchestrate", "sale")
        sales.append(sale)
    return [_parts(sale) for sale in sales]


def _plain(markets: Sequence[ProductMapping], number: int) -> list[float]:
    from tests.benches.plain_task import ANSWERS, hedge

    line = redis.Redis.from_url(os.environ["REDIS_URL"])
    sold = {}
    for row in _paced(markets):
        sale = _sell(row, f"plain-{number}")
        sold[sale.policy_id] = sale.sold_at.timestamp()
        hedge.delay(sale.policy_id, sale.token_id)
    found = []
    for _ in sold:
        said = line.blpop([ANSWERS], timeout=ANSWERED_WITHIN_S)
        if said is None:
            raise WrongAnswer("a plain task did not answer")
        policy_id, at = said[1].split()
        found.append(float(at) - sold[int(policy_id)])
    return found


def _floor(count: int) -> list[float]:
    """One durable commit and one POST of ready bytes, by our own line."""
    line = PolymarketClient(config_from(dict(settings.POLYMARKET)))
    payload = bytes(Order.objects.values_list("payload", flat=True)[0])
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE venues_venue SET last_seen_at = clock_timestamp() WHERE code = %s", [VENUE]
            )
        line.post_order(payload)
        seconds.append(time.perf_counter() - began)
    line.close()
    # The first request opens the line.
    return seconds[1:]


def _paced(markets: Sequence[ProductMapping]) -> Iterator[ProductMapping]:
    """One of them every fifth of a second, however long the caller takes for each."""
    began = time.perf_counter()
    for place, row in enumerate(markets):
        time.sleep(max(0.0, began + place / SALES_PER_S - time.perf_counter()))
        yield row


def _sell(row: ProductMapping, prefix: str) -> Sale:
    product = row.product
    policy, _ = policy_record_sale(
        external_id=f"{prefix}-{product.pk}",
        holder="bench",
        coverage_type=product.coverage_type,
        chain=product.chain,
        stablecoin=product.stablecoin,
        coverage_usd=COVERAGE_USD,
        duration_days=30,
        source="bench",
        actor="bench",
        now=utc_now(),
    )
    return Sale(policy.pk, row.instrument_id, row.instrument.instrument_id, utc_now())


def _parts(sale: Sale) -> dict[str, float]:
    """Seconds of each part of one sale's way, from the rows that its processes wrote."""
    deadline_s = time.monotonic() + ANSWERED_WITHIN_S
    orders = Order.objects.filter(
        instrument__mappings__product__policies=sale.policy_id,
        intent__created_at__gte=sale.sold_at,
        acked_at__isnull=False,
    ).select_related("intent__cycle")
    while not (found := list(orders.order_by("created_at"))):
        if time.monotonic() > deadline_s:
            raise WrongAnswer(f"policy {sale.policy_id} was not hedged")
        time.sleep(0.02)
    order = found[0]
    cycle = order.intent.cycle
    if cycle is None or cycle.finished_at is None or order.acked_at is None or order.sent_at is None:
        raise WrongAnswer("an order without its moments")
    if not order.intent.demands.filter(product_id=Policy.objects.get(pk=sale.policy_id).product_id).exists():
        raise WrongAnswer(f"the order of policy {sale.policy_id} was bought for others")
    moments = {
        "bell": (sale.sold_at, cycle.as_of),
        "cycle": (cycle.as_of, cycle.finished_at),
        "prepare": (cycle.finished_at, order.created_at),
        "send": (order.created_at, order.sent_at),
        "wire": (order.sent_at, order.acked_at),
        "all": (sale.sold_at, order.acked_at),
    }
    return {key: (end - start).total_seconds() for key, (start, end) in moments.items()}


@contextmanager
def _workers() -> Iterator[None]:
    """The workers of a real machine, and one for the plain tasks."""
    environment = os.environ | _environment(settings.POLYMARKET)
    commands = [
        [
            *_CELERY,
            "-A",
            "tonsurance",
            "worker",
            "-Q",
            "default,orchestrate",
            "-c",
            "1",
            "-n",
            "bench-orchestrate@%h",
        ],
        [*_CELERY, "-A", "tonsurance", "worker", "-Q", "place.polymarket", "-c", "1", "-n", "bench-place@%h"],
        [
            *_CELERY,
            "-A",
            "tonsurance",
            "worker",
            "-Q",
            "resolve.polymarket",
            "-c",
            "1",
            "-n",
            "bench-resolve@%h",
        ],
        [*_CELERY, "-A", "tests.benches.plain_task", "worker", "-c", "1", "-n", "bench-plain@%h"],
    ]
    quiet_end = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, env=environment, **quiet_end) for command in commands]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


_CELERY = [sys.executable, "-m", "celery"]


def _environment(polymarket: Mapping[str, object]) -> dict[str, str]:
    told = {SETTING_NAMES[key]: str(value) for key, value in polymarket.items() if key in SETTING_NAMES}
    return told | {"TRADING_ENVIRONMENT": "PRACTICE", "DJANGO_SETTINGS_MODULE": "tonsurance.settings"}


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
