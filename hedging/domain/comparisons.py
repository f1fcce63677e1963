"""A market against the policy it might hedge, line by line, and how often it pays when the policy does.

The factors below are judgements, said with each proposal so that the person who approves can judge otherwise; no figure
of theirs is traded on before that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from hedging.domain.views import Grade
from hedging.domain.wordings import Dates, PriceTrigger
from policies.domain.catalogue import CoverageType, readable
from policies.domain.coverage import Trigger

CENT_FACTOR = Decimal("0.80")
"""For each cent that the market's threshold lies below the policy's trigger: a fifth of the falls stop before it."""
DOUBLING_FACTOR = Decimal("0.80")
"""For each doubling of the market's window over the policy's: a fifth of the falls recover before it is full."""
UNREAD_FACTOR = Decimal("0.70")
"""For a threshold or a window that could not be read."""
OTHER_EVENT_FACTOR = Decimal("0.35")
"""For an insolvency where the policy insures a failed liquidation: one often comes without the other."""
ONE_OF_SEVERAL_FACTOR = Decimal("0.80")
"""For one named bridge where the policy insures all bridges of its chain."""
LOSS_FACTORS = (
    (Decimal(1_000_000), Decimal("0.90")),
    (Decimal(10_000_000), Decimal("0.60")),
    (Decimal(50_000_000), Decimal("0.45")),
    (Decimal(100_000_000), Decimal("0.35")),
)
"""(loss in USD, chance that an insured exploit is larger); beyond the last, LOSS_FACTOR_LEAST."""
LOSS_FACTOR_LEAST = Decimal("0.15")
BASIS_LEAST = Decimal("0.05")
"""Below this it is no hedge: nineteen insured events of twenty would pay nothing."""

_PLACES = Decimal("0.01")


class Verdict(StrEnum):
    """How one term of the market stands to the policy's. WIDER pays more often than the policy, NARROWER less often."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"
    UNREAD = "unread"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One term, as the market and as the policy have it. `factor` is what a difference leaves of the basis."""

    name: str
    market: str
    policy: str
    verdict: Verdict
    note: str = ""
    factor: Decimal = Decimal(1)

    def as_json(self) -> dict[str, str]:
        """For storage and pages; the factor as a decimal string."""
        return {
            "name": self.name,
            "market": self.market,
            "policy": self.policy,
            "verdict": self.verdict.value,
            "note": self.note,
            "factor": str(self.factor),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketTerms:
    """What was read from a market's words; None and "" where it could not be."""

    event: str
    price: PriceTrigger | None
    window_s: int | None
    amount_usd: Decimal | None
    source: str
    dates: Dates
    ends_on: date | None
    place: str
    is_place_named: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyTerms:
    """What the policies of a product insure. `ends_on`: when most of those in force have ended."""

    coverage_type: CoverageType
    subject: str
    trigger: Trigger | None
    ends_on: date
    today: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The lines, the grade they add up to, and the suggested chance that the market pays given that the policy does."""

    grade: Grade
    basis_probability: Decimal
    lines: tuple[Line, ...]
    reasons: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """What a mapping keeps."""
        return {
            "grade": self.grade.value,
            "basis_probability": str(self.basis_probability),
            "reasons": list(self.reasons),
            "lines": [line.as_json() for line in self.lines],
        }


def compare(market: MarketTerms, policy: PolicyTerms) -> Comparison:
    """Grade a market whose paying outcome pays in the insured event, or in one that comes with it."""
    lines = tuple(_lines(market, policy))
    basis = Decimal(1)
    for line in lines:
        basis *= line.factor
    basis = basis.quantize(_PLACES, rounding=ROUND_FLOOR)
    reasons = tuple(f"{line.name}: {line.note}" for line in lines if line.note)
    if basis < BASIS_LEAST:
        why = f"it would pay in {basis * 100:.0f} of 100 insured events or fewer"
        return Comparison(
            grade=Grade.NONE, basis_probability=Decimal(0), lines=lines, reasons=(why, *reasons)
        )
    narrower = any(
        line.verdict in (Verdict.NARROWER, Verdict.OTHER, Verdict.UNREAD) and line.factor < 1
        for line in lines
    )
    return Comparison(
        grade=Grade.PROXY if narrower else Grade.DIRECT,
        basis_probability=basis,
        lines=lines,
        reasons=(*reasons, _explanation(lines, basis)),
    )


def _explanation(lines: tuple[Line, ...], basis: Decimal) -> str:
    parts = [f"{line.factor} for {line.name.lower()}" for line in lines if line.factor != 1]
    if not parts:
        return "Basis 1: whenever the policy pays, the market pays."
    return f"Basis {basis}: {' x '.join(parts)}; judgements, to be judged by who approves."


def _lines(market: MarketTerms, policy: PolicyTerms) -> list[Line]:
    if policy.trigger is not None:
        own = [
            _event(market, policy),
            _threshold(market, policy.trigger),
            _window(market, policy.trigger),
            _price_source(market),
        ]
    else:
        own = [_event(market, policy), _loss(market, policy), _place(market, policy)]
        own += [
            _line(
                "Decided by",
                market.source or "the rules name no source",
                "our claims desk, on evidence",
                Verdict.OTHER,
            )
        ]
    return [*own, _begin(market, policy), _end(market, policy), _decision()]


def _event(market: MarketTerms, policy: PolicyTerms) -> Line:
    insured = f"{readable(policy.coverage_type)} of {policy.subject}"
    if policy.coverage_type is CoverageType.CEX_LIQUIDATION:
        return _line(
            "Event",
            market.event,
            "liquidation at a centralised exchange fails its customers",
            Verdict.OTHER,
            note="an insolvency is not a failed liquidation; one often comes without the other",
            factor=OTHER_EVENT_FACTOR,
        )
    return _line("Event", market.event, insured, Verdict.SAME)


def _threshold(market: MarketTerms, trigger: Trigger) -> Line:
    ours = f"below ${trigger.price.normalize():f}"
    if market.price is None:
        return _line(
            "Threshold",
            "not read",
            ours,
            Verdict.UNREAD,
            factor=UNREAD_FACTOR,
            note="the threshold could not be read; read it in the rules",
        )
    theirs = f"below ${market.price.price:f}"
    cents = (trigger.price - market.price.price) * 100
    if cents == 0:
        return _line("Threshold", theirs, ours, Verdict.SAME)
    if cents < 0:
        return _line(
            "Threshold",
            theirs,
            ours,
            Verdict.WIDER,
            note="it pays on smaller falls too, and costs more for it",
        )
    factor = (CENT_FACTOR ** int(cents.to_integral_value(rounding="ROUND_CEILING"))).quantize(
        _PLACES, rounding=ROUND_FLOOR
    )
    return _line(
        "Threshold",
        theirs,
        ours,
        Verdict.NARROWER,
        factor=factor,
        note=f"a fall that stops between ${market.price.price:f} and ${trigger.price.normalize():f} pays "
        "the policy and not the market",
    )


def _window(market: MarketTerms, trigger: Trigger) -> Line:
    ours = f"for {span(trigger.window_s)} without a break"
    if market.window_s is None:
        return _line(
            "Window",
            "not read",
            ours,
            Verdict.UNREAD,
            factor=UNREAD_FACTOR,
            note="how long it must last could not be read; read it in the rules",
        )
    theirs = f"for {span(market.window_s)} without a break" if market.window_s else "at any moment"
    longer = (
        f"a fall of {span(trigger.window_s)} pays the policy, the market only after {span(market.window_s)}"
    )
    if market.window_s == trigger.window_s:
        return _line("Window", theirs, ours, Verdict.SAME)
    if market.window_s < trigger.window_s:
        return _line(
            "Window", theirs, ours, Verdict.WIDER, note="it pays on shorter falls too, and costs more for it"
        )
    doublings = 1
    while trigger.window_s * 2**doublings < market.window_s:
        doublings += 1
    factor = (DOUBLING_FACTOR**doublings).quantize(_PLACES, rounding=ROUND_FLOOR)
    return _line("Window", theirs, ours, Verdict.NARROWER, factor=factor, note=longer)


def _price_source(market: MarketTerms) -> Line:
    theirs = market.source or "the rules name none"
    return _line(
        "Price source",
        theirs,
        "the policy names none; on its own chain",
        Verdict.OTHER,
        note="a coin may fall on one chain and hold at the market's source",
    )


def _loss(market: MarketTerms, policy: PolicyTerms) -> Line:
    if policy.coverage_type is CoverageType.CEX_LIQUIDATION:
        return _line("Loss", "no amount", "any that the policy covers", Verdict.SAME)
    if market.amount_usd is None:
        return _line("Loss", "no amount named", "any that the policy covers", Verdict.SAME)
    factor = next((share for amount, share in LOSS_FACTORS if market.amount_usd <= amount), LOSS_FACTOR_LEAST)
    return _line(
        "Loss",
        f"over ${market.amount_usd:,.0f}",
        "any that the policy covers",
        Verdict.NARROWER,
        factor=factor,
        note="smaller insured losses pay nothing here",
    )


def _place(market: MarketTerms, policy: PolicyTerms) -> Line:
    if not market.is_place_named:
        return _line(
            "Where",
            market.place,
            policy.subject,
            Verdict.WIDER,
            note="it pays on events elsewhere too, and costs more for it",
        )
    if policy.coverage_type is CoverageType.BRIDGE:
        return _line(
            "Where",
            market.place,
            policy.subject,
            Verdict.NARROWER,
            factor=ONE_OF_SEVERAL_FACTOR,
            note="other bridges of the chain are insured and not part of this market",
        )
    return _line("Where", market.place, policy.subject, Verdict.SAME)


def _begin(market: MarketTerms, policy: PolicyTerms) -> Line:
    first = market.dates.first
    theirs = f"{first:%d %B %Y}" if first else "its creation"
    if first is not None and first > policy.today:
        return _line(
            "From",
            theirs,
            "the day of sale",
            Verdict.NARROWER,
            note=f"nothing before {first:%d %B %Y} counts",
        )
    return _line("From", theirs, "the day of sale", Verdict.SAME)


def _end(market: MarketTerms, policy: PolicyTerms) -> Line:
    ours = f"{policy.ends_on:%d %B %Y}, when most policies have ended"
    last = min((day for day in (market.dates.last, market.ends_on) if day is not None), default=None)
    if last is None:
        return _line(
            "Until",
            "not read",
            ours,
            Verdict.UNREAD,
            factor=UNREAD_FACTOR,
            note="when it ends could not be read; read it in the rules",
        )
    theirs = f"{last:%d %B %Y}"
    if last >= policy.ends_on:
        return _line("Until", theirs, ours, Verdict.SAME)
    term, covered = policy.ends_on - policy.today, last - policy.today
    factor = Decimal(0) if covered <= timedelta(0) else (Decimal(covered.days) / Decimal(term.days))
    return _line(
        "Until",
        theirs,
        ours,
        Verdict.NARROWER,
        factor=factor.quantize(_PLACES, rounding=ROUND_FLOOR),
        note=f"it ends {(policy.ends_on - last).days} days before most policies do",
    )


def _decision() -> Line:
    return _line(
        "Outcome",
        "proposed to an oracle (UMA), two hours to challenge, a dispute takes days; 50-50 is possible",
        "our claims desk",
        Verdict.OTHER,
        note="the payout follows the event by hours to a week, and the oracle may see it otherwise",
    )


def _line(
    name: str, market: str, policy: str, verdict: Verdict, *, note: str = "", factor: Decimal = Decimal(1)
) -> Line:
    return Line(name=name, market=market, policy=policy, verdict=verdict, note=note, factor=factor)


def span(seconds: int) -> str:
    """`24 hours`, `3 days`, `15 minutes`: whole units, the largest that fits twice or exactly."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count, rest = divmod(seconds, length)
        if rest == 0 and (count > 1 or (count == 1 and unit != "day")):
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{seconds} seconds"
