"""An order's way in: verified, weighed, matched against the book, answered.

Everything that can refuse comes before anything that changes; the order's hash is looked up before it can
match, and a hash the engine has once accepted is remembered for ever, killed orders included.
"""

from __future__ import annotations

from typing import Any

from venues.simulators.polymarket import refusals
from venues.simulators.polymarket.approvals import require_approval
from venues.simulators.polymarket.book import Plan
from venues.simulators.polymarket.config import domain_version
from venues.simulators.polymarket.delays import NO_DELAY, Delay, order_delay
from venues.simulators.polymarket.ledger import require_funds, require_standing
from venues.simulators.polymarket.limits import (
    limit_price_e4,
    require_dollar,
    require_expiration,
    require_size,
)
from venues.simulators.polymarket.records import (
    BUY,
    KILLED,
    LIVE,
    MATCHED,
    Account,
    ApiKey,
    Market,
    Order,
    Trade,
)
from venues.simulators.polymarket.refusals import Refusal, duplicated
from venues.simulators.polymarket.requests import OrderRequest
from venues.simulators.polymarket.settlement import fees_of, trades_record
from venues.simulators.polymarket.signatures import exchange_domain, order_hash, recover_order_signer
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import text_e6
from venues.simulators.polymarket.wallets import deposit_wallets


def order_place(
    state: State, request: OrderRequest, *, key: ApiKey, now_ms: int, delay: Delay = NO_DELAY
) -> dict[str, Any]:
    """Take one order and return the venue's answer; raise Refusal for its explicit no.

    The caller commits. A refusal that leaves a killed order behind has to be committed too.
    """
    market = state.market_by_token.get(request.token_id)
    if market is None:
        raise Refusal(404, refusals.NO_MARKET)
    domain = exchange_domain(
        version=domain_version(market.version),
        chain_id=state.config.chain_id,
        exchange=state.config.exchange(neg_risk=market.neg_risk, protocol=market.version),
    )
    order_id = "0x" + order_hash(request.fields, domain=domain).hex()
    account = _require_signer(state, request, key=key, domain=domain)
    if order_id in state.orders:
        raise duplicated(order_id)
    order = _weighed(state, request, market, account=account, order_id=order_id, now_ms=now_ms)
    plan = state.books[market.condition_id].plan(order)
    if plan.fills or order.order_type in ("FAK", "FOK"):
        require_dollar(request)
    amount = order.maker_amount + (fees_of(market, plan.fills) if order.side == BUY else 0)
    require_funds(state, account, side=order.side, token_id=order.token_id, amount_e6=amount)
    order.sequence = state.next_sequence()
    _require_match(state, order, plan)
    seconds = max(market.seconds_delay, delay.seconds)
    if seconds > 0 and plan.fills:
        until_ms = now_ms + round(seconds * 1000)
        return order_delay(state, order, until_ms=until_ms, fails=delay.fails)
    return order_execute(state, order, market, plan=plan, now_ms=now_ms)


def order_execute(state: State, order: Order, market: Market, *, plan: Plan, now_ms: int) -> dict[str, Any]:
    """Match an accepted order, rest what may rest, and return the venue's answer."""
    order.status = LIVE if order.order_type in ("GTC", "GTD") and not plan.is_complete else MATCHED
    state.index_order(order)
    state.save(order)
    trades = trades_record(state, order, market, fills=plan.fills, now_ms=now_ms)
    return _answer(order, plan, trades)


def _answer(order: Order, plan: Plan, trades: list[Trade]) -> dict[str, Any]:
    matched = bool(trades)
    shares, cash = text_e6(plan.size_e6), text_e6(plan.cash_e6)
    making, taking = (cash, shares) if order.side == BUY else (shares, cash)
    return {
        "success": True,
        "errorMsg": "",
        "orderID": order.id,
        "status": "matched" if matched else "live",
        "makingAmount": making if matched else "",
        "takingAmount": taking if matched else "",
        "tradeIDs": [trade.id for trade in trades],
        "transactionsHashes": [],
    }


def _require_signer(state: State, request: OrderRequest, *, key: ApiKey, domain: bytes) -> Account:
    """Return the maker's account when key, owner, signer, maker and signature agree."""
    fields = request.fields
    if request.owner != key.key:
        raise Refusal(400, refusals.OWNER_MISMATCH)
    expected_signer = fields.maker if fields.signature_type in (0, 3) else key.address
    if fields.signer != expected_signer or not _controls(state, key.address, request):
        raise Refusal(400, refusals.SIGNER_MISMATCH)
    chain_id = state.config.chain_id
    signer = recover_order_signer(fields, request.signature, domain=domain, chain_id=chain_id)
    if signer != key.address:
        raise Refusal(400, refusals.INVALID_SIGNATURE)
    account = state.account(fields.maker)
    if fields.signature_type == 0 and account.standing == "not_allowed":
        raise Refusal(400, refusals.EOA_NOT_ALLOWED)
    return account


def _controls(state: State, eoa: str, request: OrderRequest) -> bool:
    wallet, kind = request.fields.maker, request.fields.signature_type
    if kind == 0:
        return wallet == eoa
    account = state.accounts.get(wallet)
    if account is not None and account.signature_type == kind:
        return eoa == account.owner or eoa in account.sessions
    return kind == 3 and wallet in deposit_wallets(eoa)


def _weighed(
    state: State, request: OrderRequest, market: Market, *, account: Account, order_id: str, now_ms: int
) -> Order:
    """Return the order a request asks for after every check of its own numbers and its wallet's standing."""
    if market.closed:
        raise Refusal(404, refusals.NO_BOOK)
    if not market.accepting_orders:
        raise Refusal(400, refusals.MARKET_NOT_READY)
    require_expiration(request, now_ms=now_ms)
    price_e4 = limit_price_e4(request, market, order_id=order_id)
    require_size(request, market, order_id=order_id)
    require_standing(account, side=request.side)
    fields = request.fields
    require_approval(account, market, config=state.config, side=request.side, amount_e6=fields.maker_amount)
    return Order(
        id=order_id,
        condition_id=market.condition_id,
        token_id=request.token_id,
        maker=fields.maker,
        signer=fields.signer,
        owner=request.owner,
        side=request.side,
        maker_amount=fields.maker_amount,
        taker_amount=fields.taker_amount,
        price_e4=price_e4,
        size_e6=fields.taker_amount if request.side == BUY else fields.maker_amount,
        order_type=request.order_type,
        expiration=request.expiration,
        signature_type=fields.signature_type,
        created_at=now_ms,
        post_only=request.post_only,
    )


def _require_match(state: State, order: Order, plan: Plan) -> None:
    """Kill an order whose type the book cannot satisfy, and remember its hash."""
    if order.post_only and plan.fills:
        _kill(state, order)
        raise Refusal(400, refusals.POST_ONLY_CROSSES)
    if order.order_type == "FOK" and not plan.is_complete:
        _kill(state, order)
        raise Refusal(400, refusals.FOK_KILLED)
    if order.order_type == "FAK" and not plan.fills:
        _kill(state, order)
        raise Refusal(400, refusals.FAK_KILLED, orderID=order.id)


def _kill(state: State, order: Order) -> None:
    order.status = KILLED
    state.index_order(order)
    state.save(order)
