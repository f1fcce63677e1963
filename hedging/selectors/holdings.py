"""What we have of each instrument, what we may yet get, and whose it is: the book's side of a cycle's reading.

Slices are millions, so their kept sums are read; what ended policies hold is taken from those sums slice by slice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from hedging.domain.attribution import attribute_exact
from hedging.domain.plans import RESTING
from hedging.domain.views import Held, HeldSlice
from tonsurance.kernel.money import floor_micro, from_micro, to_micro

_POSITIONS = "SELECT instrument_id, size, cost_usd FROM hedging_position WHERE size > 0"

# Provisional purchases, with the intent whose demands say whose they will be.
_PENDING = """
    SELECT f.instrument_id, o.intent_id, sum(f.size), sum(f.notional_usd + f.fee_usd)
    FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id
    WHERE f.settlement IN ('matched', 'mined', 'retrying') AND f.side = 'BUY'
    GROUP BY 1, 2"""

# Confirmed purchases that no policy owns yet: on the position already, and the products' as they asked for them.
_WAITING = """
    SELECT f.instrument_id, o.intent_id, sum(f.size), sum(f.notional_usd + f.fee_usd)
    FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id
    WHERE f.attribution_id IS NULL AND f.side = 'BUY' AND f.settlement = 'confirmed'
    GROUP BY 1, 2"""

# What open purchases may still take: the decision less what has traded of it, at the worst fee.
_IN_FLIGHT = """
    SELECT i.instrument_id, i.id, i.side, i.leg,
           GREATEST(i.size - COALESCE(o.size, 0), 0),
           GREATEST(i.notional_usd - COALESCE(o.usd, 0), 0) * (1 + n.fee_rate)
    FROM hedging_intent i JOIN venues_instrument n ON n.id = i.instrument_id
    CROSS JOIN LATERAL (SELECT sum(filled_size) size, sum(filled_usd) usd FROM hedging_order WHERE intent_id = i.id) o
    WHERE i.state IN ('OPEN', 'PARKED')"""

# Sales between match and money: what they sold is still on the position, so nothing may be decided on it.
_SELLING = """
    SELECT DISTINCT instrument_id FROM hedging_fill
    WHERE settlement IN ('matched', 'mined', 'retrying') AND side = 'SELL'"""

_DEMANDS = "SELECT intent_id, product_id, weight_usd FROM hedging_intentdemand WHERE intent_id = ANY(%s)"

_SHARES = (
    "SELECT instrument_id, product_id, open_size, open_cost_usd FROM hedging_heldshare WHERE open_size > 0"
)

_ENDED = """
    SELECT h.instrument_id, h.product_id, sum(h.size - h.closed_size),
           sum(h.hedge_amount_usd - trunc(h.hedge_amount_usd * h.closed_size / h.size, 6))
    FROM hedging_endedpolicy e JOIN hedging_hedgeposition h ON h.policy_id = e.policy_id
    WHERE h.status = 'open' GROUP BY 1, 2"""

_ZERO = Decimal(0)


@dataclass
class _Tally:
    """One instrument while it is being added up."""

    confirmed: Decimal = _ZERO
    cost: Decimal = _ZERO
    pending: Decimal = _ZERO
    in_flight: Decimal = _ZERO
    in_flight_usd: Decimal = _ZERO
    ended: Decimal = _ZERO
    has_live_intent: bool = False
    is_resting: bool = False
    slices: dict[int, tuple[Decimal, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: (_ZERO, _ZERO))
    )

    def give(self, product_id: int, size: Decimal, cost: Decimal) -> None:
        had_size, had_cost = self.slices[product_id]
        self.slices[product_id] = (had_size + size, had_cost + cost)


def holdings_read(names: dict[int, str]) -> dict[str, Held]:
    """Held amounts by the venue's instrument id; `names` maps our row ids to those ids. Eight queries."""
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for instrument, size, cost in _rows(_POSITIONS):
        tallies[instrument].confirmed, tallies[instrument].cost = size, cost
    _add_slices(tallies)
    pending, waiting, flying = _rows(_PENDING), _rows(_WAITING), _rows(_IN_FLIGHT)
    weights = _weights({row[1] for row in (*pending, *waiting, *flying)})
    for instrument, intent, size, cost in waiting:
        _share(tallies[instrument], weights.get(intent, {}), size, cost)
    for instrument, intent, size, cost in pending:
        tally = tallies[instrument]
        tally.pending += size
        tally.cost += cost
        _share(tally, weights.get(intent, {}), size, cost)
    for instrument, intent, side, leg, size, usd in flying:
        tally = tallies[instrument]
        tally.is_resting |= leg == RESTING
        tally.has_live_intent |= leg != RESTING
        if side == "BUY":
            tally.in_flight += size
            tally.in_flight_usd += usd
            _share(tally, weights.get(intent, {}), size, usd)
    for (instrument,) in _rows(_SELLING):
        tallies[instrument].has_live_intent = True
    return {names[row]: _held(names[row], tally) for row, tally in tallies.items() if row in names}


def _add_slices(tallies: dict[int, _Tally]) -> None:
    for instrument, product, size, cost in _rows(_SHARES):
        tallies[instrument].give(product, size, cost)
    for instrument, product, size, cost in _rows(_ENDED):
        tallies[instrument].give(product, -size, -cost)
        tallies[instrument].ended += size


def _share(tally: _Tally, weights: dict[int, Decimal], size: Decimal, cost: Decimal) -> None:
    products = sorted(weights)
    parts = [to_micro(weights[product]) for product in products]
    if not products:
        return
    sizes = attribute_exact(to_micro(floor_micro(size)), parts)
    costs = attribute_exact(to_micro(floor_micro(cost)), parts)
    for product, size_micro, cost_micro in zip(products, sizes, costs, strict=True):
        tally.give(product, from_micro(size_micro), from_micro(cost_micro))


def _held(name: str, tally: _Tally) -> Held:
    return Held(
        instrument_id=name,
        confirmed_size=tally.confirmed,
        pending_size=tally.pending,
        in_flight_size=tally.in_flight,
        in_flight_usd=tally.in_flight_usd,
        cost_usd=tally.cost,
        ended_size=tally.ended,
        has_live_intent=tally.has_live_intent,
        is_resting=tally.is_resting,
        slices=tuple(
            HeldSlice(product_id=product, size=size, cost_usd=cost)
            for product, (size, cost) in sorted(tally.slices.items())
            if size > 0
        ),
    )


def _weights(intents: Collection[Any]) -> dict[Any, dict[int, Decimal]]:
    found: dict[Any, dict[int, Decimal]] = defaultdict(dict)
    for intent, product, weight in _rows(_DEMANDS, [list(intents)]) if intents else []:
        found[intent][product] = weight
    return found


def _rows(query: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
