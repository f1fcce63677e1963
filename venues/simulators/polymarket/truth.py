"""What really happened: every order, trade and balance, told without any of the wire's vagueness."""

from __future__ import annotations

from typing import Any

from venues.simulators.polymarket.ledger import cash_reserved, shares_reserved
from venues.simulators.polymarket.makers import MINTER, SELLER
from venues.simulators.polymarket.records import Account, Leg, Order, Trade
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import text_e4, text_e6

HOUSE = (MINTER, SELLER)


def truth(state: State, *, with_house: bool = False) -> dict[str, Any]:
    """Return orders by hash, trades by id, accounts by address and the sum of all money."""
    orders = {row.id: _order(row) for row in state.orders.values() if with_house or not row.synthetic}
    accounts = {
        row.address: _account(state, row)
        for row in state.accounts.values()
        if with_house or row.address not in HOUSE
    }
    return {
        "now_ms": state.clock.now_ms(),
        "chain_id": state.config.chain_id,
        "orders": orders,
        "trades": {row.id: _trade(row) for row in state.trades.values()},
        "accounts": accounts,
        "money": money(state),
    }


def money(state: State) -> dict[str, Any]:
    """Return where all pUSD is; `is_conserved` is the exchange's first invariant.

    Every market still open must also have as many YES as NO outstanding.
    """
    in_accounts = sum(row.pusd_e6 + row.unseen_e6 for row in state.accounts.values())
    fees, vault, minted = (int(state.settings[name]) for name in ("fee_e6", "vault_e6", "minted_e6"))
    return {
        "minted": text_e6(minted),
        "accounts": text_e6(in_accounts),
        "fees": text_e6(fees),
        "vault": text_e6(vault),
        "is_conserved": in_accounts + fees + vault == minted and _pairs_match(state),
    }


def _pairs_match(state: State) -> bool:
    outstanding: dict[str, int] = {}
    for account in state.accounts.values():
        for token_id, position in account.positions.items():
            outstanding[token_id] = outstanding.get(token_id, 0) + position.size_e6
    return all(
        outstanding.get(market.token_ids[0], 0) == outstanding.get(market.token_ids[1], 0)
        for market in state.markets.values()
        if not market.closed
    )


def _order(order: Order) -> dict[str, Any]:
    return {
        "maker": order.maker,
        "signer": order.signer,
        "owner": order.owner,
        "condition_id": order.condition_id,
        "token_id": order.token_id,
        "side": order.side,
        "order_type": order.order_type,
        "maker_amount": str(order.maker_amount),
        "taker_amount": str(order.taker_amount),
        "price": text_e4(order.price_e4),
        "filled_shares": text_e6(order.matched_e6),
        "filled_pusd": text_e6(order.cash_e6),
        "status": order.status,
        "created_at_ms": order.created_at,
        "trade_ids": order.trade_ids,
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "condition_id": trade.condition_id,
        "status": trade.status,
        "transaction_hash": trade.transaction_hash,
        "matched_at_ms": trade.matched_at,
        "updated_at_ms": trade.updated_at,
        "taker_order_id": trade.legs[0].order_id,
        "legs": [_leg(leg) for leg in trade.legs],
    }


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "order_id": leg.order_id,
        "address": leg.address,
        "token_id": leg.token_id,
        "side": leg.side,
        "shares": text_e6(leg.size_e6),
        "price": text_e4(leg.price_e4),
        "pusd": text_e6(leg.cash_e6),
        "fee": text_e6(leg.fee_e6),
    }


def _account(state: State, account: Account) -> dict[str, Any]:
    positions = {
        token_id: {
            "shares": text_e6(position.size_e6),
            "reserved": text_e6(shares_reserved(state, account.address, token_id=token_id)),
            "cost": text_e6(position.cost_e6),
        }
        for token_id, position in account.positions.items()
    }
    return {
        "owner": account.owner,
        "signature_type": account.signature_type,
        "pusd": text_e6(account.pusd_e6),
        "unseen_pusd": text_e6(account.unseen_e6),
        "reserved_pusd": text_e6(cash_reserved(state, account.address)),
        "funded_pusd": text_e6(account.funded_e6),
        "fees_paid": text_e6(account.fees_paid_e6),
        "approved": account.approved,
        "standing": account.standing,
        "positions": positions,
    }
