"""What a posted order says, checked field by field before anything is believed.

Wire form: docs.polymarket.com/trading/orders/create-order. The salt is a JSON number; amounts, token id,
timestamp and expiration are strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from venues.simulators.polymarket.records import BUY, SELL
from venues.simulators.polymarket.refusals import INVALID_PAYLOAD, VERSION_MISMATCH, Refusal
from venues.simulators.polymarket.signatures import SignedFields
from venues.simulators.polymarket.state import checksummed

ORDER_TYPES = ("GTC", "GTD", "FOK", "FAK")
_UINT256 = 1 << 256
_DIGITS = re.compile(r"[0-9]{1,78}\Z")
_BYTES32 = re.compile(r"0x[0-9a-fA-F]{64}\Z")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+\Z")
_V1_ONLY = ("nonce", "feeRateBps", "taker")


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRequest:
    """A well-formed order envelope; nothing of it is verified yet."""

    fields: SignedFields
    token_id: str
    side: str
    order_type: str
    expiration: int
    owner: str
    post_only: bool
    signature: bytes


def parse_order(body: Any) -> OrderRequest:
    """Return the order a JSON body carries, or refuse with `Invalid order payload`."""
    if not isinstance(body, dict) or not isinstance(body.get("order"), dict):
        raise Refusal(400, INVALID_PAYLOAD)
    order: dict[str, Any] = body["order"]
    if any(name in order for name in _V1_ONLY):
        raise Refusal(400, VERSION_MISMATCH)
    try:
        return _parsed(body, order)
    except (KeyError, ValueError, TypeError) as error:
        raise Refusal(400, INVALID_PAYLOAD) from error


def _parsed(body: dict[str, Any], order: dict[str, Any]) -> OrderRequest:
    side = _one_of(order["side"], (BUY, SELL))
    order_type = _one_of(body["orderType"], ORDER_TYPES)
    post_only = body.get("postOnly", False)
    if type(post_only) is not bool or (post_only and order_type in ("FOK", "FAK")):
        raise ValueError("postOnly")
    if not isinstance(body["owner"], str):
        raise TypeError("owner")
    fields = SignedFields(
        salt=_number(order["salt"], below=_UINT256),
        maker=checksummed(order["maker"]),
        signer=checksummed(order["signer"]),
        token_id=_digits(order["tokenId"]),
        maker_amount=_positive(order["makerAmount"]),
        taker_amount=_positive(order["takerAmount"]),
        side=0 if side == BUY else 1,
        signature_type=_number(order["signatureType"], below=4),
        timestamp=_positive(order["timestamp"]),
        metadata=_bytes32(order["metadata"]),
        builder=_bytes32(order["builder"]),
    )
    return OrderRequest(
        fields=fields,
        token_id=str(fields.token_id),
        side=side,
        order_type=order_type,
        expiration=_digits(order["expiration"]),
        owner=body["owner"],
        post_only=post_only,
        signature=_bytes(order["signature"]),
    )


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(value)
    return value


def _number(value: object, *, below: int) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise ValueError(value)
    return value


def _digits(value: object) -> int:
    if not isinstance(value, str) or not _DIGITS.match(value) or int(value) >= _UINT256:
        raise ValueError(value)
    return int(value)


def _positive(value: object) -> int:
    number = _digits(value)
    if number == 0:
        raise ValueError(value)
    return number


def _bytes32(value: object) -> bytes:
    if not isinstance(value, str) or not _BYTES32.match(value):
        raise ValueError(value)
    return bytes.fromhex(value[2:])


def _bytes(value: object) -> bytes:
    if not isinstance(value, str) or not _HEX.match(value) or len(value) > 4096:
        raise ValueError(value)
    return bytes.fromhex(value[2:])
