"""Resting orders at the running practice exchange: they rest, fill, refuse to take, and die by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.venues.adapters.polymarket.conftest import MakeAccount
from tests.venues.adapters.polymarket.trading import (
    SLUG,
    STARTED_AT,
    order_for,
    settled_fills,
    shares,
    strike,
    terms_of,
    tokens,
    until,
)
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.signers import signer_of
from venues.adapters.polymarket.signing import prepare_order
from venues.domain.gateway import (
    Accepted,
    OrderReport,
    OrderRequest,
    OrderState,
    Rejected,
    Side,
    TimeInForce,
)
from venues.domain.instruments import InstrumentTerms


def resting(terms: InstrumentTerms, **changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "time_in_force": TimeInForce.GTD,
        "expires_at": datetime.now(UTC) + timedelta(minutes=10),
        "price_limit": Decimal("0.021"),
        "size": Decimal(100),
    }
    return order_for(terms, **(values | changes))


def report_of(gateway: Gateway, order_id: str) -> OrderReport:
    report = gateway.fetch_order(order_id)
    assert isinstance(report, OrderReport)
    return report


def test_an_order_between_the_prices_rests_and_is_cancelled_by_name(
    gateway: Gateway, terms: InstrumentTerms
) -> None:
    order = gateway.prepare(resting(terms, post_only=True))
    outcome = gateway.submit(order.payload)

    assert outcome == Accepted(venue_order_id=order.client_order_id, status="live", is_resting=True)
    report = report_of(gateway, order.client_order_id)
    assert (report.state, report.size_matched) == (OrderState.LIVE, Decimal(0))
    assert gateway.cancel([order.client_order_id]).cancelled == (order.client_order_id,)
    assert report_of(gateway, order.client_order_id).state is OrderState.CANCELLED


def test_a_post_only_order_that_would_take_is_refused_and_nobodys_fault(
    gateway: Gateway, terms: InstrumentTerms
) -> None:
    order = gateway.prepare(resting(terms, post_only=True, price_limit=Decimal("0.024")))
    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_ours, outcome.is_pause) == ("post_only_would_cross", False, False)


def test_an_order_that_takes_and_rests_is_shares_and_no_budget(
    gateway: Gateway, terms: InstrumentTerms
) -> None:
    order = gateway.prepare(
        resting(terms, price_limit=Decimal("0.025"), size=Decimal(600), notional_usd=Decimal(15))
    )
    outcome = gateway.submit(order.payload)

    # 500 shares were to be had at 2.4 cents; the other 100 rest at 2.5.
    assert isinstance(outcome, Accepted)
    assert (outcome.size_matched, outcome.notional_usd_matched) == (Decimal(500), Decimal(12))
    report = report_of(gateway, order.client_order_id)
    assert (report.state, report.size_matched) == (OrderState.LIVE, Decimal(500))


def test_an_order_dies_by_itself_a_minute_before_it_says(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    order = gateway.prepare(resting(terms))
    gateway.submit(order.payload)
    practice_exchange.post("clock", advance_seconds=8 * 60)
    assert practice_exchange.get("truth")["orders"][order.client_order_id]["status"] == "LIVE"

    practice_exchange.post("clock", advance_seconds=61)
    practice_exchange.get("truth")
    practice_exchange.post("clock", offset_seconds=0)

    assert until(
        lambda: report_of(gateway, order.client_order_id).state, lambda state: state is not OrderState.LIVE
    ) in (OrderState.EXPIRED, OrderState.CANCELLED)


def test_bytes_that_come_too_late_are_refused_and_nobodys_fault(
    account: PolymarketConfig, gateway: Gateway, terms: InstrumentTerms
) -> None:
    late = resting(terms, expires_at=datetime.now(UTC) + timedelta(seconds=30))
    order = prepare_order(late, config=account, signer=signer_of(account))

    outcome = gateway.submit(order.payload)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_ours) == ("invalid_expiration", False)


def test_while_the_venue_is_post_only_resting_orders_go_through(
    gateway: Gateway, terms: InstrumentTerms, practice_exchange: PracticeExchange
) -> None:
    strike(practice_exchange, kind="post_only", seconds=60)
    taking, quiet = gateway.prepare(order_for(terms)), gateway.prepare(resting(terms, post_only=True))

    refused = gateway.submit(taking.payload)

    assert isinstance(refused, Rejected)
    assert (refused.code, refused.is_pause) == ("post_only_mode", True)
    assert isinstance(gateway.submit(quiet.payload), Accepted)


def test_a_resting_sale_gives_shares_at_its_price(
    gateway: Gateway, terms: InstrumentTerms, token: str
) -> None:
    bought = gateway.prepare(order_for(terms))
    gateway.submit(bought.payload)
    settled_fills(gateway, bought, token)
    order = gateway.prepare(resting(terms, side=Side.SELL, price_limit=Decimal("0.030"), post_only=True))

    assert (order.size, order.notional_usd) == (Decimal(100), Decimal(3))
    assert isinstance(gateway.submit(order.payload), Accepted)


def test_a_resting_bid_met_by_a_buyer_of_the_other_outcome_is_found_by_its_own_token(
    gateway: Gateway, make_account: MakeAccount, practice_exchange: PracticeExchange
) -> None:
    yes, no = tokens(practice_exchange)
    practice_exchange.post("book", slug=SLUG, bids=[], asks=[["0.030", "500"]])
    order = gateway.prepare(resting(terms_of(gateway, yes), post_only=True))
    gateway.submit(order.payload)
    other = Gateway(make_account())

    # A buyer of NO at 97.9 cents and our bid for YES at 2.1 make a dollar: a pair is minted for the two.
    taking = other.prepare(
        order_for(terms_of(other, no), price_limit=Decimal("0.979"), notional_usd=Decimal("48.95"))
    )
    assert isinstance(other.submit(taking.payload), Accepted)

    (fill,) = settled_fills(gateway, order, yes)
    assert (fill.instrument_id, fill.side, fill.size, fill.price, fill.fee_usd) == (
        yes,
        Side.BUY,
        Decimal(50),
        Decimal("0.021"),
        Decimal(0),
    )
    assert gateway.fetch_fills_of_order(order.client_order_id, since=STARTED_AT, instrument_id=no) == []
    (theirs,) = settled_fills(other, taking, no)
    assert (theirs.instrument_id, theirs.side, theirs.size) == (no, Side.BUY, Decimal(50))
    assert gateway.fetch_positions([yes])[0].size == Decimal(50)


def test_a_resting_sale_met_by_a_seller_of_the_other_outcome_is_found_by_its_own_token(
    gateway: Gateway, make_account: MakeAccount, practice_exchange: PracticeExchange
) -> None:
    yes, no = tokens(practice_exchange)
    practice_exchange.post("book", slug=SLUG, bids=[["0.019", "400"]], asks=[["0.024", "500"]])
    shares(gateway, yes)
    order = gateway.prepare(
        resting(terms_of(gateway, yes), side=Side.SELL, price_limit=Decimal("0.022"), post_only=True)
    )
    gateway.submit(order.payload)
    other = Gateway(make_account())
    taken = other.prepare(
        order_for(terms_of(other, no), price_limit=Decimal("0.981"), notional_usd=Decimal("98.1"))
    )
    other.submit(taken.payload)
    settled_fills(other, taken, no)

    # A seller of NO at 97.8 cents and our offer of YES at 2.2: the pair is merged into its dollar.
    sold = other.prepare(
        order_for(terms_of(other, no), side=Side.SELL, size=Decimal(30), price_limit=Decimal("0.978"))
    )
    assert isinstance(other.submit(sold.payload), Accepted)

    (fill,) = settled_fills(gateway, order, yes)
    assert (fill.instrument_id, fill.side, fill.size, fill.price) == (
        yes,
        Side.SELL,
        Decimal(30),
        Decimal("0.022"),
    )
