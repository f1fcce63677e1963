"""How transactions reach a block: taken into the pool, mined in the order of their nonces, final some seconds later.

A rehearsal may write the fate of the next ones: dropped from the pool, kept waiting, reverted, or replaced by another
of the same nonce. The same bytes may come again at any time and are mined at most once.
"""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from venues.simulators.polymarket.contracts import Reverted, calls_execute, is_transfer
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.transactions import (
    DROPPED,
    MINED,
    OF_EOA,
    REPLACED,
    REVERTED,
    WAITING,
    Signed,
    Transaction,
)

BLOCK_MS = 2000
GAS_PRICE_WEI = 30 * 10**9
GAS_USED = 210_000
FATES = ("drop", "wait", "revert", "replace")
POOL_MAX = 1000


class NodeRefused(Exception):
    """The node's own no, in its words."""


def transaction_take(state: State, signed: Signed, *, now_ms: int) -> str:
    """Take an EOA's signed transaction into the pool; return its hash. Raises NodeRefused in a node's words."""
    if signed.chain_id != state.config.chain_id:
        raise NodeRefused(f"invalid chain id for signer: have {signed.chain_id} want {state.config.chain_id}")
    known = state.transactions.get(signed.hash)
    if known is not None and known.status == WAITING:
        raise NodeRefused("already known")
    account = state.account(signed.sender)
    if signed.nonce < account.nonce:
        raise NodeRefused(f"nonce too low: next nonce {account.nonce}, tx nonce {signed.nonce}")
    if signed.value:
        raise NodeRefused("the practice exchange refuses transfers of POL")
    if is_transfer(signed.data):
        raise NodeRefused("the practice exchange refuses transfers of tokens")
    if account.pol_wei < signed.gas * signed.gas_price:
        raise NodeRefused(
            f"insufficient funds for gas * price + value: balance {account.pol_wei}, "
            f"tx cost {signed.gas * signed.gas_price}"
        )
    rival = next(
        (row for row in state.pool.values() if row.sender == signed.sender and row.nonce == signed.nonce),
        None,
    )
    if rival is not None and signed.gas_price * 10 < rival.gas_price * 11:
        raise NodeRefused("replacement transaction underpriced")
    if rival is not None:
        _leave(state, rival, status=REPLACED)
    sent = Transaction(
        hash=signed.hash,
        kind=OF_EOA,
        sender=signed.sender,
        wallet=signed.sender,
        nonce=signed.nonce,
        calls=[[signed.to, signed.data]],
        gas=signed.gas,
        gas_price=signed.gas_price,
        submitted_at=now_ms,
        due_at=now_ms + _mined_ms(state),
        sequence=state.next_sequence(),
    )
    transaction_queue(state, sent)
    return sent.hash


def transaction_queue(state: State, sent: Transaction) -> None:
    """Put a verified transaction into the pool, with the fate that a rehearsal wrote for it."""
    if len(state.pool) >= POOL_MAX:
        raise NodeRefused("txpool is full")
    fate = _next_fate(state)
    sent.fate = fate.get("fate", "")
    if sent.fate == "wait":
        sent.due_at += round(float(fate.get("seconds", 30)) * 1000)
    if sent.fate == "drop":
        sent.status = DROPPED
    state.index_transaction(sent)
    state.save(sent)


def pool_advance(state: State, *, now_ms: int) -> None:
    """Mine every transaction whose time and nonce have come."""
    for sent in sorted(state.pool.values(), key=lambda row: (row.nonce, row.sequence)):
        owner = state.account(sent.sender if sent.kind == OF_EOA else sent.wallet)
        if sent.nonce < owner.nonce:
            _leave(state, sent, status=REPLACED)
        elif sent.due_at <= now_ms and sent.nonce == owner.nonce:
            _mine(state, sent, now_ms=sent.due_at)


def block_of(now_ms: int) -> int:
    """Return the number of the block at a moment."""
    return now_ms // BLOCK_MS


def finalized_block(state: State, *, now_ms: int) -> int:
    """Return the newest block that cannot be undone any more."""
    return block_of(now_ms - round(float(state.settings["confirmed_seconds"]) * 1000))


def receipt_of(sent: Transaction) -> dict[str, Any]:
    """Return `eth_getTransactionReceipt` of a mined transaction."""
    number = hex(block_of(sent.mined_at))
    block_hash = "0x" + keccak(text=f"block:{number}").hex()
    shared = {"transactionHash": sent.hash, "blockNumber": number, "blockHash": block_hash}
    logs = [{**log, **shared, "transactionIndex": "0x0", "removed": False} for log in sent.logs]
    return {
        **shared,
        "status": "0x1" if sent.status == MINED else "0x0",
        "transactionIndex": "0x0",
        "from": sent.sender.lower(),
        "to": sent.calls[0][0].lower() if sent.calls else None,
        "gasUsed": hex(GAS_USED),
        "effectiveGasPrice": hex(sent.gas_price),
        "logs": logs,
    }


def _mine(state: State, sent: Transaction, *, now_ms: int) -> None:
    if sent.fate == "replace":
        _leave(state, sent, status=REPLACED)
        sent = _rival_of(state, sent)
    state.pool.pop(sent.hash, None)
    account = state.account_open(sent.wallet)
    payer = state.account_open(sent.sender) if sent.kind == OF_EOA else account
    try:
        if sent.fate == "revert":
            raise Reverted("reverted by the rehearsal")
        sent.logs = calls_execute(state, account, sent.calls)
        sent.status = MINED
    except Reverted as no:
        sent.status, sent.reason = REVERTED, str(no)
    sent.mined_at = now_ms
    payer.nonce += 1
    if sent.kind == OF_EOA:
        payer.pol_wei = max(payer.pol_wei - GAS_USED * sent.gas_price, 0)
    state.save(sent, account, payer)


def _rival_of(state: State, sent: Transaction) -> Transaction:
    """Return the same calls under the same nonce and another hash, as a wallet that "speeds up" sends them."""
    rival = Transaction(
        hash="0x" + keccak(text=f"replacement:{sent.hash}").hex(),
        kind=sent.kind,
        sender=sent.sender,
        wallet=sent.wallet,
        nonce=sent.nonce,
        calls=sent.calls,
        gas=sent.gas,
        gas_price=sent.gas_price * 2,
        submitted_at=sent.submitted_at,
        due_at=sent.due_at,
        sequence=state.next_sequence(),
    )
    state.index_transaction(rival)
    return rival


def _leave(state: State, sent: Transaction, *, status: str) -> None:
    state.pool.pop(sent.hash, None)
    sent.status = status
    state.save(sent)


def _mined_ms(state: State) -> int:
    return round(float(state.settings["mined_seconds"]) * 1000)


def _next_fate(state: State) -> dict[str, Any]:
    fates: list[dict[str, Any]] = state.settings.get("fates", [])
    if not fates:
        return {}
    state.settings["fates"] = fates[1:]
    state.save_settings()
    return fates[0]
