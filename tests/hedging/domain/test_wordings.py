"""Figures are read from the words that venues use, exactly; what cannot be read is None."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.wordings import (
    Condition,
    Dates,
    PriceTrigger,
    amount_usd_of,
    condition_of,
    dates_of,
    plain,
    price_trigger_of,
    source_of,
    window_s_of,
)
from tests.hedging.domain.wordings import USDC_2026

MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip


def test_the_usdc_market_of_2026_is_read_in_full() -> None:
    condition = condition_of(USDC_2026.description)
    assert condition == Condition(
        label="Yes",
        clause="all Pyth 1-minute candles for USDC-USD for any 24-hour period are below 98 cents, for candles between "
        "27 Oct '25 15:00 and 31 Dec '26 23:59 ET",
    )
    assert price_trigger_of(condition.clause) == PriceTrigger(price=Decimal("0.98"), is_below=True)
    assert window_s_of(condition.clause) == 86_400
    assert dates_of(condition.clause) == Dates(first=date(2025, 10, 27), last=date(2026, 12, 31))
    assert source_of(USDC_2026.description) == "TradingView"


@pytest.mark.parametrize(
    ("text", "price", "is_below"),
    [
        ("is below $0.98 for 24 hours", "0.98", True),
        ("trades under 98 cents", "0.98", True),
        ("falls below 97.5¢", "0.975", True),
        ("at or below 0.90", "0.9", True),
        ("a price lower than .95", "0.95", True),
        ("trades below a price of $1", "1", True),
        ("stays above $0.99", "0.99", False),
        ("trades over $1.01", "1.01", False),
        ("a hack over $100M while it is below $0.97", "0.97", True),
    ],
)
def test_a_price_is_read_with_its_side(text: str, price: str, is_below: bool) -> None:
    assert price_trigger_of(text) == PriceTrigger(price=Decimal(price), is_below=is_below)


@pytest.mark.parametrize(
    "text",
    ["", "USDC depeg by December 31?", "hack over $100M", "above $1 million", "over $0.5 billion", "under 5% of supply",
     "below $98", "more than 72 consecutive hours", "below 30,000", "under $ 1.5B", "a depeg of 0.98"],
)  # fmt: skip
def test_what_is_no_price_of_a_coin_is_not_read_as_one(text: str) -> None:
    assert price_trigger_of(text) is None


@given(st.decimals(min_value="0.0001", max_value="1.9999", places=4), st.booleans())
def test_any_price_written_in_dollars_is_read_back(price: Decimal, is_below: bool) -> None:
    text = f"Will USDC trade {'below' if is_below else 'above'} ${price} in 2027?"
    assert price_trigger_of(text) == PriceTrigger(price=price.normalize(), is_below=is_below)


@given(st.integers(min_value=1, max_value=199))
def test_cents_are_hundredths(cents: int) -> None:
    found = price_trigger_of(f"closes under {cents} cents")
    assert found is not None
    assert found.price == Decimal(cents) / 100


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("for any continuous 24-hour period, every 1-minute candle", 86_400),
        ("below $0.98 for 24 consecutive hours", 86_400),
        ("for at least 15 minutes", 900),
        ("for 3 straight days", 259_200),
        ("for one full 1 week", 604_800),
        ("at any point before the end", 0),
        ("any 1-minute candle has a final low below $0.95", 60),
        ("every 1-minute candle is below", None),
        ("the daily close is below", None),
    ],
)
def test_a_window_is_read_and_candles_are_not_taken_for_one(text: str, seconds: int | None) -> None:
    assert window_s_of(text) == seconds


@given(
    st.integers(min_value=1, max_value=999),
    st.sampled_from([("minute", 60), ("hour", 3600), ("day", 86_400)]),
)
def test_any_window_is_read_back(count: int, unit: tuple[str, int]) -> None:
    assert window_s_of(f"stays below for {count} {unit[0]}s without a break") == count * unit[1]


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ("Another crypto hack over $100M before 2027?", 100_000_000),
        ("assets worth more than $10 million are taken", 10_000_000),
        ("a loss exceeding $1.5B", 1_500_000_000),
        ("at least $250k", 250_000),
        ("over $1,500,000 in assets", 1_500_000),
        ("a price below $0.98", None),
        ("over $1.01", None),
        ("hacked", None),
    ],
)
def test_a_loss_is_read_in_dollars(text: str, usd: int | None) -> None:
    assert amount_usd_of(text) == (None if usd is None else Decimal(usd))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("between this market's creation and December 31, 2027, 11:59 PM ET", None, date(2027, 12, 31)),
        ("between January 1, 2026 and March 3rd, 2026", date(2026, 1, 1), date(2026, 3, 3)),
        ("from 1 Jan '27 to 30 Jun '27", date(2027, 1, 1), date(2027, 6, 30)),
        ("by Dec 31, 2026", None, date(2026, 12, 31)),
        ("on or before 2027-02-28", None, date(2027, 2, 28)),
        ("before 2027", None, date(2026, 12, 31)),
        ("in 2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("by December 31?", None, date(2026, 12, 31)),
        ("by February 30, 2027", None, None),
        ("soon", None, None),
    ],
)
def test_days_are_read_and_a_missing_year_is_the_markets(
    text: str, first: date | None, last: date | None
) -> None:
    assert dates_of(text, year=2026) == Dates(first=first, last=last)


def test_a_day_without_a_year_is_unread_where_nobody_knows_the_year() -> None:
    assert dates_of("by December 31?") == Dates(first=None, last=None)


@given(
    st.dates(min_value=date(2020, 1, 1), max_value=date(2099, 12, 31)),
    st.integers(min_value=0, max_value=400),
)
def test_any_span_of_days_is_read_back(first: date, length: int) -> None:
    last = min(first + timedelta(days=length), date(2099, 12, 31))
    text = (
        f"between {MONTHS[first.month - 1]} {first.day}, {first.year} and "
        f"{last.day} {MONTHS[last.month - 1][:3]} '{last.year % 100:02}"
    )
    assert dates_of(text) == Dates(first=first, last=last)


@given(st.text(max_size=300))
def test_no_text_breaks_the_readers(text: str) -> None:
    condition_of(text)
    price = price_trigger_of(text)
    assert price is None or 0 < price.price <= 2
    window = window_s_of(text)
    assert window is None or window >= 0
    amount = amount_usd_of(text)
    assert amount is None or amount >= 1000
    dates_of(text, year=2026)
    source_of(text)
    assert plain(plain(text)) == plain(text)


def test_the_condition_is_found_with_and_without_quotes_and_ends_where_it_ends() -> None:
    rules = 'This market resolves to "Depeg" if USDC is below $0.98 for 24 hours. Otherwise it resolves to "Holds".'
    assert condition_of(rules) == Condition(label="Depeg", clause="USDC is below $0.98 for 24 hours")
    assert condition_of("Resolves YES if USDC falls.") == Condition(label="YES", clause="USDC falls.")
    assert condition_of("Pays on what the committee thinks.") is None
