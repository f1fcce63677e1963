"""Questions to the chain's node, and the one call that changes it. JSON-RPC over POST.

Reads raise NoAnswer and Unreadable like those of the venue; a node's error is Unreadable, except where the error itself
is the answer (`call` of a contract that reverts, `send`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from eth_utils.crypto import keccak

from venues.adapters.polymarket import wire
from venues.adapters.polymarket.client import PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.wire import Unreadable

POL_WEI = Decimal(10) ** 18


class Reverted(Exception):
    """A contract would refuse the call; the text is its reason."""


class SendRefused(Exception):
    """The node's own error to a transaction; the text is its message."""


def selector(signature: str) -> str:
    """0x and the first four bytes of a function's hash."""
    return "0x" + keccak(signature.encode())[:4].hex()


def word(value: int | str) -> str:
    """32 bytes of call data, without 0x: a number, or an address."""
    number = int(value, 16) if isinstance(value, str) else value
    return f"{number:064x}"


class Receipt(NamedTuple):
    """A mined transaction. `is_final`: nothing can undo its block any more."""

    is_success: bool
    block: int
    is_final: bool
    logs: list[dict[str, Any]]
    sender: str
    to: str


class Node:
    """The node of one configuration."""

    def __init__(self, client: PolymarketClient, config: PolymarketConfig) -> None:
        self._client = client
        self._config = config

    def require_chain(self) -> None:
        """Raise Unreadable unless the node is of our chain: signatures for another are worthless or dangerous."""
        found = self.number("eth_chainId", [])
        if found != self._config.chain_id:
            raise Unreadable(f"the node is of chain {found}, not {self._config.chain_id}")

    def number(self, method: str, params: list[Any]) -> int:
        return _number(self._result(method, params), name=method)

    def count(self, address: str, *, tag: str = "latest") -> int:
        """How many transactions of an address were mined ("latest"), or mined and waiting ("pending")."""
        return self.number("eth_getTransactionCount", [address, tag])

    def call(self, to: str, data: str) -> int:
        """The first word that a contract's view answers. Raises Reverted."""
        answer = self._answer("eth_call", [{"to": to, "data": data}, "latest"])
        if "error" in answer:
            raise Reverted(_message(answer["error"]))
        text = wire.text(answer.get("result"), name="result")
        if len(text) < 66:
            raise Unreadable("the contract answered with nothing")
        return _number(text[:66], name="word")

    def estimate(self, *, sender: str, to: str, data: str) -> int:
        """Gas that a call would use. Raises Reverted when it would fail."""
        answer = self._answer("eth_estimateGas", [{"from": sender, "to": to, "data": data, "value": "0x0"}])
        if "error" in answer:
            raise Reverted(_message(answer["error"]))
        return _number(answer.get("result"), name="gas")

    def send(self, raw: str) -> str:
        """Hand signed bytes to the node, once; its name for them. Raises SendRefused, NoAnswer, Unreadable."""
        answer = self._client.post_once(self._config.rpc_url, _question("eth_sendRawTransaction", [raw]))
        if answer.status != 200:
            raise Unreadable(f"HTTP {answer.status}")
        body = wire.mapping(wire.read_json(answer.body), name="answer")
        if "error" in body:
            raise SendRefused(_message(body["error"]))
        return wire.text(body.get("result"), name="result").lower()

    def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt of a mined transaction; None while there is none."""
        found = self._result("eth_getTransactionReceipt", [transaction_hash])
        if found is None:
            return None
        body = wire.mapping(found, name="receipt")
        block = _number(body.get("blockNumber"), name="blockNumber")
        status = _number(body.get("status"), name="status")
        final = wire.mapping(self._result("eth_getBlockByNumber", ["finalized", False]), name="block")
        return Receipt(
            is_success=status == 1,
            block=block,
            is_final=block <= _number(final.get("number"), name="number"),
            logs=[wire.mapping(row, name="log") for row in wire.array(body.get("logs"), name="logs")],
            sender=str(body.get("from") or ""),
            to=str(body.get("to") or ""),
        )

    def is_waiting(self, transaction_hash: str) -> bool:
        """Whether the node has the transaction and no block has it yet."""
        found = self._result("eth_getTransactionByHash", [transaction_hash])
        return found is not None and wire.mapping(found, name="transaction").get("blockNumber") is None

    def block_time(self, block: int) -> datetime:
        found = wire.mapping(self._result("eth_getBlockByNumber", [hex(block), False]), name="block")
        return datetime.fromtimestamp(_number(found.get("timestamp"), name="timestamp"), UTC)

    def _result(self, method: str, params: list[Any]) -> Any:
        answer = self._answer(method, params)
        if "error" in answer:
            raise Unreadable(f"{method}: {_message(answer['error'])}")
        return answer.get("result")

    def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        answer = self._client.post_read(self._config.rpc_url, _question(method, params))
        if answer.status != 200:
            raise Unreadable(f"the node answered HTTP {answer.status}")
        return wire.mapping(wire.read_json(answer.body), name="answer")


def _question(method: str, params: list[Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def _number(value: object, *, name: str) -> int:
    try:
        return int(wire.text(value, name=name), 16)
    except ValueError as error:
        raise Unreadable(f"{name} is not a number") from error


def _message(error: object) -> str:
    return str(error.get("message", "")) if isinstance(error, dict) else str(error)
