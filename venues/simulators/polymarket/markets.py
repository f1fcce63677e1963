"""The markets a fresh practice exchange opens with, and their books: all of it a function of the seed.

`seeds.json` holds wording, price, spread and depth; ids, token ids and level sizes are derived here.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from venues.simulators.polymarket.config import POSITION_PROTOCOL
from venues.simulators.polymarket.makers import Level, book_set, makers_open
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import LOT_E6, PRICE_ONE_E4, UNIT_E6, exact_e4, exact_e6

SEEDS = Path(__file__).with_name("seeds.json")
FIRST_GAMMA_ID = 1_500_000
FIRST_EVENT_ID = 90_000
TOKEN_DIGITS = 77
BINARY_MODULE_ID = 1
POSITION_ZEROS = (1 << 64) - 1
"""Bits 40 to 103 of an id: all zero in a Protocol V2 position, not all zero in a conditional token."""


def markets_open(state: State, *, now_ms: int) -> None:
    """Open the seeded markets with their books; nothing happens when there are markets already."""
    if state.markets or not state.config.seed_markets:
        return
    makers_open(state)
    for position, row in enumerate(seed_rows()):
        market = _market(row, seed=state.config.seed, position=position)
        state.index_market(market)
        state.save(market)
        bids, asks = seeded_levels(market, row, seed=state.config.seed)
        market.last_price_e4 = (bids[0][0] + asks[0][0]) // (2 * market.tick_e4) * market.tick_e4
        market.last_side = "BUY"
        book_set(state, market, bids=bids, asks=asks, now_ms=now_ms)


def seed_rows() -> list[dict[str, Any]]:
    """Return one row per market: the file's rows, with its templates and defaults filled in."""
    data = json.loads(SEEDS.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = []
    for group in data["groups"]:
        for member in group["members"]:
            row = {**data["defaults"], **{k: v for k, v in group.items() if k != "members"}, **member}
            for name in ("slug", "question", "description", "event_slug", "event_title", "resolution_source"):
                row[name] = str(row.get(name, "")).format(**member)
            row["event_slug"] = row["event_slug"] or row["slug"]
            row["event_title"] = row["event_title"] or row["question"]
            rows.append(row)
    return rows


def seeded_levels(market: Market, row: dict[str, Any], *, seed: int) -> tuple[list[Level], list[Level]]:
    """Return (bids, asks) best first: `levels` a side, thin at the touch, worth about `depth_usd` a side."""
    chance = random.Random(f"{seed}:{market.slug}")  # noqa: S311 - the same seed must give the same book
    best_ask = exact_e4(row["ask"])
    best_bid = best_ask - exact_e4(row["spread"])
    depth_e6 = exact_e6(row["depth_usd"])
    count = int(row["levels"])
    asks = _ladder(market, chance, start_e4=best_ask, step=1, worth_e6=depth_e6, count=count)
    bids = _ladder(market, chance, start_e4=best_bid, step=-1, worth_e6=depth_e6 // 2, count=count)
    return bids, asks


def _ladder(
    market: Market, chance: random.Random, *, start_e4: int, step: int, worth_e6: int, count: int
) -> list[Level]:
    price = start_e4
    prices = []
    for _ in range(count):
        if not market.tick_e4 <= price <= PRICE_ONE_E4 - market.tick_e4:
            break
        prices.append(price)
        price += step * market.tick_e4 * chance.choice((1, 1, 1, 2, 2, 3, 5))
    weights = [chance.randint(40, 160) * (index + 2) for index in range(len(prices))]
    levels = []
    for price_e4, weight in zip(prices, weights, strict=True):
        size = worth_e6 * weight // sum(weights) * PRICE_ONE_E4 // price_e4
        levels.append((price_e4, max(size // LOT_E6 * LOT_E6, market.min_size_e6)))
    return levels


def _market(row: dict[str, Any], *, seed: int, position: int) -> Market:
    name = f"{seed}:{row['slug']}"
    neg_risk = bool(row["neg_risk"])
    condition_id, token_ids = _identifiers(name, version=row["version"])
    event_number = int(keccak(text=row["event_slug"]).hex()[:6], 16) % 100_000
    return Market(
        condition_id=condition_id,
        question_id="0x" + keccak(text=f"question:{name}").hex(),
        gamma_id=str(FIRST_GAMMA_ID + position),
        slug=row["slug"],
        question=row["question"],
        description=row["description"],
        resolution_source=row["resolution_source"],
        token_ids=token_ids,
        outcomes=["Yes", "No"],
        tick_e4=exact_e4(row["tick"]),
        min_size_e6=int(row["min_size"]) * UNIT_E6,
        neg_risk=neg_risk,
        fee_rate=row["fee_rate"],
        fee_exponent=int(row["fee_exponent"]),
        started_at=row["starts_at"],
        ends_at=row["ends_at"],
        event_id=str(FIRST_EVENT_ID + event_number),
        event_slug=row["event_slug"],
        event_title=row["event_title"],
        version=row["version"],
        tags=list(row["tags"]),
        group_title=str(row.get("group_title", "")),
        neg_risk_market_id="0x" + keccak(text=f"event:{seed}:{row['event_slug']}").hex() if neg_risk else "",
    )


def _identifiers(name: str, *, version: str) -> tuple[str, list[str]]:
    """Return (condition id, [YES id, NO id]).

    A Protocol V2 position id is one byte of module, eighteen of market, eight of zero, four of question and one
    of outcome; its first 31 bytes are the structural market id, which Gamma pads with a zero byte. Source:
    docs.polymarket.com/resources/onchain-position-data.
    """
    condition = keccak(text=f"condition:{name}")
    if version != POSITION_PROTOCOL:
        return "0x" + condition.hex(), [_token_id(name, outcome) for outcome in ("Yes", "No")]
    market = bytes([BINARY_MODULE_ID]) + condition[:18] + bytes(8) + bytes(4)
    positions = [str(int.from_bytes(market + bytes([outcome]), "big")) for outcome in (0, 1)]
    return "0x" + market.hex() + "00", positions


def _token_id(name: str, outcome: str) -> str:
    """Return a 77-digit id as the venue's are; short ones would read as another protocol's position ids."""
    for attempt in range(1000):
        text = str(int(keccak(text=f"token:{name}:{outcome}:{attempt}").hex(), 16))
        if len(text) == TOKEN_DIGITS and int(text) >> 40 & POSITION_ZEROS:
            return text
    raise ValueError(f"no token id of {TOKEN_DIGITS} digits for {name}")
