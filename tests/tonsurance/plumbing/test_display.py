"""How figures look: separators, signs, no trailing zeros, nothing hidden, everything escaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonsurance.plumbing import display

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value, shown",
    [
        ("0", "$0.00"),
        ("1234567.891", "$1,234,567.89"),
        ("-12.5", "−$12.50"),
        ("0.003120", "$0.00312"),
        ("0.000001", "$0.000001"),
        ("-0.005", "−$0.005"),
        ("0.015", "$0.02"),
        ("20000", "$20,000.00"),
    ],
)
def test_dollars(value, shown):
    assert display.usd_text(Decimal(value)) == shown


@pytest.mark.parametrize(
    "value, shown",
    [
        ("40000.00000000", "40,000"),
        ("1234.56", "1,234.56"),
        ("0", "0"),
        ("0.00000001", "0.00000001"),
        ("100", "100"),
        ("-3", "−3"),
    ],
)
def test_units(value, shown):
    assert display.size_text(Decimal(value)) == shown


@pytest.mark.parametrize(
    "value, shown",
    [("0.0435000000", "$0.0435"), ("0.5", "$0.50"), ("0.04", "$0.04"), ("0.043", "$0.043"), ("1", "$1.00")],
)
def test_prices(value, shown):
    assert display.price_text(Decimal(value)) == shown


@pytest.mark.parametrize(
    "value, shown", [("0.4", "40 %"), ("1", "100 %"), ("0.3333", "33.33 %"), ("0", "0 %"), ("10", "1,000 %")]
)
def test_shares(value, shown):
    assert display.percent_text(Decimal(value)) == shown


def test_nothing_is_a_dash_and_not_a_zero():
    assert (
        display.usd_text(None)
        == display.size_text(None)
        == display.price_text(None)
        == display.percent_text(None)
        == "–"
    )


@given(st.decimals(min_value=-(10**17), max_value=10**17, places=6))
def test_what_is_rounded_keeps_its_exact_value_in_the_tooltip(value):
    html = str(display.usd(value))
    title = html.split('title="')[1].split(" USD")[0]
    assert Decimal(title.replace(",", "")) == value


@given(st.decimals(min_value=0, max_value=10**17, places=6))
def test_what_is_shown_is_at_most_half_a_cent_away(value):
    shown = Decimal(display.usd_text(value).replace("$", "").replace(",", ""))
    assert abs(shown - value) <= Decimal("0.005")


@pytest.mark.parametrize(
    "passed, words",
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_ages(passed, words):
    assert display.ago_text(NOW - passed, now=NOW) == words


def test_never_is_a_dash():
    assert display.ago_text(None, now=NOW) == "–"


@pytest.mark.parametrize(
    "code, words", [("NO_GATEWAY", "No gateway"), ("partly hedged", "Partly hedged"), ("", "–")]
)
def test_codes_become_words(code, words):
    assert display.word(code) == words


@pytest.mark.parametrize("number, words", [(0, "0 orders"), (1, "1 order"), (1200, "1,200 orders")])
def test_counted_things_agree_with_their_number(number, words):
    assert display.counted(number, "order") == words


def test_text_is_escaped_in_tables_badges_facts_and_links():
    dangerous = "<script>alert(1)</script>"
    for html in (
        display.table([dangerous], [[dangerous]]),
        display.badge(dangerous, title='"><b>'),
        display.facts([(dangerous, dangerous)]),
        display.link("/x", dangerous),
        display.text_block(dangerous),
        display.short_hash(dangerous),
        display.one_line(dangerous),
    ):
        assert "<script>" not in html
        assert '"><b>' not in html


def test_a_table_without_rows_says_so():
    assert "Nothing traded" in display.table(["Trade"], [], empty="Nothing traded")


def test_the_best_prices_meet_in_the_middle_of_the_ladder():
    html = display.ladder([["0.05", "1000"], ["0.04", "500"]], [["0.08", "800"], ["0.10", "2000"]])
    assert [html.index(price) for price in ("$0.10", "$0.08", "$0.05", "$0.04")] == sorted(
        html.index(price) for price in ("$0.10", "$0.08", "$0.05", "$0.04")
    )
    assert "width:100%" in html
    assert "width:25%" in html


def test_an_empty_book_is_said_in_words():
    assert "Nobody offers" in display.ladder([], [])
