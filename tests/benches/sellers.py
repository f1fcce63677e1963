"""Sells policies through the real service in three ways of keeping the exposure, from one process or from many.

`delta` is the product's own way. `none` leaves the exposure out: what a sale would cost without it. `row` updates the
product's exposure row in every sale, the obvious way, which makes sales of one product wait for each other.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Literal

from django.db import connection, connections

from policies.services import policies as sales
from tests.benches.result import WrongAnswer

Way = Literal["delta", "none", "row"]

ANSWER_S_MAX = 120
_DELTA = """, counted AS (
        INSERT INTO policies_exposuredelta (product_id, coverage_usd, policies_count)
        SELECT product_id, coverage_usd, 1 FROM sold WHERE status = 'active'
    )"""
_ROW = """, counted AS (
        UPDATE policies_exposure AS kept SET coverage_usd = kept.coverage_usd + sold.coverage_usd,
            policies_count = kept.policies_count + 1, updated_at = %(now)s
        FROM sold WHERE kept.product_id = sold.product_id AND sold.status = 'active'
    )"""
# What the sales without exposure owe to it, paid before the books are compared.
_CATCH_UP = """
    INSERT INTO policies_exposuredelta (product_id, coverage_usd, policies_count)
    SELECT product_id, sum(coverage_usd), count(*) FROM policies_policy
    WHERE source = 'bench-none' AND status = 'active' GROUP BY product_id
"""


@contextmanager
def exposure_kept(way: Way) -> Iterator[None]:
    """Sell this way in this process."""
    ours = sales._SELL
    if _DELTA not in ours:
        raise WrongAnswer(
            "the sale's statement has changed: this bench no longer knows its part for the exposure"
        )
    sales._SELL = {"delta": ours, "none": ours.replace(_DELTA, ""), "row": ours.replace(_DELTA, _ROW)}[way]
    try:
        yield
    finally:
        sales._SELL = ours


def seller(way: Way, *, prefix: str, now: datetime) -> Callable[[], None]:
    """A function that books one sale of a popular product at each call."""
    numbers = itertools.count()

    def sell() -> None:
        sales.policy_record_sale(
            external_id=f"{prefix}-{next(numbers)}",
            holder="0xholder",
            coverage_type="depeg",
            chain="ethereum",
            stablecoin="USDC",
            coverage_usd=Decimal("12345.678901"),
            duration_days=30,
            source=f"bench-{way}",
            actor="bench",
            now=now,
        )

    return sell


def catch_up() -> None:
    """Give the exposure what the sales without it left out. Once only."""
    with connection.cursor() as cursor:
        cursor.execute(_CATCH_UP)


class Sellers:
    """Processes that sell the same product at the same time, each on a connection of its own."""

    def __init__(self, count: int, *, now: datetime) -> None:
        context = multiprocessing.get_context("fork")
        connections.close_all()  # a connection must not be shared with a child
        self._lines: list[Connection] = []
        self._processes = []
        for number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, number, now), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)
        self.sales_per_s("delta", seconds=0.2)  # connections, caches

    def sales_per_s(self, way: Way, *, seconds: float) -> float:
        """How many sales a second all of them book together."""
        begin = time.monotonic() + 0.05
        for line in self._lines:
            line.send((way, begin, begin + seconds))
        sold = 0
        for line in self._lines:
            if not line.poll(seconds + ANSWER_S_MAX):
                raise WrongAnswer(f"a seller has not answered for {ANSWER_S_MAX} s")
            sold += line.recv()
        return sold / seconds

    def close(self) -> None:
        """Let them go."""
        for line in self._lines:
            line.send(None)
        for process in self._processes:
            process.join(timeout=ANSWER_S_MAX)


def _serve(line: Connection, number: int, now: datetime) -> None:
    for turn in itertools.count():
        order = line.recv()
        if order is None:
            break
        way, begin, end = order
        with exposure_kept(way):
            sell = seller(way, prefix=f"hot-{number}-{turn}", now=now)
            time.sleep(max(begin - time.monotonic(), 0))
            sold = 0
            while time.monotonic() < end:
                sell()
                sold += 1
        line.send(sold)
    connections.close_all()
