"""A recorded market played again: the frames of the venue's own market socket, one JSON text a line, at their times.

What the recording shows becomes the house's book; orders of users meet it as they would any other. The format is in
`docs/practice-exchange.md`; whatever is not a book, a price change, a tick or a last trade is passed over.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from venues.simulators.polymarket.makers import book_follow
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.tape import market_take_over
from venues.simulators.polymarket.units import LOT_E6, PRICE_ONE_E4, TICKS_E4, UNIT_E6, exact_e4

LINES_MAX = 5_000_000
LINE_CHARS_MAX = 4_000_000
STEP_EVENTS_MAX = 2_000
"""Events played in one go; the rest waits for the next tick."""
INLINE_MAX = 5_000
SPEED_MAX = 100_000.0
HEADER = "recording"
"""The event type of our own first line, which says what the assets are to be played as."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Levels:
    """What the recording shows of one market, in YES: shares in millionths by price in ten-thousandths."""

    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)


class RecordingRefused(ValueError):
    """A recording that cannot be played, in a sentence."""


class Recording:
    """One recording being played. `events` are read as they fall due; `played` of them are behind us."""

    def __init__(
        self, state: State, events: Iterator[dict[str, Any]], *, started_at: int, speed: float, slug: str
    ) -> None:
        self.played = 0
        self.left_out = 0
        self._state = state
        self._events = events
        self._started_at = started_at
        self._speed = speed
        self._slug = slug
        self._first_ms: int | None = None
        self._assets: dict[str, tuple[Market, int] | None] = {}
        self._levels: dict[str, Levels] = {}
        self._waiting: dict[str, Any] | None = None

    @property
    def next_at(self) -> int | None:
        """When the next event falls due on the exchange's clock; None when the recording is over."""
        self._waiting = self._waiting or next(self._events, None)
        if self._waiting is None:
            return None
        if "timestamp" not in self._waiting:
            return self._started_at
        moment = int(self._waiting["timestamp"])
        if self._first_ms is None:
            self._first_ms = moment
        return self._started_at + round((moment - self._first_ms) / self._speed)

    def advance(self, *, now_ms: int) -> int:
        """Play what is due and return how many events that was."""
        for count in range(STEP_EVENTS_MAX):
            due_at = self.next_at
            if due_at is None or due_at > now_ms:
                return count
            event, self._waiting = self._waiting, None
            try:
                self._play(event or {}, now_ms=now_ms)
            except (ArithmeticError, LookupError, TypeError, ValueError):
                self.left_out += 1
                logger.warning("event %s of the recording makes no sense and is left out", self.played + 1)
            self.played += 1
        return STEP_EVENTS_MAX

    def skip(self, count: int) -> None:
        """Pass over what was played before a restart; books stand as they were saved."""
        for _ in range(count):
            if self.next_at is None:
                return
            event, self._waiting = self._waiting, None
            with suppress(ArithmeticError, LookupError, TypeError, ValueError):
                self._note(event or {})
            self.played += 1

    def _play(self, event: dict[str, Any], *, now_ms: int) -> None:
        for market in self._note(event):
            shown = self._levels[market.condition_id]
            if market.closed:
                continue
            bids, asks = sorted(shown.bids.items(), reverse=True), sorted(shown.asks.items())
            _fit_tick(self._state, market, [price for price, _ in (*bids, *asks)])
            book_follow(self._state, market, bids=bids, asks=asks, now_ms=now_ms)

    def _note(self, event: dict[str, Any]) -> list[Market]:
        """Take an event into the recorded levels and return the markets whose book it changed."""
        match event.get("event_type"):
            case "recording":
                self._name(event.get("assets", {}))
            case "book":
                return self._snapshot(event)
            case "price_change":
                return self._changes(event.get("price_changes", []))
            case "tick_size_change":
                self._tick(event)
            case "last_trade_price":
                self._trade(event)
        return []

    def _snapshot(self, event: dict[str, Any]) -> list[Market]:
        found = self._market(str(event.get("asset_id")))
        if found is None:
            return []
        market, outcome = found
        shown = self._levels[market.condition_id] = Levels()
        for side, name in (("BUY", "bids"), ("SELL", "asks")):
            for row in event.get(name, []):
                _put(shown, outcome, side=side, price=row["price"], size=row["size"])
        return [market]

    def _changes(self, rows: list[dict[str, Any]]) -> list[Market]:
        changed: dict[str, Market] = {}
        for row in rows:
            found = self._market(str(row.get("asset_id")))
            if found is None:
                continue
            market, outcome = found
            shown = self._levels.setdefault(market.condition_id, Levels())
            _put(shown, outcome, side=str(row["side"]), price=row["price"], size=row["size"])
            changed[market.condition_id] = market
        return list(changed.values())

    def _tick(self, event: dict[str, Any]) -> None:
        found = self._market(str(event.get("asset_id")))
        tick_e4 = exact_e4(str(event.get("new_tick_size")))
        if found is not None and tick_e4 in TICKS_E4:
            found[0].tick_e4 = tick_e4
            self._state.save(found[0])

    def _trade(self, event: dict[str, Any]) -> None:
        found = self._market(str(event.get("asset_id")))
        if found is None:
            return
        market, outcome = found
        price = exact_e4(str(event.get("price")))
        market.last_price_e4 = price if outcome == 0 else PRICE_ONE_E4 - price
        market.last_side = str(event.get("side", market.last_side))
        self._state.save(market)

    def _name(self, assets: dict[str, Any]) -> None:
        by_slug = {market.slug: market for market in self._state.markets.values()}
        for asset_id, row in assets.items():
            market = by_slug.get(str(row.get("slug")))
            outcome = 1 if str(row.get("outcome", "Yes")).lower() == "no" else 0
            self._assets[asset_id] = (market, outcome) if market is not None else None
            if market is not None:
                market_take_over(self._state, market)

    def _market(self, asset_id: str) -> tuple[Market, int] | None:
        """Return the market and outcome that an asset is played as; None when it is played as nothing."""
        if asset_id not in self._assets:
            self._assets[asset_id] = self._guessed(asset_id)
        found = self._assets[asset_id]
        self.left_out += found is None
        return found

    def _guessed(self, asset_id: str) -> tuple[Market, int] | None:
        market = self._state.market_by_token.get(asset_id)
        if market is not None:
            market_take_over(self._state, market)
            return market, market.index(asset_id)
        named = next((row for row in self._state.markets.values() if row.slug == self._slug), None)
        taken = [row[1] for row in self._assets.values() if row is not None and row[0] is named]
        if named is None or len(taken) > 1:
            return None
        market_take_over(self._state, named)
        return named, len(taken)


def recording_play(
    state: State,
    *,
    now_ms: int,
    path: str = "",
    events: list[Any] | None = None,
    speed: float = 1.0,
    slug: str = "",
) -> Recording:
    """Begin to play a file, or events given inline; what was playing ends where it is.

    RecordingRefused, in a sentence, for a file that cannot be read or holds no recording, an unknown slug, or a speed
    out of range.
    """
    if not 0 < speed <= SPEED_MAX:
        raise RecordingRefused(f"speed must be above 0 and at most {SPEED_MAX:g}")
    if slug and slug not in {market.slug for market in state.markets.values()}:
        raise RecordingRefused(f"no market {slug!r} to play the recording as")
    if events is not None and len(events) > INLINE_MAX:
        raise RecordingRefused(f"at most {INLINE_MAX} events inline; play a longer recording from a file")
    kept: dict[str, Any] = {
        "path": path,
        "events": events,
        "speed": speed,
        "slug": slug,
        "started_at": now_ms,
    }
    recording = _opened(state, kept)
    try:
        begins = recording.next_at
    except OSError as error:
        raise RecordingRefused(f"the recording cannot be read: {error}") from error
    if begins is None:
        raise RecordingRefused("the recording has no event of the market channel in it")
    state.settings["play"] = {**kept, "played": 0}
    state.save_settings()
    state.recording = recording
    return recording


def recording_resume(state: State) -> None:
    """Go on with the recording that was playing when the exchange stopped."""
    kept = state.settings.get("play")
    if kept:
        state.recording = _opened(state, kept)
        state.recording.skip(int(kept["played"]))


def recording_stop(state: State) -> None:
    """End what is playing; books stay as they are."""
    state.recording = None
    state.settings.pop("play", None)
    state.save_settings()


def recording_advance(state: State, *, now_ms: int) -> None:
    """Play what is due."""
    recording = state.recording
    if recording is not None and recording.advance(now_ms=now_ms):
        state.settings["play"]["played"] = recording.played
        state.save_settings()


def recording_body(state: State) -> dict[str, Any]:
    """Say what is playing and how far it is."""
    recording, kept = state.recording, state.settings.get("play")
    if recording is None or not kept:
        return {"playing": False}
    shown = {name: kept[name] for name in ("path", "speed", "slug", "started_at")}
    return {
        "playing": recording.next_at is not None,
        **shown,
        "played": recording.played,
        "left_out": recording.left_out,
        "next_at": recording.next_at,
    }


def events_of(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the events of a recording: each line a frame, an object or an array of them.

    PONGs and broken lines are passed over; what is longer than a recording may be is not read.
    """
    for line in islice(lines, LINES_MAX):
        text = line.strip()
        if not text.startswith(("{", "[")) or len(text) > LINE_CHARS_MAX:
            continue
        try:
            frame = json.loads(text)
        except ValueError:
            # A recorder that is killed leaves half a line.
            continue
        yield from (row for row in (frame if isinstance(frame, list) else [frame]) if _is_event(row))


def _opened(state: State, kept: dict[str, Any]) -> Recording:
    inline = kept.get("events")
    events = (
        iter([row for row in inline if _is_event(row)]) if inline is not None else _read(Path(kept["path"]))
    )
    return Recording(
        state, events, started_at=int(kept["started_at"]), speed=float(kept["speed"]), slug=kept["slug"]
    )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from events_of(file)


def _is_event(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and "event_type" in row
        and ("timestamp" in row or row["event_type"] == "recording")
    )


def _put(shown: Levels, outcome: int, *, side: str, price: str, size: str) -> None:
    """Note a level, told in the asset's own terms, in YES; a smaller part of a share than 0.01 is left out."""
    price_e4 = exact_e4(str(price))
    size_e6 = int(Decimal(str(size)) * UNIT_E6) // LOT_E6 * LOT_E6
    is_bid = (side == "BUY") == (outcome == 0)
    price_e4 = price_e4 if outcome == 0 else PRICE_ONE_E4 - price_e4
    own, other = (shown.bids, shown.asks) if is_bid else (shown.asks, shown.bids)
    own.pop(price_e4, None)
    if size_e6 > 0:
        own[price_e4] = size_e6
        # The newest word holds: what it crosses on the other side was there before it.
        for level in [row for row in other if (row <= price_e4 if is_bid else row >= price_e4)]:
            del other[level]


def _fit_tick(state: State, market: Market, prices: list[int]) -> None:
    """Give a market the coarsest tick that every price of its recording fits."""
    if any(price % market.tick_e4 for price in prices):
        market.tick_e4 = next(tick for tick in TICKS_E4 if not any(price % tick for price in prices))
        state.save(market)
