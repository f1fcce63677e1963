"""pUSD is neither made nor lost, whatever happens in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.venues.simulators.polymarket.rig import ALICE, ALICE_KEY, BOB, BOB_KEY, signed_body
from venues.simulators.polymarket.cancels import live_orders, orders_cancel
from venues.simulators.polymarket.config import Config
from venues.simulators.polymarket.credentials import key_create
from venues.simulators.polymarket.ledger import account_fund, cash_reserved, shares_reserved
from venues.simulators.polymarket.makers import book_move, book_set, makers_open
from venues.simulators.polymarket.matching import order_place
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.requests import parse_order
from venues.simulators.polymarket.resolution import market_resolve, shares_redeem
from venues.simulators.polymarket.settlement import settlement_advance
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.truth import money
from venues.simulators.polymarket.units import UNIT_E6

YES, NO = "1" * 77, "2" * 77
FUNDS_E6 = 200 * UNIT_E6


def _market() -> Market:
    return Market(
        condition_id="0x" + "0c" * 32,
        question_id="0xq",
        gamma_id="1",
        slug="m",
        question="?",
        description="",
        resolution_source="",
        token_ids=[YES, NO],
        outcomes=["Yes", "No"],
        tick_e4=100,
        min_size_e6=5 * UNIT_E6,
        neg_risk=False,
        fee_rate="0.07",
        fee_exponent=1,
        started_at="",
        ends_at="",
        event_id="1",
        event_slug="e",
        event_title="E",
    )


class Money(RuleBasedStateMachine):
    """Two users and the house trade, cancel, settle, fail, resolve and redeem at random."""

    @initialize()
    def opened(self) -> None:
        self.state = State(Config(seed_markets=False))
        self.market = _market()
        self.state.index_market(self.market)
        makers_open(self.state)
        self.keys = {}
        self.now = 1_000
        self.salt = 0
        for address, private in ((ALICE, ALICE_KEY), (BOB, BOB_KEY)):
            account_fund(self.state, self.state.account_open(address), pusd_e6=FUNDS_E6)
            self.keys[private] = key_create(self.state, address, nonce=0)
        self.quote(bid=20, gap=5, lots=10_000)

    @rule(
        private=st.sampled_from([ALICE_KEY, BOB_KEY]),
        token=st.sampled_from([YES, NO]),
        price=st.integers(1, 99),
        shares=st.integers(5, 100),
        order_type=st.sampled_from(["GTC", "FAK", "FOK"]),
    )
    def buy(self, private: str, token: str, price: int, shares: int, order_type: str) -> None:
        self.place(private, token, "BUY", price, shares, order_type)

    @rule(
        private=st.sampled_from([ALICE_KEY, BOB_KEY]),
        token=st.sampled_from([YES, NO]),
        price=st.sampled_from([1, 1, 10, 50, 90]),
        part=st.integers(1, 3),
        order_type=st.sampled_from(["GTC", "FAK"]),
    )
    def sell_what_is_held(self, private: str, token: str, price: int, part: int, order_type: str) -> None:
        account = self.state.accounts[ALICE if private == ALICE_KEY else BOB]
        held = account.positions.get(token)
        whole_shares = held.size_e6 // UNIT_E6 // part if held else 0
        if whole_shares:
            self.place(private, token, "SELL", price, whole_shares, order_type)

    def place(self, private: str, token: str, side: str, price: int, shares: int, order_type: str) -> None:
        self.salt += 1
        money_e6, shares_e6 = shares * price * 10_000, shares * UNIT_E6
        maker, taker = (money_e6, shares_e6) if side == "BUY" else (shares_e6, money_e6)
        body: dict[str, Any] = signed_body(
            private_key=private,
            owner=self.keys[private].key,
            token_id=token,
            side=side,
            maker_amount=maker,
            taker_amount=taker,
            order_type=order_type,
            salt=self.salt,
        )
        try:
            order_place(self.state, parse_order(body), key=self.keys[private], now_ms=self.now)
        except Refusal:
            return

    @precondition(lambda self: not self.market.closed)
    @rule(bid=st.integers(1, 60), gap=st.integers(1, 30), lots=st.integers(500, 40_000))
    def quote(self, bid: int, gap: int, lots: int) -> None:
        bids = [(row * 100, lots * 10_000) for row in (bid, max(bid - 5, 0)) if row]
        asks = [((bid + gap + step) * 100, lots * 10_000) for step in (0, 1, 2, 5)]
        book_set(self.state, self.market, bids=bids, asks=asks, now_ms=self.now)

    @precondition(lambda self: not self.market.closed)
    @rule(ticks=st.integers(-5, 5))
    def move(self, ticks: int) -> None:
        book_move(self.state, self.market, ticks=ticks, now_ms=self.now)

    @rule(ending=st.sampled_from([["FAILED"], ["RETRYING", "MINED", "CONFIRMED"], ["RETRYING", "FAILED"]]))
    def write_script(self, ending: list[str]) -> None:
        self.state.settings["scripts"].append(ending)

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1000
        settlement_advance(self.state, now_ms=self.now)

    @rule(private=st.sampled_from([ALICE_KEY, BOB_KEY]))
    def cancel_all(self, private: str) -> None:
        key = self.keys[private]
        orders_cancel(self.state, [row.id for row in live_orders(self.state, key=key)], key=key)

    @precondition(lambda self: not self.market.closed and self.salt > 8)
    @rule(payout=st.sampled_from(["YES", "NO", "50-50"]))
    def resolve(self, payout: str) -> None:
        market_resolve(self.state, self.market, payout=payout, now_ms=self.now)

    @precondition(lambda self: self.market.closed)
    @rule(address=st.sampled_from([ALICE, BOB]))
    def redeem(self, address: str) -> None:
        shares_redeem(self.state, self.market, address=address, now_ms=self.state.clock.now_ms())

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        if hasattr(self, "state"):
            told = money(self.state)
            assert told["is_conserved"], told

    @invariant()
    def nobody_owes(self) -> None:
        if not hasattr(self, "state"):
            return
        for account in self.state.accounts.values():
            assert account.pusd_e6 - cash_reserved(self.state, account.address) >= 0
            for token_id, position in account.positions.items():
                reserved = shares_reserved(self.state, account.address, token_id=token_id)
                assert position.size_e6 - reserved >= 0


Money.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestMoney = Money.TestCase


def _opened() -> Money:
    machine = Money()
    machine.opened()
    return machine


def test_two_buyers_of_opposite_outcomes_fill_the_vault_and_two_sellers_empty_it():
    machine = _opened()
    book_set(machine.state, machine.market, bids=[], asks=[], now_ms=0)
    before = int(machine.state.settings["vault_e6"])
    machine.place(ALICE_KEY, YES, "BUY", 30, 40, "GTC")
    machine.place(BOB_KEY, NO, "BUY", 70, 40, "GTC")
    machine.wait(5)
    assert int(machine.state.settings["vault_e6"]) - before == 40 * UNIT_E6
    alice, bob = machine.state.accounts[ALICE], machine.state.accounts[BOB]
    fee = 588_000  # 40 x 0.07 x 0.7 x 0.3, paid by the taker
    assert (alice.pusd_e6, bob.pusd_e6) == (FUNDS_E6 - 12 * UNIT_E6, FUNDS_E6 - 28 * UNIT_E6 - fee)
    machine.place(ALICE_KEY, YES, "SELL", 30, 40, "GTC")
    machine.place(BOB_KEY, NO, "SELL", 70, 40, "GTC")
    machine.wait(5)
    assert int(machine.state.settings["vault_e6"]) == before
    assert (alice.pusd_e6, bob.pusd_e6) == (FUNDS_E6, FUNDS_E6 - 2 * fee)


def test_shares_on_offer_cannot_be_offered_again():
    machine = _opened()
    machine.place(ALICE_KEY, YES, "BUY", 30, 40, "FAK")
    machine.wait(5)
    held = machine.state.accounts[ALICE].positions[YES].size_e6
    machine.place(ALICE_KEY, YES, "SELL", 90, held // UNIT_E6, "GTC")
    assert shares_reserved(machine.state, ALICE, token_id=YES) == held // UNIT_E6 * UNIT_E6
    orders = len(machine.state.orders)
    machine.place(ALICE_KEY, YES, "SELL", 90, 10, "GTC")
    assert len(machine.state.orders) == orders


def test_shares_sold_before_a_resolution_are_not_redeemed_by_their_seller():
    machine = _opened()
    machine.place(ALICE_KEY, YES, "BUY", 30, 40, "FAK")
    machine.wait(5)
    held = machine.state.accounts[ALICE].positions[YES].size_e6 // UNIT_E6
    machine.place(ALICE_KEY, YES, "SELL", 20, held, "FAK")
    machine.resolve("YES")
    now_ms = machine.state.clock.now_ms()
    assert shares_redeem(machine.state, machine.market, address=ALICE, now_ms=now_ms) < UNIT_E6
    machine.wait(5)
    machine.nothing_is_made_or_lost()
    machine.nobody_owes()


def test_what_is_on_disk_is_what_is_in_memory(tmp_path):
    machine = _opened()
    machine.state.store = State(Config(seed_markets=False, state=tmp_path / "s.sqlite")).store
    records = (machine.state.accounts, machine.state.orders, machine.keys)
    machine.state.save(machine.market, *(row for kind in records for row in kind.values()))
    machine.quote(bid=20, gap=5, lots=20_000)
    machine.place(ALICE_KEY, YES, "BUY", 30, 50, "FAK")
    machine.place(BOB_KEY, YES, "BUY", 22, 50, "GTC")
    machine.wait(1)
    machine.place(ALICE_KEY, NO, "BUY", 90, 20, "FAK")
    machine.state.save_settings()
    machine.state.store.commit()
    loaded = State(Config(seed_markets=False, state=tmp_path / "s.sqlite"))
    assert loaded.orders == machine.state.orders
    assert loaded.trades == machine.state.trades
    assert loaded.accounts == machine.state.accounts
    assert loaded.keys == machine.state.keys
    assert sorted(loaded.due) == sorted(machine.state.due)
    condition = machine.market.condition_id
    assert loaded.books[condition].levels(YES) == machine.state.books[condition].levels(YES)
    assert money(loaded) == money(machine.state)
