"""Keeps what all slices of an instrument and product add up to. Called in the transaction that changes the slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

_ADD = """
    INSERT INTO hedging_heldshare (instrument_id, product_id, open_size, open_cost_usd, open_count, closed_count)
    SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::numeric[], %s::numeric[], %s::bigint[], %s::bigint[])
    ON CONFLICT (instrument_id, product_id) DO UPDATE SET
        open_size = hedging_heldshare.open_size + EXCLUDED.open_size,
        open_cost_usd = hedging_heldshare.open_cost_usd + EXCLUDED.open_cost_usd,
        open_count = hedging_heldshare.open_count + EXCLUDED.open_count,
        closed_count = hedging_heldshare.closed_count + EXCLUDED.closed_count"""
_TAKE = """
    UPDATE hedging_heldshare s SET
        open_size = s.open_size + part.size, open_cost_usd = s.open_cost_usd + part.cost,
        open_count = s.open_count + part.opened - part.closed, closed_count = s.closed_count + part.closed
    FROM unnest(%s::bigint[], %s::smallint[], %s::numeric[], %s::numeric[], %s::bigint[], %s::bigint[])
        AS part (instrument, product, size, cost, opened, closed)
    WHERE s.instrument_id = part.instrument AND s.product_id = part.product"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareChange:
    """Units and cost that open slices gained (a sale: lost, negative), and how many slices opened and closed."""

    instrument_id: int
    product_id: int
    size: Decimal
    cost_usd: Decimal
    opened: int = 0
    closed: int = 0


def shares_add(changes: Iterable[ShareChange]) -> None:
    """Add purchases to the kept sums."""
    rows = _summed(changes)
    _run(_ADD, [(*key, size, cost, opened, closed) for key, (size, cost, opened, closed) in rows])


def shares_take(changes: Iterable[ShareChange]) -> None:
    """Take sales and releases from the kept sums; the pairs exist, because something of them was open."""
    rows = _summed(changes)
    _run(_TAKE, [(*key, size, cost, opened, closed) for key, (size, cost, opened, closed) in rows])


def _summed(
    changes: Iterable[ShareChange],
) -> list[tuple[tuple[int, int], tuple[Decimal, Decimal, int, int]]]:
    """One row per pair, always in the same order, so that two transactions cannot wait for each other."""
    sums: dict[tuple[int, int], tuple[Decimal, Decimal, int, int]] = defaultdict(
        lambda: (Decimal(0), Decimal(0), 0, 0)
    )
    for change in changes:
        size, cost, opened, closed = sums[change.instrument_id, change.product_id]
        sums[change.instrument_id, change.product_id] = (
            size + change.size,
            cost + change.cost_usd,
            opened + change.opened,
            closed + change.closed,
        )
    return sorted(sums.items())


def _run(statement: str, rows: list[tuple[int, int, Decimal, Decimal, int, int]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
