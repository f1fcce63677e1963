"""The status report, against the founding document's own example."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from hedging.domain.report import (
    ReportFigures,
    TruthFigures,
    VenueAllocation,
    dollars,
    percent,
    render_status_report,
)

D = Decimal

DOCUMENT = """\
╔══════════════════════════════════════════════════════════╗
║  HEDGE ORCHESTRATOR STATUS REPORT                        ║
╚══════════════════════════════════════════════════════════╝

=== Product Exposures ===
Total Products with Exposure: 47
Total Coverage Amount: $12,450,000
Total Hedge Required (20%): $2,490,000

=== Hedge Allocations ===
Products Being Hedged: 42
  Polymarket (40%): $996,000
  Perpetuals (40%): $996,000
  Allianz (20%): $498,000

=== Active Hedge Positions ===
Open Positions: 126
Closed Positions: 54
Total Realized P&L: $342,500"""

FIGURES = ReportFigures(
    products_with_exposure=47,
    coverage_usd=D("12450000.000000"),
    required_usd=D("2490000.000000"),
    hedge_ratio=D("0.200000"),
    products_hedged=42,
    allocations=(
        VenueAllocation(name="Polymarket", share=D("0.400000"), allocated_usd=D("996000.000000")),
        VenueAllocation(name="Perpetuals", share=D("0.400000"), allocated_usd=D("996000.000000")),
        VenueAllocation(name="Allianz", share=D("0.200000"), allocated_usd=D("498000.000000")),
    ),
    open_positions=126,
    closed_positions=54,
    realised_pnl_usd=D("342500.000000"),
)

TRUTH = TruthFigures(
    hedged_payout_usd=D("124500"),
    cost_usd=D("5123.456789"),
    fees_usd=D("321.5"),
    provisional_count=3,
    provisional_usd=D("88.2"),
    doubt_count=1,
    doubt_usd=D("1200"),
    unhedged_usd={"no depth": D("900000"), "price cap": D("1234.5")},
    no_gateway_usd={"Perpetuals": D("996000"), "Allianz": D("498000")},
)


def test_the_documents_example_comes_out_line_for_line() -> None:
    assert render_status_report(FIGURES) == DOCUMENT


def test_the_truth_stands_under_it() -> None:
    text = render_status_report(replace(FIGURES, truth=TRUTH))
    assert text == DOCUMENT + (
        "\n\n=== The Truth Beside It ===\n"
        "Hedged by payoff, confirmed: $124,500 (1% of coverage)\n"
        "Spent on open positions: $5,123.46 (fees ever paid $321.50)\n"
        "Matched, not settled: 3 trades, $88.20\n"
        "In doubt, worst case: 1 orders, $1,200\n"
        "Share without a gateway, Perpetuals: $996,000\n"
        "Share without a gateway, Allianz: $498,000\n"
        "Unhedged, no depth: $900,000\n"
        "Unhedged, price cap: $1,234.50"
    )


def test_an_empty_book_divides_by_nothing() -> None:
    empty = replace(FIGURES, coverage_usd=D(0), truth=replace(TRUTH, hedged_payout_usd=D(0)))
    assert "Hedged by payoff, confirmed: $0 (0% of coverage)" in render_status_report(empty)


def test_products_with_different_ratios_show_none() -> None:
    assert "Total Hedge Required: $2,490,000" in render_status_report(replace(FIGURES, hedge_ratio=None))


@pytest.mark.parametrize(
    "amount, text",
    [
        ("0", "$0"),
        ("-0.001", "$0"),
        ("0.005", "$0"),
        ("0.015", "$0.02"),
        ("-3.2", "-$3.20"),
        ("1234567.891", "$1,234,567.89"),
        ("999.999", "$1,000"),
    ],
)
def test_dollars(amount: str, text: str) -> None:
    assert dollars(D(amount)) == text


@pytest.mark.parametrize(
    "share, text", [("0.4", "40%"), ("0.125", "12.5%"), ("0", "0%"), ("1", "100%"), ("0.33333", "33.33%")]
)
def test_percent(share: str, text: str) -> None:
    assert percent(D(share)) == text
