"""What the market channel's messages mean for the books we keep. No network and no clock in here.

Messages carry new totals, so hearing one twice changes nothing; hearing them out of order, or missing one, does. That
shows in the venue's time stamps, in the best prices that every change names, and in the book's hash (book_hash.py).
Source of the messages: docs.polymarket.com/market-data/websocket/market-channel.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from venues.adapters.polymarket.book_hash import book_hash
from venues.domain.live_books import LiveBook, Misread, known_prices, price_micro


class Doubt(StrEnum):
    """Why a book may be wrong."""

    NONE = ""
    NO_BOOK = "no snapshot has come"
    LATE = "a message came after a newer one"
    TOUCH = "the best prices differ from those that the message names"
    HASH = "the book's hash differs from the message's"
    UNREADABLE = "a message or a level cannot be read"


class Verdict(StrEnum):
    """What REST said of a book."""

    AGREES = "agrees"
    REPLACED = "replaced"
    LAGS = "lags"
    ABSENT = "absent"


class WireLevel(msgspec.Struct):
    price: str
    size: str


class BookMessage(msgspec.Struct, tag_field="event_type", tag="book"):
    """A whole book; REST answers the same without `event_type`."""

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
    """One level's new total; size 0 takes the level away."""

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
_OURS = frozenset({"book", "price_change", "last_trade_price", "tick_size_change"})

_decode = msgspec.json.Decoder(Message | list[Message]).decode
_decode_any = msgspec.json.Decoder().decode
_decode_books = msgspec.json.Decoder(list[BookMessage]).decode


class KeptBook(LiveBook):
    """A live book with the terms that its hash covers, and what speaks against it."""

    __slots__ = ("condition_id", "doubt", "has_snapshot", "is_told", "looked", "terms", "trade_price")

    def __init__(self, instrument_id: str) -> None:
        super().__init__(instrument_id)
        self.condition_id = ""
        self.has_snapshot = False
        self.is_told = False
        self.looked = -1
        self.doubt = Doubt.NO_BOOK
        self.terms: tuple[str, str, bool] | None = None
        self.trade_price: str | None = None

    def examine(self, *, with_hash: bool) -> None:
        """Judge the book by what its last message says of it, unless that has been done."""
        if self.doubt or self.looked == self.version:
            return
        self.looked = self.version
        try:
            self.levels()
        except Misread:
            self.doubt = Doubt.UNREADABLE
            return
        if not self.touch_agrees():
            self.doubt = Doubt.TOUCH
        elif with_hash and self.book_hash and book_hash(self) not in (None, self.book_hash):
            self.doubt = Doubt.HASH

    def adopt(self, message: BookMessage) -> None:
        """Take a snapshot. Raises Misread, and changes nothing, when it cannot be read."""
        at_ms = stamp(message.timestamp)
        bids = ((level.price, level.size) for level in message.bids)
        asks = ((level.price, level.size) for level in message.asks)
        self.replace(bids, asks, at_ms=at_ms, book_hash=message.hash)
        self.condition_id = message.market
        self.has_snapshot = True
        self.doubt = Doubt.NONE
        self.learn(message)

    def learn(self, message: BookMessage) -> None:
        """Note the terms that the hash covers, where the message names them."""
        if message.min_order_size and message.tick_size and message.neg_risk is not None:
            self.terms = (message.min_order_size, message.tick_size, message.neg_risk)
        self.trade_price = message.last_trade_price or self.trade_price


class KeptBooks:
    """The books of one connection. `messages` counts events with data, `unreadable` those that were none."""

    def __init__(self) -> None:
        self.books: dict[str, KeptBook] = {}
        self.messages = 0
        self.unreadable = 0

    def want(self, instrument_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Keep exactly these from now on; return (new ones, those that were dropped)."""
        wanted = set(instrument_ids)
        added, dropped = sorted(wanted - self.books.keys()), sorted(self.books.keys() - wanted)
        for token in dropped:
            del self.books[token]
        for token in added:
            self.books[token] = KeptBook(token)
        return added, dropped

    def forget(self) -> None:
        """The line broke: nothing that we have counts until a new snapshot."""
        for book in self.books.values():
            book.has_snapshot = book.is_told = False
            book.doubt = Doubt.NO_BOOK

    def hear(self, frame: bytes | str) -> None:
        """Apply one frame. What is no event of a book is counted and passed over; nothing raises."""
        try:
            found = _decode(frame)
        except msgspec.MsgspecError:
            self._hear_odd(frame)
            return
        if type(found) is PriceChangeMessage:
            self._change(found)
        elif isinstance(found, list):
            for message in found:
                self._hear(message)
        else:
            self._hear(found)

    def judge(self, token: str, told: BookMessage | None) -> Verdict:
        """Compare a book with what REST says and take REST's where it is not older. Raises Misread for a bad answer."""
        book = self.books[token]
        if told is None:
            return Verdict.ABSENT
        if book.has_snapshot and stamp(told.timestamp) < book.at_ms:
            return Verdict.LAGS
        theirs = KeptBook(token)
        theirs.adopt(told)
        if book.has_snapshot and _same(book, theirs):
            book.at_ms, book.book_hash = theirs.at_ms, theirs.book_hash
            book.doubt, book.looked = Doubt.NONE, book.version
            book.learn(told)
            return Verdict.AGREES
        book.adopt(told)
        book.looked = book.version
        return Verdict.REPLACED

    def _hear_odd(self, frame: bytes | str) -> None:
        """An event of a kind that we do not keep has no effect; anything else is unreadable."""
        try:
            value = _decode_any(frame)
        except msgspec.MsgspecError:
            self.unreadable += 1
            return
        for event in value if isinstance(value, list) else [value]:
            try:
                self._hear(msgspec.convert(event, Message))
            except msgspec.MsgspecError:
                kind = event.get("event_type") if isinstance(event, dict) else None
                if kind is None or kind in _OURS:
                    self.unreadable += 1
                    self._doubt(event)
                else:
                    self.messages += 1

    def _hear(self, message: Message) -> None:
        if isinstance(message, PriceChangeMessage):
            self._change(message)
            return
        self.messages += 1
        book = self.books.get(message.asset_id)
        if book is None:
            return
        if isinstance(message, BookMessage):
            self._snapshot(book, message)
        elif isinstance(message, TradeMessage):
            book.trade_price = message.price
        else:
            book.has_snapshot = False
            book.doubt = Doubt.NO_BOOK

    def _change(self, message: PriceChangeMessage) -> None:
        # Nearly all messages are of this kind: every step counts.
        self.messages += 1
        books, known = self.books, known_prices
        try:
            at_ms = int(message.timestamp)
            for change in message.price_changes:
                book = books.get(change.asset_id)
                if book is None or not book.has_snapshot:
                    continue
                book.is_told = True
                if at_ms < book.at_ms:
                    book.doubt = book.doubt or Doubt.LATE
                    continue
                text, size = change.price, change.size
                key = known.get(text) or price_micro(text)
                levels = book.bids if change.side == "BUY" else book.asks
                if size[:1] == "0" and not size.strip("0."):
                    levels.pop(key, None)
                else:
                    levels[key] = size
                book.at_ms = at_ms
                book.book_hash = change.hash
                book.best_bid = change.best_bid
                book.best_ask = change.best_ask
                book.version += 1
        except ValueError:
            self.unreadable += 1
            for change in message.price_changes:
                if change.asset_id in books:
                    books[change.asset_id].doubt = Doubt.UNREADABLE

    def _snapshot(self, book: KeptBook, message: BookMessage) -> None:
        book.is_told = True
        try:
            if stamp(message.timestamp) < book.at_ms:
                book.doubt = book.doubt or Doubt.LATE
                return
            book.adopt(message)
        except Misread:
            self.unreadable += 1
            book.doubt = Doubt.UNREADABLE

    def _doubt(self, event: object) -> None:
        token = event.get("asset_id") if isinstance(event, dict) else None
        # Without a name it may have been about any of them.
        for book in [self.books[token]] if token in self.books else self.books.values():
            book.doubt = Doubt.UNREADABLE


def rest_books(answer: bytes) -> dict[str, BookMessage]:
    """The books of a REST answer by token. Raises Misread for what is no list of books."""
    try:
        return {message.asset_id: message for message in _decode_books(answer)}
    except msgspec.MsgspecError as error:
        raise Misread("the answer is no list of books") from error


def stamp(text: str) -> int:
    """A venue's time stamp in milliseconds. Raises Misread."""
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise Misread(f"{text!r} is no time stamp")
    return int(text)


def _same(one: LiveBook, other: LiveBook) -> bool:
    try:
        return one.levels() == other.levels()
    except Misread:
        return False
