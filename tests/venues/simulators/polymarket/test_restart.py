"""What was answered is still true after the process is killed at any instant."""

from __future__ import annotations

import signal
import threading

import pytest
from polymarket import errors

from tests.venues.simulators.polymarket.rig import ALICE, USDC, Caller, Exchange

BOOK = {"bids": [["0.020", "4000"]], "asks": [["0.030", "100000"]]}


@pytest.mark.crash
def test_a_killed_exchange_comes_back_with_everything_it_answered(tmp_path):
    state = tmp_path / "state.sqlite"
    first = Exchange(tmp_path, state=state)
    first.admin("/settlement", mined_seconds=0.3, confirmed_seconds=0.3)
    first.admin("/fund", address=ALICE, pusd="1000")
    first.admin("/book", slug=USDC, **BOOK)
    first.admin("/faults", kind="order_null")
    yes, _ = first.tokens(USDC)
    client = first.client()
    order = client.create_market_order(token_id=yes, side="BUY", amount="3", max_price="0.03")
    filled = client.post_order(order)
    resting = client.place_limit_order(token_id=yes, side="BUY", price="0.01", size="100")
    book = first.get(f"/clob/book?token_id={yes}")
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL

    second = Exchange(tmp_path, state=state)
    try:
        again = second.client()
        with pytest.raises(errors.RequestRejectedError, match="Duplicated"):
            again.post_order(order)
        assert len(again.wait_for_order_fill_settlement(filled)) == 1
        (kept,) = again.list_open_orders().first_page().items
        assert kept.id == resting.order_id
        after = second.get(f"/clob/book?token_id={yes}")
        assert (after["bids"], after["asks"]) == (book["bids"], book["asks"])
        assert [mode["kind"] for mode in second.get("/admin/faults")["modes"]] == ["order_null"]
        assert second.truth()["money"]["is_conserved"]
    finally:
        assert second.stop() == 0


@pytest.mark.crash
@pytest.mark.slow
def test_every_order_that_was_answered_survives_a_kill_in_the_middle_of_many(tmp_path):
    state = tmp_path / "state.sqlite"
    first = Exchange(tmp_path, state=state)
    first.admin("/fund", address=ALICE, pusd="1000")
    first.admin("/book", slug=USDC, **BOOK)
    caller = Caller(first)
    token = first.tokens(USDC)[0]
    answered: set[str] = set()
    killer = threading.Timer(0.4, first.process.kill)
    killer.start()
    for salt in range(1, 5000):
        try:
            status, answer = caller.post(
                caller.order(token_id=token, maker_amount=1_000_000, salt=salt, taker_amount=33_333_300)
            )
        except OSError:
            break
        assert status == 200, answer
        answered.add(answer["orderID"])
    killer.join()
    first.stop(signal.SIGKILL)
    second = Exchange(tmp_path, state=state)
    try:
        truth = second.truth()
        assert answered
        assert answered <= set(truth["orders"])
        assert len(truth["orders"]) <= len(answered) + 1
        assert all(order["filled_shares"] == "33.33" for order in truth["orders"].values())
        assert len(truth["trades"]) == len(truth["orders"])
        assert truth["money"]["is_conserved"]
    finally:
        second.stop()
