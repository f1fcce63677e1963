"""Each order of a batch has its own answer, and never another order's."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonsurance.kernel.errors import Broken
from venues.adapters.polymarket.batches import batch_body, classify_batch_response
from venues.adapters.polymarket.signing import Identity
from venues.domain.gateway import Accepted, AlreadyKnown, Outcome, PauseKind, Rejected, Side, Unknown

IDS = ["0x" + digit * 64 for digit in "abc"]
ORDERS = [Identity(order_id, Side.BUY) for order_id in IDS]
BALANCE = "not enough balance / allowance"


def good(order_id: str, *, shares: str = "10") -> dict[str, Any]:
    return {
        "success": True,
        "errorMsg": "",
        "orderID": order_id,
        "status": "matched",
        "makingAmount": "1",
        "takingAmount": shares,
        "tradeIDs": [],
        "transactionsHashes": [],
    }


def refused(words: str, *, success: bool = True, order_id: str = "", status: str = "") -> dict[str, Any]:
    empty = {"status": status, "makingAmount": "", "takingAmount": "", "tradeIDs": []}
    return {"success": success, "errorMsg": words, "orderID": order_id, **empty}


def classify(status: int, body: object, *, headers: dict[str, str] | None = None) -> list[Outcome]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify_batch_response(status, headers or {}, raw, orders=ORDERS)


def words_of(outcomes: list[Outcome]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


def test_the_elements_are_the_stored_bytes_themselves() -> None:
    assert batch_body([b'{"a": 1}', b'{"b":"\\u00e9"}']) == b'[{"a": 1},{"b":"\\u00e9"}]'


@pytest.mark.parametrize("count", [0, 16])
def test_a_batch_of_the_wrong_length_is_our_own_fault(count: int) -> None:
    with pytest.raises(Broken):
        batch_body([b"{}"] * count)


def test_each_leg_has_its_own_outcome() -> None:
    outcomes = classify(200, [good(IDS[0]), refused(BALANCE), good(IDS[2], shares="7")])

    assert outcomes == [
        Accepted(
            venue_order_id=IDS[0],
            status="matched",
            size_matched=Decimal(10),
            notional_usd_matched=Decimal(1),
        ),
        Rejected(code="not_enough_balance", message=BALANCE, http_status=200),
        Accepted(
            venue_order_id=IDS[2],
            status="matched",
            size_matched=Decimal(7),
            notional_usd_matched=Decimal(1),
        ),
    ]


@pytest.mark.parametrize("sequence", list(itertools.permutations(range(3))))
def test_legs_that_name_their_order_may_stand_anywhere(sequence: tuple[int, ...]) -> None:
    shares = ["10", "20", "30"]
    outcomes = classify(200, [good(IDS[place], shares=shares[place]) for place in sequence])

    assert [outcome.size_matched for outcome in outcomes if isinstance(outcome, Accepted)] == [
        Decimal(10),
        Decimal(20),
        Decimal(30),
    ]


def test_a_leg_without_a_name_in_a_list_out_of_sequence_is_nobodys() -> None:
    outcomes = classify(200, [good(IDS[1]), refused(BALANCE), good(IDS[2])])

    assert words_of(outcomes) == ["Unknown", "Accepted", "Accepted"]
    assert isinstance(outcomes[0], Unknown)
    assert outcomes[0].reason == "leg_unclear"


def test_two_legs_of_one_order_are_unknown_and_so_is_the_order_without_one() -> None:
    outcomes = classify(200, [good(IDS[0]), good(IDS[0]), good(IDS[2])])

    assert words_of(outcomes) == ["Unknown", "Unknown", "Accepted"]


def test_an_order_we_never_sent_puts_the_nameless_legs_in_doubt() -> None:
    outcomes = classify(200, [good("0x" + "d" * 64), refused(BALANCE), good(IDS[2])])

    assert words_of(outcomes) == ["Unknown", "Unknown", "Accepted"]


def test_words_that_name_the_order_are_that_orders() -> None:
    duplicated = refused(f"order {IDS[2]} is invalid. Duplicated.", success=False)
    outcomes = classify(200, [duplicated, good(IDS[0]), good(IDS[1])])

    assert words_of(outcomes) == ["Accepted", "Accepted", "AlreadyKnown"]


@pytest.mark.parametrize("success", [True, False])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (BALANCE, Rejected(code="not_enough_balance", message=BALANCE, http_status=200)),
        ("market not found", Rejected(code="market_gone", message="market not found", http_status=200)),
        (
            "post-only mode: only post-only orders and cancels are allowed",
            Rejected(
                code="post_only_mode",
                message="post-only mode: only post-only orders and cancels are allowed",
                http_status=200,
                is_pause=True,
                retry_after_s=120,
                pause_kind=PauseKind.POST_ONLY,
            ),
        ),
    ],
)
def test_a_listed_refusal_of_a_leg_is_definitive(words: str, expected: Outcome, *, success: bool) -> None:
    outcomes = classify(200, [good(IDS[0]), refused(words, success=success), good(IDS[2])])

    assert outcomes[1] == expected


@pytest.mark.parametrize(
    "leg",
    [
        refused("order match delayed due to market conditions"),
        refused("order timed out", success=False),
        refused(BALANCE, order_id=IDS[1]),
        refused(BALANCE, status="live"),
        refused(""),
        {"error": {"code": 1}},
        None,
        [],
        "ok",
    ],
)
def test_any_other_leg_is_unknown(leg: object) -> None:
    outcomes = classify(200, [good(IDS[0]), leg, good(IDS[2])])

    assert words_of(outcomes) == ["Accepted", "Unknown", "Accepted"]


@pytest.mark.parametrize(
    "body", [b"", b"[", {"success": True}, [], [good(IDS[0])], [good(IDS[0])] * 4, None, "ok"]
)
def test_an_answer_that_is_not_one_entry_per_order_says_nothing_of_any(body: object) -> None:
    outcomes = classify(200, body)

    assert words_of(outcomes) == ["Unknown"] * 3
    assert all(isinstance(item, Unknown) and item.reached_wire for item in outcomes)


@pytest.mark.parametrize(
    ("status", "words", "code", "is_pause"),
    [
        (400, "Invalid order payload", "invalid_order_payload", False),
        (400, "Too many orders in payload: 16, max allowed: 15", "too_many_orders", False),
        (401, "Unauthorized/Invalid api key", "unauthorized", False),
        (425, "matching engine is restarting", "engine_restarting", True),
        (429, "Too Many Requests", "too_many_requests", True),
        (503, "Trading is currently disabled. Check polymarket.com for updates", "trading_disabled", True),
    ],
)
def test_a_refused_request_refuses_each(status: int, words: str, code: str, *, is_pause: bool) -> None:
    outcomes = classify(status, {"error": words}, headers={"Retry-After": "9"})

    assert [(item.code, item.is_pause) for item in outcomes if isinstance(item, Rejected)] == [
        (code, is_pause)
    ] * 3
    assert {item.retry_after_s for item in outcomes if isinstance(item, Rejected)} == {
        9 if is_pause else None
    }


def test_a_refusal_of_one_order_leaves_the_others_unknown() -> None:
    words = f"order {IDS[1]} is invalid. Size (3) lower than the minimum: 5"
    outcomes = classify(400, {"error": words})

    assert words_of(outcomes) == ["Unknown", "Rejected", "Unknown"]
    assert words_of(classify(400, {"error": BALANCE})) == ["Unknown"] * 3


def test_a_duplicate_is_known_only_where_it_is_named() -> None:
    outcomes = classify(400, {"error": f"order {IDS[0]} is invalid. Duplicated."})

    assert outcomes[0] == AlreadyKnown(message=f"order {IDS[0]} is invalid. Duplicated.", http_status=400)
    assert words_of(outcomes[1:]) == ["Unknown", "Unknown"]


LEGS = st.lists(
    st.sampled_from(
        [good(IDS[0]), good(IDS[1]), good(IDS[2]), refused(BALANCE), refused("order timed out"), None, {}]
    ),
    max_size=4,
)


@given(legs=LEGS, status=st.sampled_from([200, 400, 425, 500, 503]))
def test_no_order_is_ever_accepted_by_another_orders_entry(legs: list[Any], status: int) -> None:
    outcomes = classify(status, legs)

    assert len(outcomes) == 3
    for order, outcome in zip(ORDERS, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            assert outcome.venue_order_id == order.order_id
            assert [leg for leg in legs if leg and leg.get("orderID") == order.order_id]
