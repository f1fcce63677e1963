"""What the passing of time does: settlement steps, expiries, ends of delays, scheduled books, refills."""

from __future__ import annotations

from venues.simulators.polymarket.cancels import expired_cancel
from venues.simulators.polymarket.delays import delays_advance
from venues.simulators.polymarket.pool import pool_advance
from venues.simulators.polymarket.recordings import recording_advance
from venues.simulators.polymarket.settlement import settlement_advance
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.tape import books_replenish, tape_advance


def timeline_advance(state: State) -> None:
    """Do everything that is due by the exchange's clock, and commit it."""
    now_ms = state.clock.now_ms()
    settlement_advance(state, now_ms=now_ms)
    pool_advance(state, now_ms=now_ms)
    expired_cancel(state, now_ms=now_ms)
    delays_advance(state, now_ms=now_ms)
    tape_advance(state, now_ms=now_ms)
    recording_advance(state, now_ms=now_ms)
    books_replenish(state, now_ms=now_ms)
    state.store.commit()
