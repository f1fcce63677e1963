"""What the venue's contracts do when a wallet calls them: approvals, wrapping, redemption. Transfers are refused.

Conditional tokens are keyed to bridged USDC, so redeeming them directly with pUSD is mined and moves nothing: only the
collateral adapters pay. Sources: docs.polymarket.com/resources/contracts, /concepts/pusd, and the conditional tokens'
`redeemPositions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from venues.simulators.polymarket import config
from venues.simulators.polymarket.approvals import (
    UNLIMITED,
    allowance_set,
    is_operator,
    operator_set,
)
from venues.simulators.polymarket.ledger import account_fund, shares_redeem, shares_reserved
from venues.simulators.polymarket.records import Account, Market
from venues.simulators.polymarket.state import State, checksummed

Log = dict[str, Any]


class Reverted(Exception):
    """The contract said no; nothing moved."""


def selector(signature: str) -> str:
    """Return the first four bytes of a function's hash, without 0x."""
    return keccak(text=signature)[:4].hex()


APPROVE = selector("approve(address,uint256)")
SET_APPROVAL_FOR_ALL = selector("setApprovalForAll(address,bool)")
REDEEM_POSITIONS = selector("redeemPositions(address,bytes32,bytes32,uint256[])")
ROUTER_REDEEM = selector("redeem(bytes31,uint256,uint256)")
WRAP = selector("wrap(address,address,uint256)")
TRANSFERS = {
    selector(signature)
    for signature in (
        "transfer(address,uint256)",
        "transferFrom(address,address,uint256)",
        "safeTransferFrom(address,address,uint256,uint256,bytes)",
        "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
    )
}
TRANSFER_TOPIC = "0x" + keccak(text="Transfer(address,address,uint256)").hex()
TRANSFER_SINGLE_TOPIC = "0x" + keccak(text="TransferSingle(address,address,address,uint256,uint256)").hex()
APPROVAL_TOPIC = "0x" + keccak(text="Approval(address,address,uint256)").hex()
APPROVAL_FOR_ALL_TOPIC = "0x" + keccak(text="ApprovalForAll(address,address,bool)").hex()
ZERO = "0x" + "00" * 20
ERC20 = {
    config.COLLATERAL_TOKEN.lower(): "pusd_e6",
    config.USDC_BRIDGED.lower(): "usdce_e6",
    config.USDC_NATIVE.lower(): "usdc_e6",
}
SHARE_LEDGERS = (config.CONDITIONAL_TOKENS.lower(), config.POSITION_MANAGER.lower())


def is_transfer(data: str) -> bool:
    """Whether calldata would send assets to somebody else."""
    return data.removeprefix("0x")[:8] in TRANSFERS


def calls_execute(
    state: State, account: Account, calls: Sequence[Sequence[str]], *, operator: str = ""
) -> list[Log]:
    """Run calls of a wallet in order, all or none; return their logs. Raises Reverted.

    `operator` is set when the venue's own redeemer calls for the wallet.
    """
    before, settings = deepcopy(account), dict(state.settings)
    logs: list[Log] = []
    try:
        for target, data in calls:
            logs += _call(state, account, target.lower(), data.removeprefix("0x"), operator=operator)
    except Reverted:
        for name in Account.__dataclass_fields__:
            setattr(account, name, getattr(before, name))
        state.settings.clear()
        state.settings.update(settings)
        state.save(account)
        state.save_settings()
        raise
    return [{**log, "logIndex": hex(number)} for number, log in enumerate(logs)]


def calls_try(state: State, account: Account, calls: Sequence[Sequence[str]]) -> None:
    """See whether calls would succeed, without a trace. Raises Reverted."""
    before, settings = deepcopy(account), dict(state.settings)
    try:
        calls_execute(state, account, calls)
    finally:
        for name in Account.__dataclass_fields__:
            setattr(account, name, getattr(before, name))
        state.settings.clear()
        state.settings.update(settings)
        if account.address in state.accounts:
            state.save(account)
        state.save_settings()


def allowance_key(token: str, spender: str) -> str:
    """Return under which name an account keeps an allowance: pUSD by spender, other tokens by both."""
    is_pusd = token.lower() == config.COLLATERAL_TOKEN.lower()
    return spender.lower() if is_pusd else f"{token}:{spender}".lower()


def _call(state: State, account: Account, target: str, data: str, *, operator: str) -> list[Log]:
    name, arguments = data[:8], bytes.fromhex(data[8:])
    if target in ERC20 and name == APPROVE:
        return _approve(state, account, target, arguments)
    if target in SHARE_LEDGERS and name == SET_APPROVAL_FOR_ALL:
        return _set_operator(state, account, target, arguments)
    if target == config.ONRAMP.lower() and name == WRAP:
        return _wrap(state, account, arguments)
    if target == config.ROUTER.lower() and name == ROUTER_REDEEM:
        return _router_redeem(state, account, arguments)
    if name == REDEEM_POSITIONS:
        return _redeem_positions(state, account, target, arguments, operator=operator)
    raise Reverted("no such function")


def _arguments(types: list[str], data: bytes) -> tuple[Any, ...]:
    try:
        return tuple(decode(types, data))
    except Exception as error:
        raise Reverted("invalid calldata") from error


def _approve(state: State, account: Account, token: str, data: bytes) -> list[Log]:
    spender, amount = _arguments(["address", "uint256"], data)
    allowance_set(account, spender=allowance_key(token, spender), amount=amount)
    state.save(account)
    return [
        _log(token, [APPROVAL_TOPIC, _topic(account.address), _topic(spender)], encode(["uint256"], [amount]))
    ]


def _set_operator(state: State, account: Account, ledger: str, data: bytes) -> list[Log]:
    operator, is_approved = _arguments(["address", "bool"], data)
    operator_set(account, ledger=ledger, operator=operator, is_approved=is_approved)
    state.save(account)
    topics = [APPROVAL_FOR_ALL_TOPIC, _topic(account.address), _topic(operator)]
    return [_log(ledger, topics, encode(["bool"], [is_approved]))]


def _wrap(state: State, account: Account, data: bytes) -> list[Log]:
    asset, to, amount = _arguments(["address", "address", "uint256"], data)
    if asset.lower() != config.USDC_BRIDGED.lower():
        raise Reverted("InvalidAsset()")
    allowed = int(account.allowances.get(allowance_key(asset, config.ONRAMP), 0))
    if allowed < amount:
        raise Reverted("ERC20: transfer amount exceeds allowance")
    if account.usdce_e6 < amount or amount <= 0:
        raise Reverted("ERC20: transfer amount exceeds balance")
    account.usdce_e6 -= amount
    if allowed < UNLIMITED:
        allowance_set(account, spender=allowance_key(asset, config.ONRAMP), amount=allowed - amount)
    receiver = account if checksummed(to) == account.address else state.account_open(checksummed(to))
    account_fund(state, receiver, pusd_e6=amount, is_seen=False)
    state.save(account)
    return [
        _transfer(asset, account.address, config.ONRAMP, amount),
        _transfer(config.COLLATERAL_TOKEN, ZERO, to, amount),
    ]


def _redeem_positions(
    state: State, account: Account, target: str, data: bytes, *, operator: str
) -> list[Log]:
    collateral, _, condition, _ = _arguments(["address", "bytes32", "bytes32", "uint256[]"], data)
    market = state.markets.get("0x" + condition.hex())
    adapters = {
        config.COLLATERAL_ADAPTER.lower(): False,
        config.NEG_RISK_COLLATERAL_ADAPTER.lower(): True,
        config.CONDITIONAL_TOKENS.lower(): False,
    }
    if target not in adapters or market is None or market.version != config.CTF_PROTOCOL:
        raise Reverted("no such condition")
    if not market.payout_e6:
        raise Reverted("result for condition not received yet")
    if target == config.CONDITIONAL_TOKENS.lower():
        if collateral.lower() != config.COLLATERAL_TOKEN.lower():
            raise Reverted("only the collateral adapters redeem here")
        # Positions keyed to pUSD do not exist: mined, and worth nothing.
        return []
    if adapters[target] is not market.neg_risk:
        raise Reverted("wrong adapter for this condition")
    if not is_operator(account, ledger=config.CONDITIONAL_TOKENS, operator=operator or target):
        raise Reverted("ERC1155: need operator approval for 3rd party transfers.")
    logs: list[Log] = []
    for token_id in market.token_ids:
        held = account.positions.get(token_id)
        reserved = shares_reserved(state, account.address, token_id=token_id)
        size_e6 = held.size_e6 - reserved if held else 0
        if size_e6 > 0:
            logs += _redeem_token(state, account, market, token_id=token_id, size_e6=size_e6, caller=target)
    return logs


def _router_redeem(state: State, account: Account, data: bytes) -> list[Log]:
    condition, index, amount = _arguments(["bytes31", "uint256", "uint256"], data)
    market = next(
        (
            row
            for row in state.markets.values()
            if row.version == config.POSITION_PROTOCOL and row.condition_id[2:64] == condition.hex()
        ),
        None,
    )
    if market is None or index > 1:
        raise Reverted("no such condition")
    if not market.payout_e6:
        raise Reverted("condition not resolved")
    if not is_operator(account, ledger=config.POSITION_MANAGER, operator=config.ROUTER):
        raise Reverted("NotApproved()")
    token_id = market.token_ids[index]
    held = account.positions.get(token_id)
    if (
        held is None
        or held.size_e6 - shares_reserved(state, account.address, token_id=token_id) < amount
        or not amount
    ):
        raise Reverted("insufficient balance")
    return _redeem_token(state, account, market, token_id=token_id, size_e6=amount, caller=config.ROUTER)


def _redeem_token(
    state: State, account: Account, market: Market, *, token_id: str, size_e6: int, caller: str
) -> list[Log]:
    value = shares_redeem(state, account, market, token_id=token_id, size_e6=size_e6)
    ledger = config.share_ledger(market.version)
    topics = [TRANSFER_SINGLE_TOPIC, _topic(caller), _topic(account.address), _topic(caller)]
    moved = _log(ledger, topics, encode(["uint256", "uint256"], [int(token_id), size_e6]))
    return [moved, _transfer(config.COLLATERAL_TOKEN, caller, account.address, value)] if value else [moved]


def _transfer(token: str, source: str, to: str, amount: int) -> Log:
    return _log(token, [TRANSFER_TOPIC, _topic(source), _topic(to)], encode(["uint256"], [amount]))


def _topic(address: str) -> str:
    return "0x" + address.lower().removeprefix("0x").rjust(64, "0")


def _log(address: str, topics: list[str], data: bytes) -> Log:
    return {"address": address.lower(), "topics": topics, "data": "0x" + data.hex()}
