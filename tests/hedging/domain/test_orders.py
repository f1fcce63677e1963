"""The life of an order: its table of moves, and what an answer to a send may and may not do."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.orders import (
    DEAD,
    LIVE,
    TERMINAL,
    TRANSITIONS,
    WITHOUT_FILLS,
    OrderFacts,
    OrderStatus,
    can_move,
    is_stale,
    judge_outcome,
    may_send,
    may_succeed,
)
from tests.hedging.domain.scenes import NOW, D
from venues.domain.gateway import Accepted, AlreadyKnown, Outcome, Rejected, Unknown

S = OrderStatus
RULES = sorted((Path(__file__).parents[3] / "hedging" / "migrations").glob("*.sql"))
ACCEPTED = Accepted(venue_order_id="0xabc", status="matched")
REFUSED = Rejected(code="not_enough_balance", message="not enough balance / allowance", http_status=400)
KNOWN = AlreadyKnown(message="order 0xabc is invalid. Duplicated.", http_status=400)
SILENT = Unknown(reason="timeout")
OUTCOMES: tuple[Outcome, ...] = (ACCEPTED, REFUSED, KNOWN, SILENT)


class TestMoves:
    def test_the_table_is_the_one_that_the_database_enforces(self) -> None:
        texts = [path.read_text(encoding="utf-8") for path in RULES]
        inserted = "".join(
            part.split(";", 1)[0]
            for text in texts
            for part in text.split("INSERT INTO hedging_order_transition")[1:]
        )
        stored = {(S(old), S(new)) for old, new in re.findall(r"\('(\w+)','(\w+)'\)", inserted)}
        assert stored == TRANSITIONS

    def test_live_and_terminal_are_all_states_and_none_is_both(self) -> None:
        assert set(S) == LIVE | TERMINAL
        assert not LIVE & TERMINAL
        assert {S.FILLED} == TERMINAL - DEAD

    def test_what_is_dead_can_only_go_to_a_person(self) -> None:
        assert {(old, new) for old, new in TRANSITIONS if old in DEAD} == {
            (state, S.MANUAL) for state in DEAD
        }
        assert not [new for old, new in TRANSITIONS if old is S.FILLED]

    def test_r5_an_acknowledged_order_is_never_declared_not_placed(self) -> None:
        assert {old for old, new in TRANSITIONS if new is S.NOT_PLACED} == {S.UNKNOWN, S.MANUAL}

    def test_bytes_leave_only_through_sending(self) -> None:
        assert {old for old, new in TRANSITIONS if new is S.SENDING} == {S.PREPARED, S.UNKNOWN}
        assert {old for old, new in TRANSITIONS if new is S.ABORTED} == {S.PREPARED}

    def test_nobody_comes_back_to_prepared(self) -> None:
        assert not [old for old, new in TRANSITIONS if new is S.PREPARED]

    def test_a_person_can_end_every_doubt(self) -> None:
        assert {new for old, new in TRANSITIONS if old is S.MANUAL} >= TERMINAL - {S.ABORTED}

    def test_staying_is_not_a_move(self) -> None:
        assert not any(can_move(state, state) for state in S)

    def test_every_state_but_the_first_can_be_reached_from_it(self) -> None:
        reached, frontier = {S.PREPARED}, {S.PREPARED}
        for _ in S:
            frontier = {new for old, new in TRANSITIONS if old in frontier} - reached
            reached |= frontier
        assert reached == set(S)


class TestSending:
    def test_r9_a_successor_needs_a_dead_or_filled_predecessor(self) -> None:
        assert {state for state in S if may_succeed(state)} == {
            S.FILLED,
            S.CANCELLED,
            S.EXPIRED,
            S.REJECTED,
            S.NOT_PLACED,
            S.ABORTED,
        }

    def test_identical_bytes_go_out_again_only_where_the_venue_deduplicates(self) -> None:
        assert {state for state in S if may_send(state, resend_allowed=True)} == {S.PREPARED, S.UNKNOWN}
        assert {state for state in S if may_send(state, resend_allowed=False)} == {S.PREPARED}

    def test_r10_a_decision_dies_at_its_deadline(self) -> None:
        assert not is_stale(valid_until=NOW, now=NOW - timedelta(microseconds=1))
        assert is_stale(valid_until=NOW, now=NOW)


class TestAnswers:
    def test_an_acceptance_is_acked_and_looked_up_for_its_trades(self) -> None:
        verdict = judge_outcome(ACCEPTED, attempt_no=1)
        assert (verdict.status, verdict.look_up, verdict.reason) == (
            S.ACKED,
            True,
            "the venue has it: matched",
        )

    def test_a_resting_order_needs_no_look_up_yet(self) -> None:
        resting = Accepted(venue_order_id="0xabc", status="live", is_resting=True)
        assert not judge_outcome(resting, attempt_no=1).look_up

    def test_r1_the_venues_own_no_to_the_first_attempt_is_a_rejection(self) -> None:
        verdict = judge_outcome(REFUSED, attempt_no=1)
        assert (verdict.status, verdict.needs_person, verdict.pause_s) == (S.REJECTED, False, None)
        assert verdict.reason == "refused: not_enough_balance: not enough balance / allowance"

    def test_r2_a_no_to_a_second_attempt_proves_nothing_about_the_first(self) -> None:
        verdict = judge_outcome(REFUSED, attempt_no=2)
        assert (verdict.status, verdict.look_up) == (S.UNKNOWN, True)
        assert "proves nothing about the first time" in verdict.reason

    def test_r3_already_known_is_neither_success_nor_failure(self) -> None:
        for attempt_no in (1, 2):
            verdict = judge_outcome(KNOWN, attempt_no=attempt_no)
            assert (verdict.status, verdict.look_up) == (S.UNKNOWN, True)

    def test_silence_is_unknown_even_when_nothing_seems_to_have_left(self) -> None:
        for reached_wire in (True, False):
            verdict = judge_outcome(Unknown(reason="reset", reached_wire=reached_wire), attempt_no=1)
            assert (verdict.status, verdict.look_up) == (S.UNKNOWN, True)

    def test_not_now_rests_the_venue(self) -> None:
        restarting = Rejected(code="restarting", message="", is_pause=True, retry_after_s=90)
        assert judge_outcome(restarting, attempt_no=1).pause_s == 90
        assert judge_outcome(Rejected(code="busy", message="", is_pause=True), attempt_no=1).pause_s == 30

    def test_a_fault_of_ours_needs_a_person(self) -> None:
        assert judge_outcome(
            Rejected(code="unauthorised", message="", is_ours=True), attempt_no=1
        ).needs_person

    def test_attempts_are_counted_from_one(self) -> None:
        with pytest.raises(ValueError, match="counted from 1"):
            judge_outcome(ACCEPTED, attempt_no=0)

    def test_every_answer_is_a_legal_move_from_sending(self) -> None:
        for outcome, attempt_no in product(OUTCOMES, (1, 2, 7)):
            assert can_move(S.SENDING, judge_outcome(outcome, attempt_no=attempt_no).status)

    @given(outcome=st.sampled_from(OUTCOMES), attempt_no=st.integers(1, 100))
    def test_only_a_first_refusal_ever_kills(self, outcome: Outcome, attempt_no: int) -> None:
        verdict = judge_outcome(outcome, attempt_no=attempt_no)
        assert (verdict.status in WITHOUT_FILLS) == (isinstance(outcome, Rejected) and attempt_no == 1)


class TestFacts:
    def test_they_are_read_off_a_row_by_name(self) -> None:
        row = SimpleNamespace(
            state="UNKNOWN",
            spends_budget=True,
            size=D("40000"),
            notional_usd=D("20000"),
            filled_size=D("0"),
            filled_usd=D("0"),
            reported_size=None,
            resend_allowed=True,
            attempts=1,
            absent_proofs=0,
            last_absent_at=None,
            sent_at=NOW,
            acked_at=None,
            fence_at=None,
            expires_at=None,
            payload=b"ignored",
        )
        assert OrderFacts.of(row) == OrderFacts(
            state=S.UNKNOWN,
            spends_budget=True,
            size=D("40000"),
            notional_usd=D("20000"),
            resend_allowed=True,
            attempts=1,
            sent_at=NOW,
        )

    @pytest.mark.parametrize(
        "spends_budget, size, usd, in_full, over",
        [
            (True, "39000", "19799.98", True, False),
            (True, "39000", "19799.97", False, False),
            (True, "41000", "20000.01", True, False),
            (True, "41000", "20000.02", True, True),
            (False, "39599.98", "1", True, False),
            (False, "39599.97", "1", False, False),
            (False, "40000.01", "1", True, False),
            (False, "40000.02", "1", True, True),
        ],
    )
    def test_full_and_overfilled_allow_for_the_venues_rounding(
        self, *, spends_budget: bool, size: str, usd: str, in_full: bool, over: bool
    ) -> None:
        facts = OrderFacts(
            state=S.ACKED,
            spends_budget=spends_budget,
            size=D("40000"),
            notional_usd=D("20000"),
            filled_size=D(size),
            filled_usd=D(usd),
        )
        assert (facts.is_filled_in_full, facts.is_overfilled) == (in_full, over)
