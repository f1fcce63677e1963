"""How resting and waiting orders live and end: GTD expiry, post-only, delays, heartbeats, coarser ticks."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from tests.venues.simulators.polymarket.rig import ALICE, BOB, BOB_KEY, USDC, Caller, Exchange

NOT_READY = "post-only mode: only post-only orders and cancels are allowed"


@pytest.fixture
def alice(exchange: Exchange) -> Caller:
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[["0.020", "500"]], asks=[["0.030", "500"]])
    return Caller(exchange)


def _resting(caller: Caller, **changes: object) -> dict[str, object]:
    return caller.order(order_type="GTC", maker_amount=2_500_000, **changes)


def _status(caller: Caller, order_id: str) -> str:
    return str(caller.call("GET", f"/data/order/{order_id}")[1]["status"])


# ------------------------------------------------------------------------------------------------ GTD
def test_a_gtd_must_outlive_three_minutes(alice):
    now = int(time.time())
    early = _resting(alice, orderType="GTD", expiration=str(now + 178))
    assert alice.post(early) == (400, {"error": "invalid expiration"})
    late = _resting(alice, orderType="GTD", expiration=str(now + 195))
    assert alice.post(late)[1]["status"] == "live"


def test_a_gtd_leaves_the_book_a_minute_before_its_expiration(exchange, alice):
    expiration = int(time.time()) + 300
    _, placed = alice.post(_resting(alice, orderType="GTD", expiration=str(expiration)))
    order_id = placed["orderID"]
    exchange.admin("/clock", advance_seconds=225)
    assert exchange.truth()["orders"][order_id]["status"] == "LIVE"
    exchange.admin("/clock", advance_seconds=15)
    assert exchange.truth()["orders"][order_id]["status"] == "CANCELED_EXPIRED_ORDER"
    exchange.admin("/clock", offset_seconds=0)
    assert _status(alice, order_id) == "CANCELED"
    assert exchange.truth()["accounts"][ALICE]["reserved_pusd"] == "0"
    gone = alice.call("DELETE", "/order", {"orderID": order_id})[1]
    assert gone["not_canceled"] == {order_id: "already canceled or matched"}


# ------------------------------------------------------------------------------------------------ post-only
def test_in_post_only_mode_only_quiet_orders_and_cancels_pass(exchange, alice):
    _, before = alice.post(_resting(alice))
    exchange.admin("/faults", kind="post_only", seconds=60)
    status, refused = alice.post(_resting(alice, salt=2))
    assert (status, refused["error"], refused["code"]) == (503, NOT_READY, "post_only_mode")
    assert alice.post(_resting(alice, salt=3, postOnly=True))[1]["status"] == "live"
    assert alice.call("DELETE", "/order", {"orderID": before["orderID"]})[1]["canceled"] == [
        before["orderID"]
    ]


def test_in_post_only_mode_each_leg_of_a_batch_has_its_own_answer(exchange, alice):
    exchange.admin("/faults", kind="post_only", seconds=60)
    batch = [_resting(alice, salt=1), _resting(alice, salt=2, postOnly=True)]
    status, legs = alice.post(batch, path="/orders")
    assert (status, [leg["errorMsg"] for leg in legs]) == (200, [NOT_READY, ""])
    assert [leg["status"] for leg in legs] == ["", "live"]
    assert alice.post(batch[:1], path="/orders")[0] == 503


def test_while_trading_is_disabled_not_even_cancels_are_taken(exchange, alice):
    _, before = alice.post(_resting(alice))
    exchange.admin("/faults", kind="disabled", seconds=60)
    words = {"error": "Trading is currently disabled. Check polymarket.com for updates"}
    assert alice.post(_resting(alice, salt=2)) == (503, words)
    assert alice.call("DELETE", "/order", {"orderID": before["orderID"]}) == (503, words)
    exchange.admin("/faults", seed=1, faults=[])
    exchange.admin("/faults", kind="cancel_only", seconds=60)
    assert alice.call("DELETE", "/order", {"orderID": before["orderID"]})[0] == 200


# ------------------------------------------------------------------------------------------------ delays
def test_a_delayed_order_meets_the_book_as_it_is_afterwards(exchange, alice):
    exchange.admin("/market", slug=USDC, seconds_delay=30)
    assert exchange.get(f"/gamma/markets/slug/{USDC}")["secondsDelay"] == 30
    _, placed = alice.post(alice.order())
    assert (placed["success"], placed["status"], placed["takingAmount"]) == (True, "delayed", "")
    order_id = placed["orderID"]
    assert _status(alice, order_id) == "DELAYED"
    assert exchange.truth()["accounts"][ALICE]["reserved_pusd"] == "3"
    assert alice.post(alice.order()) == (400, {"error": f"order {order_id} is invalid. Duplicated."})
    assert alice.call("DELETE", "/order", {"orderID": order_id})[1]["canceled"] == []
    exchange.admin("/book", slug=USDC, bids=[["0.020", "500"]], asks=[["0.025", "500"]])
    exchange.admin("/clock", advance_seconds=31)
    order = exchange.truth()["orders"][order_id]
    assert (order["status"], order["filled_shares"], order["filled_pusd"]) == ("MATCHED", "120", "3")


@pytest.mark.parametrize(
    ("order_type", "ends"), [("FAK", "UNMATCHED"), ("FOK", "UNMATCHED"), ("GTC", "LIVE")]
)
def test_a_delayed_order_whose_book_has_gone_ends_unmatched_unless_it_may_rest(
    exchange, alice, order_type, ends
):
    exchange.admin("/market", slug=USDC, seconds_delay=30)
    _, placed = alice.post(alice.order(order_type=order_type))
    assert placed["status"] == "delayed"
    exchange.admin("/book", slug=USDC, bids=[["0.020", "500"]], asks=[["0.035", "500"]])
    exchange.admin("/clock", advance_seconds=31)
    truth = exchange.truth()
    assert (truth["orders"][placed["orderID"]]["status"], truth["trades"]) == (ends, {})
    assert truth["accounts"][ALICE]["reserved_pusd"] == ("3" if ends == "LIVE" else "0")


def test_an_order_that_would_rest_is_not_delayed(exchange, alice):
    exchange.admin("/market", slug=USDC, seconds_delay=30)
    assert alice.post(_resting(alice))[1]["status"] == "live"


def test_the_delayed_fault_may_end_unmatched_though_the_book_is_there(exchange, alice):
    exchange.admin("/faults", kind="delayed", lag_seconds=20, fails=True)
    _, placed = alice.post(alice.order())
    exchange.admin("/clock", advance_seconds=21)
    assert exchange.truth()["orders"][placed["orderID"]]["status"] == "UNMATCHED"


def test_a_delayed_order_survives_a_restart_of_the_exchange(tmp_path):
    state = tmp_path / "practice.sqlite"
    exchange = Exchange(tmp_path, state=state)
    exchange.admin("/fund", address=ALICE, pusd="10")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.030", "500"]])
    exchange.admin("/market", slug=USDC, seconds_delay=30)
    alice = Caller(exchange)
    _, placed = alice.post(alice.order())
    exchange.stop(9)
    again = Exchange(tmp_path, state=state)
    try:
        again.admin("/clock", advance_seconds=31)
        assert again.truth()["orders"][placed["orderID"]]["filled_shares"] == "100"
    finally:
        again.stop()


# ------------------------------------------------------------------------------------------------ heartbeats
def test_a_silent_heartbeat_cancels_every_order_of_that_key_and_of_no_other(exchange, alice):
    exchange.admin("/fund", address=BOB, pusd="100")
    bob = Caller(exchange, BOB_KEY)
    orders = [alice.post(_resting(alice, salt=salt))[1]["orderID"] for salt in (1, 2)]
    kept = bob.post(bob.order(private_key=BOB_KEY, order_type="GTC", maker_amount=2_500_000))[1]["orderID"]
    exchange.admin("/clock", advance_seconds=30)
    assert {exchange.truth()["orders"][name]["status"] for name in orders} == {"LIVE"}, "nobody opted in"
    alice.call("POST", "/v1/heartbeats", {"heartbeat_id": ""}, skew=30)
    exchange.admin("/clock", advance_seconds=8)
    assert exchange.truth()["orders"][orders[0]]["status"] == "LIVE"
    exchange.admin("/clock", advance_seconds=8)
    told = exchange.truth()["orders"]
    assert {told[name]["status"] for name in orders} == {"CANCELED"}
    assert told[kept]["status"] == "LIVE"


# ------------------------------------------------------------------------------------------------ complementary makers
def test_two_buyers_of_both_outcomes_mint_a_pair_and_two_sellers_merge_one(exchange, alice):
    yes, no = exchange.tokens(USDC)
    exchange.admin("/fund", address=BOB, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[], asks=[])
    bob = Caller(exchange, BOB_KEY)
    bid = {"private_key": BOB_KEY, "token_id": no, "maker_amount": 97_000_000, "order_type": "GTC"}
    assert bob.post(bob.order(**bid))[1]["status"] == "live"
    _, bought = alice.post(alice.order())
    trade = alice.call("GET", f"/data/trades?id={bought['tradeIDs'][0]}")[1]["data"][0]
    maker = trade["maker_orders"][0]
    assert (trade["asset_id"], trade["outcome"], trade["price"], trade["size"]) == (yes, "Yes", "0.03", "100")
    assert (maker["asset_id"], maker["outcome"], maker["side"], maker["price"]) == (no, "No", "BUY", "0.97")
    exchange.admin("/settlement/run")
    vault = Decimal(exchange.truth()["money"]["vault"])
    ask = {"private_key": BOB_KEY, "token_id": no, "side": "SELL", "order_type": "GTC", "salt": 2}
    bob.post(bob.order(maker_amount=100_000_000, taker_amount=96_000_000, **ask))
    _, sold = alice.post(alice.order(side="SELL", maker_amount=100_000_000, taker_amount=4_000_000, salt=2))
    trade = alice.call("GET", f"/data/trades?id={sold['tradeIDs'][0]}")[1]["data"][0]
    maker = trade["maker_orders"][0]
    assert (trade["asset_id"], trade["side"], trade["price"]) == (yes, "SELL", "0.04")
    assert (maker["asset_id"], maker["outcome"], maker["side"], maker["price"]) == (no, "No", "SELL", "0.96")
    exchange.admin("/settlement/run")
    truth = exchange.truth()
    assert Decimal(truth["money"]["vault"]) == vault - 100
    assert truth["money"]["is_conserved"]


# ------------------------------------------------------------------------------------------------ ticks
def test_a_coarser_tick_moves_the_house_and_leaves_users_where_they_signed(exchange, alice):
    yes = exchange.tokens(USDC)[0]
    exchange.admin("/book", slug=USDC, bids=[["0.021", "50"]], asks=[["0.024", "100"], ["0.026", "60"]])
    _, resting = alice.post(alice.order(order_type="GTC", maker_amount=2_300_000))
    exchange.admin("/market", slug=USDC, tick="0.01")
    book = exchange.get(f"/clob/book?token_id={yes}")
    assert book["bids"] == [{"price": "0.02", "size": "50"}, {"price": "0.023", "size": "100"}]
    assert book["asks"] == [{"price": "0.03", "size": "160"}]
    assert book["tick_size"] == "0.01"
    off = alice.post(alice.order(order_type="GTC", maker_amount=2_400_000, salt=2))[1]
    assert off["error"].endswith("Price (0.024) breaks minimum tick size rule: 0.01")
    assert _status(alice, resting["orderID"]) == "LIVE"


def test_a_played_or_replenished_book_keeps_to_a_tick_that_became_coarser(exchange, alice):
    yes = exchange.tokens(USDC)[0]
    frame = {"after_seconds": 5, "bids": [["0.021", "10"]], "asks": [["0.024", "10"], ["0.029", "10"]]}
    exchange.admin("/book/play", slug=USDC, frames=[frame])
    exchange.admin("/market", slug=USDC, tick="0.01")
    exchange.admin("/clock", advance_seconds=6)
    book = exchange.get(f"/clob/book?token_id={yes}")
    assert (book["bids"], book["asks"]) == (
        [{"price": "0.02", "size": "10"}],
        [{"price": "0.03", "size": "20"}],
    )


def test_quotes_of_the_house_that_never_traded_leave_nothing_behind(exchange):
    before = len(exchange.get("/admin/truth?include_makers=1")["orders"])
    for _ in range(5):
        exchange.admin("/book/move", slug=USDC, ticks=1)
        exchange.admin("/book/move", slug=USDC, ticks=-1)
    assert len(exchange.get("/admin/truth?include_makers=1")["orders"]) == before
