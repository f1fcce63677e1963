"""The figures of the report, against rows whose sums were worked out by hand."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hedging.models import Cycle, Mapping
from hedging.selectors.report import (
    book_figures,
    exposure_figures,
    held_figures,
    last_cycle,
    uncertain_figures,
)
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_an_empty_book_is_all_zeros():
    make.venues()
    figures = book_figures()
    assert figures.exposure.products_count == 0
    assert figures.exposure.coverage_usd == 0
    assert figures.exposure.ratio == 0
    assert figures.positions.open_count == 0
    assert figures.positions.payout_usd == 0
    assert figures.hedged_share == 0
    assert figures.cycle.id is None
    assert figures.unhedged == []
    assert [venue.allocated_usd for venue in figures.venues] == [0, 0, 0]


def test_exposure_is_summed_over_products_and_required_by_each_products_own_ratio():
    usdc = make.product(stablecoin="USDC", hedge_ratio="0.20")
    dai = make.product(stablecoin="DAI", hedge_ratio="0.10")
    make.product(stablecoin="FRAX")
    make.policy(usdc, "100000")
    make.policy(usdc, "50000.50")
    make.policy(dai, "20000")

    figures = exposure_figures()

    assert figures.products_count == 2
    assert figures.policies_count == 3
    assert figures.coverage_usd == D("170000.50")
    # 0.20 x 150,000.50 + 0.10 x 20,000
    assert figures.required_usd == D("32000.10")


def test_the_founding_documents_split_comes_out_to_the_dollar():
    make.venues()
    positions, venues = held_figures(D(2_490_000))
    assert [(venue.name, venue.allocated_usd) for venue in venues] == [
        ("Polymarket", D(996_000)),
        ("Binance futures", D(996_000)),
        ("Allianz", D(498_000)),
    ]
    assert positions.payout_usd == 0


def test_the_split_adds_up_to_the_micro_dollar():
    make.venues()
    _, venues = held_figures(D("0.000007"))
    assert sum(venue.allocated_usd for venue in venues) == D("0.000007")


def test_shares_that_do_not_add_up_are_shown_as_they_are():
    make.venue("polymarket", budget_share=D("0.5"))
    make.venue("allianz", budget_share=D("0.2"))
    _, venues = held_figures(D(100))
    assert [venue.allocated_usd for venue in venues] == [D(50), D(20)]


def test_only_confirmed_trades_count_as_held():
    usdc = make.product()
    token = make.instrument()
    make.mapping(usdc, token)
    make.order(make.intent(token), state="FILLED", fills=[{}])
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "matched"}])
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "failed"}])

    positions, venues = held_figures(D(1000))

    assert positions.payout_usd == D(1000)
    assert positions.face_usd == D(1000)
    # 1,000 x 0.08 + 3.68
    assert positions.cost_usd == D("83.68")
    assert positions.fees_usd == D("3.68")
    assert venues[0].payout_usd == D(1000)


def test_a_proxy_counts_with_the_lowest_chance_of_the_products_mapped_to_it():
    token = make.instrument()
    make.mapping(make.product(), token, grade=Mapping.Grade.PROXY, basis_probability=D("0.35"))
    make.mapping(make.product(stablecoin="DAI"), token, grade=Mapping.Grade.PROXY, basis_probability=D("0.60"))
    make.order(make.intent(token), state="FILLED", fills=[{}])

    positions, _ = held_figures(D(1000))

    assert positions.payout_usd == D(350)
    assert positions.face_usd == D(1000)


def test_units_without_a_mapping_pay_nothing_that_we_count():
    token = make.instrument()
    make.order(make.intent(token), state="FILLED", fills=[{}])
    positions, _ = held_figures(D(1000))
    assert positions.payout_usd == 0
    assert positions.face_usd == D(1000)


def test_slices_are_counted_open_and_closed_and_profit_is_that_of_the_sales():
    usdc, dai = make.product(), make.product(stablecoin="DAI")
    token = make.instrument()
    make.hedge(make.policy(usdc), token)
    make.hedge(make.policy(usdc), token)
    sold = make.hedge(make.policy(dai), token)
    sale = make.intent(token, side="SELL", purpose="close", notional_usd=D(200), price_limit=D("0.2"))
    make.order(sale, state="FILLED", fills=[{"price": "0.20", "fee_usd": "8.00"}])
    make.closed(sold, proceeds_usd="192")

    positions, _ = held_figures(D(1000))

    assert (positions.open_count, positions.closed_count) == (2, 1)
    assert positions.products_hedged_count == 1
    # A third of the cost (3 x 83.68) was sold for 200 less a fee of 8.
    assert positions.realised_pnl_usd == D("192") - D("83.68")
    assert positions.cost_usd == D("167.36")


def test_in_doubt_in_flight_and_provisional_are_three_different_things():
    token = make.instrument()
    make.order(make.intent(token), state="UNKNOWN")
    make.order(make.intent(token), state="MANUAL")
    make.order(make.intent(token), state="ACKED")
    make.order(make.intent(token), state="PREPARED")
    make.order(make.intent(token), state="REJECTED")
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "mined"}])

    figures = uncertain_figures()

    # 80 and a fee of at most 4 each
    assert (figures.doubt_count, figures.doubt_usd) == (2, D(168))
    assert (figures.flight_count, figures.flight_usd) == (1, D(84))
    assert (figures.provisional_count, figures.provisional_usd) == (1, D("83.68"))
    assert figures.provisional_size == D(1000)


def test_what_stayed_unhedged_comes_from_the_newest_cycle_that_succeeded():
    polymarket, binance, allianz = make.venues()
    usdc, dai = make.product(), make.product(stablecoin="DAI")
    old = make.cycle()
    make.leg(old, usdc, polymarket, reason="price_cap", unfilled_usd=D(999))
    done = make.cycle(intents_count=1)
    make.leg(done, usdc, polymarket, planned_usd=D(8000), planned_size=D(80_000))
    make.leg(done, dai, polymarket, reason="depth", unfilled_usd=D(1500))
    make.leg(done, usdc, binance, reason="no_gateway", unfilled_usd=D(8000))
    make.leg(done, dai, binance, reason="no_gateway", unfilled_usd=D(2000))
    make.leg(done, usdc, allianz, reason="no_gateway", unfilled_usd=D(4000))
    failed = make.cycle(state=Cycle.State.FAILED, error="LookupFailed: no answer")
    make.cycle(mode=Cycle.Mode.DRY_RUN)

    cycle, unhedged = last_cycle()

    assert cycle.id == failed.pk
    assert cycle.error == "LookupFailed: no answer"
    assert cycle.planned_products_count == 1
    assert [(row.venue_code, row.reason, row.products_count, row.unhedged_usd) for row in unhedged] == [
        ("binance_futures", "no_gateway", 2, D(10_000)),
        ("allianz", "no_gateway", 1, D(4_000)),
        ("polymarket", "depth", 1, D(1_500)),
    ]


def test_the_whole_book_is_read_in_nine_queries():
    make.venues()
    token = make.instrument()
    for _ in range(3):
        make.hedge(make.policy(make.product()), token)
    make.leg(make.cycle(), make.product(), make.venue())
    with CaptureQueriesContext(connection) as queries:
        book_figures()
    assert len(queries) == 9
