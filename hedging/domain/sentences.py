"""Reasons as sentences that a person can act on."""

from __future__ import annotations

from decimal import Decimal

from hedging.domain.plans import LegReason


def money(amount_usd: Decimal) -> str:
    """`$1,234.50`: dollars and cents, rounded half to even for reading."""
    return f"${amount_usd:,.2f}"


def units(size: Decimal) -> str:
    """`40,000 shares`, with as many decimals as there are."""
    text = f"{size.normalize():,f}"
    return f"{text} share" if size == 1 else f"{text} shares"


def unit_price(price: Decimal) -> str:
    """`0.0326`: at most six decimals, no trailing zeros beyond cents."""
    whole, _, fraction = f"{price:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


_BOUNDS: dict[LegReason, str] = {
    LegReason.PRICE_CAP: "the rest of the book is above the price cap",
    LegReason.SLIPPAGE: "more would move the average price beyond the slippage cap",
    LegReason.DEPTH: "the book offers no more",
    LegReason.ORDER_LIMIT: "one order may not cost more",
    LegReason.INSTRUMENT_LIMIT: "no more may be tied up in this instrument",
    LegReason.FULLY_COVERED: "more would pay more than the cover",
    LegReason.BELOW_MINIMUM: "what is left is below the venue's minimum order",
}

_SETTLED: dict[LegReason, str] = {
    LegReason.ALREADY_HELD: "The payout wanted is held already.",
    LegReason.BUDGET_SPENT: "The budget is spent already.",
    LegReason.FULLY_COVERED: "What is held pays as much as the cover allows.",
    LegReason.PRODUCT_NOT_HEDGED: "The product's hedge ratio is zero.",
    LegReason.IN_FLIGHT: "An order for this instrument is still at work; its result comes first.",
    LegReason.CLOSING_FIRST: "Units of policies that ended are sold first; the next cycle buys.",
}


def nothing_sentence(reason: LegReason, detail: str, *, unfilled_usd: Decimal) -> str:
    """Why a leg buys nothing."""
    why = detail or _BOUNDS.get(reason, reason.value)
    text = _SETTLED.get(reason) or f"{why[:1].upper()}{why[1:]}."
    return f"{text} {money(unfilled_usd)} stays unhedged." if unfilled_usd > 0 else text


def bought_sentence(
    reason: LegReason, *, size: Decimal, cost_usd: Decimal, unfilled_usd: Decimal, unneeded_usd: Decimal
) -> str:
    """What a leg buys, and what stopped it."""
    text = f"Buys {units(size)} for {money(cost_usd)} with fees"
    if unneeded_usd > 0 and reason is LegReason.FULLY_COVERED:
        text += f"; {money(unneeded_usd)} of the budget is not needed, because {_BOUNDS[reason]}"
    elif reason in _BOUNDS and unfilled_usd > 0:
        text += f"; {money(unfilled_usd)} stays unhedged, because {_BOUNDS[reason]}"
    return f"{text}."
