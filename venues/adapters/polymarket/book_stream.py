"""What the market channel's messages mean for the books we keep. No network and no clock in here.

Messages carry new totals, so hearing one twice changes nothing; hearing them out of order, or missing one, does. That
shows in the venue's time stamps, in the best prices that every change names, and in the book's hash. Hash rule: SHA-1
of the compact REST book with an empty hash (the venue's Python clients, `generate_orderbook_summary_hash`). It covers
the last traded price, which the venue sometimes sends after the hash that covers it
(github.com/Polymarket/py-clob-client-v2/issues/117): so a hash that does not fit is a doubt, and REST decides.
Source of the messages: docs.polymarket.com/market-data/websocket/market-channel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from venues.domain.live_books import LiveBook, Misread, price_micro

LATE: Final = "a message came after a newer one"
TOUCH: Final = "best prices differ from those that the message names"
HASH: Final = "the book's hash differs from the message's"
NO_BOOK: Final = "no snapshot has come"
UNREADABLE: Final = "a level that is no number"


class WireLevel(msgspec.Struct):
    price: str
    size: str


class BookMessage(msgspec.Struct, tag_field="event_type", tag="book"):
    market: str
    asset_id: str
    timestamp: str
    bids: list[WireLevel] = []
    asks: list[WireLevel] = []
    hash: str = ""
    min_order_size: str | None = None
    tick_size: str | None = None
    neg_risk: bool | None = None
    last_trade_price: str | None = None


class WireChange(msgspec.Struct):
    asset_id: str
    price: str
    size: str
    side: str
    hash: str = ""
    best_bid: str | None = None
    best_ask: str | None = None


class PriceChangeMessage(msgspec.Struct, tag_field="event_type", tag="price_change"):
    timestamp: str
    price_changes: list[WireChange]


class TradeMessage(msgspec.Struct, tag_field="event_type", tag="last_trade_price"):
    asset_id: str
    price: str


class TickMessage(msgspec.Struct, tag_field="event_type", tag="tick_size_change"):
    asset_id: str
    new_tick_size: str


Message = BookMessage | PriceChangeMessage | TradeMessage | TickMessage

_decode = msgspec.json.Decoder(Message | list[Message]).decode
_decode_event = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_books = msgspec.json.Decoder(list[BookMessage]).decode


class Kept(LiveBook):
    """A live book with the terms that its hash covers, and what speaks against it."""

    __slots__ = ("condition_id", "doubt", "has_snapshot", "is_checked", "terms", "trade_price")

    def __init__(self, instrument_id: str) -> None:
        super().__init__(instrument_id)
        self.condition_id = ""
        self.has_snapshot = False
        self.is_checked = False
        self.doubt = NO_BOOK
        self.terms: tuple[str, str, bool] | None = None
        self.trade_price: str | None = None

    def computed_hash(self) -> str | None:
        """What the venue's rule gives for the book as we have it; None when we lack a term that it covers."""
        if self.terms is None or self.trade_price is None:
            return None
        size_min, tick, neg_risk = self.terms
        places = max(0, len(tick.partition(".")[2]))
        body = {
            "market": self.condition_id,
            "asset_id": self.instrument_id,
            "timestamp": str(self.at_ms),
            "hash": "",
            "bids": _printed(self.bids, sorted(self.bids), places=places),
            "asks": _printed(self.asks, sorted(self.asks, reverse=True), places=places),
            "min_order_size": size_min,
            "tick_size": tick,
            "neg_risk": neg_risk,
            "last_trade_price": self.trade_price,
        }
        return hashlib.sha1(msgspec.json.encode(body), usedforsecurity=False).hexdigest()


class KeptBooks:
    """The books of one connection. `late`, `ignored` and `unreadable` count messages that could not be applied."""

    def __init__(self) -> None:
        self.books: dict[str, Kept] = {}
        self.messages = 0
        self.unreadable = 0

    def want(self, instrument_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Keep exactly these from now on; return (new ones, those that were dropped)."""
        wanted = set(instrument_ids)
        added = sorted(wanted - self.books.keys())
        dropped = sorted(self.books.keys() - wanted)
        for token in dropped:
            del self.books[token]
        for token in added:
            self.books[token] = Kept(token)
        return added, dropped

    def forget(self) -> None:
        """The line broke: nothing that we have counts until a new snapshot."""
        for book in self.books.values():
            book.has_snapshot = book.is_checked = False
            book.doubt = NO_BOOK

    def hear(self, frame: bytes | str) -> None:
        """Apply one frame. What is no message of a book is counted and passed over; nothing raises."""
        try:
            found = _decode(frame)
        except msgspec.MsgspecError:
            self._hear_odd(frame)
            return
        if type(found) is PriceChangeMessage:
            self._change(found)
        elif type(found) is list:
            for message in found:
                self._apply(message)
        else:
            self._apply(found)

    def _hear_odd(self, frame: bytes | str) -> None:
        """An event of a kind we do not keep is heard and has no effect; anything else is unreadable."""
        try:
            kind = _decode_event(frame).get("event_type")
        except msgspec.MsgspecError:
            kind = None
        known = ('"book"', '"price_change"', '"tick_size_change"', '"last_trade_price"')
        if kind is None or bytes(kind).decode() in known:
            self.unreadable += 1
        else:
            self.messages += 1

    def _apply(self, message: Message) -> None:
        match message:
            case PriceChangeMessage():
                self._change(message)
            case BookMessage():
                self.messages += 1
                self._snapshot(message)
            case TradeMessage():
                self.messages += 1
                self._trade(message)
            case TickMessage():
                self.messages += 1
                self._retick(message)

    def _change(self, message: PriceChangeMessage) -> None:
        self.messages += 1
        books = self.books
        try:
            at_ms = int(message.timestamp)
            for change in message.price_changes:
                book = books.get(change.asset_id)
                if book is None or not book.has_snapshot:
                    continue
                if at_ms < book.at_ms:
                    book.doubt = book.doubt or LATE
                    continue
                levels = book.bids if change.side == "BUY" else book.asks
                size = change.size
                if size.strip("0.") == "":
                    levels.pop(price_micro(change.price), None)
                else:
                    levels[price_micro(change.price)] = size
                book.at_ms = at_ms
                book.book_hash = change.hash
                book.best_bid = change.best_bid
                book.best_ask = change.best_ask
                book.version += 1
        except ValueError:
            self.unreadable += 1
            for change in message.price_changes:
                self._doubt(change.asset_id, UNREADABLE)

    def _snapshot(self, message: BookMessage) -> None:
        book = self.books.get(message.asset_id)
        if book is None:
            return
        try:
            at_ms = int(message.timestamp)
            if at_ms < book.at_ms:
                # An old picture: what we know is newer. REST says what is true.
                book.doubt = LATE
                return
            self._adopt(book, message, at_ms=at_ms)
        except ValueError:
            self.unreadable += 1
            book.doubt = UNREADABLE
            return
        book.doubt = ""

    def _adopt(self, book: Kept, message: BookMessage, *, at_ms: int) -> None:
        book.replace(_pairs(message.bids), _pairs(message.asks), at_ms=at_ms, book_hash=message.hash)
        book.condition_id = message.market
        book.has_snapshot = True
        if message.min_order_size and message.tick_size and message.neg_risk is not None:
            book.terms = (message.min_order_size, message.tick_size, message.neg_risk)
        book.trade_price = message.last_trade_price or book.trade_price

    def _trade(self, message: TradeMessage) -> None:
        book = self.books.get(message.asset_id)
        if book is not None:
            book.trade_price = message.price

    def _retick(self, message: TickMessage) -> None:
        book = self.books.get(message.asset_id)
        if book is not None:
            book.has_snapshot = book.is_checked = False
            book.doubt = NO_BOOK

    def _doubt(self, token: str, why: str) -> None:
        book = self.books.get(token)
        if book is not None:
            book.doubt = why

    def settle(self, answer: bytes, *, asked: Sequence[str]) -> None: ...


def _pairs(levels: list[WireLevel]) -> Iterable[tuple[str, str]]:
    return ((level.price, level.size) for level in levels)
