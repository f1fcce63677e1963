"""Divides confirmed purchases among the policies that they hedge, once per decision and not once per trade.

A purchase waits, as units of the products that asked for it, until its decision has ended and its trades are final;
then one attribution divides all of it. Plans, sales and reports count what waits (`selectors/holdings.py`), so waiting
costs nobody anything. `docs/adr/0011-attribution-by-decision.md` gives the reasons and the figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import numpy as np
import structlog
from django.db import connection, transaction
from numpy.typing import NDArray

from hedging.domain.purchases import Bought, Owners, Split, split_purchases
from hedging.models import Attribution, EndedPolicy, HedgePosition, IntentDemand, Position
from hedging.selectors.waiting import Waiting, instruments_due, waiting_of
from hedging.services.held_shares import ShareChange, shares_add
from policies.selectors.policies import policies_in_force_weights
from tonsurance.kernel.errors import Broken
from tonsurance.kernel.money import from_micro, to_micro
from tonsurance.plumbing.copying import Int2, Int8, Moment, Numeric, Text, copy_rows
from tonsurance.plumbing.statistics import table_analyze

log = structlog.get_logger(__name__)

WAIT_MAX = timedelta(minutes=10)
"""A decision that takes longer (a resting order) has what it bought so far divided without it."""

POLICIES_MANY = 10_000
"""Markets shared by more policies than this are divided at most every `attributionEverySeconds`."""

ENDED_KEPT = timedelta(days=1)
"""Longer than a trade takes to become final."""

INSTRUMENTS_MAX = 600
ENDED_MAX = 1_000_000


def attributions_make(
    venue_code: str, *, now: datetime, every_s: int, instrument_rows: Collection[int] | None = None
) -> int:
    """Divide what is due at a venue and return the number of slices written. Repeating it changes nothing.

    `every_s` bounds how often a market with many policies is divided. With `instrument_rows` those are divided now,
    due or not. One transaction; a process that dies in it leaves everything waiting.
    """
    due = instrument_rows or instruments_due(
        venue_code,
        waited_before=now - WAIT_MAX,
        made_before=now - timedelta(seconds=every_s),
        policies_many=POLICIES_MANY,
        limit=INSTRUMENTS_MAX,
    )
    if not due:
        return 0
    with transaction.atomic(durable=True):
        # The position's lock is the instrument's: two processes cannot divide the same purchase, nor a sale meanwhile.
        list(Position.objects.select_for_update().filter(instrument_id__in=due).order_by("pk"))
        waiting = waiting_of(due)
        slices = _divide(waiting, now=now) if waiting else 0
    table_analyze(HedgePosition._meta.db_table, grown_by=slices)
    return slices


def ended_policies_forget(*, now: datetime, limit: int = 10_000) -> int:
    """Drop the note of policies that ended a while ago and hold nothing; return how many. What waits is younger."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM hedging_endedpolicy WHERE policy_id IN (
                 SELECT e.policy_id FROM hedging_endedpolicy e
                 WHERE e.ended_at < %s
                   AND NOT EXISTS (SELECT FROM hedging_hedgeposition h
                                   WHERE h.policy_id = e.policy_id AND h.status = 'open')
                   AND NOT EXISTS (SELECT FROM hedging_fill f
                                   WHERE f.attribution_id IS NULL AND f.side = 'BUY' AND f.settlement <> 'failed'
                                     AND f.matched_at <= e.ended_at)
                 LIMIT %s)""",
            [now - ENDED_KEPT, limit],
        )
        return cursor.rowcount


@dataclass(frozen=True, slots=True)
class _Group:
    """Purchases that are divided together, and what became of them."""

    fills: Sequence[Waiting]
    split: Split

    @property
    def key(self) -> Waiting:
        return self.fills[-1]


def _divide(waiting: Sequence[Waiting], *, now: datetime) -> int:
    demands: dict[Any, dict[int, int]] = defaultdict(dict)
    for row in IntentDemand.objects.filter(intent_id__in={fill.intent_id for fill in waiting}):
        demands[row.intent_id][row.product_id] = to_micro(row.weight_usd)
    products = {product for demand in demands.values() for product in demand}
    ended = _ended(products, since=min(fill.matched_at for fill in waiting))
    weights = policies_in_force_weights(sorted(products), also=list(ended))
    owners = Owners.of(weights.ids, weights.product_ids, weights.coverage_micro)
    together: dict[tuple[int, int | None], list[Waiting]] = defaultdict(list)
    for fill in waiting:
        together[fill.instrument_id, fill.policy_id].append(fill)
    groups = [
        _Group(fills, _split(fills, demands, _owners_of(fills, owners, ended)))
        for _, fills in sorted(together.items(), key=str)
    ]
    rows = Attribution.objects.bulk_create([_row(group, now=now) for group in groups], batch_size=1000)
    _mark(groups, rows)
    _write_slices([group.split for group in groups], rows, now=now)
    shares_add([change for group in groups for change in _changes(group)])
    slices = sum(len(group.split.policy_ids) for group in groups)
    log.info("purchases attributed", instruments=len(groups), fills=len(waiting), slices=slices)
    return slices


def _ended(products: Collection[int], *, since: datetime) -> dict[int, datetime]:
    """Policies that ended while purchases waited, with when: what was bought before is theirs too."""
    rows = EndedPolicy.objects.filter(ended_at__gte=since, policy__product_id__in=products)
    return dict(rows.values_list("policy_id", "ended_at")[:ENDED_MAX])


def _owners_of(fills: Sequence[Waiting], owners: Owners, ended: dict[int, datetime]) -> Owners:
    """`owners` without the policies that had ended before the first of `fills`."""
    first = min(fill.matched_at for fill in fills)
    before = [policy_id for policy_id, at in ended.items() if at < first]
    return owners.without(before) if before else owners


def _split(fills: Sequence[Waiting], demands: dict[Any, dict[int, int]], owners: Owners) -> Split:
    sizes: dict[Any, int] = defaultdict(int)
    for fill in fills:
        sizes[fill.intent_id] += to_micro(fill.size)
    cost = sum(to_micro(fill.notional_usd + fill.fee_usd) for fill in fills)
    policy_id = fills[0].policy_id
    bought = [
        Bought(size, demands[intent]) for intent, size in sorted(sizes.items(), key=lambda item: str(item[0]))
    ]
    split = split_purchases(bought, cost, owners if policy_id is None else owners.only(policy_id))
    total = sum(to_micro(fill.size) for fill in fills)
    if int(split.size_micro.sum()) + split.ownerless_micro != total:
        raise Broken(f"instrument {fills[0].instrument_id}: slices do not add up to {total} micro-units")
    return split


def _row(group: _Group, *, now: datetime) -> Attribution:
    size = sum((fill.size for fill in group.fills), Decimal(0))
    notional = sum((fill.notional_usd for fill in group.fills), Decimal(0))
    return Attribution(
        venue_id=group.key.venue_id,
        instrument_id=group.key.instrument_id,
        policy_id=group.key.policy_id,
        order_id=group.key.order_id,
        fills_count=len(group.fills),
        slices_count=len(group.split.policy_ids),
        size=from_micro(int(group.split.size_micro.sum())),
        cost_usd=from_micro(int(group.split.cost_micro.sum())),
        ownerless_size=from_micro(group.split.ownerless_micro),
        entry_price=(notional / size).quantize(Decimal("1e-10"), rounding=ROUND_DOWN),
        entry_time=group.key.matched_at,
        made_at=now,
    )


def _mark(groups: Sequence[_Group], rows: Sequence[Attribution]) -> None:
    """Name each fill's attribution, in one statement."""
    pairs = [(fill.fill_id, row.pk) for group, row in zip(groups, rows, strict=True) for fill in group.fills]
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE hedging_fill f SET attribution_id = part.attribution
               FROM unnest(%s::bigint[], %s::bigint[]) AS part (fill, attribution) WHERE f.id = part.fill""",
            [[fill for fill, _ in pairs], [attribution for _, attribution in pairs]],
        )


def _write_slices(splits: Sequence[Split], rows: Sequence[Attribution], *, now: datetime) -> None:
    """All slices in one COPY; what the slices of an attribution share is repeated by NumPy."""
    counts = np.array([len(split.policy_ids) for split in splits])

    def each(values: Iterable[int]) -> NDArray[np.int64]:
        return np.repeat(np.fromiter(values, dtype=np.int64, count=len(rows)), counts)

    (venue_code,) = {row.venue_id for row in rows}
    copy_rows(
        "hedging_hedgeposition",
        {
            "policy_id": Int8(np.concatenate([split.policy_ids for split in splits])),
            "product_id": Int2(np.concatenate([split.product_ids for split in splits])),
            "venue_id": Text(venue_code),
            "instrument_id": Int8(each(row.instrument_id for row in rows)),
            "attribution_id": Int8(each(row.pk for row in rows)),
            "size": Numeric(np.concatenate([split.size_micro for split in splits])),
            "hedge_amount_usd": Numeric(np.concatenate([split.cost_micro for split in splits])),
            "entry_price": Numeric(each(int(row.entry_price.scaleb(10)) for row in rows), places=10),
            "entry_time": Moment(each(Moment.microseconds(row.entry_time) for row in rows)),
            "status": Text("open"),
            "closed_size": Numeric(0),
            "released_size": Numeric(0),
            "proceeds_usd": Numeric(0),
            "created_at": Moment(now),
        },
        count=int(counts.sum()),
    )


def _changes(group: _Group) -> list[ShareChange]:
    split = group.split
    products, places = np.unique(split.product_ids, return_inverse=True)
    changes = []
    for place, product in enumerate(products.tolist()):
        mine = places == place
        changes.append(
            ShareChange(
                instrument_id=group.key.instrument_id,
                product_id=product,
                size=from_micro(int(split.size_micro[mine].sum())),
                cost_usd=from_micro(int(split.cost_micro[mine].sum())),
                opened=int(mine.sum()),
            )
        )
    return changes
