"""What the market channel says: the difference between the books as last told and as they are.

Nothing in the exchange announces a change; the feed compares, after every request and every tick, only the books that
somebody reads. Hashes are those of the REST book of the same moment, so a reader can check every step.
Shapes: docs.polymarket.com/market-data/websocket/market-channel. After a trade the venue also sends the whole book.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Any

from venues.simulators.polymarket.clob_books import book_body
from venues.simulators.polymarket.records import BUY, SELL, TRADE_MATCHED, Market, Trade
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import UNIT_E6, price_text, text_e4, text_e6

Levels = dict[int, int]
"""Price in ten-thousandths -> size in millionths."""

TRADES_MAX = 10_000
"""Trades kept for readers between two looks; older ones are forgotten, as nobody reads."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message. `assets`: who reads any of these hears it; empty means everybody. `custom`: only who asked."""

    kind: str
    body: dict[str, Any]
    assets: frozenset[str]
    custom: bool = False

    def is_for(self, assets: Set[str], *, custom: bool) -> bool:
        """Whether a connection that reads `assets` hears it."""
        return (custom or not self.custom) and (not self.assets or not self.assets.isdisjoint(assets))


@dataclass(slots=True)
class _Told:
    """A market as its readers know it."""

    version: int
    tick_e4: int
    closed: bool
    bids: dict[str, Levels] = field(default_factory=dict)
    asks: dict[str, Levels] = field(default_factory=dict)


class MarketFeed:
    """Turns changed books into messages."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._told: dict[str, _Told] = {}
        self._known = set(state.markets)
        self._trades: deque[Trade] = deque(maxlen=TRADES_MAX)
        self._first: dict[str, dict[str, Any]] = {}
        state.watchers.append(self._watch)

    def snapshot(self, token_id: str, *, is_stale: bool = False) -> dict[str, Any]:
        """Return a token's whole book as a `book` event; a stale one is the first that was ever told."""
        market = self._state.market_by_token[token_id]
        self._told.setdefault(market.condition_id, self._look(market))
        body = {"event_type": "book", **book_body(self._state, token_id, with_closed=True)}
        first = self._first.setdefault(token_id, body)
        return first if is_stale else body

    def changes(self, assets: Set[str]) -> Iterator[Event]:
        """Yield what is new about the markets of `assets`, and note that it was told."""
        trades = list(self._trades)
        self._trades.clear()
        yield from self._opened()
        read = {
            market.condition_id: market
            for asset in assets
            if (market := self._state.market_by_token.get(asset)) is not None
        }
        for condition_id in self._told.keys() - read.keys():
            del self._told[condition_id]
        for market in read.values():
            traded = [trade for trade in trades if trade.condition_id == market.condition_id]
            yield from self._changed(market, traded)

    def _opened(self) -> Iterator[Event]:
        for condition_id in self._state.markets.keys() - self._known:
            market = self._state.markets[condition_id]
            yield Event("new_market", self._new_market(market), frozenset(), custom=True)
        self._known = set(self._state.markets)

    def _changed(self, market: Market, trades: list[Trade]) -> Iterator[Event]:
        told = self._told.get(market.condition_id)
        book = self._state.books[market.condition_id]
        if told is None:
            self._told[market.condition_id] = self._look(market)
            return
        is_same = (told.version, told.tick_e4, told.closed) == (book.version, market.tick_e4, market.closed)
        if is_same and not trades:
            return
        now = self._told[market.condition_id] = self._look(market)
        assets = frozenset(market.token_ids)
        at = str(book.changed_at)
        for trade in trades:
            yield Event("last_trade_price", _traded(trade), assets)
        if now.tick_e4 != told.tick_e4:
            yield from self._retick(market, told.tick_e4)
            return
        bodies = {token: book_body(self._state, token, with_closed=True) for token in market.token_ids}
        rows = [row for token in market.token_ids for row in _rows(market, token, told, now, bodies[token])]
        if rows:
            body = {"event_type": "price_change", "market": market.condition_id, "price_changes": rows}
            yield Event("price_change", {**body, "timestamp": at}, assets)
            yield from _touches(market, told, now, at=at)
        if trades:
            for token, whole in bodies.items():
                yield Event("book", {"event_type": "book", **whole}, frozenset({token}))
        if market.closed and not told.closed:
            yield Event("market_resolved", self._resolved(market), assets, custom=True)

    def _retick(self, market: Market, old_e4: int) -> Iterator[Event]:
        at = str(self._state.clock.now_ms())
        for token in market.token_ids:
            body = {
                "event_type": "tick_size_change",
                "market": market.condition_id,
                "asset_id": token,
                "old_tick_size": text_e4(old_e4),
                "new_tick_size": text_e4(market.tick_e4),
                "timestamp": at,
            }
            yield Event("tick_size_change", body, frozenset({token}))
        for token in market.token_ids:
            yield Event("book", self.snapshot(token), frozenset({token}))

    def _look(self, market: Market) -> _Told:
        book = self._state.books[market.condition_id]
        told = _Told(book.version, market.tick_e4, market.closed)
        for token in market.token_ids:
            bids, asks = book.levels(token)
            told.bids[token], told.asks[token] = dict(bids), dict(asks)
        return told

    def _watch(self, record: object) -> None:
        if isinstance(record, Trade) and record.status == TRADE_MATCHED:
            self._trades.append(record)

    def _new_market(self, market: Market) -> dict[str, Any]:
        return {
            "event_type": "new_market",
            "id": market.gamma_id,
            "question": market.question,
            "market": market.condition_id,
            "slug": market.slug,
            "description": market.description,
            "assets_ids": market.token_ids,
            "outcomes": market.outcomes,
            "timestamp": str(self._state.clock.now_ms()),
        }

    def _resolved(self, market: Market) -> dict[str, Any]:
        winner = market.payout_e6.index(UNIT_E6) if UNIT_E6 in market.payout_e6 else None
        return {
            "event_type": "market_resolved",
            "id": market.gamma_id,
            "market": market.condition_id,
            "assets_ids": market.token_ids,
            "winning_asset_id": None if winner is None else market.token_ids[winner],
            "winning_outcome": None if winner is None else market.outcomes[winner],
            "timestamp": str(self._state.clock.now_ms()),
        }


def _rows(
    market: Market, token: str, told: _Told, now: _Told, body: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield one row per level that changed; the best prices and the hash are those after all of them."""
    best_bid, best_ask = _best(market, now, token)
    sides = ((BUY, told.bids[token], now.bids[token]), (SELL, told.asks[token], now.asks[token]))
    for side, before, after in sides:
        for price_e4 in sorted(before.keys() | after.keys()):
            if before.get(price_e4) == after.get(price_e4):
                continue
            yield {
                "asset_id": token,
                "price": price_text(price_e4, tick_e4=market.tick_e4),
                "size": text_e6(after.get(price_e4, 0)),
                "side": side,
                "hash": body["hash"],
                "best_bid": best_bid,
                "best_ask": best_ask,
            }


def _touches(market: Market, told: _Told, now: _Told, *, at: str) -> Iterator[Event]:
    for token in market.token_ids:
        best_bid, best_ask = _best(market, now, token)
        if (best_bid, best_ask) == _best(market, told, token):
            continue
        spread_e4 = min(now.asks[token], default=10_000) - max(now.bids[token], default=0)
        body = {
            "event_type": "best_bid_ask",
            "market": market.condition_id,
            "asset_id": token,
            "best_bid": best_bid,
            "best_ask": best_ask,
            "spread": text_e4(spread_e4),
            "timestamp": at,
        }
        yield Event("best_bid_ask", body, frozenset({token}), custom=True)


def _best(market: Market, told: _Told, token: str) -> tuple[str, str]:
    """The touch; an empty side reads 0 and 1."""
    bid, ask = max(told.bids[token], default=0), min(told.asks[token], default=10_000)
    return (
        price_text(bid, tick_e4=market.tick_e4) if bid else "0",
        price_text(ask, tick_e4=market.tick_e4) if ask < 10_000 else "1",
    )


def _traded(trade: Trade) -> dict[str, Any]:
    taker = trade.legs[0]
    return {
        "event_type": "last_trade_price",
        "market": trade.condition_id,
        "asset_id": taker.token_id,
        "price": text_e4(taker.price_e4),
        "size": text_e6(taker.size_e6),
        "side": taker.side,
        "fee_rate_bps": "0",
        "transaction_hash": trade.transaction_hash,
        "timestamp": str(trade.matched_at),
    }
