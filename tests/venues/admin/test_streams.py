"""The lines' page, and a book's age wherever a book is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories as make
from tonsurance.kernel.clock import utc_now
from venues.models import Instrument, StreamBook, StreamState

LIST = "admin:venues_streamstate_changelist"


def line(*, told_at: datetime | None = None, **values: object) -> StreamState:
    now = utc_now()
    return StreamState.objects.create(
        **{
            "name": "polymarket-1",
            "venue": make.venue(),
            "instruments": 3,
            "sound": 2,
            "connected_since": now - timedelta(minutes=5),
            "heard_at": now - timedelta(seconds=2),
            "told_at": told_at or now,
            "messages": 12_345,
            "messages_per_s": Decimal("17.5"),
            "gaps": 4,
            "error": "the venue ended <the> line",
            **values,
        }
    )


def streamed(of: Instrument, on: StreamState, *, age: timedelta = timedelta(seconds=3)) -> StreamBook:
    moment = utc_now() - age
    return StreamBook.objects.create(
        instrument=of,
        stream=on,
        bids=[["0.31", "7"]],
        asks=[["0.33", "9"]],
        best_bid=Decimal("0.31"),
        best_ask=Decimal("0.33"),
        is_sound=True,
        venue_at=moment,
        received_at=moment,
    )


def test_the_list_says_how_each_line_is(officer):
    line()
    html = officer.get(reverse(LIST)).content.decode()
    for words in ("polymarket-1", "Up", "2 of 3", "17.5", "ended &lt;the&gt; line"):
        assert words in html


def test_a_line_whose_process_is_silent_is_dead_and_one_that_comes_back_is_down(officer):
    line(told_at=utc_now() - timedelta(minutes=1))
    assert "No process" in officer.get(reverse(LIST)).content.decode()
    StreamState.objects.update(told_at=utc_now(), connected_since=None)
    assert "Down, coming back" in officer.get(reverse(LIST)).content.decode()


def test_a_lines_page_lists_its_books_with_their_age(officer):
    market = make.instrument()
    row = line()
    streamed(market, row)
    html = officer.get(reverse("admin:venues_streamstate_change", args=[row.pk])).content.decode()
    assert "$0.31" in html
    assert str(market)[:20] in html


def test_a_market_shows_the_streamed_book_when_it_is_the_younger_one(officer):
    market = make.instrument()
    make.book(market, taken_at=utc_now() - timedelta(minutes=5))
    streamed(market, line())
    listed = officer.get(reverse("admin:venues_instrument_changelist")).content.decode()
    assert "$0.31" in listed
    assert "$0.33" in listed
    page = officer.get(reverse("admin:venues_instrument_change", args=[market.pk])).content.decode()
    assert "Streamed book, true" in page


def test_a_market_shows_the_kept_book_when_the_streamed_one_is_old_or_in_doubt(officer):
    market = make.instrument()
    make.book(market, taken_at=utc_now())
    row = line(connected_since=None, heard_at=None)
    streamed(market, row, age=timedelta(minutes=5))
    for _ in range(2):
        page = officer.get(reverse("admin:venues_instrument_change", args=[market.pk])).content.decode()
        assert "Latest book asked for" in page
        StreamBook.objects.update(is_sound=False, received_at=utc_now() + timedelta(minutes=1))


def test_more_books_cost_no_more_queries(officer):
    row = line()

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get(address).status_code == 200
        return len(seen)

    pages = [
        reverse("admin:venues_instrument_changelist"),
        reverse("admin:venues_streamstate_change", args=[row.pk]),
    ]
    streamed(make.instrument(), row)
    before = [queries(page) for page in pages]
    for _ in range(5):
        streamed(make.instrument(), row)
    assert [queries(page) for page in pages] == before
