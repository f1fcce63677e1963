"""How a market ends: resting orders fall, a payout per share is fixed, holders redeem."""

from __future__ import annotations

from venues.simulators.polymarket.cancels import order_withdraw
from venues.simulators.polymarket.ledger import position_redeem
from venues.simulators.polymarket.records import CANCELED_RESOLVED, Market
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import UNIT_E6

PAYOUTS_E6 = {"YES": (UNIT_E6, 0), "NO": (0, UNIT_E6), "50-50": (UNIT_E6 // 2, UNIT_E6 // 2)}


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


def shares_redeem(state: State, market: Market, *, address: str) -> int:
    """Pay out one wallet's mined shares of a resolved market; return millionths of pUSD."""
    if not market.payout_e6:
        raise ValueError(f"{market.slug} is not resolved")
    account = state.accounts.get(address)
    return position_redeem(state, account, market) if account else 0
