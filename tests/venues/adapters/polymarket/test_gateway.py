"""Orders of the adapter at the running practice exchange: real sockets, real signatures, the venue's own words."""

from __future__ import annotations

import os
from decimal import Decimal

from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket._internal.wallet import derive_uups_deposit_wallet_address

from tests.venues.adapters.polymarket.conftest import MakeAccount, config_at
from tests.venues.adapters.polymarket.trading import (
    NEG_RISK_SLUG,
    STARTED_AT,
    order_for,
    resting_bid,
    settled_fills,
    terms_of,
    tokens,
    until,
)
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.gateway import Gateway
from venues.domain.fees import taker_fee_usd
from venues.domain.gateway import (
    Accepted,
    AlreadyKnown,
    OrderReport,
    OrderState,
    Rejected,
    Settlement,
    Side,
    TimeInForce,
)
from venues.domain.instruments import InstrumentTerms


def test_a_buy_settles_and_every_report_agrees_with_the_exchanges_truth(
    gateway: Gateway, terms: InstrumentTerms, token: str, practice_exchange: PracticeExchange
) -> None:
    order = gateway.prepare(order_for(terms, notional_usd=Decimal("25.00"), price_limit=Decimal("0.026")))
    outcome = gateway.submit(order.payload)
    fills = settled_fills(gateway, order, token)
    truth = practice_exchange.get("truth")

    # 500 shares at 2.4 cents are 12 dollars; the other 13 buy 500 at 2.6 cents.
    assert isinstance(outcome, Accepted)
    assert (outcome.venue_order_id, outcome.status) == (order.client_order_id, "matched")
    assert (outcome.size_matched, outcome.notional_usd_matched) == (Decimal(1000), Decimal(25))
    assert sorted((fill.price, fill.size, fill.notional_usd) for fill in fills) == [
        (Decimal("0.024"), Decimal(500), Decimal(12)),
        (Decimal("0.026"), Decimal(500), Decimal(13)),
    ]
    assert sorted(outcome.trade_ids) == sorted(fill.venue_trade_id for fill in fills)
    fees = {
        trade_id: Decimal(leg["fee"])
        for trade_id, trade in truth["trades"].items()
        for leg in trade["legs"]
        if leg["order_id"] == order.client_order_id
    }
    assert {fill.venue_trade_id: fill.fee_usd for fill in fills} == fees
    assert all(fill.transaction_hash.startswith("0x") for fill in fills)

    (position,) = gateway.fetch_positions([token])
    (balance,) = gateway.fetch_balances()
    assert position.size == Decimal(1000)
    assert balance.total == Decimal(1000) - Decimal(25) - sum(fees.values())
    assert gateway.is_untouched(order.client_order_id) is False


def test_the_budget_caps_a_buy_that_reaches_deeper_than_the_book(
    gateway: Gateway, terms: InstrumentTerms, token: str
) -> None:
    order = gateway.prepare(order_for(terms, notional_usd=Decimal("500"), price_limit=Decimal("0.024")))
    gateway.submit(order.payload)
    fills = settled_fills(gateway, order, token)
    report = gateway.fetch_order(order.client_order_id)

    assert sum(fill.size for fill in fills) == Decimal(500)
    assert sum(fill.notional_usd for fill in fills) == Decimal(12)
    assert isinstance(report, OrderReport)
    assert (report.size_matched, report.state) == (Decimal(500), OrderState.CANCELLED)


def test_a_fill_or_kill_beyond_the_book_is_killed_and_remembered_as_duplicate(
    gateway: Gateway, terms: InstrumentTerms
) -> None:
    order = gateway.prepare(order_for(terms, notional_usd=Decimal("500"), time_in_force=TimeInForce.FOK))
    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.http_status, outcome.is_pause, outcome.is_ours) == (
        "fok_not_filled",
        400,
        False,
        False,
    )
    assert isinstance(gateway.submit(order.payload), AlreadyKnown)
    assert gateway.is_untouched(order.client_order_id) is True


def test_a_fill_and_kill_with_nothing_to_match_is_killed(gateway: Gateway, terms: InstrumentTerms) -> None:
    outcome = gateway.submit(gateway.prepare(order_for(terms, price_limit=Decimal("0.020"))).payload)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "fak_not_filled"


def test_the_same_bytes_again_are_known_and_the_lookup_finds_one_order(
    gateway: Gateway, terms: InstrumentTerms, token: str
) -> None:
    order = gateway.prepare(order_for(terms))
    assert isinstance(gateway.submit(order.payload), Accepted)

    assert [type(gateway.submit(order.payload)) for _ in range(3)] == [AlreadyKnown] * 3
    report = gateway.fetch_order(order.client_order_id)
    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.state) == (order.client_order_id, OrderState.FILLED)
    assert len(settled_fills(gateway, order, token)) == 1
    assert gateway.fetch_positions([token])[0].size == Decimal("416.66")


def test_a_sale_gives_back_what_was_bought(gateway: Gateway, terms: InstrumentTerms, token: str) -> None:
    bought = gateway.prepare(order_for(terms, notional_usd=Decimal("12")))
    gateway.submit(bought.payload)
    settled_fills(gateway, bought, token)

    sold = gateway.prepare(
        order_for(terms, side=Side.SELL, size=Decimal("300.009"), price_limit=Decimal("0.019"))
    )
    outcome = gateway.submit(sold.payload)
    (fill,) = settled_fills(gateway, sold, token)

    assert isinstance(outcome, Accepted)
    assert (outcome.size_matched, outcome.notional_usd_matched) == (Decimal(300), Decimal("5.7"))
    assert (fill.side, fill.size, fill.price, fill.notional_usd) == (
        Side.SELL,
        Decimal(300),
        Decimal("0.019"),
        Decimal("5.7"),
    )
    assert fill.fee_usd == taker_fee_usd(
        Decimal(300), price=Decimal("0.019"), fee_rate=Decimal("0.07"), fee_exponent=1
    )
    assert gateway.fetch_positions([token])[0].size == Decimal(200)


def test_a_deposit_wallet_trades_as_itself_and_its_key_only_signs(
    make_account: MakeAccount, token: str, practice_exchange: PracticeExchange
) -> None:
    key = os.urandom(32).hex()
    owner = config_at(practice_exchange, private_key=key).signer
    wallet = derive_uups_deposit_wallet_address(owner, PRODUCTION_CONFIG.wallet_derivation)
    config = make_account(private_key=key, signature_type=3, wallet=wallet)
    gateway = Gateway(config)

    order = gateway.prepare(order_for(terms_of(gateway, token)))
    outcome = gateway.submit(order.payload)
    (fill,) = settled_fills(gateway, order, token)

    assert isinstance(outcome, Accepted)
    assert outcome.venue_order_id == order.client_order_id
    assert practice_exchange.get("truth")["orders"][order.client_order_id]["maker"] == wallet
    assert gateway.fetch_positions([token])[0].size == fill.size == Decimal("416.66")


def test_a_neg_risk_market_is_signed_for_its_own_exchange(
    gateway: Gateway, practice_exchange: PracticeExchange
) -> None:
    practice_exchange.post("book", slug=NEG_RISK_SLUG, bids=[["0.10", "100"]], asks=[["0.12", "100"]])
    token = tokens(practice_exchange, NEG_RISK_SLUG)[0]
    terms = terms_of(gateway, token)
    order = gateway.prepare(order_for(terms, price_limit=Decimal("0.12")))

    assert terms.neg_risk is True
    assert isinstance(gateway.submit(order.payload), Accepted)
    assert [fill.size for fill in settled_fills(gateway, order, token)] == [Decimal("83.33")]


def test_a_match_that_fails_on_chain_is_reported_failed_and_holds_nothing(
    gateway: Gateway, terms: InstrumentTerms, token: str, practice_exchange: PracticeExchange
) -> None:
    practice_exchange.post("settlement", fail_next=1)
    order = gateway.prepare(order_for(terms))
    gateway.submit(order.payload)

    (fill,) = until(
        lambda: gateway.fetch_fills_of_order(order.client_order_id, since=STARTED_AT, instrument_id=token),
        lambda fills: [fill.settlement for fill in fills] == [Settlement.FAILED],
    )

    assert fill.size == Decimal("416.66")
    assert gateway.fetch_positions([token])[0].size == 0
    assert gateway.fetch_balances()[0].total == Decimal(1000)


def test_resting_orders_are_listed_and_cancelled_by_name(
    account: PolymarketConfig, gateway: Gateway, token: str
) -> None:
    first, second = (resting_bid(account, token, salt=salt) for salt in (1, 2))
    stranger = "0x" + "12" * 32

    assert sorted(report.client_order_id for report in gateway.fetch_open_orders()) == sorted([first, second])
    assert {report.state for report in gateway.fetch_open_orders()} == {OrderState.LIVE}
    report = gateway.cancel([first, stranger])
    assert report.cancelled == (first,)
    assert list(report.not_cancelled) == [stranger]
    assert [order.client_order_id for order in gateway.fetch_open_orders()] == [second]
    assert gateway.cancel([]).cancelled == ()


def test_a_resting_order_that_somebody_hits_is_our_fill_without_a_fee(
    account: PolymarketConfig, gateway: Gateway, make_account: MakeAccount, token: str
) -> None:
    order_id = resting_bid(account, token, salt=7)
    other = Gateway(make_account())
    terms = terms_of(other, token)
    bought = other.prepare(order_for(terms, notional_usd=Decimal("12")))
    other.submit(bought.payload)
    settled_fills(other, bought, token)
    sold = other.prepare(order_for(terms, side=Side.SELL, size=Decimal(40), price_limit=Decimal("0.020")))
    other.submit(sold.payload)

    (fill,) = until(
        lambda: gateway.fetch_fills(since=STARTED_AT),
        lambda fills: [fill.settlement for fill in fills] == [Settlement.CONFIRMED],
    )

    assert (fill.client_order_id, fill.side, fill.size) == (order_id, Side.BUY, Decimal(40))
    assert (fill.price, fill.notional_usd, fill.fee_usd) == (Decimal("0.02"), Decimal("0.8"), Decimal(0))
