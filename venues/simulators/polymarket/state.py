"""Everything the exchange knows, in memory with a row on disk for each thing.

Books, indices and the settlement queue are rebuilt from the rows on a start, so the rows are the only truth.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from venues.simulators.polymarket.book import Book
from venues.simulators.polymarket.clock import Clock
from venues.simulators.polymarket.config import Config
from venues.simulators.polymarket.records import (
    DELAYED,
    LIVE,
    Account,
    ApiKey,
    Leg,
    Market,
    Order,
    Position,
    Trade,
)
from venues.simulators.polymarket.store import Store
from venues.simulators.polymarket.transactions import WAITING, Transaction

if TYPE_CHECKING:
    from venues.simulators.polymarket.recordings import Recording

DEFAULT_SETTINGS: dict[str, Any] = {"offset_ms": 0, "scripts": [], "fee_e6": 0, "vault_e6": 0, "minted_e6": 0}


class State:
    """The records by their names, and the indices the services need."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store(config.state)
        self.clock = Clock()
        self.watchers: list[Callable[[object], None]] = []
        self._empty()
        self._load()

    def _empty(self) -> None:
        self.clock.offset_ms = 0
        self.markets: dict[str, Market] = {}
        self.market_by_token: dict[str, Market] = {}
        self.books: dict[str, Book] = {}
        self.orders: dict[str, Order] = {}
        self.live: dict[str, dict[str, Order]] = defaultdict(dict)
        self.expiring: dict[str, Order] = {}
        self.delayed: dict[str, Order] = {}
        self.orders_by_owner: dict[str, list[Order]] = defaultdict(list)
        self.trades: dict[str, Trade] = {}
        self.trades_by_address: dict[str, list[Trade]] = defaultdict(list)
        self.open_trades: dict[str, dict[str, Trade]] = defaultdict(dict)
        self.due: list[tuple[int, str]] = []
        self.accounts: dict[str, Account] = {}
        self.transactions: dict[str, Transaction] = {}
        self.pool: dict[str, Transaction] = {}
        self.keys: dict[str, ApiKey] = {}
        self.settings: dict[str, Any] = {
            **DEFAULT_SETTINGS,
            "scripts": [],
            "mined_seconds": self.config.mined_seconds,
            "confirmed_seconds": self.config.confirmed_seconds,
        }
        self.sequence = 0
        self.recording: Recording | None = None

    def _load(self) -> None:
        for _, body in self.store.read("setting"):
            self.settings.update(body)
        self.clock.offset_ms = int(self.settings["offset_ms"])
        for _, body in self.store.read("market"):
            self.index_market(Market(**body))
        for _, body in self.store.read("account"):
            body["positions"] = {token: Position(**row) for token, row in body["positions"].items()}
            self.accounts[body["address"]] = Account(**body)
        rows_sent = [Transaction(**body) for _, body in self.store.read("transaction")]
        for sent in sorted(rows_sent, key=lambda row: row.sequence):
            self.index_transaction(sent)
            self.sequence = max(self.sequence, sent.sequence)
        for key, body in self.store.read("api_key"):
            self.keys[key] = ApiKey(**body)
        rows = [Order(**body) for _, body in self.store.read("order")]
        for order in sorted(rows, key=lambda row: row.sequence):
            self.index_order(order)
            self.sequence = max(self.sequence, order.sequence)
        loaded = []
        for _, body in self.store.read("trade"):
            body["legs"] = [Leg(**leg) for leg in body["legs"]]
            loaded.append(Trade(**body))
        for trade in sorted(loaded, key=lambda row: row.sequence):
            self.index_trade(trade)
            self.sequence = max(self.sequence, trade.sequence)

    def reset(self) -> None:
        """Forget everything, rows included."""
        self.store.clear()
        self._empty()

    def next_sequence(self) -> int:
        """Return the next place in the one order of events."""
        self.sequence += 1
        return self.sequence

    def account(self, address: str) -> Account:
        """Return a wallet's account, or an empty one that nothing remembers until it is opened."""
        return self.accounts.get(address) or Account(address=address, owner=address, signature_type=0)

    def account_open(self, address: str) -> Account:
        """Return a wallet's account, opening an empty one on first sight: from here it exists on chain."""
        return self.accounts.setdefault(address, self.account(address))

    def index_market(self, market: Market) -> None:
        """Make a market findable and give it a book."""
        self.markets[market.condition_id] = market
        for token_id in market.token_ids:
            self.market_by_token[token_id] = market
        self.books[market.condition_id] = Book(market.token_ids[0], now_ms=self.clock.now_ms)

    def index_order(self, order: Order) -> None:
        """Make an order findable; a live one rests in its book."""
        self.orders[order.id] = order
        if order.owner:
            self.orders_by_owner[order.owner].append(order)
        if order.status == LIVE:
            self.rest_order(order)
        elif order.status == DELAYED:
            self.delayed[order.id] = order

    def rest_order(self, order: Order) -> None:
        """Put a live order on its book and among its maker's live orders."""
        self.live[order.maker][order.id] = order
        if order.order_type == "GTD":
            self.expiring[order.id] = order
        self.books[order.condition_id].add(order)

    def forget_order(self, order: Order) -> None:
        """Forget an order that rests nowhere and has no trade."""
        self.orders.pop(order.id, None)
        self.store.drop("order", order.id)

    def unrest(self, order: Order) -> None:
        """Take an order out of its book and of its maker's live orders."""
        self.books[order.condition_id].remove(order)
        self.live[order.maker].pop(order.id, None)
        self.expiring.pop(order.id, None)

    def index_trade(self, trade: Trade) -> None:
        """Make a trade findable and queue its next settlement step."""
        self.trades[trade.id] = trade
        for address in {leg.address for leg in trade.legs}:
            self.trades_by_address[address].append(trade)
            if trade.is_open:
                self.open_trades[address][trade.id] = trade
        if trade.is_open:
            heapq.heappush(self.due, (trade.due_at, trade.id))

    def index_transaction(self, sent: Transaction) -> None:
        """Make a transaction findable, in the pool while it waits to be mined."""
        self.transactions[sent.hash] = sent
        if sent.status == WAITING:
            self.pool[sent.hash] = sent

    def save(self, *records: Market | Order | Trade | Account | ApiKey | Transaction) -> None:
        """Queue rows for the next commit, and show each to whoever watches."""
        for record in records:
            for watch in self.watchers:
                watch(record)
            match record:
                case Market():
                    self.store.put("market", record.condition_id, asdict(record))
                case Order():
                    self.store.put("order", record.id, asdict(record))
                case Trade():
                    self.store.put("trade", record.id, asdict(record))
                case Account():
                    self.store.put("account", record.address, asdict(record))
                case ApiKey():
                    self.store.put("api_key", record.key, asdict(record))
                case Transaction():
                    self.store.put("transaction", record.hash, asdict(record))

    def save_settings(self) -> None:
        """Queue the settings for the next commit."""
        self.settings["offset_ms"] = self.clock.offset_ms
        self.store.put("setting", "settings", self.settings)


def checksummed(address: str) -> str:
    """Return an address in its checksum form; ValueError when it is not one."""
    if not isinstance(address, str) or len(address) != 42 or not address.startswith("0x"):
        raise ValueError(f"not an address: {address!r}")
    return to_checksum_address(address.lower())
