"""Which outcome pays when the insured event happens: read from the rules and the labels, never from their order."""

from __future__ import annotations

from dataclasses import dataclass

from hedging.domain.perils import is_event
from hedging.domain.wordings import Condition, PriceTrigger, price_trigger_of
from policies.domain.catalogue import CoverageType
from venues.domain.listings import MarketListing


@dataclass(frozen=True, kw_only=True, slots=True)
class PayingOutcome:
    """The outcome to buy; without one, `why_not` says what stands in the way."""

    label: str = ""
    instrument_id: str = ""
    why_not: str = ""


NO_OUTCOME = PayingOutcome()


def paying_outcome(
    listing: MarketListing,
    coverage_type: CoverageType,
    *,
    condition: Condition | None,
    price: PriceTrigger | None,
) -> PayingOutcome:
    """The outcome that pays in the insured event, where rules and question agree on it."""
    if len(listing.outcomes) != 2:
        return PayingOutcome(why_not=f"it has {len(listing.outcomes)} outcomes, where a hedge needs two")
    by_label = {label.strip().casefold(): (label, token) for label, token in listing.outcomes}
    if len(by_label) != 2 or not all(token for _, token in by_label.values()):
        return PayingOutcome(why_not="its outcomes have no names or no tokens that tell them apart")
    ruled = _by_rules(by_label, coverage_type, condition=condition, price=price)
    asked = _by_question(by_label, coverage_type, listing.question)
    if condition is None:
        return PayingOutcome(why_not="its rules do not say which outcome is paid on what")
    if ruled is None:
        return PayingOutcome(
            why_not="its rules do not say plainly whether they speak of the event or its absence"
        )
    if asked is not None and asked != ruled:
        return PayingOutcome(why_not="its question and its rules name opposite outcomes for the event")
    label, token = by_label[ruled]
    return PayingOutcome(label=label, instrument_id=token)


def _by_rules(
    by_label: dict[str, tuple[str, str]],
    coverage_type: CoverageType,
    *,
    condition: Condition | None,
    price: PriceTrigger | None,
) -> str | None:
    if condition is None or condition.label.casefold() not in by_label:
        return None
    happens = is_event(coverage_type, condition.clause, price=price_trigger_of(condition.clause) or price)
    if happens is None:
        return None
    paid = condition.label.casefold()
    return paid if happens else _other(by_label, paid)


def _by_question(
    by_label: dict[str, tuple[str, str]], coverage_type: CoverageType, question: str
) -> str | None:
    """What a yes to the question means; None where the labels are not yes and no, or the question does not tell."""
    if set(by_label) != {"yes", "no"}:
        return None
    happens = is_event(coverage_type, question, price=price_trigger_of(question))
    return None if happens is None else ("yes" if happens else "no")


def _other(by_label: dict[str, tuple[str, str]], label: str) -> str:
    return next(name for name in by_label if name != label)
