"""What the answer to `POST /orders` proves about each order in it. Pure.

The venue answers with a list, one entry per order. An entry that names its order (by `orderID`, or in the words of
its refusal) is that order's, wherever it stands. One that names none is taken by its place only while every entry
that does name one stands in its order's place; otherwise nobody knows whose it is, and its order is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tonsurance.kernel.errors import Broken
from venues.adapters.polymarket import translate, wire
from venues.adapters.polymarket.limits import ORDER_BATCH_MAX
from venues.adapters.polymarket.refusals import WHOLE_BATCH_CODES
from venues.adapters.polymarket.signing import Identity
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import AlreadyKnown, Outcome, Rejected, Unknown

_ORDER_ID_IN_WORDS = re.compile(r"\border (0x[0-9a-f]{64}) is invalid\b", re.IGNORECASE)


def batch_body(payloads: Sequence[bytes]) -> bytes:
    """The body of `POST /orders`: a JSON list whose elements are the stored bytes themselves, unchanged.

    Raises Broken for a batch that the venue would refuse for its length.
    """
    if not 1 <= len(payloads) <= ORDER_BATCH_MAX:
        raise Broken(f"a batch has 1 to {ORDER_BATCH_MAX} orders, not {len(payloads)}")
    return b"[" + b",".join(payloads) + b"]"


def classify_batch_response(
    status: int, headers: Mapping[str, str], body: bytes, *, orders: Sequence[Identity]
) -> list[Outcome]:
    """One outcome per order of `orders`, which are distinct and in the order in which they were sent."""
    if status != 200:
        return [_of_whole_request(status, headers, body, order=order) for order in orders]
    try:
        legs = wire.read_json(body)
    except Unreadable:
        return [_unknown("answer_unreadable", f"{len(body)} bytes that are not JSON")] * len(orders)
    if not isinstance(legs, list) or len(legs) != len(orders):
        found = f"a list of {len(legs)}" if isinstance(legs, list) else "no list"
        return [_unknown("answer_shape", f"{len(orders)} orders sent, the venue answers with {found}")] * len(
            orders
        )
    return _by_leg(legs, orders=orders)


def _by_leg(legs: list[object], *, orders: Sequence[Identity]) -> list[Outcome]:
    names = [_order_named(leg) for leg in legs]
    places = {order.order_id: place for place, order in enumerate(orders)}
    is_in_sequence = all(name is None or places.get(name) == place for place, name in enumerate(names))
    outcomes: list[Outcome] = []
    for place, order in enumerate(orders):
        own = [leg for leg, name in zip(legs, names, strict=True) if name == order.order_id]
        if not own and is_in_sequence:
            own = [legs[place]]
        if len(own) == 1:
            outcomes.append(translate.classify_leg(own[0], order_id=order.order_id, side=order.side))
        else:
            outcomes.append(_unknown("leg_unclear", f"{len(own)} entries of the answer are this order's"))
    return outcomes


def _order_named(leg: object) -> str | None:
    """The order that an entry of the answer says it is about."""
    if not isinstance(leg, dict):
        return None
    named = leg.get("orderID")
    if isinstance(named, str) and named:
        return named.lower()
    words = translate.error_text(leg)
    found = _ORDER_ID_IN_WORDS.search(words)
    return found[1].lower() if found else None


def _of_whole_request(status: int, headers: Mapping[str, str], body: bytes, *, order: Identity) -> Outcome:
    """What a refusal of the request says of one of its orders.

    Only words about the account, the request or the venue's own state hold for all of them; words about one order
    hold for the order they name, and leave the others unknown: some may have been taken before it.
    """
    outcome = translate.classify_order_response(
        status, headers, body, order_id=order.order_id, side=order.side
    )
    found = _ORDER_ID_IN_WORDS.search(body.decode("utf-8", "replace"))
    if found and found[1].lower() == order.order_id:
        return outcome
    if isinstance(outcome, AlreadyKnown) or (
        isinstance(outcome, Rejected) and not outcome.is_pause and outcome.code not in WHOLE_BATCH_CODES
    ):
        return Unknown(reason="batch_refused", message=outcome.message, http_status=status)
    return outcome


def _unknown(reason: str, message: str) -> Unknown:
    return Unknown(reason=reason, message=f"HTTP 200: {message}", http_status=200)
