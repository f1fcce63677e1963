"""What contracts answer when they are only asked: balances, allowances, payouts, what is left of an order.

`getOrderStatus(bytes32)` speaks of mined fills only, as a contract does: an order that never reached the
chain reads (false, 0). Source of the view: the ABI of the CTF Exchange V2.
"""

from __future__ import annotations

from eth_abi.abi import decode, encode

from venues.simulators.polymarket import config
from venues.simulators.polymarket.approvals import allowance_of, is_operator
from venues.simulators.polymarket.contracts import ERC20, SHARE_LEDGERS, allowance_key, selector
from venues.simulators.polymarket.records import Account
from venues.simulators.polymarket.state import State, checksummed

GET_ORDER_STATUS = selector("getOrderStatus(bytes32)")
EIP712_DOMAIN = selector("eip712Domain()")
FACTORY_BEACON = "49493a4d"
BALANCE_OF = selector("balanceOf(address)")
BALANCE_OF_TOKEN = selector("balanceOf(address,uint256)")
BALANCE_OF_BATCH = selector("balanceOfBatch(address[],uint256[])")
ALLOWANCE = selector("allowance(address,address)")
IS_APPROVED = selector("isApprovedForAll(address,address)")
PAYOUT_DENOMINATOR = selector("payoutDenominator(bytes32)")
PAYOUT_NUMERATORS = selector("payoutNumerators(bytes32,uint256)")


def view(state: State, target: str, name: str, arguments: bytes) -> bytes:
    settings = state.config
    exchanges = {address.lower(): "2" for address in settings.exchanges()}
    exchanges[settings.exchange_v3.lower()] = "3"
    if target in exchanges and name == GET_ORDER_STATUS:
        return _order_status(state, arguments[:32], exchange=target)
    if target in exchanges and name == EIP712_DOMAIN:
        return encode(
            ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"],
            [b"\x0f", "Polymarket CTF Exchange", exchanges[target], settings.chain_id, target, bytes(32), []],
        )
    if target == config.DEPOSIT_WALLET_FACTORY.lower() and name == FACTORY_BEACON:
        return encode(["address"], [config.DEPOSIT_WALLET_BEACON])
    if target in SHARE_LEDGERS and name == BALANCE_OF_BATCH:
        owners, tokens = decode(["address[]", "uint256[]"], arguments)
        return encode(
            ["uint256[]"],
            [
                [
                    _shares(state, checksummed(owner), str(token), ledger=target)
                    for owner, token in zip(owners, tokens, strict=True)
                ]
            ],
        )
    if target in SHARE_LEDGERS and name in (PAYOUT_DENOMINATOR, PAYOUT_NUMERATORS):
        return _payout(state, arguments)
    holder = state.accounts.get(checksummed("0x" + arguments[12:32].hex()))
    if target in ERC20 and name == BALANCE_OF:
        return encode(["uint256"], [_tokens(holder, target)])
    if target in ERC20 and name == ALLOWANCE:
        return encode(["uint256"], [_allowance(holder, target, spender="0x" + arguments[44:64].hex())])
    if target in SHARE_LEDGERS and name == IS_APPROVED:
        operator = "0x" + arguments[44:64].hex()
        return encode(
            ["bool"], [holder is not None and is_operator(holder, ledger=target, operator=operator)]
        )
    if target in SHARE_LEDGERS and name == BALANCE_OF_TOKEN:
        token_id = str(int.from_bytes(arguments[32:64], "big"))
        owner = checksummed("0x" + arguments[12:32].hex())
        return encode(["uint256"], [_shares(state, owner, token_id, ledger=target)])
    raise ValueError(f"{target} has no view {name}")


def _shares(state: State, owner: str, token_id: str, *, ledger: str) -> int:
    holder = state.accounts.get(owner)
    held = holder.positions.get(token_id) if holder and _is_on(state, token_id, ledger=ledger) else None
    return held.size_e6 if held else 0


def _tokens(holder: Account | None, token: str) -> int:
    if holder is None:
        return 0
    unseen = holder.unseen_e6 if ERC20[token] == "pusd_e6" else 0
    return int(getattr(holder, ERC20[token])) + unseen


def _allowance(holder: Account | None, token: str, *, spender: str) -> int:
    if holder is None:
        return 0
    if token == config.COLLATERAL_TOKEN.lower():
        return allowance_of(holder, spender=spender)
    return int(holder.allowances.get(allowance_key(token, spender), 0))


def _payout(state: State, arguments: bytes) -> bytes:
    market = state.markets.get("0x" + arguments[:32].hex())
    payouts = market.payout_e6 if market else []
    if len(arguments) == 32:
        return encode(["uint256"], [sum(payouts)])
    return encode(["uint256"], [payouts[int.from_bytes(arguments[32:64], "big")] if payouts else 0])


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


def code_addresses(state: State) -> set[str]:
    return {
        *(address.lower() for address in state.config.exchanges()),
        *ERC20,
        *SHARE_LEDGERS,
        config.COLLATERAL_ADAPTER.lower(),
        config.NEG_RISK_COLLATERAL_ADAPTER.lower(),
        config.ROUTER.lower(),
        config.ONRAMP.lower(),
        config.DEPOSIT_WALLET_FACTORY.lower(),
    }
