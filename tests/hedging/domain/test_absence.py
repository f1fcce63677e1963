"""When silence may be believed: every single requirement of each venue, taken away one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hedging.domain.absence import (
    BINANCE_FUTURES,
    POLYMARKET,
    AbsenceEvidence,
    AbsencePolicy,
    absence_is_proven,
    absence_missing,
    counts_as_proof,
    proofs_since_sent,
)
from hedging.domain.orders import OrderFacts, OrderStatus
from tests.hedging.domain.scenes import NOW, D

SENT = NOW


def after(seconds: float) -> datetime:
    return SENT + timedelta(seconds=seconds)


def polymarket_order(**changes: Any) -> OrderFacts:
    facts = OrderFacts(
        state=OrderStatus.UNKNOWN,
        spends_budget=True,
        size=D("40000"),
        notional_usd=D("20000"),
        resend_allowed=True,
        attempts=1,
        sent_at=SENT,
        absent_proofs=2,
        last_absent_at=after(600),
    )
    return replace(facts, **changes)


def binance_order(**changes: Any) -> OrderFacts:
    facts = polymarket_order(
        spends_budget=False,
        resend_allowed=False,
        fence_at=after(5),
        last_absent_at=after(36),
        absent_proofs=2,
    )
    return replace(facts, **changes)


ON_POLYMARKET = AbsenceEvidence(senders_finished=True, untouched=True)
ON_BINANCE = AbsenceEvidence(senders_finished=True, position_explained=True, venue_now=after(35.001))


class TestPolymarket:
    """All of: senders finished, 10 minutes, two proofs a minute apart, the contract's word."""

    def test_with_everything_there_absence_is_proven(self) -> None:
        assert absence_is_proven(
            polymarket_order(), now=after(600), evidence=ON_POLYMARKET, policy=POLYMARKET
        )

    @pytest.mark.parametrize(
        "order, now, evidence, sentence",
        [
            (polymarket_order(), after(599.9), ON_POLYMARKET, "the last attempt is less than 600 s ago"),
            (
                polymarket_order(absent_proofs=1),
                after(700),
                ON_POLYMARKET,
                "1 of 2 look-ups, 60 s apart, did not find it",
            ),
            (
                polymarket_order(last_absent_at=after(599)),
                after(700),
                ON_POLYMARKET,
                "the last look-up was before the quarantine ended",
            ),
            (
                polymarket_order(),
                after(700),
                replace(ON_POLYMARKET, senders_finished=False),
                "a process that may still send it is not known to be dead",
            ),
            (
                polymarket_order(),
                after(700),
                replace(ON_POLYMARKET, untouched=None),
                "the exchange contract has not been asked",
            ),
            (
                polymarket_order(),
                after(700),
                replace(ON_POLYMARKET, untouched=False),
                "the exchange contract says that it traded",
            ),
            (polymarket_order(filled_size=D("0.01")), after(700), ON_POLYMARKET, "something of it traded"),
            (polymarket_order(reported_size=D("5")), after(700), ON_POLYMARKET, "something of it traded"),
        ],
    )
    def test_each_thing_missing_alone_forbids_it(
        self, order: OrderFacts, now: datetime, evidence: AbsenceEvidence, sentence: str
    ) -> None:
        assert absence_missing(order, now=now, evidence=evidence, policy=POLYMARKET) == (sentence,)

    def test_proofs_from_before_the_last_send_are_worthless(self) -> None:
        resent = polymarket_order(attempts=2, sent_at=after(650), last_absent_at=after(640), absent_proofs=2)
        assert proofs_since_sent(resent) == 0
        missing = absence_missing(resent, now=after(2000), evidence=ON_POLYMARKET, policy=POLYMARKET)
        assert missing == ("0 of 2 look-ups, 60 s apart, did not find it",)


class TestBinance:
    """All of: the venue's clock past the fence and 30 s, two proofs, an explained position, younger than three days."""

    def test_with_everything_there_absence_is_proven(self) -> None:
        assert absence_is_proven(binance_order(), now=after(36), evidence=ON_BINANCE, policy=BINANCE_FUTURES)

    @pytest.mark.parametrize(
        "order, now, evidence, sentence",
        [
            (
                binance_order(),
                after(36),
                replace(ON_BINANCE, venue_now=after(35)),
                "the venue may still accept its bytes until 30 s after the fence",
            ),
            (
                binance_order(),
                after(36),
                replace(ON_BINANCE, venue_now=None),
                "the venue's clock or the order's fence is not known",
            ),
            (
                binance_order(fence_at=None),
                after(36),
                ON_BINANCE,
                "the venue's clock or the order's fence is not known",
            ),
            (
                binance_order(),
                after(36),
                replace(ON_BINANCE, position_explained=None),
                "the position at the venue is not explained without it",
            ),
            (
                binance_order(last_absent_at=after(72 * 3600 - 60)),
                after(72 * 3600),
                replace(ON_BINANCE, venue_now=after(72 * 3600)),
                "the venue forgets orders of this age, so that its silence proves nothing",
            ),
        ],
    )
    def test_each_thing_missing_alone_forbids_it(
        self, order: OrderFacts, now: datetime, evidence: AbsenceEvidence, sentence: str
    ) -> None:
        assert absence_missing(order, now=now, evidence=evidence, policy=BINANCE_FUTURES) == (sentence,)

    def test_without_the_quarantine_the_fence_alone_would_do(self) -> None:
        """The ablation that let one order in 300 trade twice: the rule has teeth."""
        hasty = replace(BINANCE_FUTURES, quarantine_s=0)
        evidence = replace(ON_BINANCE, venue_now=after(5.1))
        order = binance_order(last_absent_at=after(5))
        assert absence_is_proven(order, now=after(5.1), evidence=evidence, policy=hasty)
        assert not absence_is_proven(order, now=after(5.1), evidence=evidence, policy=BINANCE_FUTURES)


@pytest.mark.parametrize("state", [state for state in OrderStatus if state is not OrderStatus.UNKNOWN])
def test_only_an_unknown_order_can_be_absent(state: OrderStatus) -> None:
    order = polymarket_order(state=state)
    assert absence_missing(order, now=after(700), evidence=ON_POLYMARKET, policy=POLYMARKET) == (
        f"only an UNKNOWN order can be proven absent, this one is {state}",
    )
    assert not counts_as_proof(order, at=after(700), policy=POLYMARKET)


@pytest.mark.parametrize(
    "last, at, counts",
    [(None, 1, True), (None, 0, False), (10, 69.9, False), (10, 70, True), (-5, 1, True)],
)
def test_a_proof_comes_after_the_send_and_a_gap_after_the_last(
    last: float | None, at: float, *, counts: bool
) -> None:
    order = polymarket_order(
        absent_proofs=0 if last is None else 1, last_absent_at=None if last is None else after(last)
    )
    assert counts_as_proof(order, at=after(at), policy=POLYMARKET) is counts


def test_an_order_without_a_time_of_sending_proves_nothing() -> None:
    order = polymarket_order(sent_at=None)
    assert not counts_as_proof(order, at=after(9999), policy=POLYMARKET)
    assert absence_missing(
        order, now=after(9999), evidence=ON_POLYMARKET, policy=AbsencePolicy(quarantine_s=0, proof_gap_s=0)
    ) == (
        "it is not known when it was sent",
        "0 of 2 look-ups, 0 s apart, did not find it",
    )
