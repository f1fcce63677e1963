"""Who may take what from a wallet: pUSD allowances by spender, share operators by ledger.

A wallet opens approved for everything; what a rehearsal or a transaction changes is kept by name. Source of the
pairs: docs.polymarket.com/resources/contracts and /migrate/polymarket-v2/api-integrations.
"""

from __future__ import annotations

from venues.simulators.polymarket.config import (
    CONDITIONAL_TOKENS,
    NEG_RISK_ADAPTER,
    POSITION_MANAGER,
    Config,
    share_ledger,
)
from venues.simulators.polymarket.records import BUY, Account, Market
from venues.simulators.polymarket.refusals import short_allowance

UNLIMITED = (1 << 256) - 1


def allowance_of(account: Account, *, spender: str) -> int:
    """Return how many millionths of pUSD a spender may take."""
    kept = account.allowances.get(spender.lower())
    if kept is not None:
        return int(kept)
    return UNLIMITED if account.approved else 0


def allowance_set(account: Account, *, spender: str, amount: int) -> None:
    """Let a spender take so much pUSD; the caller saves the account."""
    account.allowances[spender.lower()] = str(amount)


def is_operator(account: Account, *, ledger: str, operator: str) -> bool:
    """Whether a contract may move a wallet's shares on one ledger."""
    return account.operators.get(_pair(ledger, operator), account.approved)


def operator_set(account: Account, *, ledger: str, operator: str, is_approved: bool) -> None:
    """Let a contract move a wallet's shares on one ledger, or stop it; the caller saves the account."""
    account.operators[_pair(ledger, operator)] = is_approved


def require_approval(account: Account, market: Market, *, config: Config, side: str, amount_e6: int) -> None:
    """Refuse an order whose exchange may not take what it sells: pUSD for a BUY, shares for a SELL.

    A neg-risk BUY also needs the legacy adapter, which the venue still looks at.
    """
    exchange = config.exchange(neg_risk=market.neg_risk, protocol=market.version)
    if side != BUY:
        if not is_operator(account, ledger=share_ledger(market.version), operator=exchange):
            raise short_allowance(spender=exchange, allowance=0)
        return
    needs_adapter = market.neg_risk and exchange == config.neg_risk_exchange
    for spender in (exchange, NEG_RISK_ADAPTER) if needs_adapter else (exchange,):
        allowed = allowance_of(account, spender=spender)
        if allowed < amount_e6:
            raise short_allowance(spender=spender, allowance=allowed)


def allowances_shown(account: Account, *, asset_type: str, config: Config) -> dict[str, str]:
    """Return what `/balance-allowance` prints by spender: an amount for pUSD, all or nothing for shares."""
    if asset_type == "COLLATERAL":
        spenders = (config.standard_exchange, config.neg_risk_exchange, NEG_RISK_ADAPTER, config.exchange_v3)
        return {spender: str(allowance_of(account, spender=spender)) for spender in spenders}
    is_v2 = asset_type == "CONDITIONAL-V2"
    ledger = POSITION_MANAGER if is_v2 else CONDITIONAL_TOKENS
    operators = (
        (config.exchange_v3,)
        if is_v2
        else (config.standard_exchange, config.neg_risk_exchange, NEG_RISK_ADAPTER)
    )
    return {
        operator: str(UNLIMITED if is_operator(account, ledger=ledger, operator=operator) else 0)
        for operator in operators
    }


def _pair(ledger: str, operator: str) -> str:
    return f"{ledger}:{operator}".lower()
