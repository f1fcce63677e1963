"""What the chain was asked to do: one row per signed transaction, from the pool to its receipt.

A transaction is known by the hash of its bytes before it is mined; bytes that were never mined leave no receipt.
Sources: EIP-155, EIP-1559 and EIP-2718 for the two forms that wallets sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_account import Account as Keys
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

WAITING, DROPPED, REPLACED, MINED, REVERTED = "waiting", "dropped", "replaced", "mined", "reverted"
OF_EOA, OF_RELAYER, OF_VENUE = "eoa", "relayer", "venue"
BYTES_MAX = 64 * 1024


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One transaction. `wallet` is whose assets move, `calls` are [target, data] in order; times are milliseconds."""

    hash: str
    kind: str
    sender: str
    wallet: str
    nonce: int
    calls: list[list[str]]
    gas: int
    gas_price: int
    submitted_at: int
    due_at: int
    sequence: int
    status: str = WAITING
    mined_at: int = 0
    reason: str = ""
    logs: list[dict[str, Any]] = field(default_factory=list)
    fate: str = ""
    """How a rehearsal wants it to end; empty for the plain way."""
    relay_id: str = ""

    @property
    def is_mined(self) -> bool:
        """Whether it has a receipt."""
        return self.status in (MINED, REVERTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The fields of a signed transaction, and who signed it."""

    hash: str
    sender: str
    chain_id: int
    nonce: int
    gas: int
    gas_price: int
    to: str
    value: int
    data: str


class Undecodable(ValueError):
    """The bytes are not a signed transaction of a form that this chain takes."""


def decode(raw: str) -> Signed:
    """Return what the raw bytes of `eth_sendRawTransaction` say. Raises Undecodable."""
    try:
        body = bytes.fromhex(raw.removeprefix("0x"))
        if len(body) > BYTES_MAX:
            raise Undecodable("oversized data")
        fields = _typed(body) if body[:1] == b"\x02" else _legacy(body)
        sender = str(Keys.recover_transaction(raw))
    except Undecodable:
        raise
    except Exception as error:
        raise Undecodable("invalid transaction bytes or signature") from error
    return Signed(hash="0x" + keccak(body).hex(), sender=to_checksum_address(sender), **fields)


def _legacy(body: bytes) -> dict[str, Any]:
    nonce, price, gas, to, value, data, v, _, _ = rlp.decode(body)
    number = int.from_bytes(v, "big")
    if number < 35:
        raise Undecodable("only replay-protected (EIP-155) transactions allowed over RPC")
    return _fields((number - 35) // 2, nonce, price, gas, to, value, data)


def _typed(body: bytes) -> dict[str, Any]:
    chain, nonce, _, price, gas, to, value, data, *_ = rlp.decode(body[1:])
    return _fields(int.from_bytes(chain, "big"), nonce, price, gas, to, value, data)


def _fields(
    chain_id: int, nonce: bytes, price: bytes, gas: bytes, to: bytes, value: bytes, data: bytes
) -> dict[str, Any]:
    if len(to) != 20:
        raise Undecodable("contract creation is not possible here")
    return {
        "chain_id": chain_id,
        "nonce": int.from_bytes(nonce, "big"),
        "gas": int.from_bytes(gas, "big"),
        "gas_price": int.from_bytes(price, "big"),
        "to": to_checksum_address(to),
        "value": int.from_bytes(value, "big"),
        "data": "0x" + data.hex(),
    }
