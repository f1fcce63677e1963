"""What the Data API tells of a wallet's redemptions: one row per transaction and market."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from venues.simulators.polymarket.contracts import TRANSFER_SINGLE_TOPIC, TRANSFER_TOPIC
from venues.simulators.polymarket.data_api import _account, _page
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.transactions import MINED, Transaction
from venues.simulators.polymarket.units import text_e6
from venues.simulators.polymarket.wire import state_of

routes = web.RouteTableDef()


@routes.get("/v2/activity")
async def activity(request: web.Request) -> web.Response:
    """List a wallet's redemptions, newest first; other kinds of activity are not told here."""
    state = state_of(request)
    account = _account(request)
    kinds = {part for item in request.query.getall("type", []) for part in item.split(",")}
    asked = {part for item in request.query.getall("condition_id", []) for part in item.split(",")}
    start = int(request.query.get("start", 0) or 0)
    if account is None or (kinds and "REDEEM" not in kinds):
        return _page(request, [])
    mined = [
        row for row in state.transactions.values() if row.wallet == account.address and row.status == MINED
    ]
    rows = []
    for sent in sorted(mined, key=lambda row: -row.sequence):
        for market in _markets(state, sent):
            if (not asked or market.condition_id in asked) and sent.mined_at // 1000 >= start:
                rows.append(_row(sent, market))
    return _page(request, rows)


def _markets(state: State, sent: Transaction) -> list[Market]:
    """The markets whose shares left the wallet."""
    found = {}
    for log in sent.logs:
        if log["topics"][0] == TRANSFER_SINGLE_TOPIC:
            market = state.market_by_token.get(str(int(log["data"][2:66], 16)))
            if market is not None:
                found[market.condition_id] = market
    return list(found.values())


def _row(sent: Transaction, market: Market) -> dict[str, Any]:
    paid = sum(int(log["data"], 16) for log in sent.logs if log["topics"][0] == TRANSFER_TOPIC)
    return {
        "type": "REDEEM",
        "is_combo": False,
        "proxy_wallet": sent.wallet,
        "timestamp": sent.mined_at // 1000,
        "transaction_hash": sent.hash,
        "condition_id": market.condition_id,
        "usdc_size": text_e6(paid),
        "title": market.question,
        "slug": market.slug,
        "event_slug": market.event_slug,
        "outcome": None,
        "outcome_index": None,
    }
