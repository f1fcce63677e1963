"""What a look-up makes of an order: amounts decide, silence proves nothing, and no life is overlooked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.absence import BINANCE_FUTURES, POLYMARKET, AbsenceEvidence, AbsencePolicy
from hedging.domain.lookups import Move, judge_lookup
from hedging.domain.orders import DEAD, WITHOUT_FILLS, OrderFacts, OrderStatus, can_move
from tests.hedging.domain.scenes import NOW, D
from venues.domain.gateway import Absent, OrderReport, OrderState

S = OrderStatus
ABSENT = Absent(client_order_id="0xabc")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def order(state: OrderStatus = S.UNKNOWN, **changes: Any) -> OrderFacts:
    """A FAK BUY of $20,000 at 50 cents on Polymarket, sent once."""
    facts = OrderFacts(
        state=state,
        spends_budget=True,
        size=D("40000"),
        notional_usd=D("20000"),
        resend_allowed=True,
        attempts=1,
        sent_at=NOW,
        acked_at=NOW if state in (S.ACKED, S.PARTIAL) else None,
    )
    return replace(facts, **changes)


def filled(facts: OrderFacts, size: str) -> OrderFacts:
    return replace(facts, filled_size=D(size), filled_usd=D(size) / 2)


def report(state: OrderState = OrderState.LIVE, matched: str = "0", word: str | None = None) -> OrderReport:
    return OrderReport(
        client_order_id="0xabc",
        state=state,
        venue_status=word or state.value.upper(),
        size_matched=D(matched),
    )


def judge(
    facts: OrderFacts,
    found: OrderReport | Absent | None,
    *,
    at: float = 1,
    policy: AbsencePolicy = POLYMARKET,
    decision_is_valid: bool = True,
    **evidence: Any,
) -> Move:
    known = {"senders_finished": True, "untouched": True, **evidence}
    return judge_lookup(
        facts,
        found,
        now=after(at),
        policy=policy,
        evidence=AbsenceEvidence(**known),
        decision_is_valid=decision_is_valid,
    )


class TestFound:
    def test_an_order_in_doubt_that_the_venue_lists_is_acked(self) -> None:
        move = judge(order(), report())
        assert (move.status, move.reported_size) == (S.ACKED, D("0"))

    def test_one_whose_trades_are_booked_in_part_is_partial(self) -> None:
        assert judge(filled(order(), "100"), report(matched="100")).status is S.PARTIAL

    def test_matched_and_booked_in_full_is_filled(self) -> None:
        assert judge(filled(order(S.ACKED), "40000"), report(OrderState.FILLED, "40000")).status is S.FILLED

    def test_matched_waits_for_trades_that_are_not_booked_yet(self) -> None:
        move = judge(order(), report(OrderState.FILLED, "40000"))
        assert (move.status, move.reported_size) == (S.ACKED, D("40000"))
        assert "waiting for its trades" in move.reason

    def test_matched_in_part_and_killed_is_cancelled_with_its_trades(self) -> None:
        """The venue may call such an order MATCHED: amounts decide, not its word."""
        facts = filled(order(S.PARTIAL), "24248")
        assert judge(facts, report(OrderState.FILLED, "24248", word="MATCHED")).status is S.CANCELLED

    def test_cancelled_waits_for_its_trades_too(self) -> None:
        assert judge(filled(order(S.PARTIAL), "100"), report(OrderState.CANCELLED, "150")).status is S.PARTIAL

    def test_a_hundredth_of_a_share_is_the_venues_rounding(self) -> None:
        facts = filled(order(S.PARTIAL), "149.99")
        assert judge(facts, report(OrderState.CANCELLED, "150")).status is S.CANCELLED

    def test_expired_and_rejected_keep_their_names(self) -> None:
        assert judge(order(S.ACKED), report(OrderState.EXPIRED)).status is S.EXPIRED
        assert judge(order(S.ACKED), report(OrderState.REJECTED)).status is S.REJECTED

    def test_a_rejected_order_that_traded_is_cancelled(self) -> None:
        assert judge(filled(order(S.PARTIAL), "10"), report(OrderState.REJECTED, "10")).status is S.CANCELLED

    def test_what_was_reported_before_is_not_forgotten(self) -> None:
        facts = filled(order(S.PARTIAL, reported_size=D("200")), "100")
        move = judge(facts, report(OrderState.CANCELLED, "100"))
        assert (move.status, move.reported_size) == (S.PARTIAL, D("200"))

    def test_an_unknown_word_waits_an_hour_for_a_person(self) -> None:
        strange = report(OrderState.UNRECOGNISED, word="FROZEN")
        assert judge(order(), strange).status is S.UNKNOWN
        late = judge(order(), strange, at=3600)
        assert (late.status, late.alarm) == (S.MANUAL, True)

    def test_more_traded_than_the_bytes_allow_goes_to_a_person(self) -> None:
        facts = replace(filled(order(S.PARTIAL), "100"), filled_usd=D("20000.02"))
        move = judge(facts, report(OrderState.FILLED, "41000"))
        assert (move.status, move.alarm) == (S.MANUAL, True)


class TestFailedLookups:
    def test_r4_a_failed_look_up_proves_nothing(self) -> None:
        for state in (S.UNKNOWN, S.ACKED, S.PARTIAL):
            move = judge(order(state), None)
            assert (move.status, move.absent_proofs, move.resend) == (state, None, False)

    def test_an_hour_of_silence_needs_a_person(self) -> None:
        assert judge(order(), None, at=3599).status is S.UNKNOWN
        assert judge(order(), None, at=3600).status is S.MANUAL

    def test_a_sender_that_vanished_leaves_an_unknown_order(self) -> None:
        assert judge(order(S.SENDING), None).status is S.UNKNOWN
        assert judge(order(S.SENDING), ABSENT).status is S.UNKNOWN
        assert judge(order(S.SENDING), report()).status is S.ACKED


class TestAbsent:
    def test_the_identical_bytes_may_go_out_again(self) -> None:
        move = judge(order(), ABSENT)
        assert (move.status, move.resend, move.absent_proofs) == (S.UNKNOWN, True, 1)

    def test_but_not_for_a_decision_that_is_too_old(self) -> None:
        assert not judge(order(), ABSENT, decision_is_valid=False).resend

    def test_nor_at_a_venue_that_would_trade_them_twice(self) -> None:
        move = judge(order(resend_allowed=False, fence_at=after(5)), ABSENT, policy=BINANCE_FUTURES)
        assert (move.status, move.resend) == (S.UNKNOWN, False)

    def test_nor_once_the_venue_has_said_that_it_knows_them(self) -> None:
        assert not judge(order(), ABSENT, venue_knows=True).resend

    def test_nor_for_ever(self) -> None:
        assert judge(order(attempts=4), ABSENT).resend
        assert not judge(order(attempts=5), ABSENT).resend

    def test_proofs_are_counted_and_then_believed(self) -> None:
        facts = order(attempts=5)
        first = judge(facts, ABSENT, at=30)
        assert first.absent_proofs == 1
        facts = replace(facts, absent_proofs=1, last_absent_at=after(30))
        assert judge(facts, ABSENT, at=60).absent_proofs is None
        second = judge(facts, ABSENT, at=601)
        assert (second.status, second.absent_proofs) == (S.UNKNOWN, 2)
        facts = replace(facts, absent_proofs=2, last_absent_at=after(601))
        assert judge(facts, ABSENT, at=602).status is S.NOT_PLACED

    def test_a_send_makes_earlier_proofs_worthless(self) -> None:
        facts = order(attempts=5, absent_proofs=2, last_absent_at=after(-1))
        assert judge(facts, ABSENT, at=700).absent_proofs == 1

    def test_bytes_that_the_venue_knew_and_never_traded_end_cancelled(self) -> None:
        facts = order(absent_proofs=2, last_absent_at=after(601))
        assert judge(facts, ABSENT, at=602, venue_knows=True).status is S.CANCELLED

    def test_without_proof_an_hour_later_a_person_must_look(self) -> None:
        move = judge(order(attempts=5), ABSENT, at=3600, untouched=None)
        assert (move.status, move.alarm) == (S.MANUAL, True)
        assert "the exchange contract has not been asked" in move.reason

    def test_trades_speak_louder_than_a_list(self) -> None:
        assert judge(filled(order(), "5"), ABSENT).status is S.PARTIAL


class TestAcknowledgedAndGone:
    """R5: the venue had it. It waits for its trades, and is never declared not placed."""

    def test_it_waits_for_its_trades(self) -> None:
        assert judge(order(S.ACKED), ABSENT, at=61).status is S.ACKED

    def test_all_booked_is_filled(self) -> None:
        assert judge(filled(order(S.PARTIAL), "40000"), ABSENT).status is S.FILLED

    def test_a_part_booked_and_the_rest_gone_is_cancelled_after_a_minute(self) -> None:
        facts = filled(order(S.PARTIAL), "100")
        assert judge(facts, ABSENT, at=59).status is S.PARTIAL
        assert judge(facts, ABSENT, at=60).status is S.CANCELLED

    def test_but_not_before_everything_reported_is_booked(self) -> None:
        facts = filled(order(S.PARTIAL, reported_size=D("150")), "100")
        assert judge(facts, ABSENT, at=600).status is S.PARTIAL

    def test_nothing_traded_as_the_venue_said_is_cancelled(self) -> None:
        assert judge(order(S.ACKED, reported_size=D("0")), ABSENT, at=60).status is S.CANCELLED

    def test_a_quarter_of_an_hour_without_a_word_needs_a_person(self) -> None:
        move = judge(order(S.ACKED), ABSENT, at=900)
        assert (move.status, move.alarm) == (S.MANUAL, True)


class TestLifeAfterDeath:
    @pytest.mark.parametrize("state", sorted(DEAD))
    def test_a_dead_order_that_shows_life_goes_to_a_person_loudly(self, state: OrderStatus) -> None:
        for found in (report(OrderState.LIVE), report(OrderState.FILLED, "5")):
            move = judge(order(state), found)
            assert (move.status, move.alarm) == (S.MANUAL, True)

    @pytest.mark.parametrize("state", sorted(DEAD))
    def test_a_dead_order_stays_dead_without_it(self, state: OrderStatus) -> None:
        for found in (None, ABSENT, report(OrderState.CANCELLED)):
            move = judge(order(state), found)
            assert (move.status, move.alarm) == (state, False)


amounts = st.integers(0, 4_000_000).map(lambda cents: Decimal(cents) / 100)


@given(
    state=st.sampled_from(list(S)),
    size=amounts,
    reported=st.none() | amounts,
    found=st.none()
    | st.just(ABSENT)
    | st.builds(lambda word, matched: report(word, str(matched)), st.sampled_from(list(OrderState)), amounts),
    at=st.integers(0, 10_000),
    attempts=st.integers(1, 9),
    proofs=st.integers(0, 3),
    resend_allowed=st.booleans(),
    valid=st.booleans(),
    finished=st.booleans(),
    untouched=st.sampled_from([None, True, False]),
    knows=st.booleans(),
)
def test_no_look_up_makes_an_illegal_move_or_kills_what_traded(
    state: OrderStatus,
    size: Decimal,
    reported: Decimal | None,
    found: OrderReport | Absent | None,
    at: int,
    attempts: int,
    proofs: int,
    *,
    resend_allowed: bool,
    valid: bool,
    finished: bool,
    untouched: bool | None,
    knows: bool,
) -> None:
    facts = replace(
        filled(order(state), str(size)),
        reported_size=reported,
        attempts=attempts,
        absent_proofs=proofs,
        last_absent_at=after(605),
        resend_allowed=resend_allowed,
    )
    move = judge(
        facts,
        found,
        at=at,
        decision_is_valid=valid,
        senders_finished=finished,
        untouched=untouched,
        venue_knows=knows,
    )
    assert move.status is state or can_move(state, move.status)
    assert move.status not in WITHOUT_FILLS or state in WITHOUT_FILLS or size == 0
    if move.resend:
        assert move.status is state is S.UNKNOWN
        assert found is ABSENT and resend_allowed and valid and not knows
    if move.status is S.NOT_PLACED and state is not S.NOT_PLACED:
        assert found is ABSENT and finished and untouched is True and at >= 600 and proofs >= 2
    if found is None and state is not S.SENDING and state not in DEAD and not facts.is_overfilled:
        assert move.status in (state, S.MANUAL)


def test_every_state_has_an_answer_to_every_report() -> None:
    for state, word, matched in product(S, OrderState, ("0", "100", "40000")):
        move = judge(order(state), report(word, matched), at=100_000)
        assert move.reason
