"""The whole adapter against the running practice exchange: real sockets, real signatures, the venue's own words."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket._internal.wallet import derive_uups_deposit_wallet_address

from tests.venues.adapters.polymarket.conftest import MakeAccount, config_at
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import sign_order
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.signing import account_of
from venues.domain.fees import taker_fee_usd
from venues.domain.gateway import (
    Absent,
    Accepted,
    AlreadyKnown,
    FillReport,
    LookupFailed,
    OrderReport,
    OrderRequest,
    OrderState,
    Prepared,
    Rejected,
    Settlement,
    Side,
    TimeInForce,
    Unknown,
)
from venues.domain.instruments import InstrumentTerms

SLUG = "usdc-depeg-by-december-31-2027"
NEG_RISK_SLUG = "largest-crypto-hack-of-2027-bridge"
STARTED_AT = datetime(2020, 1, 1, tzinfo=UTC)
BOOK = {"bids": [["0.019", "400"]], "asks": [["0.024", "500"], ["0.026", "1000"]]}


def tokens(exchange: PracticeExchange, slug: str = SLUG) -> list[str]:
    found: list[str] = exchange.get("info")["markets"][slug]["token_ids"]
    return found


def terms_of(gateway: Gateway, token: str) -> InstrumentTerms:
    (terms,) = gateway.fetch_instruments([token])
    return terms


def order_for(terms: InstrumentTerms, **changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "terms": terms,
        "side": Side.BUY,
        "time_in_force": TimeInForce.FAK,
        "size": Decimal("100"),
        "notional_usd": Decimal("10"),
        "price_limit": Decimal("0.024"),
        "decision_key": f"test:{os.urandom(8).hex()}",
        "generation": 0,
        "created_at": datetime.now(UTC),
    }
    return OrderRequest(**(values | changes))


def strike(exchange: PracticeExchange, **fault: object) -> None:
    """Replace the exchange's plan of faults by this one."""
    exchange.post("faults", seed=7, faults=[fault])


Found = TypeVar("Found")


def until(ask: Callable[[], Found], is_done: Callable[[Found], bool]) -> Found:
    """Ask again until it is done, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not is_done(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def settled_fills(gateway: Gateway, order: Prepared, token: str) -> list[FillReport]:
    return until(
        lambda: gateway.fetch_fills_of_order(order.client_order_id, since=STARTED_AT, instrument_id=token),
        lambda fills: bool(fills) and all(fill.settlement is Settlement.CONFIRMED for fill in fills),
    )


@pytest.fixture
def token(practice_exchange: PracticeExchange) -> str:
    """The YES token of a market with a book of two asks and one bid."""
    practice_exchange.post("book", slug=SLUG, **BOOK)
    return tokens(practice_exchange)[0]


@pytest.fixture
def terms(gateway: Gateway, token: str) -> InstrumentTerms:
    return terms_of(gateway, token)


def test_terms_and_book_are_the_exchanges(gateway: Gateway, terms: InstrumentTerms, token: str) -> None:
    book = gateway.fetch_book(token)

    assert (terms.instrument_id, terms.slug, terms.outcome) == (token, SLUG, "Yes")
    assert (terms.tick_size, terms.size_min, terms.fee_rate) == (
        Decimal("0.001"),
        Decimal(5),
        Decimal("0.07"),
    )
    assert (terms.accepting_orders, terms.closed, terms.exchange_domain) == (True, False, "2")
    assert [(level.price, level.size) for level in book.asks] == [
        (Decimal("0.024"), Decimal(500)),
        (Decimal("0.026"), Decimal(1000)),
    ]
    assert [(level.price, level.size) for level in book.bids] == [(Decimal("0.019"), Decimal(400))]


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


@pytest.mark.parametrize(
    "kind", ["timeout_after", "reset_after", "server_error_after", "broken_json", "empty"]
)
def test_an_order_that_arrived_without_our_hearing_of_it_is_unknown_and_then_found(
    hasty_gateway: Gateway, terms: InstrumentTerms, token: str, practice_exchange: PracticeExchange, kind: str
) -> None:
    gateway = hasty_gateway
    order = gateway.prepare(order_for(terms))
    strike(practice_exchange, kind=kind, method="POST", path="/clob/order", seconds=2)

    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Unknown)
    assert outcome.reached_wire
    assert isinstance(gateway.fetch_order(order.client_order_id), OrderReport)
    assert isinstance(gateway.submit(order.payload), AlreadyKnown)
    assert len(settled_fills(gateway, order, token)) == 1


@pytest.mark.parametrize("kind", ["timeout_before", "reset_before", "server_error", "cloudflare"])
def test_an_order_that_never_arrived_is_unknown_too_and_the_same_bytes_may_go_again(
    hasty_gateway: Gateway, terms: InstrumentTerms, token: str, practice_exchange: PracticeExchange, kind: str
) -> None:
    gateway = hasty_gateway
    order = gateway.prepare(order_for(terms))
    strike(practice_exchange, kind=kind, method="POST", path="/clob/order", seconds=2)

    assert isinstance(gateway.submit(order.payload), Unknown)
    assert isinstance(gateway.fetch_order(order.client_order_id), Absent)
    assert gateway.is_untouched(order.client_order_id) is True
    assert isinstance(gateway.submit(order.payload), Accepted)


def test_one_submit_is_one_post_whatever_happens_to_it(
    hasty_gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    gateway = hasty_gateway
    order = gateway.prepare(order_for(terms))
    for kind in ("server_error", "reset_before", "timeout_before", "cloudflare"):
        strike(practice_exchange, kind=kind, method="POST", path="/clob/order", count=None, seconds=1)
        before = len(practice_exchange.get("faults")["log"])
        gateway.submit(order.payload)
        assert len(practice_exchange.get("faults")["log"]) == before + 1


@pytest.mark.parametrize(
    ("kind", "code", "retry_after_s"),
    [
        ("restart", "engine_restarting", 90),
        ("post_only", "post_only_mode", None),
        ("cancel_only", "cancel_only", 60),
        ("disabled", "trading_disabled", 60),
        ("rate_limit", "too_many_requests", 1),
    ],
)
def test_a_pause_is_a_pause(
    gateway: Gateway,
    terms: InstrumentTerms,
    practice_exchange: PracticeExchange,
    kind: str,
    code: str,
    retry_after_s: int | None,
) -> None:
    order = gateway.prepare(order_for(terms))
    where = {"method": "POST", "path": "/clob/order"} if kind == "rate_limit" else {"seconds": 60}
    strike(practice_exchange, kind=kind, **where)

    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_pause) == (code, True)
    assert outcome.retry_after_s == (retry_after_s or outcome.retry_after_s)
    assert isinstance(gateway.fetch_order(order.client_order_id), Absent)


def test_more_than_the_account_holds_is_refused_by_the_venue(
    gateway: Gateway, terms: InstrumentTerms
) -> None:
    outcome = gateway.submit(gateway.prepare(order_for(terms, notional_usd=Decimal("2000"))).payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_ours) == ("not_enough_balance", False)


def test_a_stopped_market_is_refused_by_us_before_the_wire_and_by_the_venue_on_it(
    gateway: Gateway, terms: InstrumentTerms, token: str, practice_exchange: PracticeExchange
) -> None:
    order = gateway.prepare(order_for(terms))
    practice_exchange.post("market", slug=SLUG, accepting_orders=False)

    assert terms_of(gateway, token).accepting_orders is False
    assert not isinstance(gateway.submit(order.payload), Accepted)


def test_a_tick_that_changed_after_signing_is_a_definitive_refusal(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    order = gateway.prepare(order_for(terms))
    practice_exchange.post("market", slug=SLUG, tick="0.01")

    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_ours) == ("invalid_amounts", True)


def test_a_wrong_secret_is_refused_for_a_person_to_mend(
    account: PolymarketConfig, gateway: Gateway, terms: InstrumentTerms
) -> None:
    order = gateway.prepare(order_for(terms))
    wrong = Gateway(replace(account, secret="d3Jvbmc="))

    outcome = wrong.submit(order.payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.http_status, outcome.is_ours) == (401, True)
    with pytest.raises(LookupFailed):
        wrong.fetch_balances()


def test_derived_credentials_are_the_same_each_time(account: PolymarketConfig, gateway: Gateway) -> None:
    again = gateway.derive_credentials()

    assert (again.api_key, again.secret, again.passphrase) == (
        account.api_key,
        account.secret,
        account.passphrase,
    )


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


def resting_bid(account: PolymarketConfig, token: str, *, salt: int) -> str:
    """Post a resting bid of 100 shares at two cents, as a person might at the venue; its order id."""
    body = sign_order(
        account=account_of(account),
        chain_id=account.chain_id,
        exchange=account.exchange,
        domain_version="2",
        wallet=account.wallet,
        signature_type=account.signature_type,
        token_id=token,
        side="BUY",
        maker_amount=2_000_000,
        taker_amount=100_000_000,
        salt=salt,
        timestamp_ms=1_700_000_000_000,
        order_type="GTC",
        owner=account.api_key,
    )
    payload = json.dumps(body, separators=(",", ":")).encode()
    outcome = Gateway(account).submit(payload)
    assert isinstance(outcome, Accepted)
    assert outcome.is_resting
    return outcome.venue_order_id


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


def test_a_long_history_is_read_to_its_last_page(
    gateway: Gateway, terms: InstrumentTerms, token: str, practice_exchange: PracticeExchange
) -> None:
    asks = [[f"0.{cents:03d}", "50"] for cents in range(24, 150)]
    practice_exchange.post("book", slug=SLUG, bids=[["0.019", "400"]], asks=asks)
    order = gateway.prepare(order_for(terms, notional_usd=Decimal("900"), price_limit=Decimal("0.149")))
    gateway.submit(order.payload)

    fills = gateway.fetch_fills_of_order(order.client_order_id, since=STARTED_AT, instrument_id=token)

    assert len(fills) == 126
    assert sum(fill.size for fill in fills) == Decimal(50 * 126)


def test_fills_since_now_leave_out_the_past(gateway: Gateway, terms: InstrumentTerms, token: str) -> None:
    order = gateway.prepare(order_for(terms))
    gateway.submit(order.payload)
    settled_fills(gateway, order, token)

    assert gateway.fetch_fills(since=datetime.now(UTC) + timedelta(hours=1)) == []


def test_reads_survive_a_busy_venue_and_give_up_on_a_broken_one(
    gateway: Gateway, token: str, practice_exchange: PracticeExchange
) -> None:
    strike(practice_exchange, kind="server_error", method="GET", path="/clob/book", count=2)
    assert gateway.fetch_book(token).instrument_id == token

    strike(practice_exchange, kind="server_error", method="GET", path="/clob/book", count=None)
    with pytest.raises(LookupFailed, match=r"book of .*: HTTP 500"):
        gateway.fetch_book(token)


def test_half_an_answer_to_a_lookup_proves_nothing(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    order = gateway.prepare(order_for(terms))
    gateway.submit(order.payload)
    for kind in ("broken_json", "cloudflare"):
        strike(practice_exchange, kind=kind, method="GET", path="/clob/data/*", count=None)
        with pytest.raises(LookupFailed):
            gateway.fetch_order(order.client_order_id)
        with pytest.raises(LookupFailed):
            gateway.fetch_fills(since=STARTED_AT)


def test_tokens_that_do_not_exist_have_no_terms(gateway: Gateway, token: str) -> None:
    unknown = str(int(token) ^ (1 << 200))

    assert [terms.instrument_id for terms in gateway.fetch_instruments([unknown, token, "../admin"])] == [
        token
    ]


def test_an_order_id_of_another_shape_is_not_put_into_an_address(gateway: Gateway) -> None:
    with pytest.raises(LookupFailed, match="not an order id"):
        gateway.fetch_order("../../admin/truth")


def test_a_node_that_is_not_there_or_on_another_chain_proves_nothing(
    account: PolymarketConfig, practice_exchange: PracticeExchange
) -> None:
    order_id = "0x" + "12" * 32

    assert Gateway(account).is_untouched(order_id) is True
    assert Gateway(replace(account, rpc_url="http://127.0.0.1:9/rpc")).is_untouched(order_id) is None
    assert (
        Gateway(replace(account, rpc_url=f"{practice_exchange.base_url}/clob/time")).is_untouched(order_id)
        is None
    )
    assert Gateway(replace(account, chain_id=31338)).is_untouched(order_id) is None
    assert Gateway(account).is_untouched("0x12") is None


def test_the_venues_clock_and_a_search_for_markets(gateway: Gateway) -> None:
    assert abs((gateway.fetch_time() - datetime.now(UTC)).total_seconds()) < 3
    found = gateway.search_markets("usdc depeg")
    assert [listing.slug for listing in found] == [SLUG]
    assert [label for label, _ in found[0].outcomes] == ["Yes", "No"]
    assert gateway.search_markets("  ") == []


def test_a_venue_that_is_not_there(
    account: PolymarketConfig, gateway: Gateway, terms: InstrumentTerms
) -> None:
    order = gateway.prepare(order_for(terms))
    nowhere = Gateway(
        replace(account, clob_url="http://127.0.0.1:9/clob", gamma_url="http://127.0.0.1:9/gamma")
    )

    outcome = nowhere.submit(order.payload)

    assert outcome == Unknown(reason="not_connected", message="ConnectError", reached_wire=False)
    for ask in (
        nowhere.fetch_time,
        nowhere.fetch_balances,
        nowhere.derive_credentials,
        nowhere.fetch_open_orders,
    ):
        with pytest.raises(LookupFailed):
            ask()
    with pytest.raises(LookupFailed):
        nowhere.search_markets("usdc")


def test_bytes_of_another_account_never_leave(
    gateway: Gateway, make_account: MakeAccount, terms: InstrumentTerms
) -> None:
    order = Gateway(make_account()).prepare(order_for(terms))

    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Unknown)
    assert (outcome.reason, outcome.reached_wire) == ("payload_foreign", False)


def test_nothing_an_outcome_says_contains_a_secret(account: PolymarketConfig, gateway: Gateway) -> None:
    outcome = gateway._without_secrets(Unknown(reason="http_400", message=f"no such key {account.api_key}"))

    assert outcome == Unknown(reason="http_400", message="no such key …")
