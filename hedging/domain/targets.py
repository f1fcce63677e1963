"""The think step: from one reading of the market to a plan, with a reason for every leg.

For each instrument: target less everything that we hold or may yet get, all demand bundled into one order,
sales before purchases, never both at once. Cover is never exceeded: payout held, pending, in flight and new
stays within it, for each product and for the instrument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hedging.domain.allocation import split_venues
from hedging.domain.closing import Closing, close_instruments
from hedging.domain.holdings import Holding, Holdings
from hedging.domain.plans import SATISFIED, DemandWeight, Leg, LegReason, Plan, Target
from hedging.domain.pools import Part, Pool, PoolCap, Want, fill_pool
from hedging.domain.resting import resting_target
from hedging.domain.routes import Route, Routes
from hedging.domain.sentences import bought_sentence, money, nothing_sentence, unit_price, units
from hedging.domain.sizing import Demand, demand_for
from hedging.domain.views import MarketView, ProductDemand
from policies.domain.catalogue import SizingMode
from tonsurance.kernel.errors import Broken
from tonsurance.kernel.money import ZERO, floor_micro, to_micro
from venues.domain.gateway import Side


@dataclass(frozen=True, slots=True)
class _Share:
    """One product at one venue: what it should have, what it has, and what it still wants (`want` None: nothing)."""

    product: ProductDemand
    venue_code: str
    demand: Demand
    route: Route
    held: Holding
    want: Want | None
    reason: LegReason

    @property
    def open_usd(self) -> Decimal:
        """The part of the requirement that is not met yet, in the mode's own measure."""
        held = self.held.size if self.product.sizing_mode is SizingMode.PAYOUT else self.held.cost_usd
        return max(ZERO, self.demand.required_usd - held)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One view and what was found out about it once, for all products."""

    view: MarketView
    routes: Routes
    holdings: Holdings
    closing: Closing


def make_plan(view: MarketView) -> Plan:
    """The plan for `view`; the same view gives the same plan.

    Raises Refused when venue shares do not add up to 1, and Broken when the view holds an instrument without its terms.
    """
    routes = Routes(view)
    held = {key for key, item in view.held.items() if item.worst_size > 0}
    nameless = held - routes.terms.keys()
    if nameless:
        raise Broken(
            f"instruments are held whose terms the view does not have: {', '.join(sorted(nameless))}"
        )
    desk = _Desk(view, routes, Holdings(view, routes), close_instruments(view, routes))
    products = sorted(
        (item for item in view.demands if item.coverage_usd > 0), key=lambda item: item.product_id
    )
    required = {item.product_id: _required(item, view) for item in products}
    bought: dict[int, Decimal] = {}
    legs: list[Leg] = []
    targets: list[Target] = list(desk.closing.targets)
    for venue_code in view.limits.venue_shares:
        shares = [
            _share(
                desk,
                item,
                venue_code,
                required[item.product_id][venue_code],
                bought.get(item.product_id, ZERO),
            )
            for item in products
        ]
        wants = _wants(shares)
        pools = _fill_pools(desk, wants)
        targets.extend(
            _target(desk, instrument_id, pool) for instrument_id, pool in pools.items() if pool.is_sent
        )
        targets.extend(_resting(desk, wants, pools))
        for share in shares:
            leg = _leg(share, pools)
            bought[leg.product_id] = bought.get(leg.product_id, ZERO) + leg.planned_size
            legs.append(leg)
    order = {code: index for index, code in enumerate(view.limits.venue_shares)}
    return Plan(
        legs=tuple(sorted(legs, key=lambda leg: (leg.product_id, order[leg.venue_code]))),
        targets=tuple(
            sorted(
                targets,
                key=lambda item: (order.get(item.venue_code, len(order)), item.instrument_id, item.leg),
            )
        ),
        held_back=desk.closing.held_back,
    )


def _required(product: ProductDemand, view: MarketView) -> dict[str, Decimal]:
    if product.hedge_ratio < 0:
        raise ValueError(f"product {product.product_id} has a negative hedge ratio: {product.hedge_ratio}")
    return split_venues(floor_micro(product.hedge_ratio * product.coverage_usd), view.limits.venue_shares)


def _share(
    desk: _Desk, product: ProductDemand, venue_code: str, required_usd: Decimal, bought: Decimal
) -> _Share:
    """What the product still wants here. `bought`: what this plan gives it at venues that came before."""
    cover_max = desk.view.limits.payout_cover_max
    demand = demand_for(
        required_usd, coverage_usd=product.coverage_usd, mode=product.sizing_mode, payout_cover_max=cover_max
    )
    held = desk.holdings.at_venue(product.product_id, venue_code)
    insurable = floor_micro(cover_max * product.coverage_usd)
    room = insurable - desk.holdings.total_size(product.product_id) - bought
    route = desk.routes.route(product.product_id, venue_code)
    want, reason = _want(product, demand, held=held, room=room)
    if product.hedge_ratio == 0:
        want, reason = None, LegReason.PRODUCT_NOT_HEDGED
    elif want is None and held.size > 0:
        pass
    elif route.obstacle is not None:
        want, reason = None, route.obstacle.reason
    elif want is not None and desk.view.held_of(route.instrument_id or "").has_live_intent:
        want, reason = None, LegReason.IN_FLIGHT
    elif want is not None and route.instrument_id in desk.closing.selling:
        want, reason = None, LegReason.CLOSING_FIRST
    return _Share(product, venue_code, demand, route, held, want, reason)


def _want(
    product: ProductDemand, demand: Demand, *, held: Holding, room: Decimal
) -> tuple[Want | None, LegReason]:
    """What is still to be bought before the market is asked, or the reason why there is nothing."""
    if demand.budget_usd is None:
        missing = demand.required_usd - held.size
        if missing <= 0:
            return None, LegReason.ALREADY_HELD
        if room <= 0:
            return None, LegReason.FULLY_COVERED
        return Want(
            product_id=product.product_id, budget_usd=None, size_max=min(missing, room)
        ), LegReason.HEDGE
    money_left = demand.budget_usd - held.cost_usd
    if money_left <= 0:
        return None, LegReason.BUDGET_SPENT
    if room <= 0:
        return None, LegReason.FULLY_COVERED
    return Want(product_id=product.product_id, budget_usd=money_left, size_max=room), LegReason.HEDGE


def _wants(shares: list[_Share]) -> dict[str, list[Want]]:
    """Who wants what of each instrument that anybody wants, in the order of instrument ids."""
    wants: dict[str, list[Want]] = {}
    for share in shares:
        if share.want is not None and share.route.instrument_id is not None:
            wants.setdefault(share.route.instrument_id, []).append(share.want)
    return dict(sorted(wants.items()))


def _cap(desk: _Desk, instrument_id: str) -> PoolCap:
    held, limits = desk.view.held_of(instrument_id), desk.view.limits
    cost_max = limits.cost_usd_max_per_instrument
    return PoolCap(
        order_usd=limits.notional_usd_max_per_order,
        instrument_usd=None if cost_max is None else max(ZERO, cost_max - held.worst_cost_usd),
        size=max(ZERO, desk.routes.insurable_size(instrument_id) - held.worst_size),
    )


def _fill_pools(desk: _Desk, wants: Mapping[str, list[Want]]) -> dict[str, Pool]:
    """One purchase per instrument that anybody wants."""
    return {
        instrument_id: fill_pool(
            wanted,
            desk.view.books[instrument_id],
            desk.routes.terms[instrument_id],
            limits=desk.view.limits,
            cap=_cap(desk, instrument_id),
        )
        for instrument_id, wanted in wants.items()
    }


def _resting(desk: _Desk, wants: Mapping[str, list[Want]], pools: Mapping[str, Pool]) -> Iterator[Target]:
    """A bid for what each purchase had to leave, where none rests already; together they stay within every cap."""
    for instrument_id, pool in pools.items():
        if desk.view.held_of(instrument_id).is_resting:
            continue
        cap = _cap(desk, instrument_id)
        taken_size = sum((part.size for part in pool.parts.values()), ZERO)
        taken_usd = sum((part.cost_usd for part in pool.parts.values()), ZERO)
        target = resting_target(
            wants[instrument_id],
            pool,
            desk.view.books[instrument_id],
            desk.routes.terms[instrument_id],
            limits=desk.view.limits,
            size_max=cap.size - taken_size,
            usd_max=None if cap.instrument_usd is None else cap.instrument_usd - taken_usd,
        )
        if target is not None:
            yield target


def _leg(share: _Share, pools: Mapping[str, Pool]) -> Leg:
    product, route = share.product, share.route
    pool = pools.get(route.instrument_id or "") if share.want is not None else None
    part = pool.parts[product.product_id] if pool is not None else None
    if pool is None or part is None or part.size <= 0:
        reason = pool.bound if pool is not None else share.reason
        unfilled = ZERO if reason in SATISFIED else share.open_usd
        detail = route.obstacle.detail if route.obstacle is not None else ""
        return _leg_of(
            share,
            reason=reason,
            unfilled_usd=unfilled,
            unneeded_usd=share.open_usd - unfilled,
            sentence=nothing_sentence(reason, detail, unfilled_usd=unfilled),
        )
    unfilled, unneeded = _left(share, pool, part)
    reason = LegReason.FULLY_COVERED if pool.bound is LegReason.HEDGE and unneeded > 0 else pool.bound
    return _leg_of(
        share,
        reason=reason,
        unfilled_usd=unfilled,
        unneeded_usd=unneeded,
        part=part,
        sentence=bought_sentence(
            reason, size=part.size, cost_usd=part.cost_usd, unfilled_usd=unfilled, unneeded_usd=unneeded
        ),
    )


def _left(share: _Share, pool: Pool, part: Part) -> tuple[Decimal, Decimal]:
    """What this purchase leaves of the requirement: (unhedged, not needed because cover allows no more)."""
    if share.demand.budget_usd is None:
        open_after = share.open_usd - part.size
        unneeded = share.open_usd - part.wanted_size
    else:
        open_after = max(ZERO, share.open_usd - part.cost_usd)
        still_wanted = floor_micro((part.wanted_size - part.size) * part.cost_usd / part.size)
        unneeded = max(ZERO, open_after - still_wanted) if part.at_cover else ZERO
    if pool.bound is LegReason.FULLY_COVERED:
        unneeded = open_after
    return open_after - unneeded, unneeded


def _leg_of(
    share: _Share,
    *,
    reason: LegReason,
    unfilled_usd: Decimal,
    unneeded_usd: Decimal,
    sentence: str,
    part: Part | None = None,
) -> Leg:
    size = part.size if part is not None else ZERO
    return Leg(
        product_id=share.product.product_id,
        venue_code=share.venue_code,
        instrument_id=share.route.instrument_id,
        mapping_id=share.route.mapping_id,
        coverage_usd=share.product.coverage_usd,
        required_usd=share.demand.required_usd,
        held_size=share.held.size,
        held_cost_usd=share.held.cost_usd,
        held_payout_usd=share.held.payout_usd,
        planned_size=size,
        planned_usd=part.cost_usd if part is not None else ZERO,
        planned_payout_usd=floor_micro(size * share.route.basis_probability),
        unfilled_usd=unfilled_usd,
        unneeded_usd=unneeded_usd,
        reason=reason,
        sentence=sentence,
    )


def _target(desk: _Desk, instrument_id: str, pool: Pool) -> Target:
    walk, book, held = pool.walk, desk.view.books[instrument_id], desk.view.held_of(instrument_id)
    demands = tuple(
        DemandWeight(product_id=product_id, weight_micro=to_micro(part.size))
        for product_id, part in sorted(pool.parts.items())
        if part.size > 0
    )
    return Target(
        venue_code=desk.routes.terms[instrument_id].venue_code,
        instrument_id=instrument_id,
        side=Side.BUY,
        size=walk.size,
        notional_usd=walk.notional_usd,
        fee_usd=walk.fee_usd,
        price_limit=walk.price_worst,
        price_average=walk.price_average,
        demands=demands,
        reason=pool.bound,
        sentence=f"Buys {units(walk.size)} for {len(demands)} product{'s' if len(demands) != 1 else ''} at "
        f"{unit_price(walk.price_average)} on average, {unit_price(walk.price_worst)} at worst: "
        f"{money(walk.notional_usd)} plus {money(walk.fee_usd)} fees.",
        inputs={
            "best_ask": str(book.asks[0].price),
            "book_hash": book.book_hash,
            "confirmed_size": str(held.confirmed_size),
            "pending_size": str(held.pending_size),
            "in_flight_size": str(held.in_flight_size),
            "cost_usd": str(held.worst_cost_usd),
            "depth_usd_within_limit": str(walk.depth_usd_within_limit),
            "levels_used": str(walk.levels_used),
            "stopped_by": walk.stopped_by.value,
        },
    )
