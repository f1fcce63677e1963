"""What messages do to the books: exact totals, out of order and lost ones noticed, REST has the last word."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from venues.adapters.polymarket.book_checks import Checks, Pace
from venues.adapters.polymarket.book_stream import Doubt, KeptBooks, Verdict, rest_books
from venues.domain.books import Level
from venues.domain.live_books import Misread

MARKET = "0x" + "ab" * 32
YES, NO = "7" * 77, "8" * 77
PACE = Pace()
# Of `book()` with TERMS, by py-clob-client-v2's generate_orderbook_summary_hash.
HASH_OF_BOOK = "768cea9d806d6afb5247c5220258868473999784"


def book(token: str = YES, *, at: int = 1000, **values: Any) -> dict[str, Any]:
    body = {
        "event_type": "book",
        "market": MARKET,
        "asset_id": token,
        "timestamp": str(at),
        "hash": "",
        "bids": [{"price": "0.010", "size": "100"}, {"price": "0.020", "size": "400"}],
        "asks": [{"price": "0.040", "size": "50"}, {"price": "0.030", "size": "3500"}],
    }
    return body | values


def change(
    price: str,
    size: str,
    *,
    side: str = "BUY",
    at: int = 1001,
    token: str = YES,
    best: tuple[str, str] | None = None,
    book_hash: str = "",
) -> dict[str, Any]:
    row = {"asset_id": token, "price": price, "size": size, "side": side, "hash": book_hash}
    row |= {"best_bid": best[0], "best_ask": best[1]} if best else {}
    return {
        "event_type": "price_change",
        "market": MARKET,
        "timestamp": str(at),
        "price_changes": [row],
    }


def kept(*events: Any) -> KeptBooks:
    books = KeptBooks()
    books.want([YES, NO])
    for event in events:
        books.hear(json.dumps(event))
    return books


def look(books: KeptBooks, token: str = YES) -> Doubt:
    books.books[token].examine(with_hash=True)
    return books.books[token].doubt


def bids(books: KeptBooks) -> list[tuple[str, str]]:
    return [(str(level.price), str(level.size)) for level in books.books[YES].levels()[0]]


def test_a_snapshot_in_an_array_then_totals_per_level():
    books = kept(
        [book(), book(NO)],
        change("0.020", "250.75"),
        change("0.021", "10"),
        change("0.010", "0"),
    )
    assert bids(books) == [("0.021", "10"), ("0.02", "250.75")]
    assert look(books) is Doubt.NONE
    assert books.messages == 5


@pytest.mark.parametrize("zero", ["0", "0.0", "0.000000", "00"])
def test_a_size_of_nought_takes_the_level_away_in_every_spelling(zero):
    assert bids(kept(book(), change("0.020", zero))) == [("0.01", "100")]


def test_a_small_size_is_not_nought():
    assert bids(kept(book(), change("0.020", "0.01")))[0] == ("0.02", "0.01")


def test_hearing_a_message_twice_changes_nothing():
    once, twice = change("0.020", "7"), change("0.020", "7")
    assert bids(kept(book(), once)) == bids(kept(book(), once, twice))


def test_a_message_that_comes_late_is_a_doubt_and_is_not_applied():
    books = kept(book(), change("0.020", "7", at=1005), change("0.020", "9", at=1004))
    assert bids(books)[0] == ("0.02", "7")
    assert look(books) is Doubt.LATE


def test_an_old_snapshot_is_not_believed_after_newer_changes():
    books = kept(book(), change("0.020", "7", at=1005), book(at=1001))
    assert bids(books)[0] == ("0.02", "7")
    assert look(books) is Doubt.LATE


def test_a_lost_message_shows_in_the_best_prices():
    books = kept(book(), change("0.010", "0", best=("0.022", "0.030")))
    assert look(books) is Doubt.TOUCH


def test_a_book_before_its_snapshot_is_in_doubt_and_changes_wait():
    books = kept(change("0.020", "7"))
    assert look(books) is Doubt.NO_BOOK
    assert books.books[YES].bids == {}


def test_a_tick_change_drops_the_book_until_the_next_snapshot():
    tick = {
        "event_type": "tick_size_change",
        "asset_id": YES,
        "old_tick_size": "0.01",
        "new_tick_size": "0.001",
    }
    books = kept([book(), book(NO)], tick, change("0.020", "9"))
    assert (look(books), look(books, NO)) == (Doubt.NO_BOOK, Doubt.NONE)
    books.hear(json.dumps(book(at=1002)))
    assert look(books) is Doubt.NONE
    assert bids(books)[0] == ("0.02", "400")


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "nonsense",
        "[]x",
        '{"event_type":"book"}',
        '{"event_type":"price_change","timestamp":"1","price_changes":5}',
        '{"no":"kind"}',
    ],
)
def test_what_cannot_be_read_is_counted_and_stops_nothing(frame):
    books = kept(book())
    books.hear(frame)
    assert books.unreadable == 1
    books.hear(json.dumps(change("0.020", "7")))
    assert bids(books)[0] == ("0.02", "7")


def test_a_change_with_a_level_that_is_none_puts_its_book_in_doubt():
    assert look(kept(book(), change("oops", "7"))) is Doubt.UNREADABLE
    assert look(kept(book(), change("0.020", "7 apples"))) is Doubt.UNREADABLE


def test_events_that_are_not_about_books_are_heard_and_have_no_effect():
    books = kept(book(), {"event_type": "best_bid_ask", "asset_id": YES}, [{"event_type": "new_market"}])
    assert (books.messages, books.unreadable, look(books)) == (3, 0, Doubt.NONE)


def test_one_strange_event_in_an_array_does_not_cost_the_others():
    assert bids(kept([{"event_type": "new_market", "id": 5}, book()]))[0] == ("0.02", "400")


def test_a_message_of_another_token_is_passed_over():
    assert look(kept(book(), change("0.020", "7", token="9" * 77))) is Doubt.NONE


def test_the_hash_rule_is_the_venues_and_a_wrong_one_is_a_doubt():
    terms: dict[str, Any] = {
        "min_order_size": "5",
        "tick_size": "0.001",
        "neg_risk": False,
        "last_trade_price": "0.022",
    }
    wrong = "0" * 40
    right = kept(book(**terms, hash=HASH_OF_BOOK))
    assert look(right) is Doubt.NONE
    assert look(kept(book(**terms, hash=wrong))) is Doubt.HASH
    assert look(kept(book(hash=wrong))) is Doubt.NONE, "without the terms nothing can be computed"


def told(**values: Any) -> Any:
    (found,) = rest_books(json.dumps([book(**values)]).encode()).values()
    return found


def test_rest_replaces_agrees_or_lags():
    books = kept(book(), change("0.020", "7", at=1005))
    assert books.judge(YES, told(at=1004)) is Verdict.LAGS
    assert books.judge(YES, None) is Verdict.ABSENT
    assert books.judge(YES, told(at=1006)) is Verdict.REPLACED
    assert bids(books)[0] == ("0.02", "400")
    again = told(at=1007, bids=[{"price": ".02", "size": "400.0"}, {"price": "0.01", "size": "100"}])
    assert books.judge(YES, again) is Verdict.AGREES
    books.hear(json.dumps(change("0.020", "9", at=1006)))
    assert look(books) is Doubt.LATE, "what REST overtook is not applied again"


def test_a_rest_answer_that_is_none_is_misread():
    for answer in (b"", b"{}", b'[{"asset_id":5}]'):
        with pytest.raises(Misread):
            rest_books(answer)


class Clocked:
    """Checks with a clock of the test's own."""

    def __init__(self, *events: Any) -> None:
        self.books = kept(*events)
        self.checks = Checks(self.books, pace=PACE)
        self.checks.opened(now_s=100.0)
        self.whole(now_s=102.0)

    def whole(self, *, now_s: float) -> None:
        """A comparison in which REST says what we have."""
        asked = self.checks.due(now_s=now_s, heard_s=now_s)
        assert asked == [YES, NO]
        self.checks.answered(asked, {YES: told(), NO: told()}, now_s=now_s)

    def due(self, now_s: float, *, heard_s: float) -> list[str]:
        for one in self.books.books.values():
            one.examine(with_hash=self.checks.trusts_hash(now_s))
        return self.checks.due(now_s=now_s, heard_s=heard_s)


def test_everything_is_compared_after_opening_in_silence_and_every_minute():
    clocked = Clocked([book(), book(NO)])
    assert clocked.due(103.0, heard_s=103.0) == []
    assert clocked.due(113.0, heard_s=102.5) == [YES, NO], "silent for ten seconds"
    assert clocked.due(114.0, heard_s=102.5) == []
    assert clocked.due(163.0, heard_s=162.9) == []
    assert clocked.due(173.1, heard_s=173.0) == [YES, NO], "a minute since the last comparison"


def test_a_doubt_is_asked_about_at_once_and_a_false_alarm_is_counted():
    clocked = Clocked([book(), book(NO)])
    clocked.books.hear(json.dumps(change("0.010", "100", best=("0.022", "0.03"))))
    assert clocked.due(103.0, heard_s=103.0) == [YES]
    clocked.checks.answered([YES], {YES: told(at=1001)}, now_s=103.0)
    assert (clocked.checks.false_alarms, clocked.checks.gaps, clocked.checks.resyncs) == (1, 0, 0)
    assert clocked.due(103.5, heard_s=103.0) == []


def test_a_proven_gap_is_counted_and_rest_is_taken():
    clocked = Clocked([book(), book(NO)])
    clocked.books.hear(json.dumps(change("0.010", "0", best=("0.022", "0.03"))))
    (asked,) = clocked.due(103.0, heard_s=103.0)
    truth = told(at=1002, bids=[{"price": "0.022", "size": "5"}])
    clocked.checks.answered([asked], {YES: truth}, now_s=103.0)
    assert (clocked.checks.gaps, clocked.checks.resyncs) == (1, 1)
    assert bids(clocked.books) == [("0.022", "5")]


def test_a_line_that_is_silent_while_rest_has_news_is_opened_anew():
    clocked = Clocked([book(), book(NO)])
    asked = clocked.due(113.0, heard_s=102.0)
    clocked.checks.answered(asked, {YES: told(at=1002, bids=[]), NO: told()}, now_s=113.0)
    assert clocked.checks.fault(now_s=113.5, heard_s=102.0) == ""
    assert "line is silent" in clocked.checks.fault(now_s=115.0, heard_s=102.0)
    assert clocked.checks.gaps == 1


def test_a_line_that_was_only_slower_than_rest_is_kept():
    clocked = Clocked([book(), book(NO)])
    asked = clocked.due(113.0, heard_s=102.0)
    clocked.checks.answered(asked, {YES: told(at=1002, bids=[]), NO: told()}, now_s=113.0)
    clocked.books.hear(json.dumps(change("0.020", "0", at=1002)))
    assert clocked.checks.fault(now_s=115.0, heard_s=113.4) == ""
    assert clocked.checks.gaps == 0


def test_hashes_are_not_asked_about_for_a_while_after_false_alarms():
    clocked = Clocked([book(), book(NO)])
    for number in range(3):
        clocked.books.books[YES].doubt = Doubt.HASH
        clocked.checks.answered([YES], {YES: told(at=1001 + number)}, now_s=104.0)
    assert not clocked.checks.trusts_hash(104.5)
    assert not clocked.checks.trusts_hash(700.0)
    assert clocked.checks.trusts_hash(704.1)


def test_a_market_that_rest_does_not_show_any_more_is_not_sound():
    clocked = Clocked([book(), book(NO)])
    asked = clocked.due(113.0, heard_s=102.0)
    clocked.checks.answered(asked, {NO: told()}, now_s=113.0)
    assert clocked.books.books[YES].doubt is Doubt.NO_BOOK
    assert clocked.books.books[NO].doubt is Doubt.NONE


def test_a_subscription_that_was_not_taken_needs_a_new_line():
    clocked = Clocked([book(), book(NO)])
    third = "9" * 77
    clocked.books.want([YES, NO, third])
    clocked.checks.added([third], now_s=110.0)
    clocked.books.judge(third, told(token=third))
    assert clocked.checks.fault(now_s=114.0, heard_s=114.0) == ""
    assert "was not taken" in clocked.checks.fault(now_s=115.5, heard_s=115.0)


def test_rest_failures_are_repeated_ever_more_slowly():
    clocked = Clocked([book(), book(NO)])
    clocked.books.books[NO].doubt = Doubt.TOUCH
    asked_at = []
    for tick in range(580):
        now_s = 103.0 + tick / 10
        if clocked.due(now_s, heard_s=now_s) == [NO]:
            asked_at.append(now_s)
            clocked.checks.failed([NO], now_s=now_s)
    assert [round(then - before) for before, then in pairwise(asked_at)] == [1, 2, 4, 8, 16]


def test_levels_are_the_domains_own():
    assert kept(book()).books[YES].levels()[1] == (
        Level(Decimal("0.03"), Decimal(3500)),
        Level(Decimal("0.04"), Decimal(50)),
    )
