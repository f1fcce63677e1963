"""How a market ends: an answer is proposed, perhaps disputed; then a payout per share is fixed, and holders redeem."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from venues.simulators.polymarket import config
from venues.simulators.polymarket.cancels import order_withdraw
from venues.simulators.polymarket.contracts import REDEEM_POSITIONS, calls_execute
from venues.simulators.polymarket.pool import GAS_PRICE_WEI
from venues.simulators.polymarket.records import CANCELED_RESOLVED, Account, Market
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.transactions import MINED, OF_VENUE, Transaction
from venues.simulators.polymarket.units import UNIT_E6

PAYOUTS_E6 = {"YES": (UNIT_E6, 0), "NO": (0, UNIT_E6), "50-50": (UNIT_E6 // 2, UNIT_E6 // 2)}
STAGES = ("", "proposed", "disputed")


def market_resolve(state: State, market: Market, *, payout: str, now_ms: int) -> None:
    """Close a market with a payout of YES, NO or 50-50; ValueError for any other, or when it is closed."""
    if payout not in PAYOUTS_E6:
        raise ValueError(f"payout must be one of {', '.join(PAYOUTS_E6)}")
    if market.closed:
        raise ValueError(f"{market.slug} is resolved already")
    for order in list(state.books[market.condition_id].orders()):
        order_withdraw(state, order, status=CANCELED_RESOLVED)
    market.payout_e6 = list(PAYOUTS_E6[payout])
    market.closed, market.accepting_orders, market.closed_at = True, False, now_ms
    state.save(market)


def market_stage(state: State, market: Market, *, stage: str) -> None:
    """Say how far the answer of an open market is: proposed, disputed, or nothing."""
    if stage not in STAGES:
        raise ValueError("stage must be proposed, disputed or empty")
    stages = {**state.settings.get("stages", {}), market.condition_id: stage}
    state.settings["stages"] = {key: value for key, value in stages.items() if value}
    state.save_settings()


def stage_of(state: State, market: Market) -> str:
    """Return how far a market's answer is, in the venue's words."""
    if market.payout_e6:
        return "resolved"
    return str(state.settings.get("stages", {}).get(market.condition_id, ""))


def payout_told(state: State, market: Market, *, source: str) -> list[int]:
    """Return the payout that gamma, clob or data tell, which a rehearsal may make differ; empty while it is open."""
    word = state.settings.get("contradictions", {}).get(f"{source}:{market.condition_id}", "")
    if not word:
        return market.payout_e6
    return list(PAYOUTS_E6.get(word, ()))


def shares_redeem(state: State, market: Market, *, address: str, now_ms: int) -> int:
    """Pay a wallet its mined shares of a resolved market, as the venue's own redeemer; return millionths of pUSD."""
    if not market.payout_e6:
        raise ValueError(f"{market.slug} is not resolved")
    account = state.accounts.get(address)
    if account is None or not any(account.positions.get(token) for token in market.token_ids):
        return 0
    before = account.pusd_e6
    calls = _calls(account, market)
    logs = calls_execute(state, account, calls, operator=config.AUTO_REDEEMER) if calls else []
    number = state.next_sequence()
    sent = Transaction(
        hash="0x" + keccak(text=f"redeemed:{market.condition_id}:{address}:{number}").hex(),
        kind=OF_VENUE,
        sender=config.AUTO_REDEEMER,
        wallet=address,
        nonce=0,
        calls=calls,
        gas=0,
        gas_price=GAS_PRICE_WEI,
        submitted_at=now_ms,
        due_at=now_ms,
        sequence=number,
        status=MINED,
        mined_at=now_ms,
        logs=logs,
    )
    state.index_transaction(sent)
    state.save(sent)
    return account.pusd_e6 - before


def _calls(account: Account, market: Market) -> list[list[str]]:
    """The redeemer's calls: through the adapter, or the router for each side of a Protocol V2 market."""
    if market.version == config.CTF_PROTOCOL:
        target = config.NEG_RISK_COLLATERAL_ADAPTER if market.neg_risk else config.COLLATERAL_ADAPTER
        condition = bytes.fromhex(market.condition_id[2:])
        arguments = encode(
            ["address", "bytes32", "bytes32", "uint256[]"],
            [config.COLLATERAL_TOKEN, bytes(32), condition, [1, 2]],
        )
        return [[target, f"0x{REDEEM_POSITIONS}{arguments.hex()}"]]
    return [
        router_redeem(market, index=index, size_e6=held.size_e6)
        for index, token in enumerate(market.token_ids)
        if (held := account.positions.get(token)) is not None and held.size_e6
    ]


def router_redeem(market: Market, *, index: int, size_e6: int) -> list[str]:
    """Return one call of the router that redeems one side."""
    condition = bytes.fromhex(market.condition_id[2:64])
    arguments = encode(["bytes31", "uint256", "uint256"], [condition, index, size_e6])
    return [config.ROUTER, f"0x{keccak(text='redeem(bytes31,uint256,uint256)')[:4].hex()}{arguments.hex()}"]
