"""The rules of a plan that hold for every market, every mapping and every holding."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hedging.domain.plans import Plan
from hedging.domain.targets import make_plan
from hedging.domain.views import (
    Grade,
    Held,
    HeldSlice,
    MappedInstrument,
    MarketView,
    PlanLimits,
    ProductDemand,
)
from policies.domain.catalogue import SizingMode
from tests.hedging.domain.scenes import DOCUMENT_SHARES, NOW, D, mapping, product, terms_of, view_of
from tonsurance.kernel.money import from_micro, to_micro
from venues.domain.books import Book, Level
from venues.domain.gateway import Side

MICRO = D("0.000001")
INSTRUMENTS = ("A", "B")


def cents(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda value: Decimal(value) / 100)


@st.composite
def some_book(draw: st.DrawFn, instrument_id: str) -> Book:
    ticks = sorted(draw(st.lists(st.integers(1, 999), max_size=8, unique=True)))
    middle = draw(st.integers(0, len(ticks)))
    level = cents(1, 5_000_000)
    return Book(
        instrument_id=instrument_id,
        bids=tuple(Level(Decimal(tick) / 1000, draw(level)) for tick in ticks[:middle][::-1]),
        asks=tuple(Level(Decimal(tick) / 1000, draw(level)) for tick in ticks[middle:]),
        taken_at=NOW,
    )


@st.composite
def some_product(draw: st.DrawFn, product_id: int) -> ProductDemand:
    return product(
        product_id,
        coverage_usd=draw(cents(0, 20_000_000)),
        hedge_ratio=draw(st.integers(0, 150)) / D(100),
        sizing_mode=draw(st.sampled_from(SizingMode)),
    )


@st.composite
def some_mapping(draw: st.DrawFn, product_id: int, fee_rate: Decimal) -> MappedInstrument:
    return mapping(
        product_id,
        terms=terms_of(draw(st.sampled_from(INSTRUMENTS)), fee_rate=fee_rate),
        grade=draw(st.sampled_from([Grade.DIRECT, Grade.DIRECT, Grade.PROXY, Grade.NONE])),
        basis_probability=draw(st.sampled_from([D("1"), D("0.85"), D("0")])),
        approved=draw(st.integers(0, 4)) > 0,
        active=draw(st.integers(0, 4)) > 0,
    )


@st.composite
def some_held(draw: st.DrawFn, instrument_id: str, products: list[int]) -> Held:
    sizes = {
        key: draw(cents(0, 1_000_000))
        for key in draw(st.lists(st.sampled_from(products), max_size=2, unique=True))
    }
    ended, unclaimed = draw(cents(0, 100_000)), draw(cents(0, 100_000))
    in_flight = draw(cents(0, 1000))
    slices = tuple(
        HeldSlice(product_id=key, size=size, cost_usd=(size / 10).quantize(MICRO))
        for key, size in sizes.items()
    )
    confirmed = sum(sizes.values(), D(0)) + ended + unclaimed
    return Held(
        instrument_id=instrument_id,
        confirmed_size=confirmed,
        in_flight_size=in_flight,
        in_flight_usd=in_flight,
        cost_usd=(confirmed / 10).quantize(MICRO),
        ended_size=ended,
        has_live_intent=draw(st.booleans()),
        slices=slices,
    )


@st.composite
def views(draw: st.DrawFn) -> MarketView:
    count = draw(st.integers(1, 4))
    fee_rate = draw(st.sampled_from([D("0"), D("0.07")]))
    products = [draw(some_product(index)) for index in range(count)]
    return view_of(
        *products,
        mappings=[draw(some_mapping(index, fee_rate)) for index in range(count) if draw(st.integers(0, 5))],
        books=[draw(some_book(name)) for name in INSTRUMENTS if draw(st.integers(0, 5))],
        holdings=[draw(some_held(name, list(range(count)))) for name in INSTRUMENTS if draw(st.booleans())],
        terms={name: terms_of(name, fee_rate=fee_rate) for name in INSTRUMENTS},
        limits=PlanLimits(
            venue_shares=draw(st.sampled_from([DOCUMENT_SHARES, {"polymarket": D("1")}])),
            price_max=draw(st.integers(1, 999)) / D(1000),
            slippage_bps_max=draw(st.none() | st.integers(0, 5000).map(Decimal)),
            participation=draw(st.sampled_from([D("1"), D("0.3")])),
            notional_usd_max_per_order=draw(st.none() | cents(100, 1_000_000)),
            cost_usd_max_per_instrument=draw(st.none() | cents(100, 10_000_000)),
        ),
    )


def check_targets_and_legs_agree(plan: Plan) -> None:
    sizes: dict[str, Decimal] = defaultdict(Decimal)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for leg in plan.legs:
        if leg.planned_size > 0:
            assert leg.instrument_id is not None
            sizes[leg.instrument_id] += leg.planned_size
            costs[leg.instrument_id] += leg.planned_usd
    buys = {target.instrument_id: target for target in plan.targets if target.side is Side.BUY}
    assert sizes.keys() == buys.keys()
    for name, target in buys.items():
        assert (sizes[name], costs[name]) == (target.size, target.cost_usd)
        assert sum(item.weight_micro for item in target.demands) == to_micro(target.size)


@given(views())
@settings(max_examples=100)
def test_bundled_targets_are_the_sum_of_their_legs_to_the_micro_unit(view: MarketView) -> None:
    check_targets_and_legs_agree(make_plan(view))


@given(views())
@settings(max_examples=100)
def test_cover_is_never_exceeded(view: MarketView) -> None:
    plan = make_plan(view)
    coverage = {item.product_id: item.coverage_usd for item in view.demands}
    for target in plan.targets:
        if target.side is Side.BUY:
            mapped = {
                item.product_id for item in view.mappings if item.terms.instrument_id == target.instrument_id
            }
            cover = sum(coverage[key] for key in mapped)
            assert view.held_of(target.instrument_id).worst_size + target.size <= cover
    for leg in plan.legs:
        if leg.planned_size > 0:
            assert leg.held_size + leg.planned_size <= leg.coverage_usd


@given(views())
@settings(max_examples=100)
def test_limits_and_approvals_are_kept(view: MarketView) -> None:
    plan = make_plan(view)
    sound = {
        item.mapping_id
        for item in view.mappings
        if item.approved and item.active and item.grade is not Grade.NONE
    }
    for leg in plan.legs:
        assert leg.planned_size == 0 or leg.mapping_id in sound
    names = [target.instrument_id for target in plan.targets]
    assert len(names) == len(set(names))
    for target in plan.targets:
        assert not view.held_of(target.instrument_id).has_live_intent
        if target.side is Side.SELL:
            assert target.size <= view.held_of(target.instrument_id).confirmed_size
            continue
        assert target.price_limit <= view.limits.price_max
        assert (target.size >= 5, target.notional_usd >= 1) == (True, True)
        order_max, cost_max = view.limits.notional_usd_max_per_order, view.limits.cost_usd_max_per_instrument
        assert order_max is None or target.cost_usd <= order_max
        held_cost = view.held_of(target.instrument_id).worst_cost_usd
        assert cost_max is None or target.cost_usd + held_cost <= cost_max


@given(views())
@settings(max_examples=100)
def test_every_dollar_required_is_held_planned_unhedged_or_not_needed(view: MarketView) -> None:
    modes = {item.product_id: item.sizing_mode for item in view.demands}
    for leg in make_plan(view).legs:
        in_money = modes[leg.product_id] is SizingMode.BUDGET
        had = leg.held_cost_usd if in_money else leg.held_size
        new = leg.planned_usd if in_money else leg.planned_size
        assert leg.unfilled_usd >= 0
        assert leg.unneeded_usd >= 0
        still_open = max(D(0), leg.required_usd - had)
        # A budget is passed by less than a micro-dollar when its part of the cost is rounded up.
        assert new <= still_open + MICRO
        assert abs(new + leg.unfilled_usd + leg.unneeded_usd - still_open) <= MICRO
        assert leg.sentence.endswith(".")


@given(views())
@settings(max_examples=60)
def test_a_plan_carried_out_in_full_is_not_carried_out_again(view: MarketView) -> None:
    """After its fills the next plan buys only what the first one left, and never past the requirement."""
    first = make_plan(view)
    modes = {item.product_id: item.sizing_mode for item in view.demands}
    bought = {target.instrument_id: target for target in first.targets if target.side is Side.BUY}
    for name, target in bought.items():
        before = view.held_of(name)
        gained = [
            HeldSlice(product_id=leg.product_id, size=leg.planned_size, cost_usd=leg.planned_usd)
            for leg in first.legs
            if leg.instrument_id == name and leg.planned_size > 0
        ]
        after = replace(
            before,
            confirmed_size=before.confirmed_size + target.size,
            cost_usd=before.cost_usd + target.cost_usd,
            slices=_merged([*before.slices, *gained]),
        )
        view = replace(view, held={**view.held, name: after})
    for leg, was in zip(make_plan(view).legs, first.legs, strict=True):
        if leg.instrument_id not in bought or leg.planned_size == 0:
            continue
        new = leg.planned_usd if modes[leg.product_id] is SizingMode.BUDGET else leg.planned_size
        assert new <= was.unfilled_usd + was.unneeded_usd + MICRO
        assert leg.held_size + leg.planned_size <= leg.coverage_usd


def _merged(parts: list[HeldSlice]) -> tuple[HeldSlice, ...]:
    sums: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for part in parts:
        size, cost = sums[part.product_id]
        sums[part.product_id] = (size + to_micro(part.size), cost + to_micro(part.cost_usd))
    return tuple(
        HeldSlice(product_id=key, size=from_micro(size), cost_usd=from_micro(cost))
        for key, (size, cost) in sums.items()
    )
