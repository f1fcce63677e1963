"""Polymarket's words about orders and balances in ours. Pure: bytes in, our values out, no network, no clock.

`classify_order_response` is total: whatever arrives, it gives an outcome, and never `Rejected` for an answer
that is not on the list in `refusals.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from venues.adapters.polymarket import wire
from venues.adapters.polymarket.limits import MESSAGE_CHARS_MAX, ORDER_SIZE_LIMIT
from venues.adapters.polymarket.refusals import BAD_REQUEST, DUPLICATED, Refusal, leg_refusal_of, refusal_of
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import (
    Absent,
    Accepted,
    AlreadyKnown,
    BalanceReport,
    CancelReport,
    OrderReport,
    OrderState,
    Outcome,
    PositionReport,
    Rejected,
    Side,
    Unknown,
)

CURRENCY = "pUSD"
_ACCEPTED_STATUSES = frozenset({"live", "matched", "delayed", "unmatched"})
_RETRY_AFTER_S_MAX = 3600
_DUST_SHARES = Decimal("0.01")


def classify_order_response(
    status: int, headers: Mapping[str, str], body: bytes, *, order_id: str, side: Side
) -> Outcome:
    """What the answer to `POST /order` proves about the order `order_id` (its hash, computed by us)."""
    retry_after_s = _retry_after_s(headers)
    try:
        answer = wire.read_json(body)
    except Unreadable:
        return Unknown(
            reason="answer_unreadable",
            message=f"HTTP {status} with {len(body)} bytes that are not JSON",
            http_status=status,
            retry_after_s=retry_after_s,
        )
    if status == 200:
        return _classify_ok(answer, order_id=order_id, side=side)
    return _classify_refusal(status, answer, order_id=order_id, retry_after_s=retry_after_s)


def classify_leg(answer: object, *, order_id: str, side: Side) -> Outcome:
    """What one entry of the answer to `POST /orders` proves about the order `order_id`.

    An entry has no status of its own, so every listed refusal counts here, also next to `success: true`: the venue
    refuses single orders of a batch with `success: true`, an empty `orderID` and the reason in `errorMsg`.
    """
    outcome = _classify_ok(answer, order_id=order_id, side=side)
    if not isinstance(outcome, Unknown) or not isinstance(answer, dict) or answer.get("orderID") != "":
        return outcome
    message = error_text(answer)
    refusal = leg_refusal_of(message)
    if refusal is None or answer.get("status") not in ("", None):
        return outcome
    return _rejected(refusal, message, status=200, retry_after_s=_retry_after_in(answer))


def _classify_ok(answer: object, *, order_id: str, side: Side) -> Outcome:
    if not isinstance(answer, dict):
        return _unknown(200, "answer_shape", "HTTP 200 with JSON that is not an object")
    message, status, named = (answer.get(key) for key in ("errorMsg", "status", "orderID"))
    is_success = answer.get("success")
    if not (isinstance(message, str) and isinstance(status, str) and isinstance(named, str)):
        return _unknown(200, "answer_shape", "HTTP 200 without errorMsg, status and orderID")
    if DUPLICATED.fullmatch(message.strip()):
        return AlreadyKnown(message=_short(message), http_status=200)
    if is_success is True and message == "" and status in _ACCEPTED_STATUSES:
        return _accepted(answer, named=named, status=status, order_id=order_id, side=side)
    if is_success is False and named.lower() in ("", order_id):
        # Only here does a 200 say no by itself; success with an errorMsg is a known quirk that says nothing.
        for refusal in BAD_REQUEST:
            if refusal.text.fullmatch(message.strip()):
                return _rejected(refusal, message, status=200, retry_after_s=None)
    return _unknown(
        200, "answer_contradictory", f"success {is_success!r}, status {status!r}, error {message!r}"
    )


def _accepted(answer: dict[str, Any], *, named: str, status: str, order_id: str, side: Side) -> Outcome:
    try:
        given, taken = (_amount(answer, key) for key in ("makingAmount", "takingAmount"))
    except Unreadable as error:
        return _unknown(200, "answer_shape", str(error))
    if named.lower() != order_id.lower():
        return _unknown(200, "order_id_mismatch", f"sent {order_id}, the venue answers for {named!r}")
    trade_ids = answer.get("tradeIDs")
    return Accepted(
        venue_order_id=order_id,
        status=status,
        is_resting=status == "live",
        trade_ids=tuple(str(trade_id) for trade_id in trade_ids) if isinstance(trade_ids, list) else (),
        size_matched=taken if side is Side.BUY else given,
        notional_usd_matched=given if side is Side.BUY else taken,
    )


def _amount(answer: dict[str, Any], key: str) -> Decimal | None:
    """What the order gave or took so far; the venue leaves it empty while nothing has matched."""
    return None if answer.get(key) == "" else wire.exact(answer.get(key), name=key)


def _classify_refusal(status: int, answer: object, *, order_id: str, retry_after_s: int | None) -> Outcome:
    message = error_text(answer)
    if 400 <= status < 500 and DUPLICATED.fullmatch(message):
        return AlreadyKnown(message=_short(message), http_status=status)
    if _names_another(answer, order_id=order_id):
        return _unknown(status, "order_id_mismatch", f"sent {order_id}, the venue refuses another: {message}")
    refusal = refusal_of(status, message)
    if refusal is None:
        return _unknown(status, f"http_{status}", message, retry_after_s=retry_after_s)
    retry_after_s = retry_after_s or _retry_after_in(answer)
    return _rejected(refusal, message, status=status, retry_after_s=retry_after_s)


def _rejected(refusal: Refusal, message: str, *, status: int, retry_after_s: int | None) -> Rejected:
    return Rejected(
        code=refusal.code,
        message=_short(message),
        http_status=status,
        is_pause=refusal.pause is not None,
        is_ours=refusal.is_ours,
        retry_after_s=(retry_after_s or refusal.retry_after_s) if refusal.pause else None,
        pause_kind=refusal.pause,
    )


def _unknown(status: int, reason: str, message: str, *, retry_after_s: int | None = None) -> Unknown:
    return Unknown(reason=reason, message=_short(message), http_status=status, retry_after_s=retry_after_s)


def error_text(answer: object) -> str:
    """The venue's own words in an error body; empty when the body does not have its shape."""
    if not isinstance(answer, dict):
        return ""
    for key in ("error", "errorMsg", "error_msg"):
        if isinstance(answer.get(key), str) and answer[key].strip():
            return str(answer[key]).strip()
    return ""


def _names_another(answer: object, *, order_id: str) -> bool:
    named = answer.get("orderID") if isinstance(answer, dict) else None
    return isinstance(named, str) and named != "" and named.lower() != order_id.lower()


def _retry_after_s(headers: Mapping[str, str]) -> int | None:
    value = next((headers[name] for name in headers if name.lower() == "retry-after"), "")
    return _seconds(value)


def _retry_after_in(answer: object) -> int | None:
    value = answer.get("retry_after_seconds") if isinstance(answer, dict) else None
    return _seconds(str(value)) if value is not None and not isinstance(value, bool) else None


def _seconds(value: str) -> int | None:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value.strip()):
        return None
    return min(_RETRY_AFTER_S_MAX, max(1, math.ceil(Decimal(value.strip()))))


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_CHARS_MAX else message[: MESSAGE_CHARS_MAX - 1] + "…"


def order_report(answer: object) -> OrderReport:
    """One order as `GET /data/order/{id}` and `GET /data/orders` state it. Raises Unreadable."""
    order = wire.mapping(answer, name="order")
    venue_status = wire.text(order.get("status"), name="status")
    original = wire.exact(order.get("original_size"), name="original_size")
    matched = wire.exact(order.get("size_matched"), name="size_matched")
    if original == original.to_integral_value() and original >= ORDER_SIZE_LIMIT:
        # The venue's schema says millionths, its answers show shares. Ours stay below a million shares, so a
        # whole number this large can only be millionths.
        original, matched = original.scaleb(-6), matched.scaleb(-6)
    return OrderReport(
        client_order_id=wire.text(order.get("id"), name="id").lower(),
        state=_state(venue_status, order=order, original=original, matched=matched),
        venue_status=venue_status,
        size_matched=matched,
        trade_ids=wire.words(order.get("associate_trades"), name="associate_trades"),
    )


def order_or_absent(answer: object, *, client_order_id: str) -> OrderReport | Absent:
    """`null`, an empty text and an empty object mean: not among the orders the venue shows now."""
    if answer is None or answer in ("", {}):
        return Absent(client_order_id=client_order_id, detail="the venue answered with nothing")
    report = order_report(answer)
    if report.client_order_id != client_order_id.lower():
        raise Unreadable(f"asked for {client_order_id}, the venue answers for {report.client_order_id}")
    return report


def _state(venue_status: str, *, order: dict[str, Any], original: Decimal, matched: Decimal) -> OrderState:
    """Statuses come with and without a prefix, cancellations with free text after the word."""
    word = venue_status.upper().removeprefix("ORDER_STATUS_")
    if word in ("LIVE", "DELAYED"):
        return OrderState.LIVE
    if word == "MATCHED":
        return (
            OrderState.FILLED if _is_full(order, original=original, matched=matched) else OrderState.CANCELLED
        )
    if word.startswith(("CANCELED_EXPIRED", "CANCELLED_EXPIRED", "EXPIRED")):
        return OrderState.EXPIRED
    if word.startswith(("CANCELED", "CANCELLED")) or word == "UNMATCHED":
        return OrderState.CANCELLED
    if word == "INVALID":
        return OrderState.REJECTED
    return OrderState.UNRECOGNISED


def _is_full(order: dict[str, Any], *, original: Decimal, matched: Decimal) -> bool:
    """A part filled and the rest killed also reads MATCHED (nautilus_trader issue 4787): the sizes decide.

    For a BUY that fills at once `original_size` may be shares or the pUSD budget. It is full when it is so either
    way; what really traded is in the fills.
    """
    order_type = order.get("order_type")
    if order_type == "FOK":
        return True
    if matched < original - _DUST_SHARES:
        return False
    if order_type != "FAK" or order.get("side") != "BUY":
        return True
    price = wire.exact(order.get("price"), name="price")
    return price > 0 and matched >= original / price - _DUST_SHARES


def cancel_report(answer: object, *, client_order_ids: Sequence[str]) -> CancelReport:
    """What `DELETE /orders` says of each id; one that it does not mention is not cancelled."""
    body = wire.mapping(answer, name="cancel answer")
    cancelled = {word.lower() for word in wire.words(body.get("canceled"), name="canceled")}
    reasons = {str(key).lower(): str(value) for key, value in (body.get("not_canceled") or {}).items()}
    return CancelReport(
        cancelled=tuple(order_id for order_id in client_order_ids if order_id.lower() in cancelled),
        not_cancelled={
            order_id: _short(reasons.get(order_id.lower(), "the venue did not mention this order"))
            for order_id in client_order_ids
            if order_id.lower() not in cancelled
        },
    )


def balance_report(answer: object) -> BalanceReport:
    """pUSD held, open orders included, and what each contract may take of it."""
    body = wire.mapping(answer, name="balance")
    allowances = body.get("allowances")
    if allowances is None and "allowance" in body:
        allowances = {"": body["allowance"]}
    return BalanceReport(
        currency=CURRENCY,
        total=wire.base_units(body.get("balance"), name="balance"),
        allowances={
            str(spender): wire.base_units(units, name="allowance")
            for spender, units in wire.mapping(allowances or {}, name="allowances").items()
        },
    )


def position_report(answer: object, *, instrument_id: str) -> PositionReport:
    """Shares held of one outcome token."""
    body = wire.mapping(answer, name="balance")
    return PositionReport(
        instrument_id=instrument_id, size=wire.base_units(body.get("balance"), name="balance")
    )
