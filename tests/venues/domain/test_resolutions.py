"""Two sources must agree before money moves; a contradiction never resolves; nonsense is no answer."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from venues.domain.resolutions import ResolutionReport, ResolutionState, judge_resolution

S = ResolutionState
YES = {"1": Decimal(1), "2": Decimal(0)}
NO = {"1": Decimal(0), "2": Decimal(1)}
HALF = {"1": Decimal("0.5"), "2": Decimal("0.5")}


def said(source: str, state: ResolutionState = S.RESOLVED, **payouts: dict[str, Decimal]) -> ResolutionReport:
    return ResolutionReport(
        source=source, condition_id="0xc", state=state, payouts=payouts.get("payouts", {})
    )


def test_two_that_agree_are_enough() -> None:
    found = judge_resolution([said("gamma", payouts=HALF), said("data", payouts=HALF), said("clob", S.OPEN)])
    assert (found.state, found.payouts, found.agreed) == (S.RESOLVED, HALF, ("data", "gamma"))


def test_one_alone_is_a_proposal() -> None:
    found = judge_resolution([said("gamma", payouts=YES), said("data", S.OPEN)])
    assert (found.state, found.payouts, found.conflict) == (S.PROPOSED, {}, "")
    assert found.sentence == "only gamma gives an answer; a second must agree"


def test_the_same_source_twice_is_one() -> None:
    assert judge_resolution([said("gamma", payouts=YES), said("gamma", payouts=YES)]).state is S.PROPOSED


def test_a_contradiction_never_resolves_however_many_agree() -> None:
    found = judge_resolution(
        [said("gamma", payouts=YES), said("clob", payouts=YES), said("data", payouts=NO)]
    )
    assert (found.state, found.payouts) == (S.PROPOSED, {})
    assert "data: 1… pays 0" in found.conflict


def test_a_dispute_outranks_a_proposal() -> None:
    assert judge_resolution([said("gamma", S.PROPOSED), said("data", S.DISPUTED)]).state is S.DISPUTED


def test_nothing_said_is_open() -> None:
    assert judge_resolution([]).state is S.OPEN


def test_payouts_that_do_not_add_up_to_a_dollar_are_no_answer() -> None:
    odd = {"1": Decimal("0.7"), "2": Decimal("0.7")}
    assert judge_resolution([said("gamma", payouts=odd), said("data", payouts=odd)]).state is S.PROPOSED


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([YES, NO, HALF])), max_size=6))
def test_resolved_means_two_and_nobody_against(answers: list[tuple[str, dict[str, Decimal]]]) -> None:
    found = judge_resolution([said(source, payouts=payouts) for source, payouts in answers])
    last = dict(answers)
    values = [tuple(sorted(payouts.items())) for payouts in last.values()]
    is_final = len(last) >= 2 and len(set(values)) == 1
    assert (found.state is S.RESOLVED) == is_final
    assert bool(found.payouts) == is_final
    assert bool(found.conflict) == (len(set(values)) > 1)
