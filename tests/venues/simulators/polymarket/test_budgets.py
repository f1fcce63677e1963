"""What a caller may ask: a signer's token buckets with the venue's headers, and windows per address."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from polymarket import RateLimitError

from tests.venues.simulators.polymarket.rig import ALICE, ALICE_KEY, BOB, BOB_KEY, USDC, Caller, Exchange
from venues.simulators.polymarket.budgets import Budgets
from venues.simulators.polymarket.config import Config
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State

UNKNOWN = "0x" + "ab" * 32


@pytest.fixture
def alice(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Caller:
    exchange.admin("/fund", address=ALICE, pusd="1000")
    caller = Caller(exchange)

    def told(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        request = urllib.request.Request(
            exchange.base + path, data=data, headers=headers or {}, method=method
        )
        try:
            response = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            answer = json.loads(response.read() or b"null")
            limits = {k: v for k, v in response.headers.items() if k.startswith(("Poly-", "Retry"))}
            return response.status, {"body": answer, "headers": limits}

    monkeypatch.setattr(caller, "exchange", _Wire(told))
    return caller


class _Wire:
    """The wire with its headers."""

    def __init__(self, call: Any) -> None:
        self.call = call


def _cancel(caller: Caller) -> tuple[int, dict[str, str]]:
    status, told = caller.call("DELETE", "/order", {"orderID": UNKNOWN})
    return status, told["headers"]


def _cancel_many(caller: Caller, count: int) -> tuple[int, dict[str, str]]:
    status, told = caller.call("DELETE", "/orders", [UNKNOWN] * count)
    return status, told["headers"]


def test_every_answer_to_an_order_or_cancel_says_what_is_left(exchange, alice):
    exchange.admin("/limits", signers="enforce", cancels_per_second=0.001)
    status, headers = _cancel(alice)
    assert (status, headers["Poly-RateLimit-Remaining"], headers["Poly-RateLimit-Tier"]) == (
        200,
        "119",
        "standard",
    )
    assert abs(int(headers["Poly-RateLimit-Reset"]) - time.time()) < 3
    assert set(headers) == {"Poly-RateLimit-Remaining", "Poly-RateLimit-Reset", "Poly-RateLimit-Tier"}
    assert _cancel_many(alice, 100)[1]["Poly-RateLimit-Remaining"] == "19"
    assert alice.call("POST", "/order", {})[1]["headers"]["Poly-RateLimit-Remaining"] == "59", (
        "its own bucket"
    )


def test_a_batch_is_taken_whole_or_not_at_all_and_told_when_to_come_again(exchange, alice):
    exchange.admin("/limits", signers="enforce", cancels_per_second=10, cancels_burst=120)
    assert _cancel_many(alice, 115)[0] == 200
    status, headers = _cancel_many(alice, 100)
    assert (status, 8 <= int(headers["Retry-After"]) <= 10) == (429, True)
    assert 5 <= int(headers["Poly-RateLimit-Remaining"]) < 20
    assert 8 <= int(headers["Poly-RateLimit-Reset"]) - time.time() <= 11
    exchange.admin("/clock", advance_seconds=int(headers["Retry-After"]))
    assert alice.call("DELETE", "/orders", [UNKNOWN] * 100, skew=10)[0] == 200


def test_more_than_a_full_bucket_is_never_admitted_and_has_no_time_to_wait_for(exchange, alice):
    exchange.admin("/limits", signers="enforce")
    status, headers = _cancel_many(alice, 121)
    assert (status, "Retry-After" in headers, headers["Poly-RateLimit-Remaining"]) == (429, False, "120")


def test_in_warning_mode_the_request_is_served_and_warned(exchange, alice):
    exchange.admin("/limits", signers="warning", cancels_per_second=0.001)
    assert "Poly-RateLimit-Warning" not in _cancel_many(alice, 120)[1]
    status, headers = _cancel(alice)
    assert (status, headers["Poly-RateLimit-Warning"], headers["Poly-RateLimit-Remaining"]) == (
        200,
        "true",
        "0",
    )


def test_cancel_all_costs_one_and_one_more_for_each_order_it_hits(exchange, alice):
    exchange.admin("/limits", signers="enforce", cancels_per_second=0.001)
    exchange.admin("/book", slug=USDC, bids=[], asks=[])
    yes = exchange.tokens(USDC)[0]
    for salt in range(3):
        body = alice.order(token_id=yes, order_type="GTC", maker_amount=2_500_000, salt=salt)
        assert alice.post(body)[0] == 200
    assert alice.call("DELETE", "/cancel-all")[1]["headers"]["Poly-RateLimit-Remaining"] == "116"


def test_an_order_refused_for_its_bucket_leaves_no_trace(exchange, alice):
    exchange.admin("/limits", signers="enforce", orders_per_second=0.001, orders_burst=1)
    yes = exchange.tokens(USDC)[0]
    first, second = (alice.order(token_id=yes, salt=salt) for salt in (1, 2))
    assert alice.post(first)[0] == 200
    status, told = alice.post(second)
    assert (status, told["body"]) == (429, {"error": "Too Many Requests"})
    assert len(exchange.truth()["orders"]) == 1
    exchange.admin("/limits", signers="off")
    assert alice.post(second)[0] == 200


def test_another_signer_has_buckets_of_its_own(exchange, alice):
    exchange.admin("/limits", signers="enforce", cancels_per_second=0.001)
    exchange.admin("/fund", address=BOB, pusd="1")
    assert _cancel_many(alice, 120)[0] == 200
    assert _cancel(alice)[0] == 429
    assert Caller(exchange, BOB_KEY).call("DELETE", "/order", {"orderID": UNKNOWN})[0] == 200


def test_the_sdk_reads_the_headers_and_the_refusal(exchange):
    exchange.admin("/limits", signers="enforce", cancels_per_second=0.001, cancels_burst=1)
    client = exchange.client(ALICE_KEY)
    client.cancel_order(order_id=UNKNOWN)
    with pytest.raises(RateLimitError) as refused:
        client.cancel_order(order_id=UNKNOWN)
    assert refused.value.rate_limit is not None
    assert (refused.value.rate_limit.remaining, refused.value.rate_limit.tier) == (0, "standard")
    assert (refused.value.retry_after or 0) > 1


def test_an_address_has_windows_in_front_of_everything(exchange):
    exchange.admin("/limits", addresses="enforce", windows=[["GET", "/clob/time", 3]])
    answers = [exchange.call("GET", "/clob/time")[0] for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert exchange.call("GET", "/clob/ok")[0] == 200
    exchange.admin("/clock", advance_seconds=10)
    assert exchange.call("GET", "/clob/time")[0] == 200
    assert exchange.call("GET", "/admin/truth")[0] == 200


@pytest.mark.parametrize(
    "change",
    [{"signers": "maybe"}, {"orders_burst": 0}, {"speed": 1}, {"windows": [["GET", "/x", 0]]}],
)
def test_limits_that_make_no_sense_change_nothing(exchange, change):
    before = exchange.get("/admin/limits")
    assert exchange.call("POST", "/admin/limits", change)[0] == 400
    assert exchange.get("/admin/limits") == before


def test_a_bucket_refills_continuously_up_to_its_burst():
    state = State(Config(limits="enforce"))
    budgets = Budgets(state)
    moment = [1_000_000]
    state.clock.now_ms = lambda: moment[0]  # type: ignore[method-assign]
    budgets.charge("0xa", bucket="order", cost=60)
    with pytest.raises(Refusal):
        budgets.charge("0xa", bucket="order", cost=1)
    moment[0] += 25
    assert budgets.charge("0xa", bucket="order", cost=1)["Poly-RateLimit-Remaining"] == "0"
    moment[0] += 60_000
    assert budgets.charge("0xa", bucket="order", cost=1)["Poly-RateLimit-Remaining"] == "59"
