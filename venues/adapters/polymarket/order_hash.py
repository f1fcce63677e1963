"""The venue's name for an order, known before the order leaves us: its EIP-712 hash.

keccak(0x1901 ‖ domain separator ‖ struct hash), for every signature type, and the key under which the
exchange contract keeps what is left of the order (`hashOrder`, `getOrderStatus`). The official client does
not expose it, so it is computed here, by hand, and compared with every answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from eth_utils.crypto import keccak

_ORDER_TYPE = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_ORDER_TYPE_HASH = keccak(_ORDER_TYPE)
_DOMAIN_TYPE_HASH = keccak(_DOMAIN_TYPE)
_NAME_HASH = keccak(b"Polymarket CTF Exchange")
_SIDES = {"BUY": 0, "SELL": 1}


@lru_cache(maxsize=64)
def domain_separator(*, chain_id: int, exchange: str, version: str) -> bytes:
    """32 bytes that tie a signature to one exchange contract on one chain."""
    return keccak(
        _DOMAIN_TYPE_HASH + _NAME_HASH + keccak(version.encode()) + _word(chain_id) + _address(exchange)
    )


def struct_hash(order: Mapping[str, Any]) -> bytes:
    """32 bytes of the eleven signed fields of the `order` object of `POST /order`.

    Raises ValueError or KeyError when a field is missing or does not fit its type.
    """
    return keccak(
        _ORDER_TYPE_HASH
        + _word(int(order["salt"]))
        + _address(order["maker"])
        + _address(order["signer"])
        + _word(int(order["tokenId"]))
        + _word(int(order["makerAmount"]))
        + _word(int(order["takerAmount"]))
        + _word(_SIDES[order["side"]])
        + _word(int(order["signatureType"]))
        + _word(int(order["timestamp"]))
        + _bytes32(order["metadata"])
        + _bytes32(order["builder"])
    )


def order_hash(order: Mapping[str, Any], *, chain_id: int, exchange: str, version: str) -> str:
    """The order's id at the venue: 0x and 64 lower-case hexadecimal digits."""
    return "0x" + order_digest(order, chain_id=chain_id, exchange=exchange, version=version).hex()


def order_digest(order: Mapping[str, Any], *, chain_id: int, exchange: str, version: str) -> bytes:
    """The 32 bytes that signature types 0 to 2 sign."""
    separator = domain_separator(chain_id=chain_id, exchange=exchange, version=version)
    return keccak(b"\x19\x01" + separator + struct_hash(order))


def _word(value: int) -> bytes:
    if not 0 <= value < 1 << 256:
        raise ValueError("a signed number must fit 256 bits and not be negative")
    return value.to_bytes(32, "big")


def _address(text: str) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError("an address has 20 bytes")
    return raw.rjust(32, b"\0")


def _bytes32(text: str) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 32:
        raise ValueError("this field has 32 bytes")
    return raw
