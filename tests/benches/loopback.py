"""A venue that answers at once: the wire of Polymarket's order book on loopback, without judging anything.

A bench of ours must not measure the practice exchange, which verifies and matches. This one gives every token the same
book, fills every order whole at the best price and says CONFIRMED. It computes the order's name as the venue does, by
the contracts in the environment, because our side checks it. Run as a process: `python -m tests.benches.loopback`.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any

from aiohttp import web

from venues.adapters.polymarket.order_hash import digest_of, domain_separator, struct_hash

ASK, BID, DEPTH = "0.040", "0.020", "1000000"
CONDITION_DIGITS = 64
GAMMA_PAGE = 500


class Loopback:
    """Orders and trades of one run, in memory."""

    def __init__(self) -> None:
        self.separator = domain_separator(
            chain_id=int(os.environ["POLYMARKET_CHAIN_ID"]),
            exchange=os.environ["POLYMARKET_EXCHANGE_ADDRESS"],
            version="2",
        )
        self.trades: dict[str, dict[str, Any]] = {}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/clob/books", self.books)
        app.router.add_post("/clob/orders", self.orders)
        app.router.add_post("/clob/order", self.order)
        app.router.add_get("/clob/data/trades", self.data_trades)
        app.router.add_get("/clob/data/order/{name}", self.data_order)
        app.router.add_get("/clob/clob-markets/{condition}", self.clob_market)
        app.router.add_get("/clob/time", self.time)
        app.router.add_post("/forget", self.forget)
        return app

    async def books(self, request: web.Request) -> web.Response:
        now = str(time.time_ns() // 1_000_000)
        asked = [row["token_id"] for row in await request.json()]
        return web.json_response([book_of(token, now) for token in asked])

    async def orders(self, request: web.Request) -> web.Response:
        return web.json_response([self._take(entry) for entry in await request.json()])

    async def order(self, request: web.Request) -> web.Response:
        return web.json_response(self._take(await request.json()))

    def _take(self, entry: dict[str, Any]) -> dict[str, Any]:
        order = entry["order"]
        name = "0x" + digest_of(self.separator, struct_hash(order)).hex()
        making, taking = int(order["makerAmount"]), int(order["takerAmount"])
        self.trades[name] = {
            "id": f"t-{name[2:34]}",
            "taker_order_id": name,
            "market": condition_of(order["tokenId"]),
            "asset_id": order["tokenId"],
            "side": order["side"],
            "size": f"{taking // 1_000_000}.{taking % 1_000_000:06d}",
            "price": ASK,
            "status": "CONFIRMED",
            "match_time": str(int(time.time())),
            "outcome": "Yes",
            "owner": entry["owner"],
            "maker_address": order["maker"],
            "transaction_hash": "0x" + "ab" * 32,
            "trader_side": "TAKER",
            "maker_orders": [],
        }
        return {
            "success": True,
            "errorMsg": "",
            "orderID": name,
            "status": "matched",
            "makingAmount": f"{making // 1_000_000}.{making % 1_000_000:06d}",
            "takingAmount": f"{taking // 1_000_000}.{taking % 1_000_000:06d}",
            "tradeIDs": [self.trades[name]["id"]],
            "transactionsHashes": [],
        }

    async def data_trades(self, request: web.Request) -> web.Response:
        asset = request.query.get("asset_id")
        found = [trade for trade in self.trades.values() if asset in (None, trade["asset_id"])]
        return web.json_response(
            {"limit": GAMMA_PAGE, "count": len(found), "next_cursor": "LTE=", "data": found}
        )

    async def data_order(self, request: web.Request) -> web.Response:
        return web.json_response(None)

    async def clob_market(self, request: web.Request) -> web.Response:
        terms = {"r": 0, "e": 1, "to": True}
        return web.json_response({"c": request.match_info["condition"], "fd": terms, "mts": 0.001, "mos": 5})

    async def time(self, request: web.Request) -> web.Response:
        return web.json_response(int(time.time()))

    async def forget(self, request: web.Request) -> web.Response:
        self.trades.clear()
        return web.json_response({})


def condition_of(token: str) -> str:
    """The market that a token belongs to here."""
    return "0x" + f"{int(token):x}"[-CONDITION_DIGITS:].rjust(CONDITION_DIGITS, "0")


def book_of(token: str, now: str) -> dict[str, Any]:
    """The same book for every token."""
    return {
        "market": condition_of(token),
        "asset_id": token,
        "timestamp": now,
        "hash": "",
        "bids": [{"price": BID, "size": DEPTH}],
        "asks": [{"price": ASK, "size": DEPTH}],
        "min_order_size": "5",
        "tick_size": "0.001",
        "neg_risk": False,
        "last_trade_price": ASK,
    }


async def main() -> None:
    """Listen on a free port of loopback, print it, and serve until killed."""
    runner = web.AppRunner(Loopback().app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": site._server.sockets[0].getsockname()[1]}), flush=True)  # type: ignore[union-attr]
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
