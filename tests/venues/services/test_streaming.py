"""The streaming process and PostgreSQL: books with their age, lines with their health, and no harm from any death."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from hedging.models import Mapping
from tests.desk import Desk
from tests.trading import OTHER_SLUG, SLUG, map_market, wait_for
from tonsurance.kernel.clock import utc_now
from tonsurance.launch.keeper import Child
from venues.domain.books import Level
from venues.models import Instrument, StreamBook, StreamState
from venues.selectors.books import streamed_books, true_at_of
from venues.services.streams import streaming_begin, streaming_holds

pytestmark = pytest.mark.django_db(transaction=True)

YOUNG = timedelta(seconds=15)


@pytest.fixture
def mapping(desk: Desk) -> Mapping:
    desk.book(SLUG, bids=[["0.020", "400"]], asks=[["0.030", "3500"]])
    return map_market(desk)


def touch(row_id: int) -> tuple[Decimal | None, Decimal | None] | None:
    row = StreamBook.objects.filter(pk=row_id, is_sound=True).first()
    return (row.best_bid, row.best_ask) if row else None


def line() -> StreamState:
    """The line with books."""
    return StreamState.objects.get(name="polymarket-1")


def wait_for_touch(row_id: int, bid: str, ask: str) -> None:
    wait_for(lambda: touch(row_id) == (Decimal(bid), Decimal(ask)))


def test_a_mapped_market_is_streamed_into_rows_and_follows_changes(
    desk: Desk, mapping: Mapping, stream_process: Callable[[], Child]
) -> None:
    stream_process()
    row = mapping.instrument_id
    wait_for_touch(row, "0.02", "0.03")
    desk.book(SLUG, bids=[["0.021", "1.5"], ["0.020", "7"]], asks=[])
    wait_for(lambda: touch(row) == (Decimal("0.021"), None))
    found = streamed_books([row], age_max=YOUNG, now=utc_now())[row]
    assert found.book.bids == (
        Level(Decimal("0.021"), Decimal("1.5")),
        Level(Decimal("0.020"), Decimal(7)),
    )
    assert utc_now() - found.true_at < YOUNG
    streaming = line()
    assert (streaming.instruments, streaming.sound, streaming.gaps) == (1, 1, 0)
    assert streaming.messages >= 2
    user = StreamState.objects.get(name="polymarket-user")
    assert (user.connected_since is not None, user.error) == (True, "")


def test_a_market_mapped_later_joins_and_one_that_closed_leaves(
    desk: Desk, mapping: Mapping, stream_process: Callable[[], Child]
) -> None:
    stream_process()
    wait_for_touch(mapping.instrument_id, "0.02", "0.03")
    desk.book(OTHER_SLUG, bids=[["0.010", "10"]], asks=[["0.050", "10"]])
    later = map_market(desk, slug=OTHER_SLUG, stablecoin="USDT")
    wait_for_touch(later.instrument_id, "0.01", "0.05")
    Instrument.objects.filter(pk=later.instrument_id).update(closed=True)
    wait_for(lambda: not StreamBook.objects.filter(pk=later.instrument_id).exists())
    assert touch(mapping.instrument_id) == (Decimal("0.02"), Decimal("0.03"))
    assert line().reconnects == 0


def test_a_process_told_to_stop_says_that_its_lines_are_down(
    mapping: Mapping, stream_process: Callable[[], Child]
) -> None:
    child = stream_process()
    wait_for_touch(mapping.instrument_id, "0.02", "0.03")
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(10) == 0
    found = line()
    assert (found.connected_since, found.error) == (None, "the process was stopped")
    row = StreamBook.objects.get()
    assert true_at_of(row) == row.received_at, "nothing makes an old book young"


def test_a_killed_process_leaves_rows_that_grow_old_and_the_next_one_disowns_them(
    desk: Desk, mapping: Mapping, stream_process: Callable[[], Child]
) -> None:
    child = stream_process()
    row = mapping.instrument_id
    wait_for_touch(row, "0.02", "0.03")
    child.process.kill()
    child.process.wait(10)
    assert streamed_books([row], age_max=YOUNG, now=utc_now() + timedelta(minutes=1)) == {}
    desk.book(SLUG, bids=[["0.011", "1"]], asks=[["0.012", "1"]])
    wait_for(lambda: streaming_begin(now=utc_now()))
    assert streamed_books([row], age_max=YOUNG, now=utc_now()) == {}, "disowned before it is heard again"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
    stream_process()
    wait_for_touch(row, "0.011", "0.012")


def test_of_two_processes_one_waits_and_takes_over(
    mapping: Mapping, stream_process: Callable[[], Child]
) -> None:
    first = stream_process()
    wait_for_touch(mapping.instrument_id, "0.02", "0.03")
    said = line().process
    stream_process()
    assert not streaming_begin(now=utc_now())
    assert not streaming_holds()
    first.process.kill()
    wait_for(lambda: line().process not in (said, ""))
    wait_for_touch(mapping.instrument_id, "0.02", "0.03")


def test_a_database_that_breaks_the_line_is_waited_for(
    desk: Desk, mapping: Mapping, stream_process: Callable[[], Child]
) -> None:
    child = stream_process()
    wait_for_touch(mapping.instrument_id, "0.02", "0.03")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE '%%stream_markets%%' AND pid <> pg_backend_pid()"
        )
        assert cursor.rowcount >= 1
    desk.book(SLUG, bids=[["0.012", "5"]], asks=[["0.013", "5"]])
    wait_for_touch(mapping.instrument_id, "0.012", "0.013")
    assert child.process.poll() is None
    assert line().reconnects == 0, "the line to the venue stayed up"
