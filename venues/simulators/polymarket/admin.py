"""The rehearsal's own door: the truth, and the levers. Loopback only, and never part of the venue's wire.

`docs/practice-exchange.md` lists the calls. A wrong call answers 400 with a sentence and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.approvals import UNLIMITED, allowance_set, operator_set
from venues.simulators.polymarket.config import (
    CONDITIONAL_TOKENS,
    POSITION_MANAGER,
    ROUTER,
    contracts,
    urls,
)
from venues.simulators.polymarket.ledger import account_fund
from venues.simulators.polymarket.makers import Level, book_move, book_regrid, book_set
from venues.simulators.polymarket.recordings import recording_body, recording_play, recording_stop
from venues.simulators.polymarket.records import Account, Market
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.resolution import market_resolve, shares_redeem
from venues.simulators.polymarket.settlement import script_validate, settlement_advance
from venues.simulators.polymarket.state import State, checksummed
from venues.simulators.polymarket.storms import storm_rules
from venues.simulators.polymarket.tape import frames_play, market_take_over
from venues.simulators.polymarket.truth import truth
from venues.simulators.polymarket.units import PRICE_ONE_E4, TICKS_E4, UNIT_E6, exact_e4, exact_e6, text_e6
from venues.simulators.polymarket.wire import BUDGETS, answer, faults_of, state_of

STANDINGS = ("open", "banned", "closed_only", "not_allowed")
NEXT_MAX = 1000
DELAY_SECONDS_MAX = 60
FAR_FUTURE_MS = 1 << 62

routes = web.RouteTableDef()


@web.middleware
async def loopback_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let only this machine in, and turn a wrong call into a sentence."""
    if not request.remote or not ip_address(request.remote).is_loopback:
        raise Refusal(403, "the admin door opens on loopback only")
    try:
        response = await handler(request)
    except (ValueError, TypeError, KeyError) as error:
        text = f"missing field {error}" if isinstance(error, KeyError) else str(error)
        raise Refusal(400, text) from error
    state_of(request).store.commit()
    return response


@routes.get("/truth")
async def show_truth(request: web.Request) -> web.Response:
    """Show everything; the house's own orders only with `include_makers=1`."""
    return answer(truth(state_of(request), with_house=request.query.get("include_makers") == "1"))


@routes.get("/info")
async def info(request: web.Request) -> web.Response:
    """Show the addresses and contracts a client is configured with, and the markets by slug."""
    state = state_of(request)
    slugs = {
        market.slug: {"condition_id": market.condition_id, "token_ids": market.token_ids}
        for market in state.markets.values()
    }
    base = f"{request.scheme}://{request.host}"
    return answer({"urls": urls(base), "contracts": contracts(state.config), "markets": slugs})


@routes.post("/fund")
async def fund(request: web.Request) -> web.Response:
    """Open a wallet and give it pUSD; `owner` and `signature_type` make it somebody's deposit wallet."""
    state, body = state_of(request), await _body(request)
    pusd_e6 = exact_e6(body["pusd"])
    if pusd_e6 < 0:
        raise ValueError("pusd must not be negative")
    account = state.account_open(checksummed(body["address"]))
    if "owner" in body:
        account.owner = checksummed(body["owner"])
        account.signature_type = int(body.get("signature_type", 3))
    account_fund(state, account, pusd_e6=pusd_e6, is_seen=bool(body.get("seen", True)))
    return answer({"address": account.address, "pusd": text_e6(account.pusd_e6)})


@routes.post("/account")
async def set_account(request: web.Request) -> web.Response:
    """Change a wallet's owner, signature type, session keys, approval or standing."""
    state, body = state_of(request), await _body(request)
    standing = body.get("standing", "open")
    if standing not in STANDINGS:
        raise ValueError(f"standing must be one of {', '.join(STANDINGS)}")
    sessions = [checksummed(row) for row in body.get("sessions", [])]
    owner = checksummed(body["owner"]) if "owner" in body else None
    account = state.account_open(checksummed(body["address"]))
    account.standing = standing if "standing" in body else account.standing
    _approve(state, account, body)
    account.signature_type = int(body.get("signature_type", account.signature_type))
    account.sessions = sessions or account.sessions
    account.owner = owner or account.owner
    state.save(account)
    return answer({"address": account.address, "standing": account.standing, "approved": account.approved})


@routes.post("/book")
async def set_book(request: web.Request) -> web.Response:
    """Replace the house's book of a market; prices are those of the named token (YES by slug)."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    bids, asks = _levels(market, body)
    market_take_over(state, market)
    book_set(state, market, bids=bids, asks=asks, now_ms=state.clock.now_ms())
    return answer({"slug": market.slug, "bids": len(bids), "asks": len(asks)})


@routes.post("/book/move")
async def move_book(request: web.Request) -> web.Response:
    """Shift the house's book of a market by whole ticks of YES."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    ticks = int(body["ticks"])
    market_take_over(state, market)
    book_move(state, market, ticks=ticks, now_ms=state.clock.now_ms())
    return answer({"slug": market.slug, "ticks": ticks})


@routes.post("/book/play")
async def play_book(request: web.Request) -> web.Response:
    """Schedule books: frames of `after_seconds`, `bids`, `asks`."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    frames = [(float(row["after_seconds"]), *_levels(market, {**body, **row})) for row in body["frames"]]
    market_take_over(state, market)
    frames_play(state, market, frames=frames, now_ms=state.clock.now_ms())
    return answer({"slug": market.slug, "frames": len(frames)})


@routes.get("/play")
async def show_play(request: web.Request) -> web.Response:
    """Show the recording that is playing and how far it is."""
    return answer(recording_body(state_of(request)))


@routes.post("/play")
async def play_recording(request: web.Request) -> web.Response:
    """Play a recording: `path` on this machine or `events` inline, at `speed`, unknown assets as market `slug`."""
    state, body = state_of(request), await _body(request)
    recording_play(
        state,
        now_ms=state.clock.now_ms(),
        path=str(body.get("path", "")),
        events=body.get("events"),
        speed=float(body.get("speed", 1.0)),
        slug=str(body.get("slug", "")),
    )
    return answer(recording_body(state))


@routes.delete("/play")
async def stop_recording(request: web.Request) -> web.Response:
    """End the recording; books stay as they are."""
    recording_stop(state_of(request))
    return answer(recording_body(state_of(request)))


@routes.post("/market")
async def set_market(request: web.Request) -> web.Response:
    """Change a market's tick, taker fee rate, delay, wording or whether it accepts orders."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    tick_e4 = exact_e4(body["tick"]) if "tick" in body else market.tick_e4
    if tick_e4 not in TICKS_E4:
        raise ValueError("tick must be one of 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001")
    rate_e6 = exact_e6(body.get("fee_rate", market.fee_rate))
    if not 0 <= rate_e6 < UNIT_E6:
        raise ValueError("fee_rate must be at least 0 and below 1, for instance 0.07")
    seconds_delay = float(body.get("seconds_delay", market.seconds_delay))
    if not 0 <= seconds_delay <= DELAY_SECONDS_MAX:
        raise ValueError(f"seconds_delay must be from 0 to {DELAY_SECONDS_MAX}")
    market.tick_e4, market.fee_rate, market.seconds_delay = tick_e4, text_e6(rate_e6), seconds_delay
    market.description = str(body.get("description", market.description))
    market.accepting_orders = bool(body.get("accepting_orders", market.accepting_orders))
    state.save(market)
    book_regrid(state, market, now_ms=state.clock.now_ms())
    return answer({"slug": market.slug, "accepting_orders": market.accepting_orders})


@routes.post("/settlement")
async def set_settlement(request: web.Request) -> web.Response:
    """Set the delays, and how the next trades end: `fail_next`, `retry_next`, or `scripts` word for word."""
    state, body = state_of(request), await _body(request)
    names = ("mined_seconds", "confirmed_seconds")
    delays: dict[str, Any] = {name: float(body[name]) for name in names if name in body}
    if any(seconds < 0 for seconds in delays.values()):
        raise ValueError("delays must not be negative")
    scripts = [script_validate(script) for script in body.get("scripts", [])]
    scripts += [["FAILED"]] * min(int(body.get("fail_next", 0)), NEXT_MAX)
    scripts += [["RETRYING", "MINED", "CONFIRMED"]] * min(int(body.get("retry_next", 0)), NEXT_MAX)
    state.settings.update(delays)
    state.settings["scripts"] = [*state.settings["scripts"], *scripts]
    state.save_settings()
    return answer({name: state.settings[name] for name in (*names, "scripts")})


@routes.post("/settlement/run")
async def run_settlement(request: web.Request) -> web.Response:
    """Take every open trade to its end now."""
    return answer({"steps": settlement_advance(state_of(request), now_ms=FAR_FUTURE_MS)})


@routes.post("/clock")
async def set_clock(request: web.Request) -> web.Response:
    """Move the exchange's clock: `offset_seconds` from the machine's, or `advance_seconds` from now."""
    state, body = state_of(request), await _body(request)
    offset = body.get("offset_seconds")
    if offset is not None:
        state.clock.offset_ms = round(float(offset) * 1000)
    state.clock.offset_ms += round(float(body.get("advance_seconds", 0)) * 1000)
    state.save_settings()
    return answer({"offset_ms": state.clock.offset_ms, "now_ms": state.clock.now_ms()})


@routes.post("/geoblock")
async def set_geoblock(request: web.Request) -> web.Response:
    """Change what the geoblock probe answers."""
    state, body = state_of(request), await _body(request)
    names = ("blocked", "country", "region")
    state.settings["geoblock"] = {name: body[name] for name in names if name in body}
    state.save_settings()
    return answer(state.settings["geoblock"])


@routes.post("/resolve")
async def resolve(request: web.Request) -> web.Response:
    """Resolve a market to YES, NO or 50-50."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    market_resolve(state, market, payout=str(body["payout"]), now_ms=state.clock.now_ms())
    return answer({"slug": market.slug, "payouts_e6": market.payout_e6})


@routes.post("/redeem")
async def redeem(request: web.Request) -> web.Response:
    """Redeem a wallet's shares of a resolved market, as the venue's own redeemer does."""
    state, body = state_of(request), await _body(request)
    market = _market(state, body)
    address = checksummed(body["address"])
    paid = shares_redeem(state, market, address=address, now_ms=state.clock.now_ms())
    return answer({"slug": market.slug, "paid": text_e6(paid)})


@routes.get("/limits")
async def show_limits(request: web.Request) -> web.Response:
    """Show the rate limits in force."""
    return answer(request.config_dict[BUDGETS].body())


@routes.post("/limits")
async def set_limits(request: web.Request) -> web.Response:
    """Change rate limits; every bucket is full again."""
    budgets = request.config_dict[BUDGETS]
    budgets.change(await _body(request))
    return answer(budgets.body())


@routes.get("/faults")
async def show_faults(request: web.Request) -> web.Response:
    """Show the faults in force and every strike so far."""
    return answer(faults_of(request).body())


@routes.post("/faults")
async def add_faults(request: web.Request) -> web.Response:
    """Add one fault, or a whole plan that replaces what was in force.

    A plan is `{"seed": 7, "faults": [...]}` or `{"seed": 7, "storm": 0.3}`, a share of everything.
    """
    state, plan, body = state_of(request), faults_of(request), await _body(request)
    rows = body.get("faults", [body])
    if "storm" in body:
        rows = storm_rules(float(body["storm"]), seconds=float(body.get("seconds", 1.0)))
    if "faults" in body or "storm" in body:
        plan.clear()
        plan.seed = int(body.get("seed", plan.seed))
    try:
        for row in rows:
            plan.add(row, now_ms=state.clock.now_ms())
    except (ValueError, TypeError):
        plan.load()
        raise
    plan.save()
    return answer(plan.body())


@routes.delete("/faults")
async def clear_faults(request: web.Request) -> web.Response:
    """Forget every fault and the log."""
    plan = faults_of(request)
    plan.clear()
    plan.save()
    return answer(plan.body())


def _approve(state: State, account: Account, body: dict[str, Any]) -> None:
    """Set approvals: all of them by `approved`, single ones by the contract's name or address.

    `allowances` are pUSD as decimals ("max" for no limit); `operators` hold for the ledger of the shares that the
    contract trades.
    """
    if "approved" in body:
        account.approved = bool(body["approved"])
        account.allowances, account.operators = {}, {}
    names = {name: str(value) for name, value in contracts(state.config).items() if name != "chain_id"}
    for name, amount in body.get("allowances", {}).items():
        spender = checksummed(names.get(name, name))
        allowance_set(account, spender=spender, amount=UNLIMITED if amount == "max" else exact_e6(amount))
    for name, is_approved in body.get("operators", {}).items():
        operator = checksummed(names.get(name, name))
        is_v2 = operator.lower() in (state.config.exchange_v3.lower(), ROUTER.lower())
        ledger = POSITION_MANAGER if is_v2 else CONDITIONAL_TOKENS
        operator_set(account, ledger=ledger, operator=operator, is_approved=bool(is_approved))


def _market(state: State, body: dict[str, Any]) -> Market:
    for market in state.markets.values():
        if body.get("slug") == market.slug or body.get("condition_id") == market.condition_id:
            return market
    found = state.market_by_token.get(str(body.get("token_id")))
    if found is None:
        raise ValueError("no such market; name it by slug, condition_id or token_id")
    return found


def _levels(market: Market, body: dict[str, Any]) -> tuple[list[Level], list[Level]]:
    bids = [(exact_e4(price), exact_e6(size)) for price, size in body.get("bids", [])]
    asks = [(exact_e4(price), exact_e6(size)) for price, size in body.get("asks", [])]
    if body.get("token_id") != market.token_ids[1]:
        return bids, asks
    flipped = [[(PRICE_ONE_E4 - price, size) for price, size in side] for side in (asks, bids)]
    return flipped[0], flipped[1]


async def _body(request: web.Request) -> dict[str, Any]:
    body = json.loads(await request.read() or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body
