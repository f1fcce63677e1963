"""Batches at the running practice exchange: many orders in one request, each with its own end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.venues.adapters.polymarket.conftest import MakeAccount
from tests.venues.adapters.polymarket.trading import order_for, strike
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.gateway import Gateway
from venues.domain.gateway import (
    Absent,
    Accepted,
    AlreadyKnown,
    OrderReport,
    Prepared,
    Rejected,
    TimeInForce,
    Unknown,
)
from venues.domain.instruments import InstrumentTerms


def dollars(gateway: Gateway, terms: InstrumentTerms, *amounts: str) -> list[Prepared]:
    return [gateway.prepare(order_for(terms, notional_usd=Decimal(amount))) for amount in amounts]


def test_many_orders_go_in_one_request_and_each_is_filled(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    orders = dollars(gateway, terms, *["1.00"] * 9, *["1.20"] * 2)
    outcomes = gateway.submit_batch([order.payload for order in orders])

    # 500 shares rest at 2.4 cents: twelve dollars in all, so that nine of one and two of 1.20 fit.
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 11
    assert [o.venue_order_id for o in outcomes if isinstance(o, Accepted)] == [
        o.client_order_id for o in orders
    ]
    truth = practice_exchange.get("truth")["orders"]
    assert all(order.client_order_id in truth for order in orders)
    assert Gateway.batch_max == 15


def test_one_refused_leg_does_not_touch_the_others(gateway: Gateway, terms: InstrumentTerms) -> None:
    first, last = dollars(gateway, terms, "2", "3")
    beyond = gateway.prepare(order_for(terms, notional_usd=Decimal("400"), time_in_force=TimeInForce.FOK))

    outcomes = gateway.submit_batch([first.payload, beyond.payload, last.payload])

    assert [type(outcome) for outcome in outcomes] == [Accepted, Rejected, Accepted]
    refused = outcomes[1]
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.is_ours, refused.is_pause) == ("fok_not_filled", False, False)


def test_a_refused_leg_that_says_success_is_still_refused(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    strike(practice_exchange, kind="batch_empty_id")
    (good,) = dollars(gateway, terms, "2")
    beyond = gateway.prepare(order_for(terms, notional_usd=Decimal("400"), time_in_force=TimeInForce.FOK))

    outcomes = gateway.submit_batch([beyond.payload, good.payload])

    assert [type(outcome) for outcome in outcomes] == [Rejected, Accepted]


def test_the_same_batch_again_is_known_leg_by_leg(gateway: Gateway, terms: InstrumentTerms) -> None:
    orders = dollars(gateway, terms, "1", "2")
    payloads = [order.payload for order in orders]
    gateway.submit_batch(payloads)

    assert [type(outcome) for outcome in gateway.submit_batch(payloads)] == [AlreadyKnown] * 2


def test_the_same_order_twice_in_a_batch_is_sent_once(gateway: Gateway, terms: InstrumentTerms) -> None:
    (order,) = dollars(gateway, terms, "1")

    outcomes = gateway.submit_batch([order.payload, order.payload])

    assert [type(outcome) for outcome in outcomes] == [Accepted] * 2
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "kind", ["timeout_after", "reset_after", "server_error_after", "broken_json", "empty"]
)
def test_a_batch_that_arrived_in_silence_is_unknown_for_each_and_found(
    hasty_gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange, kind: str
) -> None:
    gateway = hasty_gateway
    orders = dollars(gateway, terms, "1", "2")
    strike(practice_exchange, kind=kind, method="POST", path="/clob/orders", seconds=2)

    outcomes = gateway.submit_batch([order.payload for order in orders])

    assert [type(outcome) for outcome in outcomes] == [Unknown] * 2
    assert all(isinstance(outcome, Unknown) and outcome.reached_wire for outcome in outcomes)
    assert all(isinstance(gateway.fetch_order(order.client_order_id), OrderReport) for order in orders)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("restart", "engine_restarting"), ("cancel_only", "cancel_only"), ("disabled", "trading_disabled")],
)
def test_a_pause_of_the_venue_is_a_pause_for_each(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange, kind: str, code: str
) -> None:
    orders = dollars(gateway, terms, "1", "2")
    strike(practice_exchange, kind=kind, seconds=60)

    outcomes = gateway.submit_batch([order.payload for order in orders])

    assert [(o.code, o.is_pause) for o in outcomes if isinstance(o, Rejected)] == [(code, True)] * 2
    assert all(isinstance(gateway.fetch_order(order.client_order_id), Absent) for order in orders)


def test_bytes_of_another_account_stay_here_and_the_others_go(
    gateway: Gateway, make_account: MakeAccount, terms: InstrumentTerms
) -> None:
    (ours,) = dollars(gateway, terms, "1")
    foreign = Gateway(make_account()).prepare(order_for(terms))

    outcomes = gateway.submit_batch([foreign.payload, ours.payload, b"junk"])

    assert [type(outcome) for outcome in outcomes] == [Unknown, Accepted, Unknown]
    assert [o.reached_wire for o in outcomes if isinstance(o, Unknown)] == [False, False]
    assert gateway.submit_batch([]) == []
