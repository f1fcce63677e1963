"""Every answer to an order has one meaning; only the venue's listed refusals mean that it did not trade."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from venues.adapters.polymarket import translate
from venues.adapters.polymarket.refusals import REFUSAL_BY_STATUS, REFUSALS_BY_STATUS
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import (
    Absent,
    Accepted,
    AlreadyKnown,
    OrderState,
    Outcome,
    PauseKind,
    Rejected,
    Side,
    Unknown,
)

ORDER = "0x" + "ab" * 32
GOOD: dict[str, Any] = {
    "success": True,
    "errorMsg": "",
    "orderID": ORDER,
    "status": "matched",
    "makingAmount": "99.99",
    "takingAmount": "4545.4",
    "tradeIDs": ["t-1"],
    "transactionsHashes": [],
}


def classify(
    status: int, body: object, *, headers: dict[str, str] | None = None, side: Side = Side.BUY
) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return translate.classify_order_response(status, headers or {}, raw, order_id=ORDER, side=side)


def test_a_matched_buy_took_shares_and_gave_dollars() -> None:
    assert classify(200, GOOD) == Accepted(
        venue_order_id=ORDER,
        status="matched",
        trade_ids=("t-1",),
        size_matched=Decimal("4545.4"),
        notional_usd_matched=Decimal("99.99"),
    )


def test_a_matched_sale_gave_shares_and_took_dollars() -> None:
    outcome = classify(200, GOOD, side=Side.SELL)

    assert isinstance(outcome, Accepted)
    assert (outcome.size_matched, outcome.notional_usd_matched) == (Decimal("99.99"), Decimal("4545.4"))


@pytest.mark.parametrize(("status", "is_resting"), [("live", True), ("delayed", False), ("unmatched", False)])
def test_an_order_the_venue_has_is_accepted_whatever_it_waits_for(status: str, *, is_resting: bool) -> None:
    outcome = classify(
        200, GOOD | {"status": status, "makingAmount": "", "takingAmount": "", "tradeIDs": None}
    )

    assert outcome == Accepted(venue_order_id=ORDER, status=status, is_resting=is_resting)


def test_an_answer_for_another_order_is_loud_and_unknown() -> None:
    outcome = classify(200, GOOD | {"orderID": "0x" + "cd" * 32})

    assert isinstance(outcome, Unknown)
    assert outcome.reason == "order_id_mismatch"
    refused = classify(400, {"error": "invalid nonce", "orderID": "0x" + "cd" * 32})
    assert isinstance(refused, Unknown)
    assert refused.reason == "order_id_mismatch"


@pytest.mark.parametrize(
    "changes",
    [
        {"errorMsg": "not enough balance / allowance"},
        {"success": False},
        {"success": "true"},
        {"status": "MATCHED"},
        {"status": "teleported"},
        {"status": None},
        {"orderID": ""},
        {"orderID": None},
        {"makingAmount": "lots"},
        {"takingAmount": None},
        {"errorMsg": None},
    ],
)
def test_a_200_that_contradicts_itself_is_unknown(changes: dict[str, Any]) -> None:
    outcome = classify(200, GOOD | changes)

    assert isinstance(outcome, Unknown)
    assert outcome.http_status == 200
    assert outcome.reached_wire


def test_a_200_that_says_no_plainly_is_a_refusal() -> None:
    body = {"success": False, "errorMsg": "not enough balance / allowance", "orderID": "", "status": ""}

    assert classify(200, body) == Rejected(
        code="not_enough_balance", message="not enough balance / allowance", http_status=200
    )


KINDS = {
    "engine_restarting": PauseKind.RESTART,
    "too_many_requests": PauseKind.RATE_LIMIT,
    "trading_disabled": PauseKind.DISABLED,
    "cancel_only": PauseKind.CANCEL_ONLY,
    "post_only_mode": PauseKind.POST_ONLY,
}
REFUSALS = [
    (400, "Invalid order payload", "invalid_order_payload", True),
    (
        400,
        f"order {ORDER} is invalid. Price (0.0305) breaks minimum tick size rule: 0.001",
        "tick_size",
        True,
    ),
    (400, f"order {ORDER} is invalid. Size (3) lower than the minimum: 5", "size_min", True),
    (400, "invalid nonce", "invalid_nonce", True),
    (400, "invalid expiration", "invalid_expiration", False),
    (
        400,
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, "
        "taker amount a max of 5 decimals",
        "invalid_amounts",
        True,
    ),
    (400, "invalid amount for a marketable BUY order ($0.17), min size: $1", "notional_min", True),
    (400, "Too many orders in payload: 16, max allowed: 15", "too_many_orders", True),
    (400, "invalid post-only order: order crosses book", "post_only_would_cross", False),
    (400, "not enough balance / allowance", "not_enough_balance", False),
    (
        400,
        "not enough balance / allowance: the balance is not enough -> balance: 5, order amount: 9",
        "not_enough_balance",
        False,
    ),
    (400, "order couldn't be fully filled. FOK orders are fully filled or killed.", "fok_not_filled", False),
    (
        400,
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
        "fak_not_filled",
        False,
    ),
    (400, "the order owner has to be the owner of the API KEY", "owner_not_key_owner", True),
    (400, "the order signer address has to be the address of the API KEY", "signer_not_key_address", True),
    (400, "maker address not allowed, please use the deposit wallet flow", "deposit_wallet_needed", True),
    (400, "order_version_mismatch", "order_version", True),
    (400, "invalid signature", "invalid_signature", True),
    (400, "'0x" + "1a" * 20 + "' address banned", "address_banned", True),
    (400, "'0x" + "1a" * 20 + "' address in closed only mode", "closed_only", True),
    (400, "order canceled in the CTF exchange contract", "cancelled_on_chain", False),
    (401, "Unauthorized/Invalid api key", "unauthorized", True),
    (403, "Trading restricted in your region", "forbidden", True),
    (404, "market not found", "market_gone", False),
    (404, "No orderbook exists for the requested token id", "market_gone", False),
]


@pytest.mark.parametrize(("status", "message", "code", "is_ours"), REFUSALS)
def test_listed_refusals(status: int, message: str, code: str, *, is_ours: bool) -> None:
    assert classify(status, {"error": message}) == Rejected(
        code=code, message=message, http_status=status, is_ours=is_ours
    )


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "retry_after_s"),
    [
        (425, {"error": "matching engine is restarting"}, {}, "engine_restarting", 90),
        (429, {"error": "Too Many Requests"}, {"Retry-After": "7"}, "too_many_requests", 7),
        (429, {"error": "Too Many Requests"}, {"retry-after": "1.2"}, "too_many_requests", 2),
        (
            429,
            {"error": "Too Many Requests"},
            {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"},
            "too_many_requests",
            5,
        ),
        (
            503,
            {"error": "Trading is currently disabled. Check polymarket.com for updates"},
            {},
            "trading_disabled",
            60,
        ),
        (
            503,
            {
                "error": "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
            },
            {},
            "cancel_only",
            60,
        ),
        (
            503,
            {
                "error": "post-only mode: only post-only orders and cancels are allowed",
                "code": "post_only_mode",
                "retry_after_seconds": 33,
            },
            {},
            "post_only_mode",
            33,
        ),
    ],
)
def test_pauses_say_for_how_long_and_of_what_kind(
    status: int, body: object, headers: dict[str, str], code: str, retry_after_s: int
) -> None:
    outcome = classify(status, body, headers=headers)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_pause, outcome.retry_after_s) == (code, True, retry_after_s)
    assert outcome.pause_kind is KINDS[code]


@pytest.mark.parametrize(
    "message",
    [
        f"order {ORDER} is invalid. Duplicated.",
        "order is invalid. Duplicated. Same order has already been placed, can't be placed again",
        "INVALID_ORDER_DUPLICATED",
    ],
)
@pytest.mark.parametrize("status", [400, 409, 425])
def test_a_duplicate_is_known_and_neither_success_nor_failure(status: int, message: str) -> None:
    assert classify(status, {"error": message}) == AlreadyKnown(message=message, http_status=status)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "could not insert order"}),
        (400, {"error": "could not run the execution"}),
        (400, {"error": "order match delayed due to market conditions"}),
        (400, {"error": "the market is not yet ready to process new orders"}),
        (400, {"error": "not enough balance / allowance maybe, please retry"}),
        (400, {"message": "invalid nonce"}),
        (400, {"error": {"text": "invalid nonce"}}),
        (400, ["invalid nonce"]),
        (400, "invalid nonce"),
        (401, {}),
        (403, b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title>"),
        (404, b""),
        (404, {"error": "page not found"}),
        (408, {"error": "invalid nonce"}),
        (425, b""),
        (425, b"Too Early"),
        (429, b"error code: 1015"),
        (500, {"error": "there are no matching orders"}),
        (500, {"error": "order timed out"}),
        (500, {"error": "not enough balance / allowance"}),
        (500, {"error": f"order {ORDER} is invalid. Duplicated."}),
        (502, b"<html>bad gateway</html>"),
        (503, {"error": "upstream connect error"}),
        (503, {"error": "invalid nonce"}),
        (504, b""),
        (200, b""),
        (200, b"null"),
        (200, b'{"success":true,"errorMsg":"","orderID":"0xab'),
        (201, GOOD),
        (204, b""),
        (302, {"error": "invalid nonce"}),
    ],
)
def test_everything_else_is_unknown(status: int, body: object) -> None:
    outcome = classify(status, body)

    assert isinstance(outcome, Unknown)
    assert outcome.http_status == status
    assert outcome.reached_wire


def test_an_unreadable_429_still_tells_how_long_to_wait() -> None:
    outcome = classify(429, b"slow down", headers={"Retry-After": "30"})

    assert isinstance(outcome, Unknown)
    assert outcome.retry_after_s == 30


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.sampled_from(["", "matched", "live", "invalid nonce", "order timed out", ORDER, "Duplicated."])
ANSWERS = st.dictionaries(
    st.sampled_from(
        ["error", "errorMsg", "success", "status", "orderID", "makingAmount", "takingAmount", "tradeIDs"]
    ),
    JSON | WORDS,
)


@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=80) | ANSWERS.map(lambda answer: json.dumps(answer).encode()),
    headers=st.dictionaries(st.sampled_from(["Retry-After", "X"]), st.text(max_size=10)),
)
@example(status=200, body=json.dumps(GOOD).encode(), headers={})
def test_any_answer_has_an_outcome_and_no_refusal_is_off_the_list(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    outcome = translate.classify_order_response(status, headers, body, order_id=ORDER, side=Side.BUY)

    if isinstance(outcome, Rejected):
        answer = json.loads(body)
        message = next(answer[key].strip() for key in ("error", "errorMsg", "error_msg") if answer.get(key))
        listed = REFUSALS_BY_STATUS.get(400 if status == 200 else status, ())
        assert status in REFUSAL_BY_STATUS or any(refusal.text.fullmatch(message) for refusal in listed)
    if isinstance(outcome, Accepted):
        assert (status, outcome.venue_order_id) == (200, ORDER)
        assert json.loads(body)["orderID"] == ORDER


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": ORDER,
        "status": "MATCHED",
        "original_size": "100.0000",
        "size_matched": "100.0000",
        "price": "0.03",
        "side": "BUY",
        "associate_trades": ["t-1", "t-2"],
    } | changes


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("LIVE", OrderState.LIVE),
        ("ORDER_STATUS_LIVE", OrderState.LIVE),
        ("DELAYED", OrderState.LIVE),
        ("MATCHED", OrderState.FILLED),
        ("ORDER_STATUS_MATCHED", OrderState.FILLED),
        ("CANCELED", OrderState.CANCELLED),
        ("ORDER_STATUS_CANCELED_MARKET_RESOLVED", OrderState.CANCELLED),
        ("CANCELED_NOT_ENOUGH_BALANCE", OrderState.CANCELLED),
        (
            "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed.",
            OrderState.CANCELLED,
        ),
        ("UNMATCHED", OrderState.CANCELLED),
        ("CANCELED_EXPIRED_ORDER", OrderState.EXPIRED),
        ("INVALID", OrderState.REJECTED),
        ("ORDER_STATUS_RESURRECTED", OrderState.UNRECOGNISED),
        ("matched", OrderState.FILLED),
    ],
)
def test_order_statuses_with_and_without_prefix_and_free_text(status: str, state: OrderState) -> None:
    report = translate.order_report(order(status=status))

    assert (report.state, report.venue_status) == (state, status)
    assert report.trade_ids == ("t-1", "t-2")


def test_sizes_in_shares_and_in_millionths_read_alike() -> None:
    shares = translate.order_report(order(original_size="100", size_matched="25.5"))
    millionths = translate.order_report(order(original_size="100000000", size_matched="25500000"))

    assert shares.size_matched == millionths.size_matched == Decimal("25.5")


def test_a_part_filled_and_the_rest_killed_is_not_filled_though_it_reads_matched() -> None:
    assert translate.order_report(order(size_matched="40")).state is OrderState.CANCELLED
    # A budget of 10 dollars at 3 cents: 333.33 shares would be all of it.
    budget = {"original_size": "10", "order_type": "FAK"}
    assert translate.order_report(order(size_matched="200", **budget)).state is OrderState.CANCELLED
    assert translate.order_report(order(size_matched="333.33", **budget)).state is OrderState.FILLED
    # 100 shares of an order whose size says 100: shares, or a hundred dollars of which three were spent?
    assert translate.order_report(order(order_type="FAK")).state is OrderState.CANCELLED
    assert translate.order_report(order(order_type="FAK", side="SELL")).state is OrderState.FILLED
    assert translate.order_report(order(order_type="FOK", size_matched="90")).state is OrderState.FILLED


@pytest.mark.parametrize("answer", [None, "", {}])
def test_nothing_means_absent_now(answer: object) -> None:
    assert translate.order_or_absent(answer, client_order_id=ORDER) == Absent(
        client_order_id=ORDER, detail="the venue answered with nothing"
    )


@pytest.mark.parametrize(
    "answer", [order(id="0x" + "cd" * 32), [], order(size_matched="some"), order(status=None)]
)
def test_half_an_order_is_no_answer(answer: object) -> None:
    with pytest.raises(Unreadable):
        translate.order_or_absent(answer, client_order_id=ORDER)


def test_an_order_that_a_cancel_does_not_mention_is_not_cancelled() -> None:
    gone, traded, silent = ("0x" + digit * 64 for digit in "123")
    report = translate.cancel_report(
        {"canceled": [gone], "not_canceled": {traded: "already canceled or matched"}},
        client_order_ids=[gone, traded, silent],
    )

    assert report.cancelled == (gone,)
    assert report.not_cancelled == {
        traded: "already canceled or matched",
        silent: "the venue did not mention this order",
    }


def test_balances_are_base_units_in_the_new_shape_and_the_old() -> None:
    new = translate.balance_report({"balance": "1000000000", "allowances": {"0xspender": "5000000"}})
    old = translate.balance_report({"balance": "1", "allowance": "0"})

    assert (new.currency, new.total, new.allowances) == ("pUSD", Decimal(1000), {"0xspender": Decimal(5)})
    assert (old.total, old.allowances) == (Decimal("0.000001"), {"": Decimal(0)})
    assert translate.position_report({"balance": "1062500000"}, instrument_id="1").size == Decimal("1062.5")


@pytest.mark.parametrize(
    ("kind", "takes_post_only", "takes_cancels"),
    [
        (PauseKind.RESTART, False, False),
        (PauseKind.POST_ONLY, True, True),
        (PauseKind.CANCEL_ONLY, False, True),
        (PauseKind.DISABLED, False, False),
        (PauseKind.RATE_LIMIT, False, True),
    ],
)
def test_what_a_resting_venue_still_takes(
    kind: PauseKind, *, takes_post_only: bool, takes_cancels: bool
) -> None:
    assert (kind.takes_post_only, kind.takes_cancels) == (takes_post_only, takes_cancels)
