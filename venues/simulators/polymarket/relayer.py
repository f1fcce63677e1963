"""The relayer of deposit wallets: takes a signed batch of calls, pays the gas, and says how it went.

A batch is known by its EIP-712 digest and carries the wallet's next number; the same number is executed once. Sources:
docs.polymarket.com/trading/deposit-wallets (Batch and Call structs) and the official client's submit and polling.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

from aiohttp import web
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from venues.simulators.polymarket.contracts import is_transfer
from venues.simulators.polymarket.pool import GAS_PRICE_WEI, NodeRefused, transaction_queue
from venues.simulators.polymarket.records import Account
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State, checksummed
from venues.simulators.polymarket.transactions import (
    DROPPED,
    MINED,
    OF_RELAYER,
    REPLACED,
    REVERTED,
    WAITING,
    Transaction,
)
from venues.simulators.polymarket.wallets import deposit_wallets
from venues.simulators.polymarket.wire import answer, body_json, state_of

CALL_TYPE = "Call(address target,uint256 value,bytes data)"
BATCH_TYPE = "Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + CALL_TYPE
CALLS_MAX = 50
STATES = {
    WAITING: "STATE_NEW",
    DROPPED: "STATE_NEW",
    MINED: "STATE_MINED",
    REVERTED: "STATE_FAILED",
    REPLACED: "STATE_INVALID",
}
_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"

routes = web.RouteTableDef()


@routes.get("/deployed")
async def deployed(request: web.Request) -> web.Response:
    """Say whether a wallet exists on chain: here, whether it was ever funded or registered."""
    return answer({"deployed": _asked(request, "address") in state_of(request).accounts})


@routes.get("/v1/account/transactions/params")
async def params(request: web.Request) -> web.Response:
    """Say the next batch number of an owner's deposit wallet."""
    state = state_of(request)
    owner = _asked(request, "address")
    _require_key(request)
    wallet = _wallet_of(state, owner)
    return answer({"address": owner, "nonce": str(wallet.nonce if wallet else 0)})


@routes.post("/submit")
async def submit(request: web.Request) -> web.Response:
    """Take a signed batch, or open a deposit wallet."""
    state, body = state_of(request), await body_json(request)
    _require_key(request)
    try:
        sent = _wallet_create(state, body) if body["type"] == "WALLET-CREATE" else _batch(state, body)
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(400, "invalid request body") from error
    except NodeRefused as no:
        raise Refusal(503, str(no)) from no
    state.store.commit()
    return answer({"state": "STATE_NEW", "transactionHash": "", "transactionID": sent.relay_id})


@routes.get("/v1/account/transactions/{relay_id}")
async def transaction(request: web.Request) -> web.Response:
    """Say how far a submitted batch is."""
    state = state_of(request)
    _require_key(request)
    wanted = request.match_info["relay_id"]
    found = next((row for row in state.transactions.values() if row.relay_id == wanted), None)
    if found is None:
        raise Refusal(404, "transaction not found")
    word = STATES[found.status]
    final_ms = found.mined_at + round(float(state.settings["confirmed_seconds"]) * 1000)
    if found.status == MINED and state.clock.now_ms() >= final_ms:
        word = "STATE_CONFIRMED"
    return answer(
        {
            "transaction_id": found.relay_id,
            "state": word,
            "transaction_hash": found.hash if found.is_mined else "",
            "error_msg": found.reason,
        }
    )


def batch_digest(
    *, wallet: str, nonce: int, deadline: int, calls: list[tuple[str, int, bytes]], chain_id: int
) -> bytes:
    """Return the EIP-712 digest that the owner of a deposit wallet signs."""
    struct = keccak(
        keccak(text=BATCH_TYPE)
        + _address(wallet)
        + _word(nonce)
        + _word(deadline)
        + keccak(
            b"".join(
                keccak(keccak(text=CALL_TYPE) + _address(target) + _word(value) + keccak(data))
                for target, value, data in calls
            )
        )
    )
    domain = keccak(
        keccak(text=_DOMAIN_TYPE)
        + keccak(text="DepositWallet")
        + keccak(text="1")
        + _word(chain_id)
        + _address(wallet)
    )
    return keccak(b"\x19\x01" + domain + struct)


def _batch(state: State, body: dict[str, Any]) -> Transaction:
    if body["type"] != "WALLET":
        raise Refusal(400, f"{body['type']} is not served by the practice exchange")
    signed, owner = body["depositWalletParams"], checksummed(body["from"])
    wallet = _wallet_of(state, owner)
    if wallet is None or wallet.address != checksummed(signed["depositWallet"]):
        raise Refusal(400, "wallet is not deployed or not owned by the sender")
    calls = [
        (checksummed(row["target"]), int(row["value"]), bytes.fromhex(row["data"].removeprefix("0x")))
        for row in signed["calls"][:CALLS_MAX]
    ]
    nonce, deadline = int(body["nonce"]), int(signed["deadline"])
    digest = batch_digest(
        wallet=wallet.address, nonce=nonce, deadline=deadline, calls=calls, chain_id=state.config.chain_id
    )
    if _signer(digest, body["signature"]) != owner:
        raise Refusal(400, "invalid signature")
    if any(row.wallet == wallet.address for row in state.pool.values()):
        raise Refusal(400, "wallet has in-flight action")
    if nonce != wallet.nonce:
        raise Refusal(400, f"batch nonce {nonce} does not match on-chain nonce {wallet.nonce}")
    now_ms = state.clock.now_ms()
    if deadline * 1000 <= now_ms:
        raise Refusal(400, "batch deadline has passed")
    if any(value or is_transfer(data.hex()) for _, value, data in calls):
        raise Refusal(400, "the practice exchange refuses transfers")
    return _queue(
        state,
        key=digest.hex(),
        wallet=wallet,
        owner=owner,
        calls=[[target, "0x" + data.hex()] for target, _, data in calls],
    )


def _wallet_create(state: State, body: dict[str, Any]) -> Transaction:
    owner = checksummed(body["from"])
    account = state.account_open(deposit_wallets(owner)[0])
    account.owner, account.signature_type = owner, 3
    state.save(account)
    sent = _row(state, key=f"create:{owner}", wallet=account, owner=owner, calls=[])
    sent.status, sent.mined_at = MINED, sent.submitted_at
    state.index_transaction(sent)
    state.save(sent)
    return sent


def _queue(state: State, *, key: str, wallet: Account, owner: str, calls: list[list[str]]) -> Transaction:
    sent = _row(state, key=key, wallet=wallet, owner=owner, calls=calls)
    transaction_queue(state, sent)
    return sent


def _row(state: State, *, key: str, wallet: Account, owner: str, calls: list[list[str]]) -> Transaction:
    now_ms, number = state.clock.now_ms(), state.next_sequence()
    return Transaction(
        hash="0x" + keccak(text=f"relayed:{key}:{number}").hex(),
        kind=OF_RELAYER,
        sender=owner,
        wallet=wallet.address,
        nonce=wallet.nonce,
        calls=calls,
        gas=0,
        gas_price=GAS_PRICE_WEI,
        submitted_at=now_ms,
        due_at=now_ms + round(float(state.settings["mined_seconds"]) * 1000),
        sequence=number,
        relay_id=str(uuid5(NAMESPACE_OID, f"{key}:{number}")),
    )


def _wallet_of(state: State, owner: str) -> Account | None:
    derived = deposit_wallets(owner)
    owned = [row for row in state.accounts.values() if row.owner == owner and row.signature_type == 3]
    return next(iter(owned), None) or next(
        (state.accounts[address] for address in derived if address in state.accounts), None
    )


def _require_key(request: web.Request) -> None:
    """A relayer key with its address, or a builder key; which one it is, the practice exchange does not ask."""
    names = ("RELAYER_API_KEY", "POLY_BUILDER_API_KEY")
    if not any(request.headers.get(name) for name in names):
        raise Refusal(401, "Unauthorized")


def _asked(request: web.Request, name: str) -> str:
    try:
        return checksummed(request.query.get(name, ""))
    except ValueError as error:
        raise Refusal(400, f"{name} is required") from error


def _signer(digest: bytes, signature: str) -> str | None:
    raw = bytes.fromhex(signature.removeprefix("0x"))
    if len(raw) != 65 or raw[64] not in (27, 28):
        return None
    try:
        found = Signature(raw[:64] + bytes([raw[64] - 27])).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        return None
    return str(found.to_checksum_address())


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:]).rjust(32, b"\x00")
