"""Cover that nothing can hedge, mappings whose market is not what was approved, books that do not come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import override_settings

from hedging.models import Mapping
from hedging.services.diagnosis.markets import book_ask, coverage_ask, mappings_ask
from hedging.services.diagnosis.money import balances_ask, funds_ask
from hedging.services.diagnosis.streams import streams_ask
from hedging.services.mappings import mapping_suspend
from tests import factories as make
from tests.desk import Desk
from tests.factories import NOW
from tests.trading import SLUG, map_market
from tonsurance.kernel.clock import utc_now
from venues.models import Instrument, StreamState
from venues.registry import gateways_forget

pytestmark = pytest.mark.django_db
VENUE = "polymarket"


def test_a_type_of_cover_without_any_market_is_a_warning_and_one_with_some_is_not(ask):
    make.policy(make.product(), "100000")
    assert ask(coverage_ask) == {
        "coverage": ("warning", "depeg: 1 of 1 products with cover ($100,000) have no approved market")
    }
    dai = make.product(stablecoin="DAI")
    make.policy(dai, "5000")
    make.mapping(dai, make.instrument())
    assert ask(coverage_ask) == {
        "coverage": ("ok", "depeg: 1 of 2 products with cover ($100,000) have no approved market")
    }
    make.mapping(make.product(), make.instrument())
    assert ask(coverage_ask) == {"coverage": ("ok", "depeg: all 2 products with cover are mapped")}


def test_a_mapping_that_waits_is_told(ask):
    make.mapping(make.product(), make.instrument(), approved_by="")
    assert ask(mappings_ask) == {
        "mappings_proposed": ("warning", "1 proposed mappings wait for somebody to read them")
    }


def test_a_suspended_mapping_is_told_by_its_kind(ask):
    row = make.mapping(make.product(), make.instrument())
    mapping_suspend(row.pk, reason="the rules are unclear", actor="risk.officer", now=NOW)
    assert ask(mappings_ask)["mappings_suspended"] == ("warning", "1 mappings are suspended: person 1")


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"wording_hash": "f" * 64}, "mappings_wording", "a wording that changed after its approval"),
        ({"closed": True}, "mappings_closed", "a market that is closed or takes no orders"),
        ({"accepting_orders": False}, "mappings_closed", "a market that is closed or takes no orders"),
        (
            {"end_at": NOW + timedelta(days=20)},
            "mappings_ending",
            "a market that will soon be too near its end",
        ),
        (
            {"refreshed_at": NOW - timedelta(hours=2)},
            "mappings_unread",
            "a market that was not read for an hour",
        ),
    ],
)
def test_an_approved_mapping_whose_market_changed_is_named(ask, values, code, words):
    token = make.instrument(slug="usdc-98")
    row = make.mapping(make.product(), token)
    assert ask(mappings_ask) == {"mappings": ("ok", "No mapping is suspended, stale or waiting")}
    Instrument.objects.filter(pk=token.pk).update(**values)
    assert ask(mappings_ask) == {
        code: ("warning", f"1 approved mappings have {words}: {row.product} by usdc-98")
    }


def test_the_book_of_a_mapped_market_is_asked_for(desk: Desk, ask):
    assert ask(lambda **told: book_ask(VENUE, **told))["venue_book"][0] == "ok"
    map_market(desk)
    desk.book(SLUG, bids=[["0.02", "100"]], asks=[["0.04", "100"], ["0.05", "100"]])
    assert ask(lambda **told: book_ask(VENUE, **told)) == {
        "venue_book": ("ok", f"polymarket gave the book of {SLUG}: 2 levels offered")
    }
    desk.book(SLUG, bids=[["0.02", "100"]], asks=[])
    assert ask(lambda **told: book_ask(VENUE, **told))["venue_book"] == (
        "warning",
        f"Nobody offers shares of {SLUG} at polymarket",
    )


def test_a_venue_that_is_down_gives_no_book_and_no_balance(desk: Desk, ask, free_port):
    map_market(desk)
    with override_settings(POLYMARKET={**desk.polymarket(), "clob_url": f"http://127.0.0.1:{free_port}"}):
        gateways_forget()
        level, sentence = ask(lambda **told: book_ask(VENUE, **told))["venue_book"]
        assert (level, sentence.split(":")[0]) == ("fault", f"polymarket gave no book of {SLUG}")
        assert ask(lambda **told: funds_ask(VENUE, **told))["funds"][0] == "fault"
    gateways_forget()


def test_money_at_the_venue_is_compared_with_the_least_wanted(desk: Desk, ask):
    assert ask(lambda **told: funds_ask(VENUE, **told)) == {
        "balance": ("ok", "100,000.00 pUSD at polymarket"),
        "allowances": ("ok", "The 4 contracts of polymarket may take what we have"),
    }
    make.config("balanceMinimum", "250000")
    assert ask(lambda **told: funds_ask(VENUE, **told))["balance"] == (
        "warning",
        "100,000.00 pUSD at polymarket are less than the 250,000.00 wanted there",
    )


def test_contracts_that_may_take_too_little_are_a_fault(desk: Desk, ask):
    desk.exchange.post("account", address=desk.address, approved=False)
    level, sentence = ask(lambda **told: funds_ask(VENUE, **told))["allowances"]
    assert level == "fault"
    assert sentence.startswith("4 of 4 contracts of polymarket may take less than we have: 0x")
    assert sentence.endswith("may take 0.00 of 100,000.00 pUSD")


def test_a_balance_that_was_read_is_judged_without_the_venue(ask):
    assert ask(balances_ask) == {"balance_age": ("warning", "No balance was ever read at polymarket")}
    make.balance(total="999.99")
    assert ask(balances_ask) == {
        "balance": ("warning", "999.99 pUSD at polymarket are less than the 1,000.00 wanted there")
    }
    make.balance(total="0")
    said = ask(balances_ask, now=NOW + timedelta(minutes=30))
    assert said == {
        "balance": ("fault", "Nothing is left at polymarket: 0 pUSD"),
        "balance_age": ("warning", "The balance at polymarket was last read 30 minutes ago"),
    }


def stream(**values) -> StreamState:
    return StreamState.objects.create(
        name="polymarket-1",
        venue=make.venue(),
        **{
            "instruments": 10,
            "sound": 10,
            "connected_since": NOW - timedelta(minutes=5),
            "heard_at": NOW,
            "told_at": NOW,
            "messages_per_s": Decimal("12.5"),
            **values,
        },
    )


def test_without_a_stream_cycles_are_slower_and_the_doctor_says_so(ask):
    assert ask(streams_ask) == {"streams": ("warning", "No process has ever streamed a book")}


def test_a_stream_is_told_with_its_figures(ask):
    stream()
    assert ask(streams_ask) == {
        "streams": (
            "ok",
            "polymarket-1: 10 of 10 books, 12.5 messages a second, up for 5 minutes, 0 reconnects",
        )
    }


@pytest.mark.parametrize(
    ("values", "code", "sentence"),
    [
        (
            {"told_at": NOW - timedelta(seconds=40)},
            "streams",
            "polymarket-1: its process last spoke 40 s ago",
        ),
        (
            {"connected_since": None, "error": "connection refused"},
            "streams",
            "polymarket-1 is down: connection refused",
        ),
        ({"sound": 8}, "streams_doubt", "polymarket-1: 2 of 10 books are in doubt"),
    ],
)
def test_a_stream_in_trouble_is_a_warning(ask, values, code, sentence):
    stream(**values)
    assert ask(streams_ask) == {code: ("warning", sentence)}


def test_mappings_of_the_desk_are_well(desk: Desk, ask):
    map_market(desk)
    assert Mapping.objects.get().state == "approved"
    assert ask(mappings_ask, now=utc_now())["mappings"][0] == "ok"
