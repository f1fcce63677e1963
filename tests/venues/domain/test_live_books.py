"""A kept book is exact, ordered, and refuses to be read when a level is none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.domain.books import Level
from venues.domain.live_books import LiveBook, Misread, price_micro

AT = datetime(2026, 11, 21, tzinfo=UTC)


def kept(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> LiveBook:
    book = LiveBook("token")
    book.replace(bids, asks, at_ms=1, book_hash="abc")
    return book


def test_a_book_is_read_best_first_whatever_the_order_and_spelling():
    book = kept([(".01", "5"), ("0.020", "400.5")], [("0.5", "1"), ("0.03", "2")])
    read = book.book(taken_at=AT)
    assert read.bids == (Level(Decimal("0.02"), Decimal("400.5")), Level(Decimal("0.01"), Decimal(5)))
    assert read.asks == (Level(Decimal("0.03"), Decimal(2)), Level(Decimal("0.5"), Decimal(1)))
    assert (read.instrument_id, read.book_hash) == ("token", "abc")


@pytest.mark.parametrize("text", ["", "abc", "1e-3", "-0.1", "0.0000001", "NaN", "0x1", "٠.٥"])
def test_a_price_that_is_none_is_refused(text):
    with pytest.raises(Misread):
        price_micro(text)


@pytest.mark.parametrize("size", ["", "abc", "-5", "1e3", "NaN", "1,5"])
def test_a_size_that_is_none_is_found_when_the_book_is_read(size):
    with pytest.raises(Misread):
        kept([("0.02", size)], []).levels()


def test_a_crossed_book_is_not_read():
    with pytest.raises(Misread, match="not below"):
        kept([("0.03", "1")], [("0.03", "1")]).levels()


def test_a_bad_snapshot_changes_nothing():
    book = kept([("0.02", "1")], [])
    with pytest.raises(Misread):
        book.replace([("0.03", "1")], [("oops", "1")], at_ms=2, book_hash="")
    assert (book.bids, book.at_ms) == ({20_000: "1"}, 1)


@pytest.mark.parametrize(
    ("bid", "ask", "agrees"),
    [
        ("0.02", "0.030", True),
        (None, None, True),
        ("", "", True),
        ("0.021", "0.03", False),
        ("0.02", "1", False),
        ("0", "0.03", False),
        ("bad", "0.03", False),
    ],
)
def test_the_touch_that_a_message_names_is_compared(bid, ask, agrees):
    book = kept([("0.02", "1")], [("0.03", "1")])
    book.best_bid, book.best_ask = bid, ask
    assert book.touch_agrees() is agrees


@pytest.mark.parametrize(("bid", "ask"), [("0", "1"), ("0", "0"), (None, "1")])
def test_an_empty_side_is_told_as_nought_or_one(bid, ask):
    book = kept([], [])
    book.best_bid, book.best_ask = bid, ask
    assert book.touch_agrees()


@given(st.integers(0, 10**6), st.integers(0, 6))
def test_every_price_keeps_its_value_in_every_spelling(micro, zeros):
    text = f"{Decimal(micro).scaleb(-6):f}" + ("0" * zeros if micro % 10**6 else "")
    assert price_micro(text) == micro
