"""Faults of the earlier systems, each kept out by a test that bears its name."""

from __future__ import annotations

import numpy as np
import pytest

from hedging.domain.attribution import attribute
from hedging.domain.fills import counts_as_held
from hedging.domain.plans import LegReason
from hedging.domain.report import ReportFigures, TruthFigures, render_status_report
from hedging.domain.sizing import walk_asks
from hedging.domain.targets import make_plan
from hedging.domain.views import Grade
from tests.hedging.domain.scenes import D, book_of, held, mapping, product, terms_of, view_of
from venues.domain.gateway import Settlement


def test_fault_1_what_counts_as_hedged_is_the_payoff_and_not_the_spend() -> None:
    """USDC at $0.95 paid $5,000 while the hedge earned $63, and the book said 20 % hedged because 20 % was spent."""
    poor = mapping(grade=Grade.PROXY, basis_probability=D("0.01"))
    (leg,) = make_plan(view_of(mappings=[poor])).legs
    assert (leg.planned_usd, leg.planned_size) == (D("20000"), D("40000"))
    assert leg.planned_payout_usd == D("400")
    holding = held(slices={0: ("40000", "20000")}, confirmed_size=D("40000"), cost_usd=D("20000"))
    (leg,) = make_plan(view_of(mappings=[poor], holdings=[holding])).legs
    assert (leg.held_cost_usd, leg.held_payout_usd) == (D("20000"), D("400"))


@pytest.mark.parametrize(
    "wrong_way",
    [mapping(grade=Grade.NONE), mapping(basis_probability=D("0")), mapping(grade=Grade.NONE, approved=False)],
)
def test_fault_2_a_wrong_way_or_unknown_payoff_is_never_traded_and_never_counted(wrong_way: object) -> None:
    """Coins without a perp were hedged by a short of BTC, which loses when the policy pays."""
    holding = held(slices={0: ("500", "100")}, confirmed_size=D("500"), cost_usd=D("100"))
    plan = make_plan(view_of(mappings=[wrong_way], holdings=[holding]))  # type: ignore[list-item]
    (leg,) = plan.legs
    assert (plan.targets, leg.reason) == ((), LegReason.NOT_A_HEDGE)
    assert (leg.held_payout_usd, leg.planned_payout_usd, leg.unfilled_usd) == (D("0"), D("0"), D("19900"))


def test_fault_3_a_product_without_an_instrument_is_never_given_another_ones() -> None:
    """Symbols that do not exist fell back to BTC without a word."""
    stranger = product(5, stablecoin="USDP")
    plan = make_plan(view_of(product(0), stranger, mappings=[mapping(0)]))
    assert [(leg.product_id, leg.instrument_id, leg.reason) for leg in plan.legs] == [
        (0, "YES-USDC", LegReason.HEDGE),
        (5, None, LegReason.UNMAPPED),
    ]
    assert plan.legs[1].unfilled_usd == D("20000")
    assert [item.product_id for item in plan.targets[0].demands] == [0]


def test_fault_4_nothing_multiplies_cover_by_leverage() -> None:
    """Leverage was counted as cover. The payout planned is units x basis, to the micro-unit."""
    for ask in ("0.02", "0.10", "0.50"):
        (leg,) = make_plan(view_of(books=[book_of((ask, "9000000"))])).legs
        assert leg.planned_payout_usd == leg.planned_size
        assert leg.planned_payout_usd <= leg.coverage_usd


def test_fault_5_the_fee_is_the_markets_own_and_not_a_flat_2_5_percent() -> None:
    book = book_of(("0.50", "40000"))
    by_rate = {
        rate: walk_asks(book, size_max=D("40000"), price_max=D(1), terms=terms_of(fee_rate=D(rate)))
        for rate in ("0", "0.07")
    }
    assert (by_rate["0"].fee_usd, by_rate["0.07"].fee_usd) == (D("0"), D("700"))
    squared = terms_of(fee_rate=D("0.25"), fee_exponent=2)
    assert walk_asks(book, size_max=D("40000"), price_max=D(1), terms=squared).fee_usd == D("625")
    assert D("20000") * D("0.025") == D("500")


def test_fault_6_one_trade_belongs_to_many_policies_and_a_policy_has_parts_of_many_trades() -> None:
    """A hedge belonged to exactly one policy, and went away with it."""
    policies, cover = np.array([11, 12, 13], dtype=np.int64), np.array([50, 30, 20], dtype=np.int64)
    first, second = attribute(1000, cover, policies), attribute(7, cover, policies)
    assert first.tolist() == [500, 300, 200]
    assert second.tolist() == [4, 2, 1]
    assert (first + second).sum() == 1007


def test_fault_7_every_figure_of_the_report_is_one_that_was_given() -> None:
    """A dashboard showed a hedge time and a success rate that nobody had measured."""
    figures = ReportFigures(
        products_with_exposure=3,
        coverage_usd=D("1001"),
        required_usd=D("202"),
        hedge_ratio=None,
        products_hedged=2,
        allocations=(),
        open_positions=5,
        closed_positions=7,
        realised_pnl_usd=D("-11.13"),
        truth=TruthFigures(
            hedged_payout_usd=D("17"),
            cost_usd=D("19"),
            fees_usd=D("0.23"),
            provisional_count=29,
            provisional_usd=D("31"),
            doubt_count=37,
            doubt_usd=D("41"),
        ),
    )
    text = render_status_report(figures)
    numbers = [
        word.strip("()$%,").rstrip(",")
        for word in text.replace("-$", "-").split()
        if any(c.isdigit() for c in word)
    ]
    assert numbers == [
        "3",
        "1,001",
        "202",
        "2",
        "5",
        "7",
        "-11.13",
        "17",
        "1.7",
        "19",
        "0.23",
        "29",
        "31",
        "37",
        "41",
    ]


def test_a_match_that_fails_on_the_chain_was_never_a_hedge() -> None:
    assert not counts_as_held(Settlement.MATCHED)
    assert not counts_as_held(Settlement.FAILED)
