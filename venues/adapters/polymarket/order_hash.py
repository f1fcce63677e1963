"""The venue's name for an order, known before the order leaves us: its EIP-712 hash.

keccak(0x1901 ‖ domain separator ‖ struct hash), for every signature type, and the key under which the
exchange contract keeps what is left of the order (`hashOrder`, `getOrderStatus`). The order's type never changes, so
it is encoded by hand: twelve words side by side (docs/adr/0009-own-order-signing.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import sha3

from venues.adapters.polymarket.contracts import DOMAIN_NAME

ORDER_TYPE = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
BYTES32_ZERO = "0x" + "00" * 32
SIDES = {"BUY": 0, "SELL": 1}


def keccak(data: bytes) -> bytes:
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


_ORDER_TYPE_HASH = keccak(ORDER_TYPE)
_DOMAIN_TYPE_HASH = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_TWO_ZERO_WORDS = bytes(64)


class OrderFields(NamedTuple):
    """The signed fields of an order of ours; `maker` and `signer` are addresses as 32-byte words, the rest numbers.

    The two bytes32 fields (metadata, builder) are always zero in what we sign.
    """

    salt: int
    maker: bytes
    signer: bytes
    token_id: int
    maker_amount: int
    taker_amount: int
    side: int
    signature_type: int
    timestamp_ms: int


@lru_cache(maxsize=64)
def domain_separator(*, chain_id: int, exchange: str, version: str, name: str = DOMAIN_NAME) -> bytes:
    """32 bytes that tie a signature to one exchange contract on one chain."""
    return keccak(
        _DOMAIN_TYPE_HASH
        + keccak(name.encode())
        + keccak(version.encode())
        + word(chain_id)
        + address_word(exchange)
    )


def fields_hash(fields: OrderFields) -> bytes:
    """32 bytes of the struct, from fields that are known to fit. Raises OverflowError for one that does not."""
    return _hash_of_words(fields, _TWO_ZERO_WORDS)


def _hash_of_words(fields: OrderFields, last_two: bytes) -> bytes:
    salt, maker, signer, token_id, maker_amount, taker_amount, side, signature_type, timestamp_ms = fields
    return keccak(
        b"".join(
            (
                _ORDER_TYPE_HASH,
                salt.to_bytes(32, "big"),
                maker,
                signer,
                token_id.to_bytes(32, "big"),
                maker_amount.to_bytes(32, "big"),
                taker_amount.to_bytes(32, "big"),
                side.to_bytes(32, "big"),
                signature_type.to_bytes(32, "big"),
                timestamp_ms.to_bytes(32, "big"),
                last_two,
            )
        )
    )


def struct_hash(order: Mapping[str, Any]) -> bytes:
    """32 bytes of the eleven signed fields of the `order` object of `POST /order`, whoever wrote it.

    Raises ValueError or KeyError when a field is missing or does not fit its type.
    """
    fields = OrderFields(
        salt=_number(order["salt"]),
        maker=address_word(order["maker"]),
        signer=address_word(order["signer"]),
        token_id=_number(order["tokenId"]),
        maker_amount=_number(order["makerAmount"]),
        taker_amount=_number(order["takerAmount"]),
        side=SIDES[order["side"]],
        signature_type=_number(order["signatureType"]),
        timestamp_ms=_number(order["timestamp"]),
    )
    return _hash_of_words(fields, _bytes32(order["metadata"]) + _bytes32(order["builder"]))


def order_hash(
    order: Mapping[str, Any], *, chain_id: int, exchange: str, version: str, name: str = DOMAIN_NAME
) -> str:
    """The order's id at the venue: 0x and 64 lower-case hexadecimal digits."""
    return "0x" + order_digest(order, chain_id=chain_id, exchange=exchange, version=version, name=name).hex()


def order_digest(
    order: Mapping[str, Any], *, chain_id: int, exchange: str, version: str, name: str = DOMAIN_NAME
) -> bytes:
    """The 32 bytes that signature types 0 to 2 sign."""
    separator = domain_separator(chain_id=chain_id, exchange=exchange, version=version, name=name)
    return digest_of(separator, struct_hash(order))


def digest_of(separator: bytes, hashed: bytes) -> bytes:
    """The 32 bytes to sign for a struct in a domain (EIP-712)."""
    return keccak(b"\x19\x01" + separator + hashed)


def word(value: int) -> bytes:
    if not 0 <= value < 1 << 256:
        raise ValueError("a signed number must fit 256 bits and not be negative")
    return value.to_bytes(32, "big")


def address_word(text: str) -> bytes:
    """The 32 bytes that stand for an address of 0x and 40 hexadecimal digits."""
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError("an address has 20 bytes")
    return raw.rjust(32, b"\0")


def _number(value: Any) -> int:
    number = int(value)
    if not 0 <= number < 1 << 256:
        raise ValueError("a signed number must fit 256 bits and not be negative")
    return number


def _bytes32(text: str) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 32:
        raise ValueError("this field has 32 bytes")
    return raw
