"""The figures of the report, against rows whose sums were worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hedging.domain.report import render_status_report
from hedging.models import Cycle, Mapping
from hedging.selectors.report import (
    ExposureFigures,
    book_figures,
    exposure_figures,
    held_figures,
    last_cycle,
    report_figures,
    uncertain_figures,
)
from tests import factories as make

pytestmark = pytest.mark.django_db
SHARES = {"polymarket": Decimal("0.4"), "binance_futures": Decimal("0.4"), "allianz": Decimal("0.2")}


def held():
    return held_figures(ExposureFigures(), SHARES)


def test_an_empty_book_is_all_zeros():
    make.venues()
    figures = book_figures(SHARES)
    assert figures.exposure.products_count == 0
    assert figures.exposure.coverage_usd == 0
    assert figures.exposure.hedge_ratio is None
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

    figures = exposure_figures(SHARES)

    assert figures.products_count == 2
    assert figures.policies_count == 3
    assert figures.coverage_usd == Decimal("170000.50")
    # 0.20 x 150,000.50 + 0.10 x 20,000
    assert figures.required_usd == Decimal("32000.10")
    assert figures.hedge_ratio is None, "the products differ in it"


def test_the_founding_documents_figures_come_out_to_the_dollar():
    make.venues()
    make.policy(make.product(), "7450000")
    make.policy(make.product(stablecoin="DAI"), "5000000")

    figures = book_figures(SHARES)

    assert figures.exposure.coverage_usd == Decimal(12_450_000)
    assert figures.exposure.required_usd == Decimal(2_490_000)
    assert figures.exposure.hedge_ratio == Decimal("0.20")
    assert [(venue.name, venue.allocated_usd) for venue in figures.venues] == [
        ("Polymarket", Decimal(996_000)),
        ("Binance futures", Decimal(996_000)),
        ("Allianz", Decimal(498_000)),
    ]


def test_each_products_split_adds_up_to_the_micro_dollar():
    make.venues()
    make.policy(make.product(), "100.000035")
    make.policy(make.product(stablecoin="DAI"), "100.000035")
    figures = exposure_figures(SHARES)
    # 20.000007 each: 8.0000028, 8.0000028 and 4.0000014, so that both micro-dollars left over go to the exchanges.
    assert figures.allocated_usd == {
        "polymarket": Decimal("16.000006"),
        "binance_futures": Decimal("16.000006"),
        "allianz": Decimal("8.000002"),
    }
    assert sum(figures.allocated_usd.values()) == figures.required_usd == Decimal("40.000014")


def test_only_confirmed_trades_count_as_held():
    usdc = make.product()
    token = make.instrument()
    make.mapping(usdc, token)
    make.order(make.intent(token), state="FILLED", fills=[{}])
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "matched"}])
    make.order(make.intent(token), state="FILLED", fills=[{"settlement": "failed"}])

    positions, venues = held()

    assert positions.payout_usd == Decimal(1000)
    assert positions.face_usd == Decimal(1000)
    # 1,000 x 0.08 + 3.68
    assert positions.cost_usd == Decimal("83.68")
    assert positions.fees_usd == Decimal("3.68")
    assert venues[0].payout_usd == Decimal(1000)


def test_a_proxy_counts_with_the_lowest_chance_of_the_products_mapped_to_it():
    token = make.instrument()
    make.mapping(make.product(), token, grade=Mapping.Grade.PROXY, basis_probability=Decimal("0.35"))
    make.mapping(
        make.product(stablecoin="DAI"), token, grade=Mapping.Grade.PROXY, basis_probability=Decimal("0.60")
    )
    make.order(make.intent(token), state="FILLED", fills=[{}])

    positions, _ = held()

    assert positions.payout_usd == Decimal(350)
    assert positions.face_usd == Decimal(1000)


def test_units_whose_mapping_was_declined_since_pay_nothing_that_we_count():
    token = make.instrument()
    make.order(make.intent(token), state="FILLED", fills=[{}])
    Mapping.objects.update(state="declined", reason="it does not pay on our event", changed_by="risk.officer")
    positions, _ = held()
    assert positions.payout_usd == 0
    assert positions.face_usd == Decimal(1000)


def test_slices_are_counted_open_and_closed_and_profit_is_that_of_the_sales():
    usdc, dai = make.product(), make.product(stablecoin="DAI")
    token = make.instrument()
    make.hedge(make.policy(usdc), token)
    make.hedge(make.policy(usdc), token)
    sold = make.hedge(make.policy(dai), token)
    sale = make.intent(
        token, side="SELL", purpose="close", notional_usd=Decimal(200), price_limit=Decimal("0.2")
    )
    make.order(sale, state="FILLED", fills=[{"price": "0.20", "fee_usd": "8.00"}])
    make.closed(sold, proceeds_usd="192")

    positions, _ = held()

    assert (positions.open_count, positions.closed_count) == (2, 1)
    assert positions.products_hedged_count == 1
    # A third of the cost (3 x 83.68) was sold for 200 less a fee of 8.
    assert positions.realised_pnl_usd == Decimal("192") - Decimal("83.68")
    assert positions.cost_usd == Decimal("167.36")


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
    assert (figures.doubt_count, figures.doubt_usd) == (2, Decimal(168))
    assert (figures.flight_count, figures.flight_usd) == (1, Decimal(84))
    assert (figures.provisional_count, figures.provisional_usd) == (1, Decimal("83.68"))
    assert figures.provisional_size == Decimal(1000)


def test_what_stayed_unhedged_comes_from_the_newest_cycle_that_succeeded():
    polymarket, binance, allianz = make.venues()
    usdc, dai = make.product(), make.product(stablecoin="DAI")
    old = make.cycle()
    make.leg(old, usdc, polymarket, reason="price_cap", unfilled_usd=Decimal(999))
    done = make.cycle(intents_count=1)
    make.leg(done, usdc, polymarket, planned_usd=Decimal(8000), planned_size=Decimal(80_000))
    make.leg(done, dai, polymarket, reason="DEPTH", unfilled_usd=Decimal(1500))
    make.leg(done, usdc, binance, reason="NO_GATEWAY", unfilled_usd=Decimal(8000))
    make.leg(done, dai, binance, reason="NO_GATEWAY", unfilled_usd=Decimal(2000))
    make.leg(done, usdc, allianz, reason="NO_GATEWAY", unfilled_usd=Decimal(4000))
    failed = make.cycle(state=Cycle.State.FAILED, error="LookupFailed: no answer")
    make.cycle(mode=Cycle.Mode.DRY_RUN)

    cycle, unhedged = last_cycle()

    assert cycle.id == failed.pk
    assert cycle.error == "LookupFailed: no answer"
    assert cycle.planned_products_count == 1
    assert [(row.venue_code, row.reason, row.products_count, row.unhedged_usd) for row in unhedged] == [
        ("binance_futures", "NO_GATEWAY", 2, Decimal(10_000)),
        ("allianz", "NO_GATEWAY", 1, Decimal(4_000)),
        ("polymarket", "DEPTH", 1, Decimal(1_500)),
    ]


def test_the_whole_book_is_read_in_nine_queries():
    make.venues()
    token = make.instrument()
    for _ in range(3):
        make.hedge(make.policy(make.product()), token)
    make.leg(make.cycle(), make.product(), make.venue())
    with CaptureQueriesContext(connection) as queries:
        book_figures(SHARES)
    assert len(queries) == 9


def test_the_report_has_the_founding_documents_lines_and_the_truth_beneath():
    polymarket, binance, allianz = make.venues()
    usdc, token = make.product(), make.instrument()
    make.mapping(usdc, token)
    make.hedge(make.policy(usdc, "100000"), token)
    run = make.cycle()
    make.leg(run, usdc, polymarket, reason="DEPTH", unfilled_usd=Decimal("7916.32"))
    make.leg(run, usdc, binance, reason="NO_GATEWAY", unfilled_usd=Decimal(8000))
    make.leg(run, usdc, allianz, reason="NO_GATEWAY", unfilled_usd=Decimal(4000))

    text = render_status_report(report_figures(book_figures(SHARES)))

    assert text.splitlines() == [
        "╔══════════════════════════════════════════════════════════╗",
        "║  HEDGE ORCHESTRATOR STATUS REPORT                        ║",
        "╚══════════════════════════════════════════════════════════╝",
        "",
        "=== Product Exposures ===",
        "Total Products with Exposure: 1",
        "Total Coverage Amount: $100,000",
        "Total Hedge Required (20%): $20,000",
        "",
        "=== Hedge Allocations ===",
        "Products Being Hedged: 1",
        "  Polymarket (40%): $8,000",
        "  Binance futures (40%): $8,000",
        "  Allianz (20%): $4,000",
        "",
        "=== Active Hedge Positions ===",
        "Open Positions: 1",
        "Closed Positions: 0",
        "Total Realized P&L: $0",
        "",
        "=== The Truth Beside It ===",
        "Hedged by payoff, confirmed: $1,000 (1% of coverage)",
        "Spent on open positions: $83.68 (fees ever paid $3.68)",
        "Matched, not settled: 0 trades, $0",
        "In doubt, worst case: 0 orders, $0",
        "Share without a gateway, Binance futures: $8,000",
        "Share without a gateway, Allianz: $4,000",
        "Unhedged, depth: $7,916.32",
    ]
