"""The rehearsal's levers on the chain: what wallets hold there, how markets settle, how transactions end."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from venues.simulators.polymarket.admin import _body, _market
from venues.simulators.polymarket.pool import FATES
from venues.simulators.polymarket.records import Account
from venues.simulators.polymarket.resolution import market_stage
from venues.simulators.polymarket.state import checksummed
from venues.simulators.polymarket.transactions import Transaction
from venues.simulators.polymarket.units import exact_e6, text_e6
from venues.simulators.polymarket.wire import answer, state_of

FATES_MAX = 100
SHOWN_MAX = 200

routes = web.RouteTableDef()


@routes.get("/chain")
async def show_chain(request: web.Request) -> web.Response:
    """Show the newest transactions and the fates that wait for the next ones."""
    state = state_of(request)
    rows = sorted(state.transactions.values(), key=lambda row: -row.sequence)[:SHOWN_MAX]
    return answer({"transactions": [_shown(row) for row in rows], "fates": state.settings.get("fates", [])})


@routes.post("/chain")
async def set_chain(request: web.Request) -> web.Response:
    """Write how the next transactions end: `fates` of drop, wait (with `seconds`), revert, replace, or plain."""
    state, body = state_of(request), await _body(request)
    fates = body.get("fates", [])
    if len(fates) > FATES_MAX:
        raise ValueError(f"at most {FATES_MAX} fates")
    for fate in fates:
        if fate.get("fate") not in (*FATES, "plain"):
            raise ValueError(f"fate must be one of {', '.join((*FATES, 'plain'))}")
    state.settings["fates"] = [dict(fate) for fate in fates]
    state.save_settings()
    return answer({"fates": state.settings["fates"]})


@routes.post("/tokens")
async def set_tokens(request: web.Request) -> web.Response:
    """Set what a wallet holds on chain besides pUSD: `pol`, `usdc`, `usdce` as decimals."""
    state, body = state_of(request), await _body(request)
    account = state.account_open(checksummed(body["address"]))
    amounts = {name: exact_e6(body[name]) for name in ("pol", "usdc", "usdce") if name in body}
    if any(amount < 0 for amount in amounts.values()):
        raise ValueError("amounts must not be negative")
    if "pol" in amounts:
        account.pol_wei = amounts["pol"] * 10**12
    account.usdc_e6 = amounts.get("usdc", account.usdc_e6)
    account.usdce_e6 = amounts.get("usdce", account.usdce_e6)
    state.save(account)
    return answer(_tokens(account))


@routes.post("/stage")
async def set_stage(request: web.Request) -> web.Response:
    """Say how far the answer of an open market is: `stage` proposed, disputed, or empty."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    market_stage(state, market, stage=str(body.get("stage", "")))
    return answer({"slug": market.slug, "stage": body.get("stage", "")})


@routes.post("/contradict")
async def contradict(request: web.Request) -> web.Response:
    """Let one service (`source`: gamma, clob or data) tell another payout than the chain; `payout` empty ends it."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    source, payout = str(body["source"]), str(body.get("payout", ""))
    if source not in ("gamma", "clob", "data") or payout not in ("", "YES", "NO", "50-50", "open"):
        raise ValueError("source is gamma, clob or data; payout is YES, NO, 50-50, open or empty")
    kept = {**state.settings.get("contradictions", {}), f"{source}:{market.condition_id}": payout}
    state.settings["contradictions"] = {key: word for key, word in kept.items() if word}
    state.save_settings()
    return answer({"slug": market.slug, "source": source, "payout": payout})


def _shown(row: Transaction) -> dict[str, Any]:
    names = (
        "hash",
        "kind",
        "sender",
        "wallet",
        "nonce",
        "status",
        "reason",
        "submitted_at",
        "mined_at",
        "relay_id",
    )
    return {name: getattr(row, name) for name in names}


def _tokens(account: Account) -> dict[str, str]:
    return {
        "address": account.address,
        "pol": text_e6(account.pol_wei // 10**12),
        "usdc": text_e6(account.usdc_e6),
        "usdce": text_e6(account.usdce_e6),
    }
