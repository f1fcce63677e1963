"""Splits a confirmed fill among the policies it hedges, or the slices it closes. Exact to the micro-unit.

A purchase is split first among the products that asked for it (the weights stored with the intent), then within each
product among the policies in force, by coverage. Called inside the fill's own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
from django.db import connection, transaction

from hedging.domain.attribution import attribute, attribute_capped
from hedging.domain.positions import closed_cost_usd
from hedging.models import Fill, HedgePosition, IntentDemand, IntentSlice
from policies.selectors.policies import Weights, policies_in_force_weights
from tonsurance.kernel.errors import Broken
from tonsurance.kernel.money import ZERO, from_micro, to_micro

_COPY = """COPY hedging_hedgeposition (policy_id, product_id, venue_id, instrument_id, fill_id, size, hedge_amount_usd,
  entry_price, entry_time, status, closed_size, released_size, proceeds_usd, created_at) FROM STDIN"""


LOT = Decimal("0.01")
"""Outcome tokens are sold in whole hundredths; less than that cannot be sold at all."""


@dataclass(frozen=True, slots=True)
class Split:
    """Who gets what of one purchase: parallel arrays, micro-units."""

    policy_ids: np.ndarray
    product_ids: np.ndarray
    size_micro: np.ndarray
    cost_micro: np.ndarray


def fill_attribute(fill: Fill, *, now: datetime) -> int:
    """Write the slices of `fill` and return how many there are."""
    return _attribute_purchase(fill, now=now) if fill.side == "BUY" else _attribute_sale(fill, now=now)


def split_purchase(size_micro: int, cost_micro: int, demand_micro: dict[int, int], weights: Weights) -> Split:
    """Divide a purchase among the policies in force.

    Products without a policy in force any more get nothing; cost follows size, so that a slice without units costs
    nothing.
    """
    ids, products, coverage = weights.ids, weights.product_ids, weights.coverage_micro
    present = [product for product in sorted(demand_micro) if bool(np.any(products == product))]
    empty = np.zeros(0, dtype=np.int64)
    if not present:
        return Split(empty, empty, empty, empty)
    per_product = attribute(
        size_micro,
        np.array([demand_micro[product] for product in present], dtype=np.int64),
        np.array(present, dtype=np.int64),
    )
    sizes = np.zeros(len(ids), dtype=np.int64)
    for product, units in zip(present, per_product.tolist(), strict=True):
        mine = np.flatnonzero(products == product)
        sizes[mine] = attribute(units, coverage[mine], ids[mine])
    got = np.flatnonzero(sizes)
    costs = attribute(cost_micro, sizes[got], ids[got]) if len(got) else empty
    return Split(ids[got], products[got].astype(np.int64), sizes[got], costs)


def _attribute_purchase(fill: Fill, *, now: datetime) -> int:
    demand = {
        row.product_id: to_micro(row.weight_usd)
        for row in IntentDemand.objects.filter(intent_id=fill.order.intent_id)
    }
    if not demand:
        return 0
    split = split_purchase(
        to_micro(fill.size),
        to_micro(fill.notional_usd + fill.fee_usd),
        demand,
        _weights(sorted(demand), only_policy=fill.order.intent.policy_id),
    )
    total = int(split.size_micro.sum())
    if total not in (0, to_micro(fill.size)):
        raise Broken(f"fill {fill.pk}: slices add up to {total} micro-units of {to_micro(fill.size)}")
    tail = f"\t{fill.price}\t{fill.matched_at.isoformat()}\topen\t0\t0\t0\t{now.isoformat()}\n"
    middle = f"\t{fill.venue_id}\t{fill.instrument_id}\t{fill.pk}\t"
    rows = zip(
        split.policy_ids.tolist(),
        split.product_ids.tolist(),
        split.size_micro.tolist(),
        split.cost_micro.tolist(),
        strict=True,
    )
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        chunk: list[str] = []
        for policy, product, size, cost in rows:
            chunk.append(
                f"{policy}\t{product}{middle}{size // 1_000_000}.{size % 1_000_000:06d}"
                f"\t{cost // 1_000_000}.{cost % 1_000_000:06d}{tail}"
            )
            if len(chunk) == 20_000:
                copy.write("".join(chunk))
                chunk.clear()
        copy.write("".join(chunk))
    return len(split.policy_ids)


def _weights(products: Sequence[int], *, only_policy: int | None) -> Weights:
    """The policies that a purchase is for: all in force in `products`, or the one that it was decided for."""
    weights = policies_in_force_weights(products)
    if only_policy is None:
        return weights
    mine = weights.ids == only_policy
    return Weights(
        ids=weights.ids[mine],
        product_ids=weights.product_ids[mine],
        coverage_micro=weights.coverage_micro[mine],
    )


def _attribute_sale(fill: Fill, *, now: datetime) -> int:
    """Close slices of the sale's intent in proportion to what is still open of them; never more than that."""
    slices = list(IntentSlice.objects.filter(intent_id=fill.order.intent_id).order_by("hedge_position_id"))
    rows = HedgePosition.objects.select_for_update(of=("self",)).select_related("policy")
    held = rows.in_bulk([part.hedge_position_id for part in slices])
    wanted = [(held[part.hedge_position_id], _wanted_micro(part, held)) for part in slices]
    wanted = [(row, units) for row, units in wanted if units > 0]
    if not wanted:
        return 0
    units = np.array([part for _, part in wanted], dtype=np.int64)
    ids = np.array([row.pk for row, _ in wanted], dtype=np.int64)
    sold = attribute_capped(min(to_micro(fill.size), int(units.sum())), units, ids)
    # Slices take their part of the money; what was sold beyond them (an excess) keeps the rest on the position alone.
    money_micro = to_micro(fill.notional_usd - fill.fee_usd) * int(sold.sum()) // to_micro(fill.size)
    money = attribute(max(money_micro, 0), sold, ids)
    for (row, _), sold_micro, money_part in zip(wanted, sold.tolist(), money.tolist(), strict=True):
        _close_part(row, from_micro(sold_micro), from_micro(money_part), now=now)
    ended = [row for row, _ in wanted if row.policy.status != "active"]
    if sum((row.size - row.closed_size for row in ended), ZERO) < LOT:
        slices_release(ended, now=now)
    _save([row for row, _ in wanted])
    return len(wanted)


def slices_release_unsellable(instrument_row: int, *, now: datetime) -> int:
    """Release the open slices of ended policies on an instrument, too few to sell; return how many."""
    with transaction.atomic():
        rows = list(
            HedgePosition.objects.select_for_update(of=("self",))
            .filter(instrument_id=instrument_row, status=HedgePosition.Status.OPEN)
            .exclude(policy__status="active")
            .order_by("pk")
        )
        slices_release(rows, now=now)
        _save(rows)
    return len(rows)


def slices_release(rows: Sequence[HedgePosition], *, now: datetime) -> None:
    """Close what is left of `rows` without a sale.

    It is too small for the venue, so the house keeps it for the other policies.
    """
    for row in rows:
        left = row.size - row.closed_size
        if left > 0:
            row.released_size += left
            _close_part(row, left, ZERO, now=now)


def _wanted_micro(part: IntentSlice, held: dict[int, HedgePosition]) -> int:
    """What of its part of a slice the sale has not closed yet."""
    row = held[part.hedge_position_id]
    unsold = part.size - (row.closed_size - part.closed_before)
    return to_micro(min(unsold, row.size - row.closed_size))


def _close_part(row: HedgePosition, size: Decimal, proceeds_usd: Decimal, *, now: datetime) -> None:
    row.closed_size += size
    row.proceeds_usd += proceeds_usd
    row.realised_pnl_usd = row.proceeds_usd - closed_cost_usd(
        cost_usd=row.hedge_amount_usd, size=row.size, closed_size=row.closed_size
    )
    if row.closed_size == row.size:
        row.status = HedgePosition.Status.CLOSED
        row.close_time = now


def _save(rows: Sequence[HedgePosition]) -> None:
    columns = ["closed_size", "released_size", "proceeds_usd", "realised_pnl_usd", "status", "close_time"]
    HedgePosition.objects.bulk_update(rows, columns, batch_size=1000)
