"""Two independent clients of the venue's own making trade the same day here and must tell the same story.

Each makes its key, rests, takes, is refused, cancels, trades in batches, on all three exchange contracts and from both
kinds of wallet; then they are compared with each other and with the exchange's own account, to the millionth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.venues.simulators.polymarket.rig import ALICE, ALICE_KEY, BRIDGE, USDC, USDC_V2, Exchange
from tests.venues.simulators.polymarket.traders import (
    CHAIN,
    AsyncSdkTrader,
    OlderTrader,
    SdkTrader,
    Trader,
    Wish,
    older_signs,
    sdk_signs,
)
from venues.simulators.polymarket.wallets import deposit_wallets

CLIENTS: dict[str, Callable[[Exchange, str, str | None], Trader]] = {
    "polymarket-client": SdkTrader,
    "async": AsyncSdkTrader,
    "py-clob-client-v2": OlderTrader,
}
WALLETS = {"EOA": None, "deposit wallet": deposit_wallets(ALICE)[0]}
BOOKS = {
    USDC: {"bids": [["0.015", "900"], ["0.020", "400"]], "asks": [["0.030", "350"], ["0.060", "2000"]]},
    BRIDGE: {"bids": [["0.22", "300"]], "asks": [["0.25", "100"], ["0.30", "500"]]},
    USDC_V2: {"bids": [["0.020", "800"]], "asks": [["0.025", "400"], ["0.028", "300"]]},
}
LEDGERS = {USDC: "CONDITIONAL", BRIDGE: "CONDITIONAL", USDC_V2: "CONDITIONAL-V2"}
OF: dict[str, dict[str, Any]] = {USDC: {}, BRIDGE: {}, USDC_V2: {"protocol": "v2"}}
FUNDS = "1000"


@pytest.fixture(scope="module")
def amoy_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    exchange = Exchange(tmp_path_factory.mktemp("amoy"), "--amoy")
    yield exchange
    exchange.stop()


@pytest.fixture(scope="module")
def days(amoy_process: Exchange) -> Iterator[dict[tuple[str, str], Day]]:
    """Every client's day from every kind of wallet."""
    found: dict[tuple[str, str], Day] = {}
    try:
        for wallet in WALLETS:
            for client in CLIENTS:
                found[client, wallet] = Day(amoy_process, client, wallet)
        yield found
    finally:
        for day in found.values():
            day.trader.close()


class Day:
    """One client's trading day: what it was told, and what the exchange knows of it."""

    def __init__(self, exchange: Exchange, client: str, wallet: str) -> None:
        self.exchange = exchange
        exchange.admin("/reset")
        exchange.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
        address = WALLETS[wallet] or ALICE
        kind = {} if address == ALICE else {"owner": ALICE}
        exchange.admin("/fund", address=address, pusd=FUNDS, **kind)
        for slug, book in BOOKS.items():
            exchange.admin("/book", slug=slug, **book)
        self.trader: Trader = CLIENTS[client](exchange, ALICE_KEY, WALLETS[wallet])
        self.balances: dict[str, int] = {}
        self.told: list[Any] = []
        self.sent: list[str] = []
        for part in (
            self._look,
            self._rest,
            self._take,
            self._be_refused,
            self._batch,
            self._make,
            self._close,
        ):
            part()
        self.truth = exchange.truth()

    def _yes(self, slug: str) -> str:
        return self.exchange.tokens(slug)[0]

    def _wish(self, slug: str, side: str, amount: str, price: str, kind: str, **more: Any) -> Wish:
        return Wish(
            token_id=self._yes(slug), side=side, amount=amount, price=price, kind=kind, **OF[slug], **more
        )

    def _place(self, *wish: str, **more: Any) -> str:
        answer = self.trader.place(self._wish(*wish, **more))
        self.told.append(answer.told())
        self.sent.append(answer.order_id)
        return answer.order_id

    def _look(self) -> None:
        self.told.append([self.trader.touch(self._yes(slug)) for slug in BOOKS])
        self.told.append(self.trader.balance("COLLATERAL"))

    def _rest(self) -> None:
        later = int(time.time()) + 400
        for slug, price in ((USDC, "0.021"), (BRIDGE, "0.23"), (USDC_V2, "0.021")):
            order_id = self._place(slug, "BUY", "100", price, "GTD", expiration=later)
            self.told.append(self.trader.order(order_id))
        self.told.append(self.trader.open_orders() == set(self.sent))
        kept = self._place(USDC, "BUY", "50", "0.022", "GTC", post_only=True)
        canceled, refused = self.trader.cancel(self.sent[0])
        self.told.append((canceled == [self.sent[0]], refused))
        self.told.append(list(self.trader.cancel(self.sent[0])[1].values()))
        self.told.append(
            (set(self.trader.cancel_all()) == {*self.sent[1:3], kept}, self.trader.open_orders())
        )

    def _take(self) -> None:
        for slug, cap in ((USDC, "0.030"), (BRIDGE, "0.30"), (USDC_V2, "0.028")):
            far, low = ("0.30", "0.20") if slug == BRIDGE else ("0.06", "0.015")
            self._place(slug, "BUY", "9", cap, "FAK")
            self._place(slug, "BUY", "2", far, "FOK")
            self._settle()
            self._place(slug, "SELL", "5", low, "FAK")
            self._place(slug, "SELL", "7.25", low, "FOK")
            self._settle()

    def _be_refused(self) -> None:
        self._place(USDC, "BUY", "900", "0.060", "FOK")
        self._place(USDC, "BUY", "2", "0.010", "FAK")
        self._place(USDC, "BUY", "50", "0.060", "GTC", post_only=True)
        self._place(BRIDGE, "BUY", "4", "0.20", "GTC")
        self._place(USDC_V2, "SELL", "100000", "0.90", "GTC")
        self._place(USDC, "BUY", "0.5", "0.060", "FAK")

    def _batch(self) -> None:
        wishes = [
            self._wish(USDC, "BUY", "30", "0.016", "GTC"),
            self._wish(BRIDGE, "BUY", "3", "0.20", "GTC"),
            self._wish(USDC_V2, "BUY", "1", "0.020", "FAK"),
            self._wish(USDC_V2, "BUY", "2", "0.060", "FAK"),
            self._wish(USDC, "SELL", "20", "0.500", "GTC"),
        ]
        answers = self.trader.place_all(wishes)
        self.told.append([answer.told() for answer in answers])
        self.sent += [answer.order_id for answer in answers]
        self._settle()

    def _make(self) -> None:
        """Be the maker of a fill: the house comes down to a resting bid, and up to a resting offer."""
        bid = self._place(USDC, "BUY", "60", "0.019", "GTC")
        self.exchange.admin(
            "/book", slug=USDC, bids=[["0.010", "10"]], asks=[["0.017", "45"], ["0.090", "9"]]
        )
        self.told.append(self.trader.order(bid))
        self._settle()

    def _close(self) -> None:
        self.trades = self.trader.trades()
        self.balances["pUSD"] = self.trader.balance("COLLATERAL")
        for slug, ledger in LEDGERS.items():
            for token in self.exchange.tokens(slug):
                self.balances[token] = self.trader.balance(ledger, token)
        self.told += [self.trades, self.balances]

    def _settle(self) -> None:
        self.exchange.admin("/settlement/run")


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("client", ["async", "py-clob-client-v2"])
def test_the_clients_are_told_the_same_day(days, client, wallet):
    first, other = days["polymarket-client", wallet].told, days[client, wallet].told
    assert len(first) == len(other)
    for mine, yours in zip(first, other, strict=True):
        assert mine == yours


@pytest.mark.parametrize("wallet", WALLETS)
def test_the_day_has_everything_in_it(days, wallet):
    told = days["polymarket-client", wallet].told
    statuses = [row[0] for row in told if isinstance(row, tuple) and len(row) == 4]
    assert (statuses.count("matched"), statuses.count("live")) == (12, 5)
    words = {row[3] for row in told if isinstance(row, tuple) and len(row) == 4 and row[3]}
    assert {text.partition(":")[0].partition(" (")[0] for text in words} == {
        "order couldn't be fully filled. FOK orders are fully filled or killed.",
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
        "invalid post-only order",
        "order HASH is invalid. Size",
        "not enough balance / allowance",
        "invalid amount for a marketable BUY order",
    }
    batch = next(row for row in told if isinstance(row, list) and isinstance(row[0], tuple) and len(row) == 5)
    assert [leg[0] for leg in batch] == ["live", "", "", "matched", "live"]


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_was_told_is_what_happened(days, client, wallet):
    day = days[client, wallet]
    statuses = {row["status"] for row in day.truth["trades"].values()}
    assert {row[4] for row in day.trades} == statuses == {"CONFIRMED"}
    assert len(day.trades) == len(day.truth["trades"])
    kept = dict.fromkeys(day.balances, Decimal(0)) | {"pUSD": Decimal(FUNDS)}
    for trade in day.truth["trades"].values():
        for leg in trade["legs"]:
            if leg["address"] == day.trader.wallet:
                sign = 1 if leg["side"] == "BUY" else -1
                kept["pUSD"] -= sign * Decimal(leg["pusd"]) + Decimal(leg["fee"])
                kept[leg["token_id"]] += sign * Decimal(leg["shares"])
    assert {name: Decimal(units).scaleb(-6) for name, units in day.balances.items()} == kept
    account = day.truth["accounts"][day.trader.wallet]
    assert Decimal(account["pusd"]) == kept.pop("pUSD")
    held = {token: Decimal(row["shares"]) for token, row in account["positions"].items()}
    assert held == {token: shares for token, shares in kept.items() if token in held}
    assert sum(kept.values()) == sum(held.values())
    assert day.truth["money"]["is_conserved"]


@pytest.mark.parametrize("wallet", WALLETS)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_order_has_the_hash_and_signature_that_either_client_gives_it(days, client, wallet):
    day = days[client, wallet]
    neg_risk = day.exchange.tokens(BRIDGE)[0]
    known = set(day.truth["orders"])
    assert len(day.trader.signed) == 28
    for order, protocol in day.trader.signed:
        contract = CHAIN.exchange(neg_risk=order.token_id == neg_risk, protocol=protocol)
        place = {"key": ALICE_KEY, "exchange": contract, "protocol": protocol}
        ours, theirs = sdk_signs(order, **place), older_signs(order, **place)
        assert ours == theirs
        assert ours[1] == order.signature
        known.discard(ours[0])
    assert not known, "every order the exchange has is one that was signed"


def test_both_make_the_same_key_and_the_same_wallet(days):
    keys = {days[client, "EOA"].trader.key_id for client in CLIENTS}
    assert len(keys) == 1
    wallets = {days[client, "deposit wallet"].trader.wallet for client in CLIENTS}
    assert wallets == {WALLETS["deposit wallet"]}
