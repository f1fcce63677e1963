"""What is sold: units of policies that ended and units above cover; never bought and sold in one plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hedging.domain.plans import LegReason
from hedging.domain.targets import make_plan
from hedging.domain.views import Grade, Held, MarketView, VenueView
from tests.hedging.domain.scenes import D, book_of, held, limits_of, mapping, product, terms_of, view_of
from venues.domain.gateway import Side

R = LegReason
BIDS = [("0.48", "1000"), ("0.47", "5000")]


def ended(size: str = "900", **changes: Any) -> Held:
    """Everything held belongs to policies that ended."""
    return replace(held(confirmed_size=D(size), ended_size=D(size), cost_usd=D("450")), **changes)


def selling(*holdings: Held, **changes: Any) -> MarketView:
    changes.setdefault("books", [book_of(("0.50", "100000"), bids=BIDS)])
    return view_of(holdings=holdings, **changes)


def test_units_of_policies_that_ended_are_sold_at_the_bids() -> None:
    plan = make_plan(selling(ended()))
    (target,) = plan.targets
    assert (target.side, target.size, target.price_limit) == (Side.SELL, D("900.00"), D("0.48"))
    assert (target.notional_usd, target.ended_size, target.excess_size) == (D("432.00"), D("900"), D("0"))
    assert target.demands == ()
    assert target.sentence == "Sells 900 shares: 900 shares of policies that ended, 0 shares above cover."


def test_the_instrument_is_not_bought_in_the_same_plan() -> None:
    plan = make_plan(selling(ended()))
    assert [target.side for target in plan.targets] == [Side.SELL]
    (leg,) = plan.legs
    assert (leg.reason, leg.unfilled_usd) == (R.CLOSING_FIRST, D("20000"))


def test_a_sale_needs_neither_approval_nor_cover_nor_a_mapping() -> None:
    for mappings in ([], [mapping(approved=False)], [mapping(grade=Grade.NONE)], [mapping(active=False)]):
        view = selling(ended(), mappings=mappings, terms={"YES-USDC": terms_of()})
        assert [target.side for target in make_plan(view).targets] == [Side.SELL]
    gone = selling(ended(), mappings=[], terms={"YES-USDC": terms_of()})
    assert [target.size for target in make_plan(replace(gone, demands=())).targets] == [D("900.00")]


def test_a_thin_bid_sells_a_part_now_and_says_why() -> None:
    plan = make_plan(selling(ended("9000"), limits=limits_of(slippage_bps_max=D("100"))))
    (target,) = plan.targets
    # 1,000 at 48 cents and x at 47 average 47.52 cents at x = 4.8 / 0.0052 = 923.07.
    assert (target.size, target.reason) == (D("1923.07"), R.SLIPPAGE)
    assert target.sentence.endswith("; 7,076.93 shares stay for later (slippage).")


def test_units_above_cover_are_sold() -> None:
    over = held(slices={0: ("101000", "2000")}, confirmed_size=D("101000"), cost_usd=D("2000"))
    (target,) = make_plan(selling(over)).targets
    assert (target.side, target.size) == (Side.SELL, D("1000.00"))
    assert (target.ended_size, target.excess_size) == (D("0"), D("1000"))


def test_units_of_ended_policies_go_before_units_above_cover() -> None:
    over = held(
        slices={0: ("100500", "2000")}, confirmed_size=D("101000"), ended_size=D("500"), cost_usd=D("2000")
    )
    thin = [book_of(("0.50", "1"), bids=[("0.48", "700")])]
    (target,) = make_plan(selling(over, books=thin)).targets
    assert (target.size, target.ended_size, target.excess_size) == (D("700.00"), D("500"), D("200.00"))


@pytest.mark.parametrize("where", ["pending_size", "in_flight_size"])
def test_an_excess_waits_until_everything_is_settled(where: str) -> None:
    amounts: dict[str, Any] = {"confirmed_size": D("101000"), "cost_usd": D("2000"), where: D("10")}
    over = held(**amounts)
    assert make_plan(selling(over)).targets == ()


def test_an_instrument_that_no_product_knows_is_not_sold_as_an_excess() -> None:
    foreign = held("FOREIGN", confirmed_size=D("500"), cost_usd=D("10"))
    books = [book_of(("0.50", "100000")), book_of(("0.50", "9"), bids=BIDS, instrument_id="FOREIGN")]
    plan = make_plan(view_of(holdings=[foreign], terms={"FOREIGN": terms_of("FOREIGN")}, books=books))
    assert [target.instrument_id for target in plan.targets] == ["YES-USDC"]
    assert plan.held_back == ()


def test_a_suspended_mapping_does_not_turn_the_hedge_into_an_excess() -> None:
    full = held(slices={0: ("100000", "2000")}, confirmed_size=D("100000"), cost_usd=D("2000"))
    assert make_plan(selling(full, mappings=[mapping(approved=False)])).targets == ()


NO_BIDS = [book_of(("0.50", "100000"))]


@pytest.mark.parametrize(
    "view, reason, words",
    [
        (selling(ended(), books=NO_BIDS), R.NO_BOOK, "nobody bids"),
        (selling(ended(), books=[]), R.NO_BOOK, "could not be read"),
        (selling(ended(), books=[book_of(("0.5", "9"), bids=BIDS, age_s=61)]), R.STALE_BOOK, "too old"),
        (selling(ended(), books=[book_of(("0.4", "9"), bids=BIDS)]), R.CROSSED_BOOK, "crossed"),
        (selling(ended("4.99")), R.BELOW_MINIMUM, "4.99 shares can be sold within the limits"),
        (selling(ended(has_live_intent=True)), R.IN_FLIGHT, "still at work"),
        (selling(ended(), mappings=[mapping(terms=terms_of(closed=True))]), R.MARKET_CLOSED, "closed"),
        (selling(ended(), venues={}), R.NO_GATEWAY, "no gateway"),
        (
            selling(
                ended(),
                venues={
                    "polymarket": VenueView(
                        code="polymarket", name="Polymarket", has_gateway=True, is_enabled=False
                    )
                },
            ),
            R.VENUE_DISABLED,
            "switched off",
        ),
    ],
)
def test_what_cannot_be_sold_is_kept_with_its_reason(view: MarketView, reason: LegReason, words: str) -> None:
    plan = make_plan(view)
    assert not [target for target in plan.targets if target.side is Side.SELL]
    (kept,) = plan.held_back
    assert (kept.reason, kept.instrument_id) == (reason, "YES-USDC")
    assert words in kept.sentence


def test_what_cannot_be_sold_does_not_keep_the_rest_unhedged() -> None:
    plan = make_plan(selling(ended(), books=NO_BIDS))
    (target,) = plan.targets
    assert (target.side, target.size) == (Side.BUY, D("40000.00"))


def test_a_policy_that_ends_has_its_units_sold_while_the_others_keep_theirs() -> None:
    mixed = held(
        slices={0: ("40000", "20000")},
        confirmed_size=D("45000"),
        ended_size=D("5000"),
        cost_usd=D("22500"),
    )
    plan = make_plan(selling(mixed))
    (target,) = plan.targets
    assert (target.side, target.size) == (Side.SELL, D("5000.00"))
    assert plan.legs[0].reason is R.BUDGET_SPENT


def test_two_products_of_one_market_are_one_cover() -> None:
    both = held(slices={1: ("150000", "3000")}, confirmed_size=D("150000"), cost_usd=D("3000"))
    view = view_of(product(1), product(2), holdings=[both], books=[book_of(("0.50", "100000"), bids=BIDS)])
    assert not [target for target in make_plan(view).targets if target.side is Side.SELL]
