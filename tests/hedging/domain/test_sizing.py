"""How much is bought for how much cover, against the founding document's example and hand-computed books."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.sizing import (
    SizingMode,
    StoppedBy,
    demand_for,
    hedge_outcome,
    size_demand,
    walk_asks,
    walk_bids,
)
from tests.hedging.domain.scenes import book_of, terms_of, thin_book
from venues.domain.books import Book, Level

D = Decimal
FEE_7 = terms_of(fee_rate=D("0.07"))


class TestTheFoundingDocumentsExample:
    """$100,000 USDC depeg, ratio 0.20, whole ratio on Polymarket, price 0.50, no fee."""

    def test_a_budget_of_20000_buys_40000_shares(self) -> None:
        demand = size_demand(coverage_usd=D("100000"), hedge_ratio=D("0.20"), mode=SizingMode.BUDGET)
        assert demand.budget_usd == D("20000")
        walk = walk_asks(
            book_of(("0.50", "100000")),
            budget_usd=demand.budget_usd,
            size_max=demand.size_max,
            price_max=D("0.60"),
            terms=terms_of(),
        )
        assert (walk.size, walk.notional_usd, walk.fee_usd) == (D("40000.00"), D("20000.00"), D("0"))
        assert (walk.price_average, walk.price_worst) == (D("0.5"), D("0.50"))
        assert walk.stopped_by is StoppedBy.BUDGET

    def test_the_vault_pays_60000_net_and_loses_80000(self) -> None:
        outcome = hedge_outcome(coverage_usd=D("100000"), size=D("40000"), cost_usd=D("20000"))
        assert outcome.payout_usd == D("40000")
        assert outcome.vault_payout_net_of_hedge_usd == D("60000")
        assert outcome.economic_loss_in_event_usd == D("80000")
        assert outcome.economic_loss_otherwise_usd == D("20000")

    def test_a_payout_of_40_percent_is_the_same_trade(self) -> None:
        demand = size_demand(coverage_usd=D("100000"), hedge_ratio=D("0.40"), mode=SizingMode.PAYOUT)
        assert (demand.budget_usd, demand.size_max) == (None, D("40000"))
        walk = walk_asks(
            book_of(("0.50", "100000")), size_max=demand.size_max, price_max=D("0.60"), terms=terms_of()
        )
        assert (walk.size, walk.cost_usd, walk.stopped_by) == (D("40000.00"), D("20000.00"), StoppedBy.SIZE)

    def test_polymarket_gets_its_40_percent_in_a_cycle(self) -> None:
        demand = size_demand(
            coverage_usd=D("100000"), hedge_ratio=D("0.20"), venue_share=D("0.4"), mode=SizingMode.BUDGET
        )
        assert (demand.required_usd, demand.budget_usd, demand.size_max) == (
            D("8000"),
            D("8000"),
            D("100000"),
        )


# Price, payout per cover of a 20 % budget (uncapped), cost of a 40 % payout, and the same with a fee of 7 % p(1-p).
TABLE = [
    ("0.50", "0.40", "20000", "20700"),
    ("0.25", "0.80", "10000", "10525"),
    ("0.10", "2.0", "4000", "4252"),
    ("0.05", "4.0", "2000", "2133"),
    ("0.021", "9.52", "840", "897.5652"),
    ("0.01", "20", "400", "427.72"),
]


@pytest.mark.parametrize("price, multiple, _cost, _cost_with_fee", TABLE)
def test_a_budget_buys_the_published_multiple_of_cover_when_cover_does_not_bound_it(
    price: str, multiple: str, _cost: str, _cost_with_fee: str
) -> None:
    walk = walk_asks(book_of((price, "9000000")), budget_usd=D("20000"), price_max=D(1), terms=terms_of())
    assert round(walk.size / 100_000, len(multiple.partition(".")[2])) == D(multiple)
    assert walk.stopped_by is StoppedBy.BUDGET


@pytest.mark.parametrize("price, _multiple, cost, cost_with_fee", TABLE)
def test_a_payout_of_40_percent_costs_what_the_table_says(
    price: str, _multiple: str, cost: str, cost_with_fee: str
) -> None:
    book = book_of((price, "9000000"))
    free = walk_asks(book, size_max=D("40000"), price_max=D(1), terms=terms_of())
    assert free.cost_usd == D(cost)
    charged = walk_asks(book, size_max=D("40000"), price_max=D(1), terms=FEE_7)
    assert (charged.notional_usd, charged.cost_usd) == (D(cost), D(cost_with_fee))


class TestGuards:
    def test_a_budget_never_buys_more_than_the_cover(self) -> None:
        demand = size_demand(coverage_usd=D("100000"), hedge_ratio=D("0.20"), mode=SizingMode.BUDGET)
        walk = walk_asks(
            book_of(("0.021", "9000000")),
            budget_usd=demand.budget_usd,
            size_max=demand.size_max,
            price_max=D("0.60"),
            terms=terms_of(),
        )
        assert (walk.size, walk.notional_usd, walk.stopped_by) == (
            D("100000.00"),
            D("2100.00"),
            StoppedBy.SIZE,
        )

    def test_a_payout_ratio_above_one_is_cut_to_the_cover(self) -> None:
        demand = size_demand(coverage_usd=D("100000"), hedge_ratio=D("1.5"), mode=SizingMode.PAYOUT)
        assert (demand.required_usd, demand.size_max) == (D("150000"), D("100000"))

    def test_a_lower_cover_bound_cuts_both_modes(self) -> None:
        for mode in SizingMode:
            demand = demand_for(D("90"), coverage_usd=D("100"), mode=mode, payout_cover_max=D("0.5"))
            assert demand.size_max == D("50")


class TestThinBook:
    """20 levels from 2.1 cents, 500 shares and 15 % of them more on each: the remainder is a result, not an error."""

    def test_it_fills_24248_of_40000_at_3_26_cents(self) -> None:
        walk = walk_asks(thin_book(), size_max=D("40000"), price_max=D(1), terms=terms_of())
        assert walk.size == D("24248")
        assert round(walk.price_average, 4) == D("0.0326")
        assert (walk.price_worst, walk.levels_used) == (D("0.040"), 20)
        assert walk.notional_usd == D("789.43")
        assert walk.depth_usd_within_limit == D("789.431000")
        assert walk.stopped_by is StoppedBy.DEPTH

    def test_a_price_cap_ends_it_at_the_cap(self) -> None:
        walk = walk_asks(thin_book(), size_max=D("40000"), price_max=D("0.0225"), terms=terms_of())
        assert (walk.size, walk.price_worst, walk.stopped_by) == (
            D("1075.00"),
            D("0.022"),
            StoppedBy.PRICE_CAP,
        )

    def test_a_price_cap_below_the_best_ask_buys_nothing(self) -> None:
        walk = walk_asks(thin_book(), size_max=D("40000"), price_max=D("0.02"), terms=terms_of())
        assert (walk.size, walk.notional_usd, walk.price_worst, walk.levels_used) == (
            D("0.00"),
            D("0.00"),
            D(0),
            0,
        )
        assert (walk.stopped_by, walk.depth_usd_within_limit) == (StoppedBy.PRICE_CAP, D("0"))

    def test_slippage_is_the_average_price_against_the_best(self) -> None:
        # 500 at 2.1c and x at 2.2c average 2.121c at x = 500 * 0.021 / 0.079 = 132.91 shares.
        walk = walk_asks(
            thin_book(), size_max=D("40000"), price_max=D(1), slippage_bps_max=100, terms=terms_of()
        )
        assert (walk.size, walk.levels_used, walk.stopped_by) == (D("632.91"), 2, StoppedBy.SLIPPAGE)
        assert walk.price_average <= D("0.021") * D("1.01")

    def test_participation_takes_a_part_of_every_level(self) -> None:
        walk = walk_asks(
            thin_book(), size_max=D("40000"), price_max=D(1), participation=D("0.25"), terms=terms_of()
        )
        assert (walk.size, walk.stopped_by) == (D("6062.00"), StoppedBy.DEPTH)

    @pytest.mark.parametrize("participation", ["0", "1.01", "-1"])
    def test_an_impossible_participation_is_refused(self, participation: str) -> None:
        with pytest.raises(ValueError, match="participation"):
            walk_asks(thin_book(), price_max=D(1), participation=D(participation), terms=terms_of())


class TestFees:
    def test_a_budget_pays_for_the_fee_too(self) -> None:
        # 0.10 + 0.07 * 0.1 * 0.9 = 0.1063 a share; 1,000 / 0.1063 = 9,407.337 shares.
        walk = walk_asks(book_of(("0.10", "100000")), budget_usd=D("1000"), price_max=D(1), terms=FEE_7)
        assert (walk.size, walk.notional_usd, walk.fee_usd) == (D("9407.33"), D("940.73"), D("59.266170"))
        assert walk.cost_usd == D("999.996170")

    def test_the_fee_is_read_per_market_and_not_flat(self) -> None:
        book = book_of(("0.021", "40000"))
        charged = {
            rate: walk_asks(
                book, size_max=D("40000"), price_max=D(1), terms=terms_of(fee_rate=D(rate))
            ).fee_usd
            for rate in ("0", "0.04", "0.07")
        }
        assert charged == {"0": D("0"), "0.04": D("32.894400"), "0.07": D("57.565200")}
        flat = D("0.025") * D("840")
        assert flat not in charged.values()


class TestSelling:
    def test_it_sells_into_the_best_bids_first(self) -> None:
        book = book_of(("0.13", "10"), bids=[("0.09", "100"), ("0.08", "300")])
        walk = walk_bids(book, size_max=D("150"), terms=FEE_7)
        assert (walk.size, walk.notional_usd, walk.price_worst) == (D("150.00"), D("13.00"), D("0.08"))
        # 100 at 0.09: 0.5733; 50 at 0.08: 0.2576.
        assert (walk.fee_usd, walk.stopped_by) == (D("0.830900"), StoppedBy.SIZE)

    def test_the_slippage_cap_keeps_the_average_up(self) -> None:
        # 100 at 0.09 and x at 0.08 average 0.0855 at x = 0.45 / 0.0055 = 81.81.
        book = book_of(bids=[("0.09", "100"), ("0.08", "300")])
        walk = walk_bids(book, size_max=D("400"), slippage_bps_max=500, terms=terms_of())
        assert (walk.size, walk.stopped_by) == (D("181.81"), StoppedBy.SLIPPAGE)

    def test_a_floor_price_ends_it(self) -> None:
        book = book_of(bids=[("0.09", "100"), ("0.08", "300")])
        walk = walk_bids(book, size_max=D("400"), price_min=D("0.085"), terms=terms_of())
        assert (walk.size, walk.stopped_by) == (D("100.00"), StoppedBy.PRICE_CAP)

    def test_no_bids_sell_nothing(self) -> None:
        walk = walk_bids(book_of(("0.1", "5")), size_max=D("400"), terms=terms_of())
        assert (walk.size, walk.stopped_by) == (D("0.00"), StoppedBy.DEPTH)


@st.composite
def books(draw: st.DrawFn) -> Book:
    ticks = draw(st.lists(st.integers(1, 900), min_size=1, max_size=12, unique=True))
    sizes = draw(st.lists(st.integers(1, 5_000_000), min_size=len(ticks), max_size=len(ticks)))
    pairs = [
        (Decimal(tick) / 1000, Decimal(size) / 100) for tick, size in zip(sorted(ticks), sizes, strict=True)
    ]
    asks = tuple(Level(price, size) for price, size in pairs)
    return Book(instrument_id="B", asks=asks, bids=asks[::-1], taken_at=thin_book().taken_at)


dollars = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)
rates = st.sampled_from([D("0"), D("0.04"), D("0.07")])


@given(
    book=books(),
    budget=st.none() | dollars,
    size=st.none() | dollars,
    cap=st.integers(1, 999),
    slippage=st.none() | st.integers(0, 10_000),
    rate=rates,
)
def test_a_walk_keeps_every_bound(
    book: Book, budget: Decimal | None, size: Decimal | None, cap: int, slippage: int | None, rate: Decimal
) -> None:
    price_max = Decimal(cap) / 1000
    walk = walk_asks(
        book,
        budget_usd=budget,
        size_max=size,
        price_max=price_max,
        slippage_bps_max=slippage,
        terms=terms_of(fee_rate=rate),
    )
    assert walk.size % D("0.01") == 0 and walk.notional_usd % D("0.01") == 0
    assert walk.price_worst <= price_max
    assert size is None or walk.size <= size
    assert budget is None or walk.cost_usd <= budget
    assert walk.size <= sum(level.size for level in book.asks if level.price <= price_max)
    exact = Fraction(0)
    left = walk.size
    for level in book.asks[: walk.levels_used]:
        exact += Fraction(level.price) * Fraction(min(left, level.size))
        left -= min(left, level.size)
    assert left == 0
    assert 0 <= exact - Fraction(walk.notional_usd) < Fraction(1, 100)
    if slippage is not None and walk.size > 0:
        assert exact <= Fraction(walk.size) * Fraction(book.asks[0].price) * (1 + Fraction(slippage, 10_000))


@given(book=books(), budget=dollars, rate=rates)
def test_a_walk_that_stops_at_the_budget_leaves_less_than_the_next_hundredth_costs(
    book: Book, budget: Decimal, rate: Decimal
) -> None:
    walk = walk_asks(book, budget_usd=budget, price_max=D(1), terms=terms_of(fee_rate=rate))
    if walk.stopped_by is not StoppedBy.BUDGET or walk.size == 0:
        return
    # A cent and a hundredth of a share are lost to the venue's rounding, and 0.00001 USD of fee per level.
    step = D("0.01") * book.asks[-1].price * (1 + rate) + D("0.01") + D("0.00001") * walk.levels_used
    assert budget - walk.cost_usd <= step


@given(book=books(), size=dollars, floor=st.integers(0, 999))
def test_selling_and_buying_the_same_levels_move_the_same_money(
    book: Book, size: Decimal, floor: int
) -> None:
    """Asks seen from below are bids seen from above."""
    mirrored = Book(
        instrument_id="B",
        bids=tuple(Level(1 - level.price, level.size) for level in book.asks),
        asks=(),
        taken_at=book.taken_at,
    )
    bought = walk_asks(book, size_max=size, price_max=1 - Decimal(floor) / 1000, terms=terms_of())
    sold = walk_bids(mirrored, size_max=size, price_min=Decimal(floor) / 1000, terms=terms_of())
    assert (bought.size, bought.stopped_by, bought.levels_used) == (
        sold.size,
        sold.stopped_by,
        sold.levels_used,
    ) or 0 in (
        bought.notional_usd,
        sold.notional_usd,
    )
    if bought.notional_usd and sold.notional_usd:
        assert bought.price_worst == 1 - sold.price_worst
        assert abs(bought.notional_usd + sold.notional_usd - bought.size) <= D("0.02")
