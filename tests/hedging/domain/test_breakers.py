"""What the switches allow, alone and together."""

from __future__ import annotations

import pytest

from hedging.domain.breakers import (
    BreakerEffect,
    BreakerFacts,
    BreakerState,
    TradingState,
    may_send_order,
    state_of,
    trading_state,
)

T = TradingState


def breaker(
    scope: str = "global", state: str = "OPEN", effect: str = "HALT", probes: int = 0
) -> BreakerFacts:
    return BreakerFacts(
        scope=scope, state=BreakerState(state), effect=BreakerEffect(effect), probe_budget=probes
    )


@pytest.mark.parametrize(
    "state, effect, probes, allowed",
    [
        ("CLOSED", "HALT", 0, T.ACTIVE),
        ("OPEN", "HALT", 0, T.HALTED),
        ("OPEN", "REDUCE_ONLY", 0, T.REDUCING),
        ("HALF_OPEN", "HALT", 1, T.ACTIVE),
        ("HALF_OPEN", "HALT", 0, T.HALTED),
    ],
)
def test_one_switch(state: str, effect: str, probes: int, allowed: TradingState) -> None:
    assert state_of(breaker(state=state, effect=effect, probes=probes)) is allowed


def test_without_switches_everything_is_allowed() -> None:
    assert trading_state([], venue_code="polymarket") is T.ACTIVE


def test_the_strictest_of_the_global_and_the_venues_own_switch_counts() -> None:
    reducing = breaker(effect="REDUCE_ONLY")
    halted = breaker("venue:polymarket")
    assert trading_state([reducing, halted], venue_code="polymarket") is T.HALTED
    assert trading_state([reducing, halted], venue_code="binance_futures") is T.REDUCING


def test_another_venues_switch_does_not_count() -> None:
    assert trading_state([breaker("venue:binance_futures")], venue_code="polymarket") is T.ACTIVE


def test_what_each_state_lets_out() -> None:
    assert [
        (state, may_send_order(state, is_reducing=False), may_send_order(state, is_reducing=True))
        for state in T
    ] == [
        (T.ACTIVE, True, True),
        (T.REDUCING, False, True),
        (T.HALTED, False, False),
    ]
