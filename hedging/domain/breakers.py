"""What the switches allow: everything, only what makes positions smaller, or only cancels.

The database enforces it at the moment of sending (`hedging/migrations/0002_rules.sql`); here it is read, so
that a cycle does not decide what nobody would send, and so that screens can say why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class TradingState(StrEnum):
    """ACTIVE: all orders. REDUCING: only orders that make positions smaller. HALTED: only cancels."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class BreakerState(StrEnum):
    """CLOSED: trading allowed. OPEN: blocked. HALF_OPEN: a few orders may probe."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class BreakerEffect(StrEnum):
    """What an open breaker blocks."""

    HALT = "HALT"
    REDUCE_ONLY = "REDUCE_ONLY"


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerFacts:
    """One switch. `scope` is `global` or `venue:<code>`; `probe_budget`: orders that HALF_OPEN still allows."""

    scope: str
    state: BreakerState
    effect: BreakerEffect = BreakerEffect.HALT
    probe_budget: int = 0
    reason: str = ""


_SEVERITY = (TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED)


def state_of(breaker: BreakerFacts) -> TradingState:
    """What one switch allows. HALF_OPEN without a probe left is as shut as OPEN."""
    if breaker.state is BreakerState.CLOSED:
        return TradingState.ACTIVE
    if breaker.state is BreakerState.HALF_OPEN:
        return TradingState.ACTIVE if breaker.probe_budget > 0 else TradingState.HALTED
    return TradingState.REDUCING if breaker.effect is BreakerEffect.REDUCE_ONLY else TradingState.HALTED


def trading_state(breakers: Iterable[BreakerFacts], *, venue_code: str) -> TradingState:
    """What is allowed at a venue: the strictest of the global switch and its own."""
    scopes = ("global", f"venue:{venue_code}")
    states = [state_of(item) for item in breakers if item.scope in scopes]
    return max(states, key=_SEVERITY.index, default=TradingState.ACTIVE)


def may_send_order(state: TradingState, *, is_reducing: bool) -> bool:
    """Whether an order may go out. Cancels always may."""
    return state is TradingState.ACTIVE or (state is TradingState.REDUCING and is_reducing)
