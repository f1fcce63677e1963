"""How a market's answer comes to be believed: several sources report, two must agree before money moves on it.

A market resolves hours to days after the event: an answer is proposed, may be disputed, and is then final. A payout is
per unit of an outcome, between 0 and 1 USD; 50-50 pays half to each side (docs.polymarket.com/concepts/resolution).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

SOURCES_NEEDED = 2


class ResolutionState(StrEnum):
    """OPEN: no answer yet. PROPOSED: one is on the table. DISPUTED: it is challenged. RESOLVED: final."""

    OPEN = "open"
    PROPOSED = "proposed"
    DISPUTED = "disputed"
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolutionReport:
    """What one source says of one market.

    `payouts` by instrument id, USD per unit, when the source says RESOLVED and how. `words`: its own text, as evidence.
    """

    source: str
    condition_id: str
    state: ResolutionState
    payouts: Mapping[str, Decimal] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What the reports together say. `payouts` only when RESOLVED; `conflict` names sources that contradict."""

    state: ResolutionState
    sentence: str
    payouts: Mapping[str, Decimal] = field(default_factory=dict)
    agreed: tuple[str, ...] = ()
    conflict: str = ""


def judge_resolution(reports: Sequence[ResolutionReport]) -> Judgement:
    """RESOLVED when two sources give the same payouts and none gives others; a contradiction never resolves."""
    answers = {report.source: dict(report.payouts) for report in reports if _is_answer(report)}
    distinct = list({tuple(sorted(payouts.items())) for payouts in answers.values()})
    if len(distinct) > 1:
        told = "; ".join(f"{source}: {_spelled(payouts)}" for source, payouts in sorted(answers.items()))
        return Judgement(
            state=_unresolved(reports), sentence="the sources contradict each other", conflict=told
        )
    if len(answers) >= SOURCES_NEEDED:
        agreed = tuple(sorted(answers))
        return Judgement(
            state=ResolutionState.RESOLVED,
            sentence=f"{' and '.join(agreed)} agree",
            payouts=dict(distinct[0]),
            agreed=agreed,
        )
    state = _unresolved(reports)
    if answers:
        return Judgement(
            state=state, sentence=f"only {next(iter(answers))} gives an answer; a second must agree"
        )
    return Judgement(state=state, sentence=f"the market is {state.value}")


def _is_answer(report: ResolutionReport) -> bool:
    """A final answer that makes sense: every payout from 0 to 1, together what one pair of shares costs."""
    payouts = report.payouts.values()
    return (
        report.state is ResolutionState.RESOLVED
        and bool(payouts)
        and all(0 <= payout <= 1 for payout in payouts)
        and sum(payouts) == 1
    )


def _unresolved(reports: Sequence[ResolutionReport]) -> ResolutionState:
    """The furthest stage that anybody tells short of the end: a lone final answer counts as a proposal."""
    states = {report.state for report in reports}
    if ResolutionState.DISPUTED in states:
        return ResolutionState.DISPUTED
    if states & {ResolutionState.PROPOSED, ResolutionState.RESOLVED}:
        return ResolutionState.PROPOSED
    return ResolutionState.OPEN


def _spelled(payouts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{key[:8]}… pays {value.normalize():f}" for key, value in sorted(payouts.items()))
