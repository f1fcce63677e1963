"""How the house's books move by themselves: frames played at their time, and slow replenishment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from venues.simulators.polymarket.makers import Level, book_set, house_levels, makers_open, on_grid
from venues.simulators.polymarket.markets import seed_rows, seeded_levels
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import LOT_E6

FRAMES_MAX = 10_000
REFILL_PERCENT = 10


def frames_play(
    state: State, market: Market, *, frames: Sequence[tuple[float, list[Level], list[Level]]], now_ms: int
) -> None:
    """Schedule books of a market, each so many seconds from now; they replace what was scheduled for it."""
    kept = [row for row in _frames(state) if row["condition_id"] != market.condition_id]
    for after_seconds, bids, asks in frames:
        at = now_ms + round(after_seconds * 1000)
        kept.append({"at": at, "condition_id": market.condition_id, "bids": bids, "asks": asks})
    if len(kept) > FRAMES_MAX:
        raise ValueError(f"at most {FRAMES_MAX} frames at a time")
    state.settings["frames"] = sorted(kept, key=lambda row: row["at"])
    state.save_settings()


def market_take_over(state: State, market: Market) -> None:
    """Leave a market's book to the rehearsal: no refills, and nothing that was scheduled for it before."""
    state.settings["hand_set"] = sorted({*state.settings.get("hand_set", []), market.slug})
    state.settings["frames"] = [row for row in _frames(state) if row["condition_id"] != market.condition_id]
    state.save_settings()
    makers_open(state)


def tape_advance(state: State, *, now_ms: int) -> None:
    """Set every scheduled book whose time has come."""
    frames = _frames(state)
    if not frames or frames[0]["at"] > now_ms:
        return
    due = [row for row in frames if row["at"] <= now_ms]
    state.settings["frames"] = frames[len(due) :]
    state.save_settings()
    for row in due:
        market = state.markets[row["condition_id"]]
        if market.closed:
            continue
        shown = {side: [(price, size) for price, size in row[side]] for side in ("bids", "asks")}
        bids, asks = on_grid(market, **shown)
        book_set(state, market, bids=bids, asks=asks, now_ms=now_ms)


def books_replenish(state: State, *, now_ms: int) -> None:
    """Every `replenish_seconds`, give each seeded level back a tenth of what it opened with, up to that."""
    every_ms = round(state.config.replenish_seconds * 1000)
    if every_ms <= 0 or now_ms - int(state.settings.get("replenished_at", 0)) < every_ms:
        return
    state.settings["replenished_at"] = now_ms
    state.save_settings()
    by_slug = {market.slug: market for market in state.markets.values()}
    for row in seed_rows():
        market = by_slug.get(row["slug"])
        if market is None or market.closed or market.slug in state.settings.get("hand_set", []):
            continue
        bids, asks = seeded_levels(market, row, seed=state.config.seed)
        full = on_grid(market, bids=bids, asks=asks)
        now = house_levels(state, market)
        bids, asks = (_refilled(current, target) for current, target in zip(now, full, strict=True))
        if (bids, asks) != now:
            book_set(state, market, bids=bids, asks=asks, now_ms=now_ms)


def _refilled(current: list[Level], full: list[Level]) -> list[Level]:
    left = dict(current)
    refilled = []
    for price_e4, size_e6 in full:
        step = max(size_e6 * REFILL_PERCENT // 100 // LOT_E6 * LOT_E6, LOT_E6)
        refilled.append((price_e4, min(left.get(price_e4, 0) + step, size_e6)))
    return refilled


def _frames(state: State) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = state.settings.get("frames", [])
    return frames
