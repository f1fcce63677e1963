"""What the JSON-RPC views, the relayer and the geoblock probe say."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from tests.venues.simulators.polymarket.rig import ALICE, BOB, USDC, Caller, Exchange
from venues.simulators.polymarket.config import COLLATERAL_TOKEN, NEG_RISK_EXCHANGE, STANDARD_EXCHANGE

STATUS = keccak(text="getOrderStatus(bytes32)")[:4].hex()


def _rpc(exchange: Exchange, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
    status, answer = exchange.call("POST", "/rpc", body)
    assert (status, answer["id"]) == (200, 7)
    return answer.get("result", answer.get("error"))


def _status(exchange: Exchange, order_id: str, *, contract: str = STANDARD_EXCHANGE) -> tuple[bool, int]:
    data = f"0x{STATUS}{order_id[2:]}"
    raw = _rpc(exchange, "eth_call", {"to": contract, "data": data}, "latest")
    is_filled, remaining = decode(["bool", "uint256"], bytes.fromhex(raw[2:]))
    return is_filled, remaining


def test_the_chain_is_the_practice_chain(exchange):
    assert _rpc(exchange, "eth_chainId") == hex(31337)


def test_the_order_status_is_untouched_until_a_fill_is_mined(exchange):
    exchange.admin("/settlement", mined_seconds=60)
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.03", "60"]])
    caller = Caller(exchange)
    order_id = caller.post(caller.order())[1]["orderID"]
    assert _status(exchange, order_id) == (False, 0)
    exchange.admin("/settlement/run")
    assert _status(exchange, order_id) == (False, 3_000_000 - 1_800_000)
    assert _status(exchange, order_id, contract=NEG_RISK_EXCHANGE) == (False, 0)
    assert _status(exchange, "0x" + "ab" * 32) == (False, 0)


def test_a_wholly_mined_order_reads_filled(exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.03", "600"]])
    caller = Caller(exchange)
    order_id = caller.post(caller.order())[1]["orderID"]
    exchange.admin("/settlement/run")
    assert _status(exchange, order_id) == (True, 0)


def test_the_exchange_says_its_own_domain(exchange):
    data = "0x" + keccak(text="eip712Domain()")[:4].hex()
    raw = _rpc(exchange, "eth_call", {"to": NEG_RISK_EXCHANGE, "data": data}, "latest")
    kinds = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
    _, name, version, chain_id, contract, _, _ = decode(kinds, bytes.fromhex(raw[2:]))
    assert (name, version, chain_id) == ("Polymarket CTF Exchange", "2", 31337)
    assert contract == NEG_RISK_EXCHANGE


def test_balances_are_those_of_the_chain_not_of_the_exchanges_cache(exchange):
    exchange.admin("/fund", address=ALICE, pusd="7", seen=False)
    data = "0x" + keccak(text="balanceOf(address)")[:4].hex() + ALICE[2:].lower().rjust(64, "0")
    raw = _rpc(exchange, "eth_call", {"to": COLLATERAL_TOKEN, "data": data}, "latest")
    assert int(raw, 16) == 7_000_000


@pytest.mark.parametrize(
    ("method", "params"),
    [("eth_getLogs", ["0x"]), ("eth_call", [{"to": STANDARD_EXCHANGE, "data": "0xdeadbeef"}])],
)
def test_anything_else_reverts(exchange, method, params):
    assert _rpc(exchange, method, *params)["message"] == "execution reverted"


def test_a_wallet_is_deployed_once_it_was_funded(exchange):
    assert exchange.get(f"/relayer/deployed?address={BOB}&type=WALLET") == {"deployed": False}
    exchange.admin("/fund", address=BOB, pusd="0")
    assert exchange.get(f"/relayer/deployed?address={BOB}&type=WALLET") == {"deployed": True}


def test_the_geoblock_probe_can_be_moved(exchange):
    assert exchange.get("/geo/api/geoblock")["blocked"] is False
    exchange.admin("/geoblock", blocked=True, country="US")
    probe = exchange.get("/geo/api/geoblock")
    assert (probe["blocked"], probe["country"]) == (True, "US")
