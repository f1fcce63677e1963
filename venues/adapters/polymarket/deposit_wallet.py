"""A deposit wallet acts by batches of calls that its owner signs; the relayer carries them to the chain.

The name of a batch is its EIP-712 digest: `Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)` in the
domain DepositWallet 1 of the wallet (docs.polymarket.com/trading/deposit-wallets). Its number is executed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_typing import Hash32
from eth_utils.crypto import keccak

CALL_TYPE = b"Call(address target,uint256 value,bytes data)"
_BATCH_TYPE = b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + CALL_TYPE
_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def batch_digest(
    *, wallet: str, nonce: int, deadline: int, calls: Sequence[tuple[str, str]], chain_id: int
) -> bytes:
    """The 32 bytes that the owner signs. `calls` are (target, data) without POL."""
    hashes = b"".join(
        keccak(keccak(CALL_TYPE) + _address(target) + _word(0) + keccak(bytes.fromhex(data[2:])))
        for target, data in calls
    )
    struct = keccak(keccak(_BATCH_TYPE) + _address(wallet) + _word(nonce) + _word(deadline) + keccak(hashes))
    domain = keccak(
        keccak(_DOMAIN_TYPE) + keccak(b"DepositWallet") + keccak(b"1") + _word(chain_id) + _address(wallet)
    )
    return keccak(b"\x19\x01" + domain + struct)


def batch_body(
    *,
    account: LocalAccount,
    factory: str,
    wallet: str,
    nonce: int,
    deadline: int,
    calls: Sequence[tuple[str, str]],
    chain_id: int,
    metadata: str,
) -> tuple[str, dict[str, Any]]:
    """(digest, body of `POST /submit`) of one signed batch."""
    digest = batch_digest(wallet=wallet, nonce=nonce, deadline=deadline, calls=calls, chain_id=chain_id)
    signature = account.unsafe_sign_hash(Hash32(digest)).signature.hex().removeprefix("0x")
    body = {
        "type": "WALLET",
        "from": account.address,
        "to": factory,
        "nonce": str(nonce),
        "signature": f"0x{signature}",
        "metadata": metadata[:500],
        "depositWalletParams": {
            "depositWallet": wallet,
            "deadline": str(deadline),
            "calls": [{"target": target, "value": "0", "data": data} for target, data in calls],
        },
    }
    return "0x" + digest.hex(), body


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _address(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x")).rjust(32, b"\0")
