"""Books best first, terms as the stricter of two services states them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.venues.adapters.polymarket.samples import TOKEN, TOKEN_V3, practice_config
from venues.adapters.polymarket.fills import FeeTerms
from venues.adapters.polymarket.markets import book_of, fee_terms_of, outcomes_of, terms_of
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.books import Level

CONDITION = "0x" + "c0" * 32
NO_TOKEN = "77"
DOMAINS = practice_config().domains


def book(**changes: Any) -> dict[str, Any]:
    return {
        "market": CONDITION,
        "asset_id": TOKEN,
        "timestamp": "1795000000123",
        "hash": "abc",
        "bids": [{"price": "0.015", "size": "900"}, {"price": "0.020", "size": "400"}],
        "asks": [{"price": "0.060", "size": "2000"}, {"price": "0.030", "size": "350.25"}],
    } | changes


def gamma(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1500000",
        "version": "v1",
        "slug": "usdc-depeg",
        "conditionId": CONDITION,
        "question": "USDC depeg?",
        "description": "Resolves YES if",
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": f'["{TOKEN}", "{NO_TOKEN}"]',
        "active": True,
        "closed": False,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "endDate": "2027-12-31T23:59:00Z",
    } | changes


def clob(**changes: Any) -> dict[str, Any]:
    return {
        "c": CONDITION,
        "t": [{"t": TOKEN, "o": "Yes"}, {"t": NO_TOKEN, "o": "No"}],
        "mts": Decimal("0.001"),
        "mos": 5,
        "fd": {"r": Decimal("0.07"), "e": 1, "to": True},
        "ao": True,
    } | changes


def stated(gamma_market: object, clob_market: object) -> Any:
    return terms_of(gamma_market, clob_market, instrument_id=TOKEN, domains=DOMAINS)


def test_the_wire_lists_the_best_price_last_and_we_list_it_first() -> None:
    report = book_of(book(), instrument_id=TOKEN)

    assert report.bids == (Level(Decimal("0.020"), Decimal(400)), Level(Decimal("0.015"), Decimal(900)))
    assert report.asks == (Level(Decimal("0.030"), Decimal("350.25")), Level(Decimal("0.060"), Decimal(2000)))
    assert report.best_ask == Level(Decimal("0.030"), Decimal("350.25"))
    assert (report.taken_at, report.book_hash) == (
        datetime(2026, 11, 18, 11, 6, 40, 123000, tzinfo=UTC),
        "abc",
    )


def test_empty_sides_and_empty_levels() -> None:
    report = book_of(book(bids=None, asks=[{"price": "0.5", "size": "0"}]), instrument_id=TOKEN)

    assert (report.bids, report.asks, report.best_bid) == ((), (), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"asset_id": "1"},
        {"timestamp": None},
        {"bids": "x"},
        {"bids": [{"price": "0", "size": "1"}]},
        {"asks": [{"price": "1", "size": "1"}]},
        {"asks": [{"price": "0.5", "size": "-1"}]},
        {"asks": [["0.5", "1"]]},
    ],
)
def test_a_book_that_makes_no_sense_is_unreadable(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        book_of(book(**changes), instrument_id=TOKEN)


def test_terms_in_full() -> None:
    terms = stated(gamma(), clob())

    assert (terms.venue_code, terms.instrument_id, terms.condition_id) == ("polymarket", TOKEN, CONDITION)
    assert (terms.market_id, terms.slug, terms.outcome) == ("1500000", "usdc-depeg", "Yes")
    assert (terms.question, terms.description) == ("USDC depeg?", "Resolves YES if")
    assert (terms.tick_size, terms.size_min, terms.notional_usd_min) == (
        Decimal("0.001"),
        Decimal(5),
        Decimal(1),
    )
    assert (terms.fee_rate, terms.fee_exponent) == (Decimal("0.07"), 1)
    assert (terms.neg_risk, terms.exchange_domain) == (False, "2")
    assert (terms.accepting_orders, terms.closed) == (True, False)
    assert terms.end_at == datetime(2027, 12, 31, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gamma_changes", "clob_changes", "accepting", "closed"),
    [
        ({"closed": True}, {}, False, True),
        ({"archived": True}, {}, False, True),
        ({"acceptingOrders": False}, {}, False, False),
        ({}, {"ao": False}, False, False),
        ({"active": False}, {}, False, False),
        ({"enableOrderBook": False}, {}, False, False),
        ({"acceptingOrders": None}, {"ao": None}, False, False),
        ({"acceptingOrders": None}, {}, True, False),
    ],
)
def test_the_stricter_word_counts(
    gamma_changes: dict[str, Any], clob_changes: dict[str, Any], *, accepting: bool, closed: bool
) -> None:
    terms = stated(gamma(**gamma_changes), clob(**clob_changes))

    assert (terms.accepting_orders, terms.closed) == (accepting, closed)


def test_the_markets_protocol_names_the_signing_domain_and_the_ids_that_it_trades() -> None:
    positions = {"positionIds": [TOKEN_V3, "4242"]}
    listed = clob(t=[{"t": TOKEN}, {"t": NO_TOKEN}, {"t": TOKEN_V3}])
    v2 = terms_of(gamma(version="v2", **positions), listed, instrument_id=TOKEN_V3, domains=DOMAINS)

    assert (v2.exchange_domain, v2.outcome, v2.accepting_orders) == ("3", "Yes", True)
    assert stated(gamma(version="v1", **positions), clob()).exchange_domain == "2"
    with pytest.raises(Unreadable):
        stated(gamma(version="v2", **positions), listed)
    with pytest.raises(Unreadable):
        terms_of(gamma(version="v1", **positions), listed, instrument_id=TOKEN_V3, domains=DOMAINS)


def test_a_market_that_does_not_name_its_protocol_goes_by_its_id() -> None:
    positions = {"positionIds": [TOKEN_V3, "4242"], "version": None}
    listed = clob(t=[{"t": TOKEN}, {"t": TOKEN_V3}])

    assert stated(gamma(**positions), listed).exchange_domain == "2"
    v2 = terms_of(gamma(**positions), listed, instrument_id=TOKEN_V3, domains=DOMAINS)
    assert (v2.exchange_domain, v2.outcome) == ("3", "Yes")


@pytest.mark.parametrize("word", ["v9", "3", "2", 2])
def test_a_protocol_that_no_row_knows_accepts_no_orders_and_has_no_domain(word: object) -> None:
    terms = stated(gamma(version=word), clob())

    assert terms.accepting_orders is False
    assert terms.exchange_domain == f"?{word}"


def test_a_row_is_all_that_a_new_protocol_needs() -> None:
    row = replace(DOMAINS[0], version="4", market_version="v9")
    terms = terms_of(gamma(version="v9"), clob(), instrument_id=TOKEN, domains=(*DOMAINS, row))

    assert (terms.exchange_domain, terms.accepting_orders) == ("4", True)


def test_neg_risk_is_read_from_the_order_book() -> None:
    assert stated(gamma(), clob(nr=True)).neg_risk is True


def test_fee_curves() -> None:
    assert fee_terms_of(clob(fd=None)) == FeeTerms(Decimal(0), 1)
    assert fee_terms_of(clob(fd={"r": Decimal("0.04")})) == FeeTerms(Decimal("0.04"), 1)
    assert fee_terms_of(clob(fd={"r": "0.2", "e": Decimal("2.0")})) == FeeTerms(Decimal("0.2"), 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"c": "0x" + "d0" * 32},
        {"t": [{"t": NO_TOKEN}]},
        {"mts": None},
        {"mos": "five"},
        {"fd": {"r": Decimal("0.07"), "e": Decimal("0.5")}},
        {"fd": {"r": Decimal("7"), "e": 1}},
    ],
)
def test_terms_that_cannot_be_used_are_unreadable(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        stated(gamma(), clob(**changes))


def test_outcomes_come_as_json_in_a_string_or_as_a_list() -> None:
    assert outcomes_of(gamma()) == (("Yes", TOKEN), ("No", NO_TOKEN))
    both = {"clobTokenIds": '["6", "7"]', "positionIds": ["8", "9"]}
    assert outcomes_of(gamma(version="v2", **both)) == (("Yes", "8"), ("No", "9"))
    assert outcomes_of(gamma(version="v1", **both)) == (("Yes", "6"), ("No", "7"))
    assert [token for _, token in outcomes_of(gamma(version=None, **both))] == ["6", "7", "8", "9"]
    assert outcomes_of(gamma(outcomes="", clobTokenIds="")) == ()
