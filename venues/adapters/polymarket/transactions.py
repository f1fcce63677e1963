"""Calls of our wallet on the chain: their name and bytes before they leave, sending them once, finding them again.

The key's own address signs a transaction and sends it to a node; a deposit wallet signs a batch for the relayer. Both
carry a number that the chain uses up once, so the same bytes take effect at most once, however often they are sent, and
two with the same number exclude each other. A node's pool promises nothing: only a block counts, and only a final one
cannot be undone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import rlp  # type: ignore[import-untyped]
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket import wire
from venues.adapters.polymarket.client import NoAnswer, PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.deposit_wallet import batch_body
from venues.adapters.polymarket.node import Node, Receipt, Reverted, SendRefused
from venues.adapters.polymarket.relay import Relay
from venues.adapters.polymarket.wallet_contracts import WalletContracts, wallet_contracts_on
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import Accepted, AlreadyKnown, Outcome, Rejected, Unknown

BATCH_LIFE_S = 600
"""The relayer's own limit for a batch; after that the wallet contract refuses it."""

_GAS_PRICE_MARGIN = (5, 4)
_GAS_MARGIN = (13, 10)
GAS_PRICE_WEI_MAX = 5_000 * 10**9
"""Above this the chain is not itself, and a person should look before we pay."""

_TRANSACTION, _BATCH = "transaction", "batch"
_NODE_KNOWS = ("already known", "known transaction", "nonce too low", "already imported")
_NODE_REFUSES = {
    "insufficient funds": "no_gas",
    "underpriced": "number_taken",
    "invalid chain id": "wrong_chain",
    "invalid sender": "wrong_signer",
    "intrinsic gas too low": "gas_too_low",
    "exceeds block gas limit": "gas_too_high",
    "refuses": "not_allowed",
}
_RELAYER_KNOWS = ("does not match on-chain nonce", "in-flight action", "wallet busy")


class Stage(StrEnum):
    """How far our bytes are. UNSEEN: neither mined nor waiting, and their number is still free. EXCLUDED: it is not."""

    WAITING = "waiting"
    MINED = "mined"
    FINAL = "final"
    REVERTED = "reverted"
    FAILED = "failed"
    UNSEEN = "unseen"
    EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """`receipt` once it is mined, `transaction_hash` once it is known; `said` is a sentence's end for people."""

    stage: Stage
    said: str
    transaction_hash: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """Signed calls that nobody has sent: their name and exact bytes, and the moment after which they are void."""

    name: str
    payload: bytes
    fence_at: datetime | None = None


Call = tuple[str, str]
"""(contract, call data with 0x)."""


class Transactions:
    """The wallet of one configuration, as it acts on the chain."""

    def __init__(self, client: PolymarketClient, config: PolymarketConfig, account: LocalAccount) -> None:
        self.node = Node(client, config)
        self.relay = Relay(client, config)
        self.contracts: WalletContracts = wallet_contracts_on(config.chain_id)
        self._config = config
        self._account = account

    @property
    def is_relayed(self) -> bool:
        return self._config.signature_type == 3

    def draw(self, calls: Sequence[Call], *, metadata: str) -> Drawn:
        """Sign calls with the wallet's next number. Reads the chain; sends nothing.

        Raises Refused when they would fail, cannot be paid, or need more than one transaction of the key's own address;
        NoAnswer and Unreadable when the chain could not be asked.
        """
        self.node.require_chain()
        if self.is_relayed:
            return self._draw_batch(calls, metadata=metadata)
        if len(calls) != 1:
            raise Refused("calls: the key's own address does one call per transaction", code="one_call")
        return self._draw_transaction(calls[0])

    def submit(self, payload: bytes) -> Outcome:
        """Send exactly these bytes, once."""
        try:
            body = self._ours(payload)
        except (ValueError, KeyError, TypeError) as error:
            return Unknown(reason="payload_foreign", message=str(error), reached_wire=False)
        try:
            return (
                self._send_raw(body["raw"])
                if body["kind"] == _TRANSACTION
                else self._send_batch(body["body"])
            )
        except NoAnswer as silence:
            return Unknown(reason=silence.reason, message=silence.message, reached_wire=silence.reached_wire)
        except Unreadable as error:
            return Unknown(reason="answer_unreadable", message=str(error))

    def find(self, payload: bytes, *, relay_id: str = "") -> Found:
        """How far sent bytes are. Raises NoAnswer, Unreadable, ValueError for bytes that are not ours."""
        body = self._ours(payload)
        if body["kind"] == _TRANSACTION:
            return self._find_transaction(body["raw"])
        return self._find_batch(body["body"], relay_id=relay_id)

    def name_in(self, payload: bytes) -> str:
        """The name that bytes of ours were drawn with."""
        body = self._ours(payload)
        if body["kind"] == _TRANSACTION:
            return f"tx:{transaction_hash(body['raw'])}"
        return f"batch:{body['digest']}"

    def receipt_found(self, found_hash: str) -> Found:
        """A transaction by its hash alone, whoever sent it."""
        receipt = self.node.receipt(found_hash)
        if receipt is None:
            return Found(stage=Stage.UNSEEN, said="no block has it", transaction_hash=found_hash)
        return _mined(receipt, found_hash)

    def _draw_transaction(self, call: Call) -> Drawn:
        to, data = str(to_checksum_address(call[0])), call[1]
        sender = self._config.signer
        price = self.node.number("eth_gasPrice", []) * _GAS_PRICE_MARGIN[0] // _GAS_PRICE_MARGIN[1]
        if price > GAS_PRICE_WEI_MAX:
            raise Refused(
                f"gas: the chain asks {price // 10**9} gwei, above our ceiling of {GAS_PRICE_WEI_MAX // 10**9}; wait",
                code="gas_price",
            )
        try:
            gas = self.node.estimate(sender=sender, to=to, data=data) * _GAS_MARGIN[0] // _GAS_MARGIN[1]
        except Reverted as no:
            raise Refused(f"the chain would refuse it: {no}", code="would_revert") from None
        balance = self.node.number("eth_getBalance", [sender, "latest"])
        if balance < gas * price:
            raise Refused(
                f"gas: {sender} has {balance / 10**18:.4f} POL and needs {gas * price / 10**18:.4f}; send POL to it",
                code="no_gas",
                field="POL",
            )
        fields: dict[str, Any] = {
            "to": to,
            "value": 0,
            "data": data,
            "gas": gas,
            "gasPrice": price,
            "nonce": self.node.count(sender, tag="pending"),
            "chainId": self._config.chain_id,
        }
        signed = self._account.sign_transaction(fields)
        raw = "0x" + signed.raw_transaction.hex().removeprefix("0x")
        return Drawn(name=f"tx:{transaction_hash(raw)}", payload=_bytes({"kind": _TRANSACTION, "raw": raw}))

    def _draw_batch(self, calls: Sequence[Call], *, metadata: str) -> Drawn:
        self.relay.require_key()
        deadline = int(utc_now().timestamp()) + BATCH_LIFE_S
        digest, body = batch_body(
            account=self._account,
            factory=self.contracts.wallet_factory,
            wallet=self._config.wallet,
            nonce=self.relay.nonce(),
            deadline=deadline,
            calls=calls,
            chain_id=self._config.chain_id,
            metadata=metadata,
        )
        return Drawn(
            name=f"batch:{digest}",
            payload=_bytes({"kind": _BATCH, "digest": digest, "body": body}),
            fence_at=datetime.fromtimestamp(deadline, utc_now().tzinfo),
        )

    def _ours(self, payload: bytes) -> dict[str, Any]:
        """The envelope, if it is of this wallet on this chain. Raises ValueError, KeyError or TypeError."""
        body = cast(dict[str, Any], json.loads(payload))
        if body["kind"] == _TRANSACTION:
            _, chain_id, _ = transaction_fields(body["raw"])
            if chain_id != self._config.chain_id:
                raise ValueError("the stored transaction is for another chain")
        elif body["kind"] == _BATCH:
            wallet = body["body"]["depositWalletParams"]["depositWallet"]
            if str(wallet).lower() != self._config.wallet.lower():
                raise ValueError("the stored batch is of another wallet")
        else:
            raise ValueError("the stored bytes are nothing that a wallet sends")
        return body

    def _send_raw(self, raw: str) -> Outcome:
        name = transaction_hash(raw)
        try:
            answer = self.node.send(raw)
        except SendRefused as no:
            return _refused(str(no))
        if answer != name:
            return Unknown(reason="hash_mismatch", message=f"sent {name}, the node answers {answer}")
        return AlreadyKnown(message="it waits in the node's pool; only a block counts")

    def _send_batch(self, body: dict[str, Any]) -> Outcome:
        answer = self.relay.submit(_bytes(body))
        told = wire.mapping(wire.read_json(answer.body), name="answer")
        said = str(told.get("error") or told.get("errorMsg") or "")
        if answer.status == 200:
            relay_id = wire.text(told.get("transactionID"), name="transactionID")
            return Accepted(venue_order_id=relay_id, status=str(told.get("state") or "taken"))
        if any(text in said for text in _RELAYER_KNOWS):
            return AlreadyKnown(message=f"the relayer: {said}", http_status=answer.status)
        if answer.status in (400, 401, 403) and said:
            return Rejected(
                code=f"relayer_{answer.status}", message=f"the relayer: {said}", http_status=answer.status
            )
        return Unknown(reason=f"http_{answer.status}", message=said, http_status=answer.status)

    def _find_transaction(self, raw: str) -> Found:
        name = transaction_hash(raw)
        number, _, _ = transaction_fields(raw)
        # The count first: a transaction that is mined between the two questions has its receipt then.
        used_up = self.node.count(self._config.signer) > number
        receipt = self.node.receipt(name)
        if receipt is not None:
            return _mined(receipt, name)
        if used_up:
            return Found(stage=Stage.EXCLUDED, said=f"number {number} was used by another transaction")
        if self.node.is_waiting(name):
            return Found(stage=Stage.WAITING, said="in the node's pool", transaction_hash=name)
        return Found(stage=Stage.UNSEEN, said="the node does not have it")

    def _find_batch(self, body: dict[str, Any], *, relay_id: str) -> Found:
        is_void = utc_now().timestamp() > int(body["depositWalletParams"]["deadline"])
        used_up = self.relay.nonce() > int(body["nonce"])
        if relay_id:
            told = self.relay.transaction(relay_id)
            if told.transaction_hash:
                found = self.receipt_found(told.transaction_hash)
                if found.stage is not Stage.UNSEEN:
                    return found
            if told.state in ("FAILED", "INVALID") and (is_void or used_up):
                return Found(stage=Stage.FAILED, said=f"the relayer says {told.state}: {told.reason}")
            if not is_void or used_up:
                return Found(stage=Stage.WAITING, said=f"the relayer says {told.state}")
            return Found(stage=Stage.FAILED, said="the relayer did not carry it in time; it is void now")
        if used_up:
            return Found(stage=Stage.WAITING, said="its number was used; looking for what it did")
        if is_void:
            return Found(stage=Stage.EXCLUDED, said="never carried, and void since its deadline")
        return Found(stage=Stage.UNSEEN, said="the relayer has not carried it")


def transaction_hash(raw: str) -> str:
    """The chain's name of a signed transaction."""
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


def transaction_fields(raw: str) -> tuple[int, int, str]:
    """(number, chain id, target) of a signed transaction as we make them (EIP-155). Raises ValueError."""
    try:
        nonce, _, _, to, _, _, v, _, _ = rlp.decode(bytes.fromhex(raw[2:]))
    except Exception as error:
        raise ValueError("the stored bytes are not a transaction of ours") from error
    return int.from_bytes(nonce, "big"), (int.from_bytes(v, "big") - 35) // 2, "0x" + to.hex()


def is_wallet_payload(payload: bytes) -> bool:
    """Whether bytes are a transaction or a batch, and not an order of the book."""
    return payload.startswith(b'{"kind":')


def _mined(receipt: Receipt, name: str) -> Found:
    if not receipt.is_final:
        said = f"in block {receipt.block}, which is not final yet"
        return Found(stage=Stage.MINED, said=said, transaction_hash=name, receipt=receipt)
    stage = Stage.FINAL if receipt.is_success else Stage.REVERTED
    said = f"{'final' if receipt.is_success else 'reverted'} in block {receipt.block}"
    return Found(stage=stage, said=said, transaction_hash=name, receipt=receipt)


def _refused(said: str) -> Outcome:
    """A node's error. "Nonce too low" may be our own bytes, mined already: nodes behind one address repeat requests."""
    text = said.lower()
    if any(part in text for part in _NODE_KNOWS):
        return AlreadyKnown(message=f"the node: {said}")
    for part, code in _NODE_REFUSES.items():
        if part in text:
            return Rejected(code=code, message=f"the node: {said}")
    return Unknown(reason="node_error", message=said)


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode("ascii")
