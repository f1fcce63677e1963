"""The status report: the founding document's, line for line, and under it the truth that it leaves out.

The first part counts what the document counts (its "allocations" are shares of what is required). The second
says what is really hedged: by payoff in the insured event, on confirmed trades alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

_WIDTH = 58
_TITLE = "HEDGE ORCHESTRATOR STATUS REPORT"


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueAllocation:
    """One line of the allocations: a venue's name, its share of the hedge (1 = all), and the money that it makes."""

    name: str
    share: Decimal
    allocated_usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class TruthFigures:
    """What the first part does not say. Money in USD.

    `hedged_payout_usd` is the expected payoff of confirmed positions in the insured events, `provisional_usd`
    the cost of trades that are matched and not settled, `doubt_usd` the most that orders without an answer
    may cost. `unhedged_usd` by reason, `no_gateway_usd` by venue name.
    """

    hedged_payout_usd: Decimal
    cost_usd: Decimal
    fees_usd: Decimal
    provisional_count: int
    provisional_usd: Decimal
    doubt_count: int
    doubt_usd: Decimal
    unhedged_usd: Mapping[str, Decimal] = field(default_factory=dict)
    no_gateway_usd: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFigures:
    """Every number of the report. Money in USD; `hedge_ratio` None where products differ."""

    products_with_exposure: int
    coverage_usd: Decimal
    required_usd: Decimal
    hedge_ratio: Decimal | None
    products_hedged: int
    allocations: tuple[VenueAllocation, ...]
    open_positions: int
    closed_positions: int
    realised_pnl_usd: Decimal
    truth: TruthFigures | None = None


def render_status_report(figures: ReportFigures) -> str:
    """The report as text, without a newline at its end."""
    lines = [
        "╔" + "═" * _WIDTH + "╗",
        "║" + f"  {_TITLE}".ljust(_WIDTH) + "║",
        "╚" + "═" * _WIDTH + "╝",
        "",
        "=== Product Exposures ===",
        f"Total Products with Exposure: {figures.products_with_exposure:,}",
        f"Total Coverage Amount: {dollars(figures.coverage_usd)}",
        f"Total Hedge Required{_ratio(figures)}: {dollars(figures.required_usd)}",
        "",
        "=== Hedge Allocations ===",
        f"Products Being Hedged: {figures.products_hedged:,}",
        *(
            f"  {item.name} ({percent(item.share)}): {dollars(item.allocated_usd)}"
            for item in figures.allocations
        ),
        "",
        "=== Active Hedge Positions ===",
        f"Open Positions: {figures.open_positions:,}",
        f"Closed Positions: {figures.closed_positions:,}",
        f"Total Realized P&L: {dollars(figures.realised_pnl_usd)}",
    ]
    if figures.truth is not None:
        lines += ["", *_truth(figures, figures.truth)]
    return "\n".join(lines)


def _truth(figures: ReportFigures, truth: TruthFigures) -> list[str]:
    of_cover = truth.hedged_payout_usd / figures.coverage_usd if figures.coverage_usd > 0 else Decimal(0)
    lines = [
        "=== The Truth Beside It ===",
        f"Hedged by payoff, confirmed: {dollars(truth.hedged_payout_usd)} ({percent(of_cover)} of coverage)",
        f"Spent on open positions: {dollars(truth.cost_usd)} (fees ever paid {dollars(truth.fees_usd)})",
        f"Matched, not settled: {truth.provisional_count:,} trades, {dollars(truth.provisional_usd)}",
        f"In doubt, worst case: {truth.doubt_count:,} orders, {dollars(truth.doubt_usd)}",
    ]
    lines += [
        f"Share without a gateway, {name}: {dollars(usd)}" for name, usd in truth.no_gateway_usd.items()
    ]
    lines += [f"Unhedged, {reason}: {dollars(usd)}" for reason, usd in truth.unhedged_usd.items()]
    return lines


def dollars(amount_usd: Decimal) -> str:
    """`$12,450,000`, or `$0.07` and `-$3.20` where cents are not zero; rounded half to even at the cent."""
    cents = amount_usd.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents):,.0f}" if cents == cents.to_integral_value() else f"{sign}${abs(cents):,.2f}"


def percent(share: Decimal) -> str:
    """`40%`, with up to two decimals where they are not zero."""
    text = f"{(share * 100).quantize(Decimal('0.01'), rounding=ROUND_HALF_EVEN):f}"
    return f"{text.rstrip('0').rstrip('.')}%"


def _ratio(figures: ReportFigures) -> str:
    return "" if figures.hedge_ratio is None else f" ({percent(figures.hedge_ratio)})"
