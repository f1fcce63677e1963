"""What the chain and its gateways would say: JSON-RPC views, the relayer's `/deployed`, the geoblock probe.

`getOrderStatus(bytes32)` speaks of mined fills only, as a contract does: an order that never reached the
chain reads (false, 0). Source of the view: the ABI of the CTF Exchange V2.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from venues.simulators.polymarket import config
from venues.simulators.polymarket.approvals import allowance_of, is_operator
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.state import State, checksummed
from venues.simulators.polymarket.wire import answer, state_of

REVERTED = {"code": 3, "message": "execution reverted"}
BATCH_MAX = 100
SHARE_LEDGERS = (config.CONDITIONAL_TOKENS.lower(), config.POSITION_MANAGER.lower())


def _selector(signature: str) -> str:
    return keccak(text=signature)[:4].hex()


GET_ORDER_STATUS = _selector("getOrderStatus(bytes32)")
EIP712_DOMAIN = _selector("eip712Domain()")
FACTORY_BEACON = "49493a4d"
BALANCE_OF = _selector("balanceOf(address)")
BALANCE_OF_TOKEN = _selector("balanceOf(address,uint256)")
ALLOWANCE = _selector("allowance(address,address)")
IS_APPROVED = _selector("isApprovedForAll(address,address)")

rpc_routes = web.RouteTableDef()
relayer_routes = web.RouteTableDef()
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


@relayer_routes.get("/deployed")
async def deployed(request: web.Request) -> web.Response:
    """Say whether a wallet exists on chain: here, whether it was ever funded or registered."""
    try:
        address = checksummed(request.query.get("address", ""))
    except ValueError as error:
        raise Refusal(400, "address is required") from error
    return answer({"deployed": address in state_of(request).accounts})


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
    except (KeyError, IndexError, ValueError, TypeError):
        return {**head, "error": REVERTED}


def _result(state: State, method: str, params: list[Any]) -> Any:
    now_ms = state.clock.now_ms()
    match method:
        case "eth_chainId":
            return hex(state.config.chain_id)
        case "eth_blockNumber":
            return hex(now_ms // 2000)
        case "eth_getBlockByNumber":
            return {"number": hex(now_ms // 2000), "timestamp": hex(now_ms // 1000)}
        case "eth_getCode":
            return "0x01" if str(params[0]).lower() in _code_addresses(state) else "0x"
        case "eth_call":
            target, data = str(params[0]["to"]).lower(), str(params[0]["data"]).removeprefix("0x")
            return "0x" + _view(state, target, data[:8], bytes.fromhex(data[8:])).hex()
    raise ValueError(f"unknown method {method}")


def _view(state: State, target: str, selector: str, arguments: bytes) -> bytes:
    settings = state.config
    exchanges = {address.lower(): "2" for address in settings.exchanges()}
    exchanges[settings.exchange_v3.lower()] = "3"
    if target in exchanges and selector == GET_ORDER_STATUS:
        return _order_status(state, arguments[:32], exchange=target)
    if target in exchanges and selector == EIP712_DOMAIN:
        return encode(
            ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"],
            [b"\x0f", "Polymarket CTF Exchange", exchanges[target], settings.chain_id, target, bytes(32), []],
        )
    if target == config.DEPOSIT_WALLET_FACTORY.lower() and selector == FACTORY_BEACON:
        return encode(["address"], [config.DEPOSIT_WALLET_BEACON])
    holder = state.accounts.get(checksummed("0x" + arguments[12:32].hex()))
    if target == config.COLLATERAL_TOKEN.lower() and selector == BALANCE_OF:
        return encode(["uint256"], [holder.pusd_e6 + holder.unseen_e6 if holder else 0])
    if target == config.COLLATERAL_TOKEN.lower() and selector == ALLOWANCE:
        spender = "0x" + arguments[44:64].hex()
        return encode(["uint256"], [allowance_of(holder, spender=spender) if holder else 0])
    if target in SHARE_LEDGERS and selector == IS_APPROVED:
        operator = "0x" + arguments[44:64].hex()
        return encode(
            ["bool"], [holder is not None and is_operator(holder, ledger=target, operator=operator)]
        )
    if target in SHARE_LEDGERS and selector == BALANCE_OF_TOKEN:
        token_id = str(int.from_bytes(arguments[32:64], "big"))
        held = holder.positions.get(token_id) if holder and _is_on(state, token_id, ledger=target) else None
        return encode(["uint256"], [held.size_e6 if held else 0])
    raise ValueError(f"{target} has no view {selector}")


def _order_status(state: State, order_hash: bytes, *, exchange: str) -> bytes:
    order = state.orders.get("0x" + order_hash.hex())
    if order is None or not order.mined_making:
        return encode(["bool", "uint256"], [False, 0])
    market = state.markets[order.condition_id]
    if state.config.exchange(neg_risk=market.neg_risk, protocol=market.version).lower() != exchange:
        return encode(["bool", "uint256"], [False, 0])
    remaining = max(order.maker_amount - order.mined_making, 0)
    return encode(["bool", "uint256"], [remaining == 0, remaining])


def _is_on(state: State, token_id: str, *, ledger: str) -> bool:
    market = state.market_by_token.get(token_id)
    return market is not None and config.share_ledger(market.version).lower() == ledger


def _code_addresses(state: State) -> set[str]:
    return {
        *(address.lower() for address in state.config.exchanges()),
        config.COLLATERAL_TOKEN.lower(),
        *SHARE_LEDGERS,
        config.DEPOSIT_WALLET_FACTORY.lower(),
    }
