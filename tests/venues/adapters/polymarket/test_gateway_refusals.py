"""What the running practice exchange refuses or does not answer, and what that proves of the order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.venues.adapters.polymarket.conftest import MakeAccount
from tests.venues.adapters.polymarket.trading import (
    SLUG,
    order_for,
    settled_fills,
    strike,
    terms_of,
)
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.gateway import Gateway
from venues.domain.gateway import (
    Absent,
    Accepted,
    AlreadyKnown,
    LookupFailed,
    OrderReport,
    Rejected,
    Unknown,
)
from venues.domain.instruments import InstrumentTerms


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
