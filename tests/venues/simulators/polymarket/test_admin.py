"""The rehearsal's levers: each moves one thing, and a wrong call moves nothing."""

from __future__ import annotations

import time

import pytest

from tests.venues.simulators.polymarket.rig import ALICE, USDC, Caller, Exchange


def test_a_book_is_replaced_moved_and_played(exchange: Exchange):
    yes, no = exchange.tokens(USDC)

    def touch() -> tuple[str, str]:
        book = exchange.get(f"/clob/book?token_id={yes}")
        return book["bids"][-1]["price"], book["asks"][-1]["price"]

    exchange.admin("/book", slug=USDC, bids=[["0.020", "10"]], asks=[["0.030", "10"]])
    assert touch() == ("0.020", "0.030")
    exchange.admin("/book/move", slug=USDC, ticks=3)
    assert touch() == ("0.023", "0.033")
    exchange.admin("/book", token_id=no, bids=[["0.90", "10"]], asks=[["0.95", "10"]])
    assert touch() == ("0.050", "0.100")
    frame = {"after_seconds": 30, "bids": [["0.010", "10"]], "asks": [["0.011", "10"]]}
    exchange.admin("/book/play", slug=USDC, frames=[frame])
    assert touch() == ("0.050", "0.100")
    exchange.admin("/clock", advance_seconds=31)
    assert touch() == ("0.010", "0.011")


def test_a_users_order_outlives_the_houses_book(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="100")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.030", "10"]])
    caller = Caller(exchange)
    order_id = caller.post(caller.order(order_type="GTC", maker_amount=2_000_000))[1]["orderID"]
    exchange.admin("/book", slug=USDC, bids=[], asks=[])
    assert exchange.truth()["orders"][order_id]["status"] == "LIVE"
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.019", "40"]])
    assert exchange.truth()["orders"][order_id]["filled_shares"] == "40"


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/book", {"slug": USDC, "bids": [["0.0205", "10"]]}, "off the tick"),
        ("/book", {"slug": USDC, "bids": [["0.05", "10"]], "asks": [["0.05", "10"]]}, "below the best ask"),
        ("/book", {"slug": USDC, "asks": [["0.05", "0.001"]]}, "hundredths of a share"),
        ("/book", {"slug": "nothing"}, "no such market"),
        ("/fund", {"address": "0x12", "pusd": "1"}, "not an address"),
        ("/fund", {"address": ALICE}, "missing field 'pusd'"),
        ("/fund", {"address": ALICE, "pusd": "-1"}, "must not be negative"),
        ("/settlement", {"scripts": [["CONFIRMED"]]}, "a script ends in"),
        ("/settlement", {"scripts": [["MINED", "RETRYING", "CONFIRMED"]]}, "RETRYING comes before"),
        ("/settlement", {"mined_seconds": -1}, "must not be negative"),
        ("/resolve", {"slug": USDC, "payout": "MAYBE"}, "payout must be one of YES, NO, 50-50"),
        ("/redeem", {"slug": USDC, "address": ALICE}, "is not resolved"),
        ("/market", {"slug": USDC, "tick": "0.3"}, "tick must be one of"),
        ("/market", {"slug": USDC, "tick": "0.1", "fee_rate": "1"}, "fee_rate must be at least 0"),
        ("/market", {"slug": USDC, "fee_rate": "much"}, "expected a decimal string"),
        ("/account", {"address": ALICE, "standing": "lost"}, "standing must be one of"),
    ],
)
def test_a_wrong_call_is_a_sentence_and_changes_nothing(exchange: Exchange, path, body, words):
    terms = f"/clob/clob-markets/{exchange.get('/admin/info')['markets'][USDC]['condition_id']}"
    agreed = exchange.get(terms)
    before = exchange.get("/admin/truth?include_makers=1")
    status, answer = exchange.call("POST", f"/admin{path}", body)
    after = exchange.get("/admin/truth?include_makers=1")
    assert status == 400
    assert words in answer["error"]
    assert exchange.get(terms) == agreed
    for part in ("orders", "trades", "accounts", "money"):
        assert after[part] == before[part]


def test_a_markets_fee_is_read_where_the_venue_prints_it_and_charged(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="100")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.030", "100"]])
    exchange.admin("/market", slug=USDC, fee_rate="0.10")
    condition = exchange.get("/admin/info")["markets"][USDC]["condition_id"]
    assert exchange.get(f"/clob/clob-markets/{condition}")["fd"]["r"] == 0.1
    caller = Caller(exchange)
    caller.post(caller.order())
    (trade,) = exchange.truth()["trades"].values()
    assert trade["legs"][0]["fee"] == "0.291"


def test_a_reset_forgets_everything_and_may_take_another_seed(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="100")
    before = exchange.tokens(USDC)
    assert exchange.admin("/reset", seed=2) == {"seed": 2, "markets": 29}
    assert exchange.truth()["accounts"] == {}
    assert exchange.tokens(USDC) != before
    exchange.admin("/reset", seed=1)
    assert exchange.tokens(USDC) == before


def test_depleted_books_refill_slowly_when_asked_to(tmp_path):
    exchange = Exchange(tmp_path, "--replenish", "0.5")
    try:
        yes, _ = exchange.tokens(USDC)

        def best_ask() -> tuple[str, float]:
            level = exchange.get(f"/clob/book?token_id={yes}")["asks"][-1]
            return level["price"], float(level["size"])

        exchange.admin("/fund", address=ALICE, pusd="1000")
        price, full = best_ask()
        caller = Caller(exchange)
        assert caller.post(caller.order(maker_amount=48_000_000, taker_amount=2_000_000_000))[0] == 200
        low = best_ask()
        assert low[0] != price or low[1] < full
        deadline = time.monotonic() + 15
        while best_ask() != (price, full) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert best_ask() == (price, full)
        assert exchange.truth()["money"]["is_conserved"]
    finally:
        exchange.stop()
