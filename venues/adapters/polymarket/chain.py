"""What the exchange contracts themselves say of an order: the last word on whether it ever traded.

`getOrderStatus(bytes32)` answers (filled, remaining); an order that never traded is (false, 0), because the
contract writes `remaining` at the first fill. Asked by JSON-RPC, of every exchange an order of ours can name;
an address without a contract cannot have matched anything.
"""

from __future__ import annotations

import json
import re

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from venues.adapters.polymarket import wire
from venues.adapters.polymarket.client import NoAnswer, PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.exchanges import DomainFinding, ExchangeDomain

_EIP712_DOMAIN = "0x" + keccak(b"eip712Domain()")[:4].hex()
_DOMAIN_TYPES = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
_SELECTOR = "0x" + keccak(b"getOrderStatus(bytes32)")[:4].hex()
_TWO_WORDS = re.compile(r"0x[0-9a-fA-F]{128}")
_ORDER_ID = re.compile(r"0x[0-9a-f]{64}")


def is_untouched(client: PolymarketClient, config: PolymarketConfig, *, order_id: str) -> bool | None:
    """True when no exchange ever matched the order, False when one did, None when not all answered."""
    if not _ORDER_ID.fullmatch(order_id.lower()):
        return None
    try:
        if _call(client, config, "eth_chainId", []) != hex(config.chain_id):
            return None
        words = [
            _order_status(client, config, exchange=exchange, order_id=order_id)
            for exchange in sorted({domain.contract for domain in config.domains})
            if _call(client, config, "eth_getCode", [exchange, "latest"]) != "0x"
        ]
    except (NoAnswer, Unreadable):
        return None
    if any(int(word, 16) for word in words if word):
        return False
    return True if words and all(words) else None


def check_domain(client: PolymarketClient, config: PolymarketConfig, domain: ExchangeDomain) -> DomainFinding:
    """Compare a row with what its contract says of itself (`eip712Domain()`, ERC-5267)."""
    try:
        if _call(client, config, "eth_chainId", []) != hex(config.chain_id):
            return DomainFinding(domain, None, f"the node is not of chain {config.chain_id}")
        if _call(client, config, "eth_getCode", [domain.contract, "latest"]) == "0x":
            return DomainFinding(domain, False, f"there is no contract at {domain.contract}")
        answer = _call(
            client, config, "eth_call", [{"to": domain.contract, "data": _EIP712_DOMAIN}, "latest"]
        )
    except (NoAnswer, Unreadable) as error:
        return DomainFinding(domain, None, f"{domain.contract} could not be asked: {error}")
    try:
        said = decode(_DOMAIN_TYPES, bytes.fromhex(answer.removeprefix("0x")))
    except (DecodingError, ValueError):
        return DomainFinding(domain, False, f"{domain.contract} does not say what its signing domain is")
    name, version, chain_id, contract = said[1:5]
    found = (name, version, chain_id, contract.lower())
    if found == (domain.name, domain.version, config.chain_id, domain.contract.lower()):
        return DomainFinding(
            domain, True, f"{domain.contract} is {name} version {version} on chain {chain_id}"
        )
    return DomainFinding(
        domain,
        False,
        f"{domain.contract} says it is {name!r} version {version!r} at {contract} on chain {chain_id}; "
        f"the row says {domain.name!r} version {domain.version!r}",
    )


def _order_status(
    client: PolymarketClient, config: PolymarketConfig, *, exchange: str, order_id: str
) -> str | None:
    """The two words of the contract's answer; None from an address without such a contract."""
    data = _SELECTOR + order_id.lower().removeprefix("0x")
    answer = _call(client, config, "eth_call", [{"to": exchange, "data": data}, "latest"])
    return answer if _TWO_WORDS.fullmatch(answer) else None


def _call(client: PolymarketClient, config: PolymarketConfig, method: str, params: list[object]) -> str:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = client.post_read(config.rpc_url, json.dumps(question).encode())
    if answer.status != 200:
        raise Unreadable(f"the node answered HTTP {answer.status}")
    return wire.text(wire.mapping(wire.read_json(answer.body), name="answer").get("result"), name="result")
