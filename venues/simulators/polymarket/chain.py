"""What the chain's node and the geoblock probe say: JSON-RPC views, transactions and their receipts.

Every question is a JSON-RPC call in a POST; a transaction is verified, taken into the pool, and mined later.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.chain_views import code_addresses, view
from venues.simulators.polymarket.contracts import Reverted, calls_try
from venues.simulators.polymarket.pool import (
    BLOCK_MS,
    GAS_PRICE_WEI,
    GAS_USED,
    NodeRefused,
    block_of,
    finalized_block,
    receipt_of,
    transaction_take,
)
from venues.simulators.polymarket.state import State, checksummed
from venues.simulators.polymarket.transactions import WAITING, Transaction, Undecodable
from venues.simulators.polymarket.transactions import decode as decode_transaction
from venues.simulators.polymarket.wire import answer, state_of

REVERTED = {"code": 3, "message": "execution reverted"}
BATCH_MAX = 100

rpc_routes = web.RouteTableDef()
geo_routes = web.RouteTableDef()


@rpc_routes.post("/rpc")
@rpc_routes.post("/rpc/")
async def rpc(request: web.Request) -> web.Response:
    """Answer one JSON-RPC call or a batch of them."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return answer({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}})
    state = state_of(request)
    if isinstance(body, list):
        return answer([_call(state, row) for row in body[:BATCH_MAX]])
    return answer(_call(state, body))


@geo_routes.get("/api/geoblock")
async def geoblock(request: web.Request) -> web.Response:
    """Say where the caller seems to be; the rehearsal may change it."""
    place = {"blocked": False, "ip": "127.0.0.1", "country": "IE", "region": "L"}
    return answer({**place, **state_of(request).settings.get("geoblock", {})})


def _call(state: State, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}}
    head = {"jsonrpc": "2.0", "id": body.get("id")}
    try:
        return {**head, "result": _result(state, str(body.get("method")), body.get("params") or [])}
    except (NodeRefused, Undecodable) as no:
        return {**head, "error": {"code": -32000, "message": str(no)}}
    except Reverted as no:
        return {**head, "error": {"code": 3, "message": f"execution reverted: {no}"}}
    except (KeyError, IndexError, ValueError, TypeError):
        return {**head, "error": REVERTED}


def _result(state: State, method: str, params: list[Any]) -> Any:
    now_ms = state.clock.now_ms()
    match method:
        case "eth_chainId":
            return hex(state.config.chain_id)
        case "eth_blockNumber":
            return hex(block_of(now_ms))
        case "eth_getBlockByNumber":
            return _block(state, str(params[0]), now_ms=now_ms)
        case "eth_gasPrice" | "eth_maxPriorityFeePerGas":
            return hex(GAS_PRICE_WEI)
        case "eth_getBalance":
            return hex(state.account(checksummed(str(params[0]))).pol_wei)
        case "eth_getTransactionCount":
            return hex(_count(state, checksummed(str(params[0])), tag=str((params[1:] or ["latest"])[0])))
        case "eth_estimateGas":
            return _estimate(state, params[0])
        case "eth_sendRawTransaction":
            taken = transaction_take(state, decode_transaction(str(params[0])), now_ms=now_ms)
            state.store.commit()
            return taken
        case "eth_getTransactionReceipt" | "eth_getTransactionByHash":
            return _found(state, method, str(params[0]).lower())
        case "eth_getCode":
            return "0x01" if str(params[0]).lower() in code_addresses(state) else "0x"
        case "eth_call":
            target, data = str(params[0]["to"]).lower(), str(params[0]["data"]).removeprefix("0x")
            return "0x" + view(state, target, data[:8], bytes.fromhex(data[8:])).hex()
    raise ValueError(f"unknown method {method}")


def _found(state: State, method: str, name: str) -> dict[str, Any] | None:
    """A transaction or its receipt; one that was dropped or replaced is as if it had never been."""
    found = state.transactions.get(name)
    if found is None:
        return None
    if method == "eth_getTransactionReceipt":
        return receipt_of(found) if found.is_mined else None
    return _shown(found) if found.is_mined or found.status == WAITING else None


def _block(state: State, tag: str, *, now_ms: int) -> dict[str, str]:
    number = block_of(now_ms)
    if tag in ("finalized", "safe"):
        number = finalized_block(state, now_ms=now_ms)
    elif tag.startswith("0x"):
        number = int(tag, 16)
    is_newest = number == block_of(now_ms)
    return {
        "number": hex(number),
        "timestamp": hex(now_ms // 1000 if is_newest else number * BLOCK_MS // 1000),
    }


def _count(state: State, address: str, *, tag: str) -> int:
    mined = state.account(address).nonce
    if tag != "pending":
        return mined
    waiting = {row.nonce for row in state.pool.values() if row.sender == address}
    while mined in waiting:
        mined += 1
    return mined


def _estimate(state: State, call: dict[str, Any]) -> str:
    account = state.account(checksummed(str(call["from"])))
    calls_try(state, account, [[checksummed(str(call["to"])), str(call["data"])]])
    return hex(GAS_USED)


def _shown(found: Transaction) -> dict[str, Any]:
    return {
        "hash": found.hash,
        "nonce": hex(found.nonce),
        "from": found.sender.lower(),
        "blockNumber": hex(block_of(found.mined_at)) if found.is_mined else None,
    }
