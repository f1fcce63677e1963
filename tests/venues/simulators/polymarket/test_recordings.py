"""A recorded market played again: at its times, as the market it is meant for, past broken lines and restarts."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venues.simulators.polymarket.rig import ALICE, ROOT, USDC, USDT, Caller, Exchange
from venues.simulators.polymarket.config import Config
from venues.simulators.polymarket.makers import book_follow, house_levels
from venues.simulators.polymarket.markets import markets_open
from venues.simulators.polymarket.recordings import recording_play
from venues.simulators.polymarket.sample_day import SLUG, stress_permille, text
from venues.simulators.polymarket.state import State

SAMPLE = ROOT / "venues/simulators/polymarket/samples/depeg-day.jsonl"
T0 = 1_795_000_000_000


def _book(asset: str, at_s: float, *, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    def levels(rows: list[list[str]]) -> list[dict[str, str]]:
        return [{"price": price, "size": size} for price, size in rows]

    return {
        "event_type": "book",
        "market": "0xabc",
        "asset_id": asset,
        "timestamp": str(T0 + round(at_s * 1000)),
        "hash": "",
        "bids": levels(bids),
        "asks": levels(asks),
    }


def _change(asset: str, at_s: float, *rows: tuple[str, str, str]) -> dict[str, Any]:
    changes = [{"asset_id": asset, "side": side, "price": price, "size": size} for side, price, size in rows]
    return {
        "event_type": "price_change",
        "market": "0xabc",
        "timestamp": str(T0 + round(at_s * 1000)),
        "price_changes": changes,
    }


def _shown(exchange: Exchange, token: str) -> tuple[list[list[str]], list[list[str]]]:
    book = exchange.get(f"/clob/book?token_id={token}")
    bids, asks = ([[row["price"], row["size"]] for row in book[side][::-1]] for side in ("bids", "asks"))
    return bids, asks


def test_a_recording_is_played_at_its_own_times(exchange):
    yes, _ = exchange.tokens(USDC)
    events = [
        _book(yes, 0, bids=[["0.02", "10"]], asks=[["0.04", "20"], ["0.03", "30"]]),
        _change(yes, 600, ("SELL", "0.03", "0"), ("BUY", "0.025", "5.5")),
        {"event_type": "last_trade_price", "asset_id": yes, "price": "0.031", "side": "SELL",
         "size": "1", "timestamp": str(T0 + 601_000)},
    ]  # fmt: skip
    exchange.admin("/play", events=events)
    assert _shown(exchange, yes) == ([["0.020", "10"]], [["0.030", "30"], ["0.040", "20"]])
    exchange.admin("/clock", advance_seconds=500)
    assert _shown(exchange, yes)[1][0] == ["0.030", "30"]
    exchange.admin("/clock", advance_seconds=110)
    assert _shown(exchange, yes) == ([["0.025", "5.5"], ["0.020", "10"]], [["0.040", "20"]])
    last = exchange.get(f"/clob/last-trade-price?token_id={yes}")
    assert last == {"price": "0.031", "side": "SELL"}
    told = exchange.get("/admin/play")
    assert (told["playing"], told["played"], told["left_out"]) == (False, 3, 0)


def test_a_change_that_crosses_sweeps_away_what_stood_there_before(exchange):
    yes, _ = exchange.tokens(USDC)
    events = [
        _book(yes, 0, bids=[["0.02", "10"]], asks=[["0.05", "20"], ["0.03", "30"]]),
        _change(yes, 1000, ("BUY", "0.04", "5")),
        _change(yes, 2000, ("SELL", "0.015", "7")),
    ]
    exchange.admin("/play", events=events)
    exchange.admin("/clock", advance_seconds=1500)
    assert _shown(exchange, yes) == ([["0.040", "5"], ["0.020", "10"]], [["0.050", "20"]])
    exchange.admin("/clock", advance_seconds=600)
    assert _shown(exchange, yes) == ([], [["0.015", "7"], ["0.050", "20"]])
    assert exchange.truth()["trades"] == {}, "the house never trades with itself"


def test_a_recording_may_be_played_faster(exchange):
    yes, _ = exchange.tokens(USDC)
    events = [
        _book(yes, 0, bids=[], asks=[["0.03", "30"]]),
        _book(yes, 3600, bids=[], asks=[["0.05", "30"]]),
    ]
    exchange.admin("/play", events=events, speed=360)
    exchange.admin("/clock", advance_seconds=11)
    assert _shown(exchange, yes)[1] == [["0.050", "30"]]


def test_assets_the_exchange_does_not_know_are_played_as_the_market_that_is_named(exchange):
    yes, no = exchange.tokens(USDT)
    before = _shown(exchange, exchange.tokens(USDC)[0])
    events = [
        [
            _book("71", 0, bids=[["0.10", "7"]], asks=[["0.12", "9"]]),
            _book("72", 0, bids=[["0.88", "9"]], asks=[["0.90", "7"]]),
        ],
        _change("72", 1, ("SELL", "0.89", "4")),
        _book("73", 2, bids=[], asks=[["0.5", "1"]]),
    ]
    exchange.admin("/play", events=[*events[0], *events[1:]], slug=USDT)
    exchange.admin("/clock", advance_seconds=5)
    assert _shown(exchange, yes) == ([["0.110", "4"], ["0.100", "7"]], [["0.120", "9"]])
    assert _shown(exchange, no)[1] == [["0.890", "4"], ["0.900", "7"]]
    assert exchange.get("/admin/play")["left_out"] == 1
    assert _shown(exchange, exchange.tokens(USDC)[0]) == before


def test_orders_of_users_meet_the_recording(exchange):
    exchange.admin("/fund", address=ALICE, pusd="100")
    yes, _ = exchange.tokens(USDC)
    alice = Caller(exchange)
    events = [
        _book(yes, 0, bids=[["0.02", "10"]], asks=[["0.04", "500"]]),
        _change(yes, 60, ("SELL", "0.03", "70")),
    ]
    exchange.admin("/play", events=events)
    _, resting = alice.post(alice.order(order_type="GTC"))
    assert resting["status"] == "live"
    exchange.admin("/clock", advance_seconds=61)
    order = exchange.truth()["orders"][resting["orderID"]]
    assert (order["status"], order["filled_shares"]) == ("LIVE", "70")
    assert exchange.truth()["money"]["is_conserved"]


def test_prices_finer_than_the_tick_bring_their_tick_with_them(exchange):
    token = exchange.tokens("gho-depeg-by-december-31-2027")[0]
    exchange.admin("/play", events=[_book(token, 0, bids=[], asks=[["0.0105", "5"], ["0.02", "5"]])])
    assert exchange.get(f"/clob/tick-size?token_id={token}") == {"minimum_tick_size": 0.0001}
    assert _shown(exchange, token)[1] == [["0.0105", "5"], ["0.0200", "5"]]
    change = {
        "event_type": "tick_size_change",
        "asset_id": token,
        "old_tick_size": "0.0001",
        "new_tick_size": "0.01",
        "timestamp": str(T0),
    }
    exchange.admin("/play", events=[change, _book(token, 0, bids=[], asks=[["0.02", "5"]])])
    assert exchange.get(f"/clob/tick-size?token_id={token}") == {"minimum_tick_size": 0.01}


def test_broken_lines_and_senseless_events_are_passed_over(exchange, tmp_path):
    yes, _ = exchange.tokens(USDC)
    good = _book(yes, 1, bids=[], asks=[["0.03", "30"]])
    bad = _book(yes, 0, bids=[], asks=[["three", "30"]])
    lines = ["PONG", json.dumps(bad), '{"event_type":"book","asse', "[]", json.dumps([good]), '{"ping":1}']
    path = tmp_path / "day.jsonl"
    path.write_text("\n".join(lines))
    exchange.admin("/play", path=str(path))
    exchange.admin("/clock", advance_seconds=2)
    assert _shown(exchange, yes)[1] == [["0.030", "30"]]
    told = exchange.get("/admin/play")
    assert (told["played"], told["left_out"]) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"path": "/nowhere/at-all.jsonl"},
        {"events": []},
        {"events": [{"event_type": "book", "timestamp": "1"}], "speed": 0},
        {"events": [{"event_type": "book", "timestamp": "1"}], "slug": "no-such-market"},
    ],
)
def test_what_cannot_be_played_is_refused_and_changes_nothing(exchange, body):
    assert exchange.call("POST", "/admin/play", body)[0] == 400
    assert exchange.get("/admin/play") == {"playing": False}


def test_a_recording_goes_on_after_a_restart(tmp_path):
    state = tmp_path / "practice.sqlite"
    exchange = Exchange(tmp_path, "--play", str(SAMPLE), state=state)
    yes, _ = exchange.tokens(SLUG)
    exchange.admin("/clock", advance_seconds=9 * 3600 + 120)
    before = _shown(exchange, yes)
    played = exchange.get("/admin/play")["played"]
    exchange.stop(9)
    again = Exchange(tmp_path, "--play", str(SAMPLE), state=state)
    try:
        assert _shown(again, yes) == before
        assert again.get("/admin/play")["played"] == played
        again.admin("/clock", advance_seconds=3 * 3600)
        assert float(_shown(again, yes)[1][0][0]) > 0.5 > float(before[1][0][0])
    finally:
        again.stop()


def test_a_file_that_is_no_recording_is_refused_at_the_start(tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text("nothing\n")
    command = [sys.executable, "-m", "venues.simulators.polymarket", "--play", str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (result.returncode, "has no event of the market channel" in result.stderr) == (2, True)


# ------------------------------------------------------------------------------------------------ the sample
def test_the_sample_is_what_its_rule_makes():
    assert SAMPLE.read_text() == text()


def test_the_sample_day_breaks_and_half_recovers():
    assert [stress_permille(hour * 60) for hour in (0, 8, 11, 15, 20, 23)] == [0, 0, 1000, 1000, 147, 147]


# ------------------------------------------------------------------------------------------------ following a book
_LEVELS = st.dictionaries(st.integers(1, 99), st.integers(1, 50), max_size=8)


@settings(max_examples=25, deadline=None)
@given(
    books=st.lists(st.tuples(_LEVELS, _LEVELS, st.integers(2, 98)), min_size=1, max_size=5),
)
def test_the_house_quotes_exactly_what_it_follows(books):
    state = State(Config())
    markets_open(state, now_ms=0)
    market = next(row for row in state.markets.values() if row.tick_e4 == 100)
    for low, high, middle in books:
        bids = sorted(((p * 100, s * 1_000_000) for p, s in low.items() if p < middle), reverse=True)
        asks = sorted((p * 100, s * 1_000_000) for p, s in high.items() if p > middle)
        book_follow(state, market, bids=bids, asks=asks, now_ms=0)
        assert [sorted(side) for side in house_levels(state, market)] == [sorted(bids), sorted(asks)]
    assert not state.trades


def test_following_a_book_touches_only_what_changed():
    state = State(Config())
    markets_open(state, now_ms=0)
    market = next(iter(state.markets.values()))
    recording_play(state, now_ms=0, events=[_book(market.token_ids[0], 0, bids=[], asks=[["0.03", "5"]])])
    book_follow(
        state, market, bids=[(100, 10_000_000)], asks=[(300, 10_000_000), (400, 10_000_000)], now_ms=0
    )
    before = {order.id: order.price_e4 for order in state.books[market.condition_id].orders()}
    book_follow(
        state, market, bids=[(100, 10_000_000)], asks=[(300, 20_000_000), (400, 10_000_000)], now_ms=0
    )
    after = {order.id for order in state.books[market.condition_id].orders()}
    assert len(set(before) & after) == 2
