"""The think step: from one reading of the market to a plan, with a reason for every leg.

For each instrument: target less everything that we hold or may yet get, all demand bundled into one order, sales before
purchases, never both at once. Cover is never exceeded: payout held, pending, in flight and new stays within it, for each
product and for the instrument.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hedging.domain.allocation import split_venues
from hedging.domain.closing import Closing, close_instruments
from hedging.domain.holdings import Holdings
from hedging.domain.plans import DemandWeight, Leg, LegReason, Plan, Target
from hedging.domain.pools import Pool, PoolCap, Want, fill_pool
from hedging.domain.routes import Route, Routes, market_obstacle
from hedging.domain.sentences import leg_sentence, target_sentence
from hedging.domain.sizing import Demand, SizingMode, demand_for
from hedging.domain.views import MarketView, ProductDemand
from tonsurance.kernel.money import ZERO, floor_micro, to_micro
from venues.domain.gateway import Side


@dataclass(frozen=True, slots=True)
class _Share:
    """One product at one venue: what it should have, what it has, and what it still wants (`want` None: nothing)."""

    product: ProductDemand
    venue_code: str
    demand: Demand
    route: Route
    held_size: Decimal
    held_cost_usd: Decimal
    want: Want | None
    reason: LegReason

    @property
    def open_usd(self) -> Decimal:
        """The part of the requirement that is not met yet, in the mode's own measure."""
        held = self.held_size if self.product.sizing_mode is SizingMode.PAYOUT else self.held_cost_usd
        return max(ZERO, self.demand.required_usd - held)


def make_plan(view: MarketView) -> Plan:
    """The plan for `view`. Pure: the same view gives the same plan. Raises Refused when venue shares do not add up to 1."""
    routes = Routes.of(view)
    holdings = Holdings.of(view, routes)
    closing = close_instruments(view)
    products = sorted((item for item in view.demands if item.coverage_usd > 0), key=lambda item: item.product_id)
    required = {
        item.product_id: split_venues(floor_micro(item.hedge_ratio * item.coverage_usd), view.limits.venue_shares)
        for item in products
    }
    bought: dict[int, Decimal] = {}
    legs: list[Leg] = []
    targets: list[Target] = list(closing.targets)
    for venue_code in view.limits.venue_shares:
        shares = [
            _share(view, item, venue_code, required[item.product_id][venue_code], routes, holdings, closing, bought)
            for item in products
        ]
        pools = _fill_pools(view, shares, routes)
        for share in shares:
            leg = _leg(view, share, pools.get(share.route.instrument_id or ""))
            bought[leg.product_id] = bought.get(leg.product_id, ZERO) + leg.planned_size
            legs.append(leg)
        targets.extend(_target(view, routes, instrument_id, pool) for instrument_id, pool in pools.items() if _is_sent(pool))
    order = {code: index for index, code in enumerate(view.limits.venue_shares)}
    return Plan(
        legs=tuple(sorted(legs, key=lambda leg: (leg.product_id, order[leg.venue_code]))),
        targets=tuple(sorted(targets, key=lambda target: (order.get(target.venue_code, -1), target.instrument_id))),
        held_back=closing.held_back,
    )


def _share(
    view: MarketView,
    product: ProductDemand,
    venue_code: str,
    required_usd: Decimal,
    routes: Routes,
    holdings: Holdings,
    closing: Closing,
    bought: dict[int, Decimal],
) -> _Share:
    cover_max = view.limits.payout_cover_max
    demand = demand_for(
        required_usd, coverage_usd=product.coverage_usd, mode=product.sizing_mode, payout_cover_max=cover_max
    )
    held_size, held_cost = holdings.at_venue(product.product_id, venue_code)
    room = (
        floor_micro(cover_max * product.coverage_usd)
        - holdings.total_size(product.product_id)
        - bought.get(product.product_id, ZERO)
    )
    route = routes.route(product.product_id, venue_code)
    want, reason = _want(product, demand, held_size=held_size, held_cost=held_cost, room=room)
    if product.hedge_ratio == 0:
        want, reason = None, LegReason.PRODUCT_NOT_HEDGED
    elif route.blocked is not None and (want is not None or route.instrument_id is None):
        want, reason = None, route.blocked
    elif want is not None and view.held_of(route.instrument_id or "").has_live_intent:
        want, reason = None, LegReason.IN_FLIGHT
    elif want is not None and route.instrument_id in closing.selling:
        want, reason = None, LegReason.CLOSING_FIRST
    return _Share(product, venue_code, demand, route, held_size, held_cost, want, reason)


def _want(
    product: ProductDemand, demand: Demand, *, held_size: Decimal, held_cost: Decimal, room: Decimal
) -> tuple[Want | None, LegReason]:
    """What is still to be bought before the market is asked, or the reason why there is nothing."""
    if demand.budget_usd is None:
        missing = min(demand.required_usd - held_size, room)
        if demand.required_usd <= held_size:
            return None, LegReason.ALREADY_HELD
        if missing <= 0:
            return None, LegReason.FULLY_COVERED
        return Want(product_id=product.product_id, budget_usd=None, size_max=missing), LegReason.HEDGE
    money = demand.budget_usd - held_cost
    if money <= 0:
        return None, LegReason.BUDGET_SPENT
    if room <= 0:
        return None, LegReason.FULLY_COVERED
    return Want(product_id=product.product_id, budget_usd=money, size_max=room), LegReason.HEDGE


def _fill_pools(view: MarketView, shares: list[_Share], routes: Routes) -> dict[str, Pool]:
    """One purchase per instrument that anybody wants, in the order of instrument ids."""
    wants: dict[str, list[Want]] = {}
    for share in shares:
        if share.want is not None and share.route.instrument_id is not None:
            wants.setdefault(share.route.instrument_id, []).append(share.want)
    pools = {}
    for instrument_id in sorted(wants):
        held = view.held_of(instrument_id)
        cost_max = view.limits.cost_usd_max_per_instrument
        cap = PoolCap(
            order_usd=view.limits.notional_usd_max_per_order,
            instrument_usd=None if cost_max is None else max(ZERO, cost_max - held.worst_cost_usd),
            size=max(ZERO, routes.insurable_size(instrument_id) - held.worst_size),
        )
        terms = routes.terms[instrument_id]
        pools[instrument_id] = fill_pool(
            wants[instrument_id], view.books[instrument_id], terms, limits=view.limits, cap=cap
        )
    return pools


def _is_sent(pool: Pool) -> bool:
    return pool.walk.size > 0 and pool.bound is not LegReason.BELOW_MINIMUM
