"""Many callers at once: one order is one order, and a share is sold once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from tests.venues.simulators.polymarket.rig import ALICE, ALICE_KEY, BOB, BOB_KEY, USDC, Caller, Exchange


def test_the_same_bytes_sent_twelve_times_at_once_are_one_order(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.03", "10000"]])
    caller = Caller(exchange)
    body = caller.order()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: caller.post(body), range(12)))
    accepted = [answer for status, answer in answers if status == 200]
    refused = [answer["error"] for status, answer in answers if status == 400]
    assert (len(accepted), len(refused)) == (1, 11)
    assert set(refused) == {f"order {accepted[0]['orderID']} is invalid. Duplicated."}
    (trade,) = exchange.truth()["trades"].values()
    assert trade["legs"][0]["shares"] == "100"


def test_two_buyers_racing_for_one_level_share_it_and_no_more(exchange: Exchange):
    for address in (ALICE, BOB):
        exchange.admin("/fund", address=address, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.03", "350"]])
    callers = {ALICE_KEY: Caller(exchange), BOB_KEY: Caller(exchange, BOB_KEY)}
    bodies = [
        (caller, caller.order(private_key=key, salt=salt))
        for salt in range(1, 7)
        for key, caller in callers.items()
    ]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda pair: pair[0].post(pair[1]), bodies))
    filled = [Decimal(answer["takingAmount"]) for status, answer in answers if status == 200]
    assert sorted(filled, reverse=True) == [100, 100, 100, 50]
    truth = exchange.truth()
    assert sum(Decimal(order["filled_shares"]) for order in truth["orders"].values()) == 350
    assert truth["money"]["is_conserved"]


def test_a_balance_is_spent_once_by_orders_sent_at_once(exchange: Exchange):
    exchange.admin("/settlement", mined_seconds=60)
    exchange.admin("/fund", address=ALICE, pusd="10")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.03", "10000"]])
    caller = Caller(exchange)
    bodies = [caller.order(salt=salt) for salt in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(caller.post, bodies))
    assert sum(status == 200 for status, _ in answers) == 3
    account = exchange.truth()["accounts"][ALICE]
    assert Decimal(account["reserved_pusd"]) == 3 * (3 + Decimal("0.20370"))
