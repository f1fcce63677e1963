"""What each wallet has, what of it is spoken for, and how a trade moves it.

pUSD is conserved: everything funded is in accounts, in the fee pot, or in the vault behind outstanding pairs
of YES and NO. A match reserves; only a mined transaction moves.
"""

from __future__ import annotations

from venues.simulators.polymarket.book import cash_e6
from venues.simulators.polymarket.records import BUY, SELL, Account, Leg, Market, Order, Position, Trade
from venues.simulators.polymarket.refusals import Refusal, short_balance
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import UNIT_E6


def account_fund(state: State, account: Account, *, pusd_e6: int, is_seen: bool = True) -> None:
    """Create pUSD in an account; unseen pUSD waits for `/balance-allowance/update`."""
    if is_seen:
        account.pusd_e6 += pusd_e6
    else:
        account.unseen_e6 += pusd_e6
    account.funded_e6 += pusd_e6
    state.settings["minted_e6"] += pusd_e6
    state.save(account)
    state.save_settings()


def pairs_split(state: State, account: Account, market: Market, *, size_e6: int) -> None:
    """Turn pUSD into as many YES and NO shares; the vault keeps the pUSD."""
    account.pusd_e6 -= size_e6
    state.settings["vault_e6"] += size_e6
    for token_id in market.token_ids:
        position = account.positions.setdefault(token_id, Position())
        position.size_e6 += size_e6
        position.bought_e6 += size_e6
        position.cost_e6 += size_e6 // 2
    state.save(account)
    state.save_settings()


def cash_reserved(state: State, address: str) -> int:
    """Return millionths of pUSD promised by live and delayed orders and by trades not yet mined."""
    total = 0
    for order in state.live[address].values():
        if order.side == BUY:
            total += cash_e6(order.remaining_e6, order.price_e4)
    for order in _delayed(state, address):
        total += order.maker_amount if order.side == BUY else 0
    for leg in _unmined_legs(state, address):
        total += leg.cash_e6 + leg.fee_e6 if leg.side == BUY else 0
    return total


def shares_reserved(state: State, address: str, *, token_id: str) -> int:
    """Return millionths of shares promised by live and delayed orders and by trades not yet mined."""
    total = 0
    for order in state.live[address].values():
        if order.side == SELL and order.token_id == token_id:
            total += order.remaining_e6
    for order in _delayed(state, address):
        total += order.size_e6 if order.side == SELL and order.token_id == token_id else 0
    for leg in _unmined_legs(state, address):
        total += leg.size_e6 if leg.side == SELL and leg.token_id == token_id else 0
    return total


def require_funds(state: State, account: Account, *, side: str, token_id: str, amount_e6: int) -> None:
    """Refuse an order its wallet cannot cover: pUSD with fees for a BUY, shares for a SELL."""
    if side == BUY:
        balance = account.pusd_e6 - cash_reserved(state, account.address)
    else:
        held = account.positions.get(token_id)
        balance = held.size_e6 if held else 0
        balance -= shares_reserved(state, account.address, token_id=token_id)
    if balance < amount_e6:
        raise short_balance(balance_e6=max(balance, 0), amount_e6=amount_e6)


def require_standing(account: Account, *, side: str) -> None:
    """Refuse a banned, close-only or not allow-listed wallet."""
    if account.standing == "banned":
        raise Refusal(400, f"'{account.address}' address banned")
    if account.standing == "closed_only" and side == BUY:
        raise Refusal(400, f"'{account.address}' address in closed only mode")


def trade_apply(state: State, trade: Trade) -> None:
    """Move shares, pUSD and fees of a mined trade; a mint fills the vault, a merge empties it."""
    drift = 0
    for leg in trade.legs:
        account = state.account_open(leg.address)
        position = account.positions.setdefault(leg.token_id, Position())
        position.first_at = position.first_at or trade.updated_at
        position.last_at = trade.updated_at
        if leg.side == BUY:
            _leg_buy(account, position, leg)
            drift -= leg.cash_e6
        else:
            _leg_sell(account, position, leg)
            drift += leg.cash_e6
        account.fees_paid_e6 += leg.fee_e6
        state.settings["fee_e6"] += leg.fee_e6
        order = state.orders.get(leg.order_id)
        if order is not None:
            order.mined_making += leg.cash_e6 if leg.side == BUY else leg.size_e6
            state.save(order)
        state.save(account)
    state.settings["vault_e6"] -= drift
    state.save_settings()


def shares_redeem(state: State, account: Account, market: Market, *, token_id: str, size_e6: int) -> int:
    """Exchange held shares of a resolved market for their payout; return millionths of pUSD."""
    held = account.positions[token_id]
    value = size_e6 * market.payout_e6[market.index(token_id)] // UNIT_E6
    cost = _cost_of(held, size_e6)
    held.realized_e6 += value - cost
    held.cost_e6 -= cost
    held.size_e6 -= size_e6
    account.pusd_e6 += value
    state.settings["vault_e6"] -= value
    state.save(account)
    state.save_settings()
    return value


def _delayed(state: State, address: str) -> list[Order]:
    return [order for order in state.delayed.values() if order.maker == address]


def _unmined_legs(state: State, address: str) -> list[Leg]:
    return [
        leg
        for trade in state.open_trades[address].values()
        if not trade.is_applied
        for leg in trade.legs
        if leg.address == address
    ]


def _leg_buy(account: Account, position: Position, leg: Leg) -> None:
    account.pusd_e6 -= leg.cash_e6 + leg.fee_e6
    position.size_e6 += leg.size_e6
    position.bought_e6 += leg.size_e6
    position.cost_e6 += leg.cash_e6
    position.fees_e6 += leg.fee_e6


def _leg_sell(account: Account, position: Position, leg: Leg) -> None:
    account.pusd_e6 += leg.cash_e6 - leg.fee_e6
    cost = _cost_of(position, leg.size_e6)
    position.cost_e6 -= cost
    position.realized_e6 += leg.cash_e6 - cost
    position.size_e6 -= leg.size_e6


def _cost_of(position: Position, size_e6: int) -> int:
    return position.cost_e6 * size_e6 // position.size_e6 if position.size_e6 else 0
