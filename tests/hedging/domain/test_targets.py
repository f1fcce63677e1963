"""The think step: bundling, guards and reasons, with exact figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hedging.domain.plans import DemandWeight, Leg, LegOutcome, LegReason, Plan, Target
from hedging.domain.targets import make_plan
from hedging.domain.views import Grade, MarketView, VenueView
from policies.domain.catalogue import SizingMode
from tests.hedging.domain.scenes import (
    DOCUMENT_SHARES,
    NOW,
    D,
    book_of,
    held,
    limits_of,
    mapping,
    product,
    terms_of,
    thin_book,
    view_of,
)
from tonsurance.kernel.errors import Broken, Refused
from venues.domain.gateway import Side

R = LegReason
PAYOUT = SizingMode.PAYOUT


def only_leg(plan: Plan) -> Leg:
    assert len(plan.legs) == 1
    return plan.legs[0]


def only_target(plan: Plan) -> Target:
    assert len(plan.targets) == 1
    return plan.targets[0]


class TestTheFoundingDocumentsExample:
    def test_one_policy_with_the_whole_ratio_on_polymarket(self) -> None:
        plan = make_plan(view_of())
        leg, target = only_leg(plan), only_target(plan)
        assert (leg.required_usd, leg.planned_size, leg.planned_usd) == (D("20000"), D("40000"), D("20000"))
        assert (leg.planned_payout_usd, leg.unfilled_usd, leg.unneeded_usd) == (D("40000"), D("0"), D("0"))
        assert (leg.reason, leg.outcome) == (R.HEDGE, LegOutcome.HEDGED)
        assert leg.sentence == "Buys 40,000 shares for $20,000.00 with fees."
        assert (target.side, target.size, target.notional_usd) == (Side.BUY, D("40000.00"), D("20000.00"))
        assert (target.price_limit, target.price_average) == (D("0.50"), D("0.5"))
        assert target.demands == (DemandWeight(product_id=0, weight_micro=40_000_000_000),)

    def test_in_a_cycle_polymarket_gets_40_percent_and_the_rest_has_no_gateway(self) -> None:
        plan = make_plan(view_of(limits=limits_of(venue_shares=DOCUMENT_SHARES)))
        assert [(leg.venue_code, leg.required_usd, leg.unfilled_usd, leg.reason) for leg in plan.legs] == [
            ("polymarket", D("8000"), D("0"), R.HEDGE),
            ("binance_futures", D("8000"), D("8000"), R.NO_GATEWAY),
            ("allianz", D("4000"), D("4000"), R.NO_GATEWAY),
        ]
        assert plan.legs[1].sentence == "Unhedged: no gateway. $8,000.00 stays unhedged."
        assert only_target(plan).size == D("16000.00")
        assert plan.unfilled_by_reason() == {R.NO_GATEWAY: D("12000")}

    def test_the_status_reports_allocation_of_47_products_comes_out_exactly(self) -> None:
        amounts = [D("264893")] * 46 + [D("264922")]
        products = [product(index, coverage_usd=amount) for index, amount in enumerate(amounts)]
        view = view_of(
            *products, limits=limits_of(venue_shares=DOCUMENT_SHARES), books=[book_of(("0.5", "9000000"))]
        )
        plan = make_plan(view)
        assert (plan.coverage_usd, plan.required_usd) == (D("12450000"), D("2490000"))
        by_venue = {
            code: sum(leg.required_usd for leg in plan.legs if leg.venue_code == code)
            for code in DOCUMENT_SHARES
        }
        assert by_venue == {"polymarket": D("996000"), "binance_futures": D("996000"), "allianz": D("498000")}
        assert len(plan.products_hedged) == 47


class TestBundling:
    def test_demand_of_many_products_becomes_one_order(self) -> None:
        view = view_of(product(1), product(2, coverage_usd=D("50000")), product(3, hedge_ratio=D("0.10")))
        plan = make_plan(view)
        target = only_target(plan)
        assert (target.size, target.notional_usd) == (D("80000.00"), D("40000.00"))
        assert [(item.product_id, item.weight_micro) for item in target.demands] == [
            (1, 40_000_000_000),
            (2, 20_000_000_000),
            (3, 20_000_000_000),
        ]
        assert [leg.planned_usd for leg in plan.legs] == [D("20000"), D("10000"), D("10000")]

    def test_a_shortage_is_shared_in_proportion_and_adds_up_exactly(self) -> None:
        view = view_of(product(1), product(2), product(3), books=[book_of(("0.50", "10000"))])
        plan = make_plan(view)
        assert only_target(plan).size == D("10000.00")
        assert [leg.planned_size for leg in plan.legs] == [
            D("3333.333334"),
            D("3333.333333"),
            D("3333.333333"),
        ]
        assert sum(leg.planned_usd for leg in plan.legs) == D("5000")
        assert {leg.reason for leg in plan.legs} == {R.DEPTH}
        assert [leg.unfilled_usd for leg in plan.legs] == [D("20000") - leg.planned_usd for leg in plan.legs]
        assert {leg.outcome for leg in plan.legs} == {LegOutcome.PARTLY}

    def test_a_product_at_its_cover_leaves_its_money_to_nobody_else(self) -> None:
        """At 2 cents $20,000 would buy 1,000,000 shares; each product stops at its own 100,000 and 5,000."""
        view = view_of(product(1), product(2, coverage_usd=D("5000")), books=[book_of(("0.02", "9000000"))])
        plan = make_plan(view)
        assert [(leg.planned_size, leg.planned_usd) for leg in plan.legs] == [
            (D("100000"), D("2000")),
            (D("5000"), D("100")),
        ]
        assert {leg.reason for leg in plan.legs} == {R.FULLY_COVERED}
        assert [leg.unneeded_usd for leg in plan.legs] == [D("18000"), D("900")]
        assert {leg.unfilled_usd for leg in plan.legs} == {D("0")}
        assert {leg.outcome for leg in plan.legs} == {LegOutcome.HEDGED}

    def test_products_bounded_by_money_and_by_cover_share_one_average_price(self) -> None:
        """Product 1 may spend 20 % of $100,000, product 2 only 1 % of its own; the book costs 2 cents flat."""
        view = view_of(product(1), product(2, hedge_ratio=D("0.01")), books=[book_of(("0.02", "9000000"))])
        plan = make_plan(view)
        first, second = plan.legs
        assert (first.planned_size, first.planned_usd, first.reason) == (
            D("100000"),
            D("2000"),
            R.FULLY_COVERED,
        )
        assert (second.planned_size, second.planned_usd, second.reason) == (D("50000"), D("1000"), R.HEDGE)

    def test_both_modes_can_share_an_order(self) -> None:
        view = view_of(
            product(1, hedge_ratio=D("0.01")),
            product(2, sizing_mode=PAYOUT, hedge_ratio=D("0.40")),
            books=[book_of(("0.02", "9000000"))],
        )
        plan = make_plan(view)
        assert [leg.planned_size for leg in plan.legs] == [D("50000"), D("40000")]
        assert [leg.planned_usd for leg in plan.legs] == [D("1000"), D("800")]
        assert only_target(plan).size == D("90000.00")


class TestTargetsNotDeltas:
    """New = target less confirmed, pending and in flight, so that a decision made twice buys once."""

    def test_money_spent_on_what_is_held_is_not_spent_again(self) -> None:
        holding = held(slices={0: ("16000", "8000")}, confirmed_size=D("16000"), cost_usd=D("8000"))
        leg = only_leg(make_plan(view_of(holdings=[holding])))
        assert (leg.held_size, leg.held_cost_usd, leg.held_payout_usd) == (D("16000"), D("8000"), D("16000"))
        assert (leg.planned_usd, leg.planned_size) == (D("12000"), D("24000"))

    def test_payout_already_held_is_not_bought_again(self) -> None:
        holding = held(slices={0: ("15000", "900")}, confirmed_size=D("15000"), cost_usd=D("900"))
        leg = only_leg(
            make_plan(view_of(product(sizing_mode=PAYOUT, hedge_ratio=D("0.4")), holdings=[holding]))
        )
        assert leg.planned_size == D("25000")

    def test_the_same_decision_a_second_time_buys_nothing(self) -> None:
        for mode, reason in ((SizingMode.BUDGET, R.BUDGET_SPENT), (PAYOUT, R.ALREADY_HELD)):
            demand = product(sizing_mode=mode, hedge_ratio=D("0.20"))
            first = only_target(make_plan(view_of(demand)))
            done = held(
                slices={0: (str(first.size), str(first.cost_usd))},
                confirmed_size=first.size,
                cost_usd=first.cost_usd,
            )
            again = make_plan(view_of(demand, holdings=[done]))
            assert again.targets == ()
            leg = only_leg(again)
            assert (leg.reason, leg.outcome, leg.unfilled_usd) == (reason, LegOutcome.NOTHING_TO_DO, D("0"))

    @pytest.mark.parametrize("where", ["pending_size", "in_flight_size"])
    def test_units_on_their_way_count_as_if_they_were_here(self, where: str) -> None:
        money = "cost_usd" if where == "pending_size" else "in_flight_usd"
        amounts: dict[str, Any] = {where: D("40000"), money: D("20000")}
        on_the_way = held(slices={0: ("40000", "20000")}, **amounts)
        plan = make_plan(view_of(holdings=[on_the_way]))
        assert (plan.targets, only_leg(plan).reason) == ((), R.BUDGET_SPENT)

    def test_units_that_no_slice_claims_yet_are_shared_by_cover(self) -> None:
        unclaimed = held(confirmed_size=D("60000"), cost_usd=D("30000"))
        plan = make_plan(view_of(product(1), product(2, coverage_usd=D("50000")), holdings=[unclaimed]))
        assert [(leg.held_size, leg.held_cost_usd) for leg in plan.legs] == [
            (D("40000"), D("20000")),
            (D("20000"), D("10000")),
        ]
        assert plan.targets == ()

    def test_a_live_intent_keeps_its_lane(self) -> None:
        plan = make_plan(view_of(holdings=[held(has_live_intent=True)]))
        leg = only_leg(plan)
        assert (plan.targets, leg.reason, leg.unfilled_usd) == ((), R.IN_FLIGHT, D("20000"))

    def test_a_product_that_is_no_longer_sold_stays_hedged(self) -> None:
        for life in ("paused", "retired"):
            assert only_leg(make_plan(view_of(product(life=life)))).planned_size == D("40000")


class TestNeverOverInsured:
    def test_cover_bounds_what_is_held_and_bought_together(self) -> None:
        holding = held(slices={0: ("90000", "1800")}, confirmed_size=D("90000"), cost_usd=D("1800"))
        plan = make_plan(view_of(holdings=[holding], books=[book_of(("0.02", "9000000"))]))
        leg = only_leg(plan)
        assert (leg.planned_size, leg.reason, leg.unneeded_usd) == (D("10000"), R.FULLY_COVERED, D("18000"))

    def test_at_full_cover_nothing_is_bought_whatever_the_budget(self) -> None:
        holding = held(slices={0: ("100000", "2000")}, confirmed_size=D("100000"), cost_usd=D("2000"))
        leg = only_leg(make_plan(view_of(holdings=[holding], books=[book_of(("0.02", "9000000"))])))
        assert (leg.reason, leg.planned_size, leg.unfilled_usd) == (R.FULLY_COVERED, D("0"), D("0"))
        assert leg.sentence == "What is held pays as much as the cover allows."

    def test_units_of_ended_policies_that_cannot_be_sold_count_for_the_instrument(self) -> None:
        """30,000 units of policies that ended still pay: 100,000 of cover leaves room for 20,000 more."""
        holding = held(
            slices={0: ("50000", "1000")},
            confirmed_size=D("80000"),
            ended_size=D("30000"),
            cost_usd=D("1600"),
        )
        plan = make_plan(view_of(holdings=[holding], books=[book_of(("0.02", "9000000"))]))
        assert plan.held_back[0].size == D("30000.00")
        leg = only_leg(plan)
        assert (leg.planned_size, leg.reason) == (D("20000"), R.FULLY_COVERED)

    @pytest.mark.parametrize("where", ["pending_size", "in_flight_size"])
    def test_units_on_their_way_to_a_product_without_cover_count_for_the_instrument(self, where: str) -> None:
        """They will pay whoever they belong to: 100,000 of cover leaves room for 40,000 more."""
        amounts: dict[str, Any] = {where: D("60000")}
        holding = held(slices={7: ("60000", "1200")}, **amounts)
        plan = make_plan(view_of(holdings=[holding], books=[book_of(("0.02", "9000000"))]))
        leg = only_leg(plan)
        assert (leg.planned_size, leg.reason) == (D("40000"), R.FULLY_COVERED)

    def test_two_venues_together_stay_within_one_cover(self) -> None:
        shares = {"polymarket": D("0.5"), "binance_futures": D("0.5")}
        other = mapping(0, 9, terms=terms_of("OTHER", venue_code="binance_futures"))
        view = view_of(
            mappings=[mapping(0), other],
            books=[book_of(("0.15", "9000000")), book_of(("0.15", "9000000"), instrument_id="OTHER")],
            limits=limits_of(venue_shares=shares),
        )
        venues = {
            **view.venues,
            "binance_futures": VenueView(code="binance_futures", name="B", has_gateway=True),
        }
        plan = make_plan(replace(view, venues=venues))
        # $10,000 at 15 cents is 66,666 shares; the second venue finds room for 33,333 only.
        assert [leg.planned_size for leg in plan.legs] == [D("66666.66"), D("33333.34")]
        assert sum(leg.planned_size for leg in plan.legs) == D("100000")

    def test_a_product_hedged_on_two_instruments_has_one_cover(self) -> None:
        holding = held("OLD", slices={0: ("95000", "1900")}, confirmed_size=D("95000"), cost_usd=D("1900"))
        old = mapping(0, 2, terms=terms_of("OLD", closed=True))
        plan = make_plan(
            view_of(mappings=[mapping(), old], holdings=[holding], books=[book_of(("0.02", "9000000"))])
        )
        assert only_leg(plan).planned_size == D("5000")


class TestWhatTheMarketGives:
    def test_a_thin_book_leaves_a_remainder_with_its_reason(self) -> None:
        demand = product(sizing_mode=PAYOUT, hedge_ratio=D("0.40"))
        leg = only_leg(make_plan(view_of(demand, books=[thin_book()])))
        assert (leg.planned_size, leg.planned_usd) == (D("24248"), D("789.43"))
        assert (leg.unfilled_usd, leg.reason, leg.outcome) == (D("15752"), R.DEPTH, LegOutcome.PARTLY)
        assert leg.sentence == (
            "Buys 24,248 shares for $789.43 with fees; $15,752.00 stays unhedged, because the book offers no more."
        )

    @pytest.mark.parametrize(
        "changes, reason, size",
        [
            ({"price_max": D("0.022")}, R.PRICE_CAP, "1075"),
            ({"slippage_bps_max": D("100")}, R.SLIPPAGE, "632.91"),
            ({"participation": D("0.5")}, R.DEPTH, "12124"),
            ({"notional_usd_max_per_order": D("10.50")}, R.ORDER_LIMIT, "500"),
            ({"cost_usd_max_per_instrument": D("21")}, R.INSTRUMENT_LIMIT, "977.27"),
        ],
    )
    def test_each_bound_is_named(self, changes: dict[str, Any], reason: LegReason, size: str) -> None:
        demand = product(sizing_mode=PAYOUT, hedge_ratio=D("0.40"))
        leg = only_leg(make_plan(view_of(demand, books=[thin_book()], limits=limits_of(**changes))))
        assert (leg.reason, leg.planned_size) == (reason, D(size))

    def test_what_is_tied_up_already_counts_for_the_instruments_limit(self) -> None:
        holding = held(slices={0: ("4000", "2000")}, confirmed_size=D("4000"), cost_usd=D("2000"))
        view = view_of(holdings=[holding], limits=limits_of(cost_usd_max_per_instrument=D("3000")))
        leg = only_leg(make_plan(view))
        assert (leg.planned_usd, leg.reason) == (D("1000"), R.INSTRUMENT_LIMIT)

    def test_so_does_what_orders_on_their_way_may_cost(self) -> None:
        flying = held(slices={0: ("4000", "2000")}, in_flight_size=D("4000"), in_flight_usd=D("2000"))
        view = view_of(holdings=[flying], limits=limits_of(cost_usd_max_per_instrument=D("3000")))
        assert only_leg(make_plan(view)).planned_usd == D("1000")

    @pytest.mark.parametrize(
        "order, instrument, reason", [("50", "70", R.ORDER_LIMIT), ("70", "50", R.INSTRUMENT_LIMIT)]
    )
    def test_the_tighter_of_two_money_limits_counts_and_is_named(
        self, order: str, instrument: str, reason: LegReason
    ) -> None:
        limits = limits_of(notional_usd_max_per_order=D(order), cost_usd_max_per_instrument=D(instrument))
        leg = only_leg(make_plan(view_of(limits=limits)))
        assert (leg.planned_usd, leg.reason) == (D("50"), reason)

    def test_fees_are_part_of_the_budget(self) -> None:
        charged = mapping(terms=terms_of(fee_rate=D("0.07")))
        plan = make_plan(
            view_of(mappings=[charged], books=[book_of(("0.10", "9000000"))], limits=limits_of())
        )
        target = only_target(plan)
        # $20,000 / 0.1063 would be 188,146 shares: the cover allows 100,000.
        assert (target.size, target.notional_usd, target.fee_usd) == (D("100000.00"), D("10000.00"), D("630"))
        assert only_leg(plan).planned_usd == D("10630")

    @pytest.mark.parametrize(
        "wanted, size_min, notional_min, reason",
        [
            ("24.99", "5", "1", R.BELOW_MINIMUM),
            ("25", "5", "1", R.HEDGE),
            ("25", "5", "2.51", R.BELOW_MINIMUM),
        ],
    )
    def test_orders_below_the_venues_minimum_are_not_sent(
        self, wanted: str, size_min: str, notional_min: str, reason: LegReason
    ) -> None:
        demand = product(coverage_usd=D(wanted), sizing_mode=PAYOUT, hedge_ratio=D("0.20"))
        terms = terms_of(size_min=D(size_min), notional_usd_min=D(notional_min))
        plan = make_plan(view_of(demand, mappings=[mapping(terms=terms)]))
        assert (only_leg(plan).reason, bool(plan.targets)) == (reason, reason is R.HEDGE)

    def test_products_too_small_alone_are_large_enough_together(self) -> None:
        small = [product(index, coverage_usd=D("10"), sizing_mode=PAYOUT) for index in range(3)]
        plan = make_plan(view_of(*small))
        assert only_target(plan).size == D("6.00")
        assert [leg.planned_size for leg in plan.legs] == [D("2"), D("2"), D("2")]

    def test_the_payoff_of_a_proxy_is_what_is_expected_of_it(self) -> None:
        proxy = mapping(grade=Grade.PROXY, basis_probability=D("0.85"))
        leg = only_leg(make_plan(view_of(mappings=[proxy])))
        assert (leg.planned_size, leg.planned_payout_usd) == (D("40000"), D("34000"))

    def test_of_two_instruments_the_cheapest_expected_payoff_wins(self) -> None:
        direct = mapping(0, 1, terms=terms_of("DIRECT"))
        proxy = mapping(0, 2, terms=terms_of("PROXY"), grade=Grade.PROXY, basis_probability=D("0.5"))
        for proxy_ask, winner in (("0.06", "DIRECT"), ("0.04", "PROXY")):
            books = [
                book_of(("0.10", "9000000"), instrument_id="DIRECT"),
                book_of((proxy_ask, "9000000"), instrument_id="PROXY"),
            ]
            assert only_leg(make_plan(view_of(mappings=[direct, proxy], books=books))).instrument_id == winner

    def test_a_market_that_cannot_be_traded_leaves_its_place_to_the_dearer_one(self) -> None:
        books = [
            book_of(("0.50", "900000"), instrument_id="DEAR"),
            book_of(("0.02", "900000"), instrument_id="SHUT"),
        ]
        mappings = [mapping(0, 1, terms=terms_of("SHUT", closed=True)), mapping(0, 2, terms=terms_of("DEAR"))]
        assert only_leg(make_plan(view_of(mappings=mappings, books=books))).instrument_id == "DEAR"


def shut(**changes: Any) -> MarketView:
    return view_of(mappings=[mapping(terms=terms_of(**changes))])


class TestReasonsToBuyNothing:
    @pytest.mark.parametrize(
        "view, reason, words",
        [
            (view_of(mappings=[]), R.UNMAPPED, "No instrument at Polymarket is mapped to it"),
            (
                view_of(mappings=[], unmapped_because={0: "no prediction market lists USDP"}),
                R.UNMAPPED,
                "No prediction market lists USDP",
            ),
            (view_of(mappings=[mapping(approved=False)]), R.MAPPING_NOT_APPROVED, "Nobody has approved"),
            (
                view_of(mappings=[mapping(approved=False, blocked_because="the wording changed on 3 May")]),
                R.MAPPING_NOT_APPROVED,
                "The wording changed on 3 May",
            ),
            (view_of(mappings=[mapping(active=False)]), R.MAPPING_INACTIVE, "switched off"),
            (
                view_of(mappings=[mapping(grade=Grade.NONE)]),
                R.NOT_A_HEDGE,
                "does not pay in the insured event",
            ),
            (view_of(mappings=[mapping(basis_probability=D("0"))]), R.NOT_A_HEDGE, "does not pay"),
            (shut(closed=True), R.MARKET_CLOSED, "closed"),
            (shut(accepting_orders=False), R.MARKET_CLOSED, "takes no orders"),
            (shut(end_at=NOW), R.MARKET_CLOSED, "closed"),
            (view_of(books=[]), R.NO_BOOK, "could not be read"),
            (view_of(books=[book_of(bids=[("0.4", "100")])]), R.NO_BOOK, "Nobody offers anything"),
            (view_of(books=[book_of(("0.5", "100"), age_s=61)]), R.STALE_BOOK, "61 s old"),
            (view_of(books=[book_of(("0.5", "100"), bids=[("0.5", "1")])]), R.CROSSED_BOOK, "0.5 over 0.5"),
            (view_of(books=[book_of(("0.61", "100"))]), R.PRICE_CAP, "above the price cap of 0.60"),
            (view_of(product(hedge_ratio=D("0"))), R.PRODUCT_NOT_HEDGED, "hedge ratio is zero"),
        ],
    )
    def test_the_word_and_the_sentence(self, view: MarketView, reason: LegReason, words: str) -> None:
        plan = make_plan(view)
        leg = only_leg(plan)
        assert (plan.targets, leg.reason, leg.planned_size, leg.planned_usd) == ((), reason, D("0"), D("0"))
        assert words in leg.sentence
        assert leg.unfilled_usd == leg.required_usd
        assert leg.outcome is (
            LegOutcome.NOTHING_TO_DO if reason is R.PRODUCT_NOT_HEDGED else LegOutcome.UNHEDGED
        )

    def test_a_disabled_venue_and_an_unknown_one(self) -> None:
        off = VenueView(code="polymarket", name="Polymarket", has_gateway=True, is_enabled=False)
        assert only_leg(make_plan(view_of(venues={"polymarket": off}))).reason is R.VENUE_DISABLED
        assert only_leg(make_plan(view_of(venues={}))).reason is R.NO_GATEWAY

    def test_a_quiet_market_is_as_fresh_as_our_reading_of_it(self) -> None:
        quiet = view_of(
            books=[book_of(("0.5", "100000"), age_s=7200)],
            books_received_at={"YES-USDC": NOW - timedelta(seconds=2)},
        )
        assert only_leg(make_plan(quiet)).reason is R.HEDGE

    def test_a_product_without_cover_has_no_leg(self) -> None:
        assert make_plan(view_of(product(coverage_usd=D("0")))) == Plan(legs=(), targets=())

    def test_what_is_held_is_said_even_where_nothing_can_be_bought(self) -> None:
        holding = held(slices={0: ("40000", "20000")}, confirmed_size=D("40000"), cost_usd=D("20000"))
        leg = only_leg(make_plan(view_of(mappings=[mapping(active=False)], holdings=[holding])))
        assert (leg.reason, leg.held_size, leg.held_payout_usd) == (R.BUDGET_SPENT, D("40000"), D("0"))


class TestBadViews:
    def test_shares_that_do_not_add_up_are_refused(self) -> None:
        with pytest.raises(Refused, match="venueShares"):
            make_plan(view_of(limits=limits_of(venue_shares={"polymarket": D("0.9")})))

    def test_an_instrument_held_without_terms_breaks_the_plan(self) -> None:
        with pytest.raises(Broken, match="LOST"):
            make_plan(view_of(holdings=[held("LOST", confirmed_size=D("1"))]))

    def test_a_negative_ratio_is_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="negative hedge ratio"):
            make_plan(view_of(product(hedge_ratio=D("-0.1"))))


def test_the_same_view_gives_the_same_plan_whatever_the_order_of_its_parts() -> None:
    products = [product(index, coverage_usd=D(1000 * (index + 1))) for index in range(6)]
    mappings = [mapping(index, terms=terms_of("A" if index % 2 else "B")) for index in range(6)]
    books = [book_of(("0.3", "500"), ("0.4", "900"), instrument_id=name) for name in ("A", "B")]
    straight = view_of(*products, mappings=mappings, books=books)
    turned = view_of(*products[::-1], mappings=mappings[::-1], books=books[::-1])
    assert make_plan(straight) == make_plan(turned)


def test_a_cycle_of_560_products_on_42_markets_gives_a_leg_for_each_and_a_target_for_each_market() -> None:
    products = [product(index) for index in range(560)]
    mappings = [
        mapping(index, terms=terms_of(f"M{index % 42:02}", fee_rate=D("0.07"))) for index in range(560)
    ]
    books = [replace(thin_book(), instrument_id=f"M{index:02}") for index in range(42)]
    plan = make_plan(
        view_of(*products, mappings=mappings, books=books, limits=limits_of(venue_shares=DOCUMENT_SHARES))
    )
    assert (len(plan.legs), len(plan.targets)) == (1680, 42)
    assert {target.size for target in plan.targets} == {D("24248.00")}
    assert sum(leg.planned_size for leg in plan.legs) == Decimal(24248 * 42)
