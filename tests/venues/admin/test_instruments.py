"""The market's page: rules, terms, the newest book."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories as make

LIST = "admin:venues_instrument_changelist"


def test_the_list_shows_the_best_prices_of_the_newest_book_only(officer):
    market = make.instrument()
    make.book(market, taken_at=make.NOW - timedelta(hours=1), bids=[["0.33", "1"]], asks=[["0.77", "1"]])
    make.book(market, bids=[["0.05", "1000"]], asks=[["0.08", "800"]])
    html = officer.get(reverse(LIST)).content.decode()
    assert "$0.05" in html
    assert "$0.08" in html
    assert "$0.33" not in html


def test_more_markets_cost_no_more_queries(officer):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get(reverse(LIST)).status_code == 200
        return len(seen)

    make.book(make.instrument())
    before = queries()
    for _ in range(5):
        make.book(make.instrument())
    assert queries() == before


def test_the_page_shows_the_rules_and_the_ladder(officer):
    market = make.instrument(description="Resolves by <CoinGecko> candles.")
    make.book(market)
    html = officer.get(reverse("admin:venues_instrument_change", args=[market.pk])).content.decode()
    assert "Resolves by &lt;CoinGecko&gt; candles." in html
    assert "bo-ladder" in html
    assert "2,500" in html


def test_a_market_without_a_book_has_a_page_too(officer):
    market = make.instrument(closed=True)
    html = officer.get(reverse("admin:venues_instrument_change", args=[market.pk])).content.decode()
    assert "bo-ladder" not in html
    assert "Closed" in html
