"""Look-ups at the running practice exchange: the whole answer or LookupFailed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.venues.adapters.polymarket.trading import (
    NEG_RISK_SLUG,
    SLUG,
    STARTED_AT,
    order_for,
    settled_fills,
    strike,
    tokens,
)
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.gateway import Gateway
from venues.domain.gateway import (
    LookupFailed,
)
from venues.domain.instruments import InstrumentTerms


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


def test_many_books_come_in_one_answer_and_an_unknown_token_is_left_out(
    gateway: Gateway, token: str, practice_exchange: PracticeExchange
) -> None:
    other = tokens(practice_exchange, NEG_RISK_SLUG)[0]

    books = gateway.fetch_books([token, "12345", other])

    assert set(books) == {token, other}
    assert books[token] == replace(gateway.fetch_book(token), taken_at=books[token].taken_at)
    assert books[other].instrument_id == other


def test_books_without_an_answer_are_no_books(
    gateway: Gateway, token: str, practice_exchange: PracticeExchange
) -> None:
    strike(practice_exchange, kind="server_error", method="POST", path="/clob/books", count=None)
    with pytest.raises(LookupFailed, match=r"books: HTTP 500"):
        gateway.fetch_books([token])


def test_derived_credentials_are_the_same_each_time(account: PolymarketConfig, gateway: Gateway) -> None:
    again = gateway.derive_credentials()

    assert (again.api_key, again.secret, again.passphrase) == (
        account.api_key,
        account.secret,
        account.passphrase,
    )


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
    assert Gateway(replace(account, chain_id=137)).is_untouched(order_id) is None
    assert Gateway(account).is_untouched("0x12") is None


def test_the_venues_clock_and_a_search_for_markets(gateway: Gateway) -> None:
    assert abs((gateway.fetch_time() - datetime.now(UTC)).total_seconds()) < 3
    found = gateway.search_markets("usdc depeg")
    assert SLUG in [listing.slug for listing in found]
    assert [label for label, _ in found[0].outcomes] == ["Yes", "No"]
    assert gateway.search_markets("  ") == []


@pytest.mark.parametrize("path", ["/clob/markets-by-token/*", "/clob/clob-markets/*"])
def test_an_empty_answer_about_a_market_does_not_say_that_it_is_unlisted(
    gateway: Gateway, token: str, practice_exchange: PracticeExchange, path: str
) -> None:
    """Once, it suspended the market's mapping."""
    strike(practice_exchange, kind="empty", method="GET", path=path, count=None)

    with pytest.raises(LookupFailed):
        gateway.fetch_instruments([token])
