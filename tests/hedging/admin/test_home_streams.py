"""The home page shows how market data is, and says so when nobody brings it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from tests import factories as make
from tonsurance.kernel.clock import utc_now
from venues.models import StreamState


def home(officer) -> str:
    return officer.get(reverse("admin:index")).content.decode()


@pytest.fixture
def line(db) -> StreamState:
    now = utc_now()
    return StreamState.objects.create(
        name="polymarket-1",
        venue=make.venue(),
        instruments=4,
        sound=3,
        connected_since=now - timedelta(minutes=7),
        heard_at=now,
        told_at=now,
    )


def test_without_a_stream_nothing_is_alarming(officer):
    html = home(officer)
    assert "Nothing is streamed" in html
    assert "streams market data" not in html


def test_a_line_that_is_up_is_shown_with_its_books(officer, line):
    html = home(officer)
    assert "polymarket-1" in html
    assert "3 of 4" in html
    assert "Market data is down" not in html


def test_a_line_that_is_down_says_why(officer, line):
    StreamState.objects.update(connected_since=None, error="the venue <ended> the line")
    assert "Market data is down: the venue &lt;ended&gt; the line" in home(officer)


def test_a_silent_process_is_an_alarm(officer, line):
    StreamState.objects.update(told_at=utc_now() - timedelta(minutes=3))
    assert "No process streams market data (last heard of 3 min ago)" in home(officer)
